"""OpenCPS v2 (domain.md 2.1–2.6): REST dossiers, action rows, monthly statistics, calendars; the 2016 pilot.

Its timestamps end in a `Z` that is none: they are Vietnam's local time (domain.md 2.6).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from features.record.delivery import Chunks
from features.sources import FeedOptions
from features.sources.items import items
from features.sources.opencps_action import read_action
from features.sources.opencps_dossier import read_dossier
from features.sources.row_builder import RowBuilder, harvested
from features.spelling.codes import unit_code

FALSE_Z = True
STATISTICS = (
    "totalCount", "receivedCount", "onlineCount", "onegateCount", "processCount", "remainingCount", "releaseCount",
    "betimesCount", "ontimeCount", "overtimeCount", "doneCount", "deniedCount", "cancelledCount",
    "unresolvedCount", "processingCount", "undueCount", "overdueCount", "pausingCount", "waitingCount",
    "releasingCount", "interoperatingCount", "saturdayCount",
)  # fmt: skip


def read(path: Path, options: FeedOptions) -> Chunks:
    """The delivery at `path`: JSON of v2, or the pilot's tables as Parquet."""
    if (path.is_dir() and any(path.glob("*.parquet"))) or path.suffix == ".parquet":
        from features.sources.opencps_pilot import read_pilot

        yield from read_pilot(path, options)
        return
    yield from harvested(items(path), options, _read, false_z=FALSE_Z)


def _read(harvest: RowBuilder, value: Mapping[str, Any]) -> None:
    if "dossierActionId" in value:
        read_action(harvest, value)
    elif "serviceCode" in value and ("dossierNo" in value or "dossierId" in value):
        read_dossier(harvest, value)
        for action in harvest.objects(value, "actions"):
            read_action(harvest, {"dossierId": value.get("dossierId"), **action})
    elif "holidays" in value and isinstance(value["holidays"], list):
        for row in value["holidays"]:
            _read_holiday(harvest, row)
    elif "month" in value and "govAgencyCode" in value:
        _read_statistic(harvest, value)
    else:
        harvest.reject("", "a dossier, an action, a statistic or a calendar of OpenCPS", "an object of another kind")


def _read_holiday(harvest: RowBuilder, row: object) -> None:
    if not isinstance(row, Mapping) or row.get("holidayType") not in (0, 1, "0", "1"):
        harvest.reject("kind", "holidayType 0 or 1", None)
        return
    kind = "make_up" if str(row["holidayType"]) == "1" else "off"
    name = harvest.text("name", row.get("description"))
    harvest.row("holiday", date=str(row.get("holidayDate") or "")[:10], kind=kind, name=name)


def _read_statistic(harvest: RowBuilder, value: Mapping[str, Any]) -> None:
    """The system's own monthly counts of a unit and sector, stored to compare with what the record counts."""
    try:
        begin = date(int(value["year"]), int(value["month"]), 1)
    except (TypeError, ValueError, KeyError, OverflowError):
        harvest.reject("period_from", "a year and a month", None)
        return
    end = (begin + timedelta(days=32)).replace(day=1)
    unit = str(value.get("govAgencyCode") or "").strip()
    if not unit:
        harvest.reject("unit_code", "a unit's code", None)
        return
    for name in STATISTICS:
        count = value.get(name)
        if count not in (None, ""):  # what is no number the record sets aside
            harvest.row(
                "counter", source="opencps", unit_code=unit_code(unit), name=name, value=count,
                sector_code=harvest.text("sector_code", value.get("domainCode")), period_from=begin, period_to=end,
            )  # fmt: skip

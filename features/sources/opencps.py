"""OpenCPS v2 (domain.md 2.1–2.6): REST dossiers, action rows, monthly statistics, calendars; the 2016 pilot.

Its timestamps end in a `Z` that is none: they are Vietnam's local time (domain.md 2.6).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from features.record.delivery import Chunks
from features.sources import FeedOptions
from features.sources.actions import kind_of
from features.sources.json_stream import items
from features.sources.redact import scrub
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


ENDS = {"denied": "refused", "unresolved": "refused", "cancelled": "withdrawn"}
"""How a dossier of this status ended; every other ended one was decided."""
ENDED = frozenset({*ENDS, "releasing", "done"})
"""Statuses of which OpenCPS sets one of the dates of an end (domain.md 2.3)."""


def internal_id(value: object) -> str | None:
    """The id under which action rows name a dossier; an alias leads to the dossier's code."""
    return f"opencps:{value}" if isinstance(value, int | str) and str(value).strip() else None


def read_dossier(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """The rows of one dossier. One that was not received, or has no number yet, is rejected."""
    dossier_id = harvest.dossier("dossier_id", item.get("dossierNo"))
    received = harvest.moment("received_at", item.get("receiveDate"))
    if dossier_id is None:
        return
    if received is None:
        harvest.reject("received_at", "a dossier that was received", item.get("receiveDate"))
        return
    unit = harvest.unit(received, name=item.get("govAgencyName"), code=item.get("govAgencyCode"), dossier=dossier_id)
    procedure = harvest.procedure(
        item.get("serviceCode"), item.get("serviceName"), item.get("domainCode"), item.get("domainName")
    )
    if unit is None or procedure is None:
        harvest.reject("unit_code" if unit is None else "procedure_code", "a value", None)
        return
    internal = internal_id(item.get("dossierId"))
    if internal:
        harvest.unit_of[internal] = unit
        harvest.once("alias", internal, dossier_id=dossier_id, other_id=internal, known_at=received)
    name, phone = (
        value if isinstance(value := item.get(key), str) else None for key in ("applicantName", "contactTelNo")
    )
    number = str(item.get("applicantIdNo") or "") or None
    agent = item.get("delegateIdNo")
    harvest.received(
        dossier_id, unit, received, harvest.moment("due_at", item.get("dueDate")),
        harvest.moment("submitted_at", item.get("submitDate")), procedure_code=procedure, channel=_channel(item),
        applicant_id=harvest.people.citizen(number, name, phone),
        applicant_kind={"citizen": "citizen", "business": "business"}.get(str(item.get("applicantIdType"))),
        agent_id=harvest.people.citizen(agent) if isinstance(agent, str) and agent != number else None,
    )  # fmt: skip
    _read_ends(harvest, dossier_id, unit, item)
    _read_last_action(harvest, dossier_id, unit, item, (name, number, phone))


def _channel(item: Mapping[str, Any]) -> str:
    if str(item.get("fromViaPostal") or "0") == "1":
        return "post"
    return "online" if item.get("online") in (True, 1, "1", "true") else "counter"


def _read_ends(harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any]) -> None:
    """releaseDate ends the processing, finishDate the return (domain.md 2.3)."""
    status = str(item.get("dossierStatus"))
    kind = ENDS.get(status, "decided")
    released = harvest.moment("happened_at", item.get("releaseDate"))
    finished = harvest.moment("happened_at", item.get("finishDate"))
    ended: datetime | None = released or (finished if kind != "decided" else None)
    harvest.event(dossier_id, kind, ended, state=True, unit_code=unit)
    if kind == "decided":
        harvest.event(dossier_id, "delivered", finished, state=True, unit_code=unit)
    if status in ENDED:
        harvest.ended(released, finished)


def _read_last_action(
    harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any], people: tuple[str | None, ...]
) -> None:
    """The last action of the list row: all there is from a system that never sends its action rows."""
    done = harvest.moment("happened_at", item.get("lastActionDate"))
    action = scrub(harvest.text("step", item.get("lastActionName")), people)
    if done is not None and action:
        harvest.event(
            dossier_id, kind_of(action) or "note", done, state=True, unit_code=unit, step=action[:120],
            official_id=harvest.official(item.get("lastActionUser"), unit),
        )  # fmt: skip


RELEASED = 400
"""Steps from here on hand out a result; a way back from there opens the dossier again (T12)."""
ROLLED_BACK = 2
_WORK = frozenset({"assigned", "forwarded", "received", "note", "resumed", "returned"})


def read_action(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """The event of one action row; its dossier is found by alias, its official's unit in the same delivery."""
    dossier_id = internal_id(item.get("dossierId"))
    at = harvest.moment("happened_at", item.get("createDate"))
    if dossier_id is None or at is None:
        harvest.reject("dossier_id" if dossier_id is None else "happened_at", "a value", None)
        return
    action = scrub(harvest.text("step", item.get("actionName")))
    kind = kind_of(action or "") or "note"
    if item.get("state") == ROLLED_BACK:
        kind = "returned"
    elif kind in _WORK and _step(item.get("fromStepCode")) >= RELEASED > _step(item.get("stepCode")) > 0:
        kind = "reopened"
    unit = harvest.unit_of.get(dossier_id)
    user = item.get("actionUser")
    if unit is None and isinstance(user, str) and user.strip():
        harvest.reject("official_id", "the action's dossier in the same delivery, for its unit", user)
    note = scrub(harvest.text("reason", item.get("actionNote")))
    number = item.get("dossierActionId")
    harvest.event(
        dossier_id, kind, at, official_id=harvest.official(user, unit) if unit else None, unit_code=unit,
        step=(harvest.text("step", item.get("stepName")) or action or "")[:120], reason=note,
        step_due_at=harvest.moment("step_due_at", item.get("dueDate")), id_suffix=f"-{number}" if number else "",
    )  # fmt: skip


def _step(code: object) -> int:
    text = str(code or "")
    return int(text) if text.isascii() and text.isdigit() else 0

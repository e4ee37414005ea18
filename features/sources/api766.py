"""Answers of the portal's public reporting API (domain.md 1.7): what it counted, for reconciliation.

Sums about units; no dossier and no person. The period stands in the request, so an answer is kept with its
request, as `{"request": …, "response": …}`.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from features.record.delivery import Chunks
from features.sources import FeedOptions
from features.sources.json_stream import items
from features.sources.nested import inside, objects
from features.sources.row_builder import RowBuilder, harvested
from features.spelling.codes import unit_code

PROGRESS = ("totalReceived", "totalOnTime", "totalOverdue", "totalCompleted", "avgProcessingDays", "score")


def read(path: Path, options: FeedOptions) -> Chunks:
    """The counters of the delivery at `path`: JSON, one answer or many."""
    yield from harvested(items(path), options, _read)


def _read(harvest: RowBuilder, value: Mapping[str, Any]) -> None:
    body = inside(value, "request", "body")
    data = inside(value, "response", "data")
    period = _period(body)
    if period is None or not isinstance(data, Mapping):
        harvest.reject("period_from", "a request with its period and the response with data", None)
        return
    held = data.get("items")
    harvest.pages.page(data, body, len(held) if isinstance(held, list) else 1)
    for unit in held if isinstance(held, list) else [data]:
        if not isinstance(unit, Mapping) or not isinstance(code := unit.get("departmentCode"), str):
            harvest.reject("unit_code", "a departmentCode", None)
            continue
        for name, count in _counts(unit):
            harvest.row(
                "counter", source="api766", unit_code=unit_code(code), name=name, value=count,
                period_from=period[0], period_to=period[1],
            )  # fmt: skip


def _counts(unit: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name in PROGRESS:
        if _is_number(unit.get(name)):
            yield name, float(unit[name])
    for metric in objects(unit, "metrics"):
        code = metric.get("code")
        for part in ("numerator", "denominator"):
            if isinstance(code, str) and _is_number(metric.get(part)):
                yield f"{code[:60]}.{part}", float(metric[part])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _period(body: object) -> tuple[date, date] | None:
    """First day and the day after the last of a request's period: month, quarter, year, or from and to."""
    if not isinstance(body, Mapping):
        return None
    try:
        if body.get("fromDate"):
            last = date.fromisoformat(str(body["toDate"])[:10])
            return date.fromisoformat(str(body["fromDate"])[:10]), last + timedelta(days=1)
        year = int(body["year"])
        if body.get("timeType") == "year":
            return date(year, 1, 1), date(year + 1, 1, 1)
        months = 3 if body.get("timeType") == "quarter" else 1
        number = int(body["quarter" if months == 3 else "month"])
        first = date(year, months * (number - 1) + 1, 1)
        return first, (first + timedelta(days=31 * months)).replace(day=1)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None

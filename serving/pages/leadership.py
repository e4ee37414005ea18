"""`/leadership`: units ranked with their intervals, progress points of the index 766, sectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.pages.rendering import render
from serving.pages.risk_list import stretch
from serving.read.on_time_statistics import Count
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of

router = APIRouter(include_in_schema=False)

ROWS = 50


@dataclass(frozen=True)
class RankedUnit:
    """A unit in the ranking; place is None where there is not enough to rank by."""

    place: int | None
    count: Count
    against: str


AGAINST = {
    "higher": "nhiều hơn mức chung",
    "lower": "ít hơn mức chung",
    "alike": "không khác mức chung",
    "unknown": "chưa đủ dữ liệu",
}


@router.get("/leadership", response_class=HTMLResponse)
def show(
    request: Request,
    order: Literal["share", "progress", "overdue"] = "share",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """The whole province: no dossier and no official is named here."""
    reader = reader_of(request)
    people, known = context_of(request).people, context_of(request).known
    standing = known.standing
    ranked = rank(list(standing.units.values()), order, standing.total.share)
    rate = people.remembered.upheld_rate(people.state, reader.scope)
    people.receipts.record(
        reader.login,
        "leadership.read",
        {"until": standing.until.isoformat() if standing.until else ""},
        now=people.now(),
    )
    return render(
        request,
        "leadership.html",
        title="Toàn tỉnh",
        standing=standing,
        rows=ranked[offset : offset + ROWS],
        sectors=rank(list(standing.sectors.values()), "share", standing.total.share),
        against=AGAINST,
        order=order,
        rate=rate,
        pages=stretch("/leadership", {"order": order}, offset, len(ranked[offset : offset + ROWS]), ROWS, len(ranked)),
    )


def rank(counts: list[Count], order: str, average: float | None) -> list[RankedUnit]:
    """Counts in order, worst first; those with too few dossiers stand at the end without a place."""
    keys: dict[str, Callable[[Count], float]] = {
        "share": lambda count: -(count.share or 0),
        "progress": lambda count: count.progress if count.progress is not None else 99,
        "overdue": lambda count: -count.overdue,
    }
    told = sorted((count for count in counts if count.share is not None), key=lambda c: (keys[order](c), c.code))
    rest = sorted((count for count in counts if count.share is None), key=lambda c: c.code)
    return [RankedUnit(place, count, count.against(average)) for place, count in enumerate(told, 1)] + [
        RankedUnit(None, count, "unknown") for count in rest
    ]

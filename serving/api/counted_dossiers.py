"""What stands behind the figures of the province: their dossiers, and the months."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from serving.api.answer import answer
from serving.read.problem import documented, refused_as_problem
from serving.use_cases.app_context import context_of
from serving.use_cases.looked import note_look

router = APIRouter(prefix="/standing", tags=["people"])

SHOWN = ("dossier_id", "unit_code", "procedure_code", "sector_code", "received_at", "lawful_due_at", "ended_at")
MOST = 200
Code = Annotated[str, Query(max_length=200)]


@router.get("/dossiers", response_model=list[dict[str, Any]], responses=documented(422))
def list_dossiers(
    request: Request,
    figure: Literal["received", "ended", "late", "open", "overdue", "waiting", "past_first"],
    unit: Code = "",
    sector: Code = "",
    month: Annotated[str, Query(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """The dossiers that a figure of `/standing` counts, 200 from `offset`; who looked is on record."""
    with refused_as_problem():
        found = context_of(request).read_model.counted.of(figure, unit, sector, month)
    rows = found.slice(offset, MOST).select(SHOWN).to_pylist()
    seen = [f"dossier:{one['dossier_id']}" for one in rows]
    note_look(request, "leadership.read", {"kind": figure, "unit": unit, "month": month, "rows": len(rows)}, seen)
    return answer(rows)


@router.get("/months", response_model=list[dict[str, Any]], responses=documented(422))
def list_months(request: Request, unit: Code = "") -> Response:
    """The months of the year before now, of the province or a unit: received, ended, late, with the interval."""
    found = context_of(request).read_model.counted.months(unit)
    until: datetime | None = context_of(request).read_model.standing.until
    note_look(request, "leadership.read", {"until": until.isoformat() if until else "", "unit": unit})
    return answer([asdict(one) | {"share": one.share, "interval": one.interval} for one in found])

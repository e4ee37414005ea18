"""`GET /api/v1/dossiers/{dossier_id}`: one open dossier with its reasons, timeline, clock and delays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from serving.accounts.guard import reader_of
from serving.api.answer import answer
from serving.api.problem import Problem, documented
from serving.api.state import Serving, serving
from serving.case_file import CaseEvent, CaseFile
from serving.risk_list import RiskLine

router = APIRouter(tags=["dossier"])


@dataclass(frozen=True)
class DossierAnswer:
    """One open dossier: its line on the list and what the record tells of its way.

    facts: procedure, units, channel, dates; nothing of the applicant. timeline: what happened, in order.
    """

    as_of: datetime
    model_version: str
    rule: bool
    line: RiskLine
    facts: dict[str, str | datetime | None]
    timeline: list[CaseEvent]


@router.get("/dossiers/{dossier_id:path}", response_model=DossierAnswer, responses=documented(404, 422, 503))
async def show_dossier(
    request: Request,
    dossier_id: Annotated[str, Path(max_length=200)],
    state: Annotated[Serving, Depends(serving)],
    target: Annotated[str, Query(max_length=40)] = "lateness",
) -> Response:
    """One open dossier of the latest list; an id that is unknown or out of the reader's scope answers 404."""
    risk_list = state.risk_list(target)
    line = risk_list.line(dossier_id)
    if line is None or not reader_of(request).scope.covers(line.unit_code, line.official_id):
        raise Problem(404, "No open dossier of this id on the latest list.")
    case: CaseFile | None = request.app.state.known.cases.of(dossier_id)
    meta = risk_list.meta
    return answer(
        DossierAnswer(
            as_of=meta.as_of,
            model_version=meta.model_version,
            rule=meta.rule,
            line=line,
            facts=_facts(case),
            timeline=list(case.events) if case else [],
        )
    )


def _facts(case: CaseFile | None) -> dict[str, str | datetime | None]:
    if case is None:
        return {}
    names = ("procedure_code", "unit_code", "receiving_unit_code", "channel", "applicant_kind")
    times = ("submitted_at", "received_at", "due_at")
    return {name: getattr(case, name) for name in (*names, *times)}

"""`GET /api/v1/dossiers/{dossier_id}`: one open dossier with its reasons, timeline, clock and delays."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from features.calendar.working_time import Calendar
from models.targets import MAIN
from serving.api.answer import answer
from serving.read.case_file import CaseEvent, CaseFile
from serving.read.delay import Delay
from serving.read.problem import Problem, documented
from serving.scoring.risk_list import RiskLine
from serving.use_cases.app_context import context_of, serving
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import looked
from serving.use_cases.official_names import official_name
from serving.use_cases.served_state import Serving

router = APIRouter(tags=["dossier"])


@dataclass(frozen=True)
class Clock:
    """The legal clock at `read_at`, in working hours.

    promises: every due moment that was given, with the moment it was given at, oldest first; the last
    is in force. due_at: the lawful promise.
    """

    received_at: datetime | None
    due_at: datetime | None
    elapsed_hours: float | None
    left_hours: float | None
    promises: list[tuple[datetime, datetime]]


@dataclass(frozen=True)
class DossierAnswer:
    """One open dossier: its line on the list, scored at `as_of`, and where it stands at `read_at`, by its way so far.

    facts: procedure, units, channel, dates; nothing of the applicant. timeline: what happened, in order. delay:
    where the remaining time is expected to sit; null where too few past dossiers are alike.
    """

    as_of: datetime
    read_at: datetime
    model_version: str
    rule: bool
    line: RiskLine
    facts: dict[str, str | datetime | None]
    clock: Clock
    timeline: list[CaseEvent]
    delay: Delay | None


@router.get("/dossiers/{dossier_id:path}", response_model=DossierAnswer, responses=documented(404, 422, 503))
async def show_dossier(
    request: Request,
    dossier_id: Annotated[str, Path(max_length=200)],
    state: Annotated[Serving, Depends(serving)],
    target: Annotated[str, Query(max_length=40)] = MAIN.name,
) -> Response:
    """One open dossier of the latest list; an id that is unknown or out of the reader's scope answers 404."""
    risk_list = state.risk_list(target)
    line = risk_list.line(dossier_id)
    if line is None or not reader_of(request).scope.covers(line.unit_code, line.official_id):
        raise Problem(404, "No open dossier of this id on the latest list.")
    case: CaseFile | None = context_of(request).read_model.cases.of(dossier_id)
    meta = risk_list.meta
    detail = {"as_of": meta.as_of.isoformat(), "model": meta.model_version, "dossier": dossier_id,
              "score": f"{line.score:.6f}"}  # fmt: skip
    about = [f"dossier:{dossier_id}", *([f"official:{line.official_id}"] if line.official_id else [])]
    await looked(request, "dossier.read", detail, about)
    return answer(
        DossierAnswer(
            as_of=meta.as_of,
            read_at=risk_list.read_at,
            model_version=meta.model_version,
            rule=meta.rule,
            line=replace(line, official_name=official_name(request, line.official_id)),
            facts=_facts(case),
            clock=_clock(line, case, risk_list.read_at, context_of(request).read_model.calendar),
            timeline=[replace(one, official_name=official_name(request, one.official_id)) for one in case.events]
            if case
            else [],
            delay=context_of(request).read_model.delays.of(case, risk_list.read_at) if case else None,
        )
    )


def _clock(line: RiskLine, case: CaseFile | None, as_of: datetime, calendar: Calendar) -> Clock:
    state = case.state(as_of, calendar) if case else None
    return Clock(
        received_at=line.received_at,
        due_at=line.due_at,
        elapsed_hours=calendar.working_hours(line.received_at, as_of) if line.received_at else None,
        left_hours=line.left_hours,
        promises=[(one.given_at, one.due_at) for one in state.promises] if state else [],
    )


def _facts(case: CaseFile | None) -> dict[str, str | datetime | None]:
    if case is None:
        return {}
    names = ("procedure_code", "unit_code", "receiving_unit_code", "channel", "applicant_kind")
    times = ("submitted_at", "received_at", "first_due_at", "due_at")
    return {name: getattr(case, name) for name in (*names, *times)}

"""One dossier within a reader's scope: open, with its line of the list, or ended."""

from dataclasses import dataclass

from fastapi import Request

from features.calendar.vietnam import VIETNAM
from models.targets import MAIN
from serving.read.case_file import CaseFile
from serving.read.problem import Problem
from serving.read.responsibility import Ledger, read_ledger
from serving.scoring.risk_list import RiskLine
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of


@dataclass(frozen=True)
class Chosen:
    """A dossier that a decision is about; score: None of one that has ended."""

    dossier_id: str
    unit_code: str
    score: float | None


def line_in_scope(request: Request, dossier_id: str, action: str | None = None) -> tuple[RiskLine, CaseFile | None]:
    """The line and the case file of a dossier that the reader may see.

    404 for others and absent ones alike.
    """
    line = open_line(request, dossier_id, action)
    if line is None:
        raise Problem(404, "No open dossier of this id.")
    return line, context_of(request).read_model.cases.of(dossier_id)


def open_line(request: Request, dossier_id: str, action: str | None = None) -> RiskLine | None:
    """The line of an open dossier that the reader may see, of the action at hand or another."""
    reader = reader_of(request)
    scope = reader.scope_for(action) if action else reader.scope
    line = context_of(request).serving.risk_list(MAIN.name).line(dossier_id)
    return line if line is not None and scope.covers(line.unit_code, line.official_id) else None


def case_in_scope(request: Request, dossier_id: str) -> tuple[CaseFile, Ledger]:
    """The case file and the ledger of a dossier, open or ended, as the record knows it.

    Of an official those that they ever held; 404 for others and absent ones alike.
    """
    context, scope = context_of(request), reader_of(request).scope
    found = read_ledger(context.trackers.record, dossier_id, context.read_model.moment.as_of, VIETNAM)
    if found is not None:
        case = found[0]
        held = {one.official_id for one in case.events}
        if scope.official_id in held if scope.official_id is not None else scope.covers(case.unit_code):
            return found
    raise Problem(404, "No dossier of this id.")


def chosen_in_scope(request: Request, dossier_id: str) -> Chosen:
    """What a decision is about, open or ended; 404 outside the reader's scope."""
    line = open_line(request, dossier_id)
    if line is not None:
        return Chosen(dossier_id, line.unit_code or "", line.score)
    case, _ = case_in_scope(request, dossier_id)
    return Chosen(dossier_id, case.unit_code, None)


def last_holder(request: Request, dossier_id: str) -> str | None:
    """Who holds an open dossier or held an ended one last; None where nobody is named."""
    context = context_of(request)
    line = context.serving.risk_list(MAIN.name).line(dossier_id)
    if line is not None:
        return line.official_id
    found = read_ledger(context.trackers.record, dossier_id, context.read_model.moment.as_of, VIETNAM)
    return next((one.official_id for one in reversed(found[0].events) if one.official_id), None) if found else None

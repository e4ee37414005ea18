"""One open dossier within a reader's scope."""

from fastapi import Request

from models.targets import MAIN
from serving.read.case_file import CaseFile
from serving.read.problem import Problem
from serving.scoring.risk_list import RiskLine
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of


def line_in_scope(request: Request, dossier_id: str, action: str | None = None) -> tuple[RiskLine, CaseFile | None]:
    """The line and the case file of a dossier that the reader may see.

    404 for others and absent ones alike.
    """
    reader = reader_of(request)
    scope = reader.scope_for(action) if action else reader.scope
    line = context_of(request).serving.risk_list(MAIN.name).line(dossier_id)
    if line is None or not scope.covers(line.unit_code, line.official_id):
        raise Problem(404, "No open dossier of this id.")
    return line, context_of(request).known.cases.of(dossier_id)

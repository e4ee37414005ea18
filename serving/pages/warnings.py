"""`/warnings`: the head's inbox of early warnings: why, how long is left, what helps, and the acknowledgement."""

import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.accounts.guard import reader_of
from serving.act import act
from serving.api.problem import Problem
from serving.pages.paper import paper, refused_as_problem
from serving.pages.risk_list import TARGET, stretch
from serving.state import EarlyWarning
from serving.warnings.acknowledgement import (
    LONGEST_NOTE,
    Standing,
    acknowledge,
    count_open,
    warnings_of,
)
from serving.warnings.words import help_of

router = APIRouter(include_in_schema=False)
PAGE = 25


@dataclass(frozen=True)
class WarningLine:
    """A warning as a head reads it. reasons: in words; helps: the step to shorten; level: how far it went up;
    linked: whether the dossier has a page (it has not ended)."""

    warning: EarlyWarning
    reasons: list[str]
    helps: str
    level: int
    linked: bool


@router.get("/warnings", response_class=HTMLResponse)
def show(
    request: Request,
    standing: Standing = Standing.OPEN,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Warnings told to the heads of the reader's units, those that wait first by due moment."""
    reader = reader_of(request)
    people = request.app.state.people
    with people.state.reading() as session:
        found = warnings_of(session, reader.scope.units, standing, most=PAGE + 1, offset=offset)
        waiting = count_open(session, reader.scope.units)
    listed = request.app.state.serving.lists[TARGET].value
    lines = [
        WarningLine(
            one.warning,
            [reason["vi"] for reason in json.loads(one.warning.reasons)],
            help_of(one.warning),
            one.level,
            linked=listed is not None and listed.line(one.warning.dossier_id) is not None,
        )
        for one in found[:PAGE]
    ]
    ids = [line.warning.dossier_id for line in lines]
    people.receipts.record(
        reader.login,
        "warning.read",
        {"warnings": [line.warning.id for line in lines], "standing": standing.value},
        now=people.now(),
        subjects=[f"dossier:{dossier_id}" for dossier_id in ids],
    )
    total = waiting if standing is Standing.OPEN else offset + len(found)
    return paper(
        request,
        "warnings.html",
        title="Cảnh báo sớm",
        lines=lines,
        standing=standing.value,
        waiting=waiting,
        may_acknowledge=reader.may("warning.write"),
        pages=stretch("/warnings", {"standing": standing.value}, offset, len(lines), PAGE, total),
    )


@router.post("/warnings/acknowledge")
def confirm(
    request: Request,
    key: Annotated[str, Form(max_length=64)],
    warnings: Annotated[list[int] | None, Form(alias="warning")] = None,
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    """Acknowledge the ticked warnings, with what is done about them; a second sending changes nothing."""
    reader = reader_of(request)
    people = request.app.state.people
    wanted = sorted({one for one in warnings or [] if 0 < one < 2**31})[:PAGE]

    def effect(session: Session) -> dict[str, object]:
        fresh = acknowledge(session, wanted, reader.scope.units, note, by=reader.account_id, now=people.now())
        return {"warnings": [one.id for one in fresh], "dossiers": [one.dossier_id for one in fresh], "note": note}

    with refused_as_problem():
        try:
            back = act(people, reader, key, "warning.write", "/warnings", effect, [f"warning:{one}" for one in wanted])
        except LookupError:
            raise Problem(404, "No warning of this number.") from None
    return RedirectResponse(back, 303)

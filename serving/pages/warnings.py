"""`/warnings`: the head's inbox of early warnings: why, how long is left, what helps, and the acknowledgement."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from models.effect import LEAST, Effect
from serving.access.guard import reader_of
from serving.pages.rendering import Key, refused_as_problem, render
from serving.pages.risk_list import TARGET, stretch
from serving.read.problem import Problem
from serving.warnings.acknowledgement import (
    LONGEST_NOTE,
    WarningStatus,
    acknowledge,
    count_open,
    warnings_of,
)
from serving.warnings.outcome import effect_of_warnings
from serving.work.idempotent_write import idempotent_write

router = APIRouter(include_in_schema=False)
PAGE = 25


@router.get("/warnings", response_class=HTMLResponse)
def show(
    request: Request,
    standing: WarningStatus = WarningStatus.OPEN,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Warnings told to the heads of the reader's units, those that wait first by due moment."""
    reader = reader_of(request)
    people = request.app.state.people
    with people.state.reading() as session:
        found = warnings_of(session, reader.scope.units, standing, most=PAGE + 1, offset=offset)
        waiting = count_open(session, reader.scope.units)
    listed = request.app.state.serving.lists[TARGET].value
    lines = found[:PAGE]
    ids = [line.dossier_id for line in lines]
    people.receipts.record(
        reader.login,
        "warning.read",
        {"warnings": [line.id for line in lines], "standing": standing.value},
        now=people.now(),
        subjects=[f"dossier:{dossier_id}" for dossier_id in ids],
    )
    total = waiting if standing is WarningStatus.OPEN else offset + len(found)
    return render(
        request,
        "warnings.html",
        title="Cảnh báo sớm",
        lines=lines,
        linked={key for key in ids if listed is not None and listed.line(key) is not None},  # it has not ended
        standing=standing.value,
        waiting=waiting,
        may_acknowledge=reader.may("warning.write"),
        may_weigh=reader.may("warning.effect"),
        pages=stretch("/warnings", {"standing": standing.value}, offset, len(lines), PAGE, total),
    )


@router.post("/warnings/acknowledge")
def confirm(
    request: Request,
    key: Key,
    warnings: Annotated[list[int] | None, Form(alias="warning")] = None,
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    """Acknowledge the ticked warnings, with what is done about them; a second sending changes nothing."""
    return RedirectResponse(write_acknowledgement(request, warnings or [], note, key, "/warnings"), 303)


def write_acknowledgement(request: Request, warnings: Sequence[int], note: str, key: str, back: str) -> str:
    """The reader's acknowledgement of warnings by number; 404 for one outside the scope, 422 for what is refused."""
    reader, people = reader_of(request), request.app.state.people
    wanted = sorted({one for one in warnings if 0 < one < 2**31})[:PAGE]

    def effect(session: Session) -> dict[str, object]:
        fresh = acknowledge(session, wanted, reader.scope.units, note, by=reader.account_id, now=people.now())
        return {"warnings": [one.id for one in fresh], "dossiers": [one.dossier_id for one in fresh], "note": note}

    with refused_as_problem():
        try:
            return idempotent_write(
                people, reader, key, "warning.write", back, effect, [f"warning:{one}" for one in wanted]
            )
        except LookupError:
            raise Problem(404, "No warning of this number.") from None


@router.get("/warnings/effect", response_class=HTMLResponse)
def show_effect(request: Request) -> Response:
    """What warnings changed: those told against those held out by the draw; of the whole province."""
    return render(request, "effect.html", title="Tác dụng của cảnh báo", effect=effect_now(request), least=LEAST)


def effect_now(request: Request) -> Effect:
    """The effect of all warnings so far, as known now; who asked is on record."""
    people, now = request.app.state.people, request.app.state.people.now()
    people.receipts.record(reader_of(request).login, "warning.effect", {}, now=now)
    with people.state.reading() as session, request.app.state.trackers.record.connect(cutoff=now) as con:
        return effect_of_warnings(session, con, now)

"""`/warnings`: the head's inbox of early warnings: why, how long is left, what helps, and the acknowledgement."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.effect import LEAST
from models.targets import MAIN
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.pages.risk_list import stretch
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.warnings import PAGE, effect_now, undo_acknowledgement, undoable, write_acknowledgement
from serving.warnings.acknowledgement import (
    LONGEST_NOTE,
    WarningStatus,
    count_open,
    warnings_of,
)

router = APIRouter(include_in_schema=False)


@router.get("/warnings", response_class=HTMLResponse)
def show(
    request: Request,
    standing: WarningStatus = WarningStatus.OPEN,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Warnings told to the heads of the reader's units, those that wait first by due moment."""
    reader = reader_of(request)
    people = context_of(request).people
    with people.state.reading() as session:
        found = warnings_of(session, reader.scope.units, standing, most=PAGE + 1, offset=offset)
        waiting = count_open(session, reader.scope.units)
    listed = context_of(request).serving.listed(MAIN.name)
    lines = found[:PAGE]
    ids = [line.dossier_id for line in lines]
    note_look(
        request,
        "warning.read",
        {"warnings": [line.id for line in lines], "standing": standing.value},
        [f"dossier:{dossier_id}" for dossier_id in ids],
    )
    total = waiting if standing is WarningStatus.OPEN else offset + len(found)
    return render(
        request,
        "warnings.html",
        title=_("Cảnh báo sớm"),
        lines=lines,
        linked={key for key in ids if listed is not None and listed.line(key) is not None},  # it has not ended
        standing=standing.value,
        waiting=waiting,
        undo=undoable(request) if reader.may("warning.write") else [],
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


@router.post("/warnings/undo")
def undo(request: Request, key: Key) -> Response:
    """Take the last acknowledgement back."""
    return RedirectResponse(undo_acknowledgement(request, key, "/warnings"), 303)


@router.get("/warnings/effect", response_class=HTMLResponse)
def show_effect(request: Request) -> Response:
    """What warnings changed: those told against those held out by the draw; of the whole province."""
    return render(request, "effect.html", title=_("Tác dụng của cảnh báo"), effect=effect_now(request), least=LEAST)

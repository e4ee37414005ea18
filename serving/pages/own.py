"""`/own`: an official's own dossiers, their scores and reasons, and what became of contests."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving.language import gettext as _
from serving.pages.rendering import render
from serving.pages.risk_list import as_frozen, filters_for, stretch
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.receipts import INSPECTION
from serving.work import contests

router = APIRouter(include_in_schema=False)


@router.get("/own", response_class=HTMLResponse)
def show(request: Request, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> Response:
    """What the official holds, least time left first; every score with the reasons it rests on."""
    reader = reader_of(request)
    people, read_model = context_of(request).people, context_of(request).read_model
    risk_list = context_of(request).serving.risk_list(MAIN.name)
    page = risk_list.page(replace(filters_for(reader), waiting=None), offset, 25, order="left")
    ids = [line.dossier_id for line in page.lines]
    with people.state.reading() as session:
        frozen = contests.frozen_scores(session, MAIN.name, ids)
        mine = contests.contests_in(session, reader.scope, most=20)
        rate = contests.upheld_rate(session, reader.scope)
    note_look(
        request,
        "own.read",
        {"as_of": risk_list.meta.as_of.isoformat(), "model": risk_list.meta.model_version, "seen": ids},
        [f"dossier:{dossier_id}" for dossier_id in ids],
    )
    return render(
        request,
        "own.html",
        title=_("Hồ sơ của tôi"),
        lines=[as_frozen(line, frozen) for line in page.lines],
        frozen=frozen,
        contests=mine,
        rate=rate,
        sheet=read_model.officials.of(reader.official_id or ""),
        seen=people.receipts.about(f"official:{reader.official_id}", most=10, without=INSPECTION),
        pages=stretch("/own", {}, offset, len(ids), 25, page.total),
    )

"""`/reports`: reports of a month as files, and packs for publication, which a second person approves."""

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.pages.risk_list import MOST_CHOICES
from serving.read.problem import Problem
from serving.reports import publication
from serving.reports.report import PARTS
from serving.reports.text import MOST_SENTENCES, strange_numbers
from serving.reports.word_file import words as in_words
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.reports import (
    Ending,
    PackId,
    _whole,
    edited_in,
    kinds_for,
    made_in,
    pack_in,
    packs_in,
    report_in,
    report_response,
    write_decision,
    write_proposal,
    write_report_text,
)

router = APIRouter(include_in_schema=False)

Month = Annotated[str, Query(max_length=7)]
Reason = Annotated[str, Form(max_length=publication.LONGEST_REASON)]


@router.get("/reports", response_class=HTMLResponse)
def show(
    request: Request,
    month: Annotated[str, Query(max_length=7)] = "",
    unit: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """What may be made of a month and a unit, what was made, and the packs for publication."""
    reader, people = reader_of(request), context_of(request).people
    with people.state.reading() as session:
        made = made_in(session, reader)
        packs = packs_in(session, reader)
    note_look(request, "report.read", {"listed": len(made)})
    months = _ended_months(people.now().astimezone(context_of(request).serving.settings.zone).date())
    register, scope = context_of(request).read_model.register, reader.scope
    month = month if month in months else months[0]
    units = sorted((code for code in register.units if scope.covers(code)), key=register.unit)
    unit = unit if unit in units else ""
    with people.state.reading() as session:
        edited = edited_in(session, month, unit or ("" if scope.units is None else reader.unit_code))
    return render(
        request, "reports.html", title=_("Báo cáo"), kinds=kinds_for(reader), made=made, packs=packs, months=months,
        month=month, unit=unit, edited=edited,
        units=units if len(units) <= MOST_CHOICES else None, whole=scope.units is None, account_id=reader.account_id,
        may_write=reader.may("report.write"),
        may_propose=_whole(reader, "publication.propose"), may_approve=_whole(reader, "publication.approve"),
    )  # fmt: skip


@router.get("/reports/text", response_class=HTMLResponse)
def text(
    request: Request,
    kind: Annotated[str, Query(max_length=20)],
    month: Month,
    unit: Annotated[str, Query(max_length=120)] = "",
    as_of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The text of one report, sentence by sentence beside what was drafted, to be written anew."""
    report = report_in(request, kind, month, unit, as_of)
    drafted = report_in(request, kind, month, unit, report.as_of.isoformat(), drafted=True)
    note_look(request, "report.read", {"text": kind, "month": month})
    zone = context_of(request).serving.settings.zone
    figures = {  # of several on the same rows the first: the count itself
        figure.rows: f"{figure.vi} = {in_words(figure.value, zone)}"
        for figure in reversed(report.figures)
        if figure.rows
    }
    return render(
        request, "report_text.html", title=_("Lời văn báo cáo"), report=report, parts=PARTS, figures=figures,
        drafted=None if drafted.sentences == report.sentences else drafted.sentences,
        strange=strange_numbers(drafted, report.sentences), more=range(2),
    )  # fmt: skip


@router.post("/reports/text")
def write(
    request: Request,
    kind: Annotated[str, Form(max_length=20)],
    month: Annotated[str, Form(max_length=7)],
    as_of: Annotated[str, Form(max_length=40)],
    part: Annotated[list[str], Form(max_length=MOST_SENTENCES)],
    sentence: Annotated[list[str], Form(max_length=MOST_SENTENCES)],
    rows: Annotated[list[str], Form(max_length=MOST_SENTENCES)],
    key: Key,
    unit: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Keeps the text as written, and the draft beside it."""
    if not len(part) == len(sentence) == len(rows):
        raise Problem(422, "Wanted a part and rows for each sentence.")
    back = "/reports/text?" + urlencode({"kind": kind, "month": month, "unit": unit, "as_of": as_of})
    written = list(zip(part, sentence, rows, strict=True))
    return RedirectResponse(write_report_text(request, (kind, month, unit, as_of), written, key, back), 303)


@router.get("/reports/{kind}.{ending}")
def file(
    request: Request,
    kind: str,
    ending: Ending,
    month: Month,
    unit: Annotated[str, Query(max_length=120)] = "",
    as_of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """One report as a file; of the reader's unit where the reader sees no more. as_of: now where left out."""
    report = report_in(request, kind, month, unit, as_of)
    return report_response(request, report, ending, "report.export")


@router.post("/publications")
def propose(request: Request, month: Annotated[str, Form(max_length=7)], reason: Reason, key: Key) -> Response:
    """Proposes a pack of a month that has ended."""
    return RedirectResponse(write_proposal(request, month, "", reason, key, "/reports"), 303)


@router.post("/publications/{pack_id}")
def decide(
    request: Request, pack_id: PackId, outcome: Annotated[str, Form(max_length=10)], because: Reason, key: Key
) -> Response:
    """A second person approves or refuses."""
    return RedirectResponse(write_decision(request, pack_id, outcome, because, key, "/reports"), 303)


@router.get("/publications/{pack_id}.{ending}")
def pack_file(request: Request, pack_id: PackId, ending: Ending) -> Response:
    """The pack as a file: before its approval a marked draft, for those who propose and approve."""
    return report_response(request, pack_in(request, pack_id), ending, "publication.export")


def _ended_months(today: date) -> list[str]:
    """The twelve months before this one, the latest first, such as 2026-09."""
    first = today.year * 12 + today.month - 1
    return [f"{(first - back) // 12:04d}-{(first - back) % 12 + 1:02d}" for back in range(1, 13)]

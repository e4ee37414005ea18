"""`/cases`: the work of a unit: what waits, who has it, until when; given to people, done together, undone."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.targets import MAIN
from serving import words
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.rendering import Key, local_moment, render
from serving.pages.risk_list import stretch
from serving.pages.sheet_file import Format, Sheet, file_of
from serving.read.problem import Problem
from serving.scoring.risk_list import MOST_ROWS
from serving.use_cases.app_context import context_of
from serving.use_cases.cases import (
    KINDS,
    PAGES,
    UnitCase,
    assignable,
    can_undo,
    cases_of,
    draft_apologies,
    filtered,
    may_see,
    undo_assignment,
    write_assignment,
)
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.saved_views import own_views
from serving.work.apologies import LONGEST_REASON
from serving.work.assignments import LONGEST_NOTE

router = APIRouter(include_in_schema=False)

ROWS = 50
STATES = {"": lazy("Tất cả"), "late": lazy("Quá hạn"), "free": lazy("Chưa giao ai")}
Text = Annotated[str, Query(max_length=200)]
Subjects = Annotated[list[str] | None, Form(alias="subject", max_length=400)]


@router.get("/cases", response_class=HTMLResponse)
def show(
    request: Request,
    kind: Text = "",
    state: Text = "",
    holder: Text = "",
    unit: Text = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """What waits in the reader's scope, the earliest term first."""
    reader = reader_of(request)
    everything = cases_of(request)
    found = filtered(everything, kind, state, holder, unit)
    lines = found[offset : offset + ROWS]
    note_look(
        request,
        "case.read",
        {"rows": len(lines), "kind": kind},
        [f"dossier:{one.dossier_id}" for one in lines if one.dossier_id],
    )
    wishes = {"kind": kind, "state": state, "holder": holder, "unit": unit}

    def address(**changed: str) -> str:
        query = urlencode({name: value for name, value in (wishes | changed).items() if value})
        return "/cases" + (f"?{query}" if query else "")

    may_assign = reader.may("case.assign")
    officials = sorted(((key, official_name(request, key)) for key in assignable(request)), key=lambda one: one[1])
    return render(
        request,
        "cases.html",
        title=_("Việc của đơn vị"),
        lines=lines,
        opened={one.dossier_id for one in lines if one.dossier_id and _opens(request, one.dossier_id)},
        kinds=KINDS,
        links={one.subject: _page_of(one) for one in lines if may_see(reader, one.kind)},
        tabs=[(address(kind=one), words_of, sum(1 for case in everything if not one or case.kind == one), one == kind)
              for one, words_of in (("", _("Tất cả")), *KINDS.items())
              if not one or any(case.kind == one for case in everything)],
        states=[(address(state=one), words_of, len(filtered(everything, kind, one, holder, unit)), one == state)
                for one, words_of in STATES.items()],
        wishes=wishes,
        query=urlencode({name: value for name, value in wishes.items() if value}),
        holders=sorted({(one.official_id, official_name(request, one.official_id)) for one in everything
                        if one.official_id}, key=lambda one: one[1]),
        officials=officials if may_assign else [],
        may_assign=may_assign,
        may_apologise=reader.may("apology.write"),
        may_acknowledge=reader.may("warning.write"),
        letterless=sum(one.kind == "apology" for one in everything),
        undo=can_undo(request) if may_assign else [],
        views=own_views(request, "/cases"),
        pages=stretch("/cases", wishes, offset, len(lines), ROWS, len(found)),
    )  # fmt: skip


def _page_of(one: UnitCase) -> str:
    """Where a case is dealt with, at its own place where the page has one."""
    mark = {"warning": "w", "remedy": "r"}.get(one.kind)
    return PAGES[one.kind] + (f"#{mark}{one.subject.partition(':')[2]}" if mark else "")


def _opens(request: Request, dossier_id: str) -> bool:
    """Whether the dossier's page would open for the reader: it is open, and in the scope."""
    listed = context_of(request).serving.listed(MAIN.name)
    line = listed.line(dossier_id) if listed else None
    return line is not None and reader_of(request).scope_for("dossier.read").covers(line.unit_code, line.official_id)


@router.post("/cases/assign")
def assign(
    request: Request,
    key: Key,
    subjects: Subjects = None,
    official: Annotated[str, Form(max_length=200)] = "",
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    """Give the ticked cases to an official, or take them back."""
    if not official:
        raise Problem(422, "official: wanted an official of your units.")
    whom = "" if official == "none" else official
    return RedirectResponse(write_assignment(request, subjects or [], whom, note, key, "/cases"), 303)


@router.post("/cases/undo")
def undo(request: Request, key: Key) -> Response:
    """Put the last giving back."""
    return RedirectResponse(undo_assignment(request, key, "/cases"), 303)


@router.post("/cases/apologies")
def apologise(
    request: Request,
    key: Key,
    new_due_at: Annotated[str, Form(max_length=40)],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)],
    subjects: Subjects = None,
) -> Response:
    """Draft letters for the ticked late dossiers, or for all that have none where none is ticked."""
    wanted = [one for one in subjects or [] if one.startswith("apology:")]
    moment, back = local_moment(request, new_due_at), "/cases?kind=apology"
    return RedirectResponse(draft_apologies(request, wanted, moment, reason, key, back), 303)


@router.get("/cases.{ending}")
def cases_file(
    request: Request, ending: Format, kind: Text = "", state: Text = "", holder: Text = "", unit: Text = ""
) -> Response:
    """The first 200 cases under the same filters as the page."""
    context = context_of(request)
    clock, register = words.Clockface(context.serving.settings.zone), context.read_model.register
    head = (
        "Việc",
        "Hồ sơ, số",
        "Đơn vị",
        "Người giữ",
        "Đã giao",
        "Hạn",
        "Tình trạng",
        "Quá hạn",
    )
    rows = [
        (KINDS[one.kind], one.name, register.unit(one.unit_code), official_name(request, one.official_id),
         "có" if one.given else "", clock.moment(one.term), one.state, "có" if one.late else "")
        for one in filtered(cases_of(request), kind, state, holder, unit)[:MOST_ROWS]
    ]  # fmt: skip
    return file_of(request, ending, "case.export", Sheet("viec-cua-don-vi", "DANH SÁCH", "Việc đang chờ", head, rows))

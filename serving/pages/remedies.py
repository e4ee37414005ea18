"""`/remedies`: what units must put right after a visit, until when, and how it stands."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from serving.access.guard import reader_of
from serving.access.permissions import Role
from serving.pages.rendering import Key, refused_as_problem, render
from serving.read.problem import Problem
from serving.state import Remediation
from serving.work import remediation
from serving.work.idempotent_write import idempotent_write

router = APIRouter(include_in_schema=False)

ACTS_OF = {Role.UNIT_HEAD: ("reported",), Role.INSPECTOR: ("accepted", "refused", "extended")}
"""The unit reports; who inspected accepts, refuses or gives more time."""
ACT_WORDS = {
    "reported": "Đơn vị báo cáo đã làm", "accepted": "Công nhận đã xong", "refused": "Chưa đạt, làm tiếp",
    "extended": "Gia hạn",
}  # fmt: skip


@router.get("/remedies", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The remedies of the reader's units, the most urgent first."""
    reader, people = reader_of(request), request.app.state.people
    now = people.now()
    found = remedies_in(request)
    people.receipts.record(reader.login, "answer.read", {"page": "/remedies", "rows": len(found)}, now=now)
    return render(
        request, "remedies.html", title="Khắc phục sau kiểm tra", lines=found[:200], states=remediation.STATES,
        acts=ACTS_OF.get(reader.role, ()), words=ACT_WORDS, may_write=reader.scope_for("remedy.write"),
    )  # fmt: skip


@router.post("/remedies/{remedy_id}")
def write(
    request: Request,
    remedy_id: int,
    kind: Annotated[str, Form(max_length=20)],
    note: Annotated[str, Form(max_length=2000)],
    key: Key,
    due_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """An act on a remedy of the reader's units: the unit's own, or the inspector's."""
    reader, people = reader_of(request), request.app.state.people
    if kind not in ACTS_OF.get(reader.role, ()):
        raise Problem(422, f"Wanted one of {', '.join(ACTS_OF.get(reader.role, ()))}.")
    with people.state.reading() as session:
        found = session.get(Remediation, remedy_id) if 0 < remedy_id < 2**31 else None
    if found is None or not reader.scope.covers(found.unit_code):
        raise Problem(404, "No remedy of this number.")

    def effect(session: Session) -> dict[str, object]:
        until = date.fromisoformat(due_on) if due_on else None
        remediation.act(session, remedy_id, kind, note, now=people.now(), due_on=until, by=reader.account_id)
        return {"remedy": remedy_id, "act": kind}

    with refused_as_problem():
        return RedirectResponse(idempotent_write(people, reader, key, "remedy.write", "/remedies", effect), 303)


def remedies_in(request: Request) -> list[remediation.RemedyStanding]:
    """What the units of the reader's scope must put right, the most urgent first."""
    with request.app.state.people.state.reading() as session:
        return remediation.standing(session, _today(request), reader_of(request).scope.units)


def _today(request: Request) -> date:
    today: date = request.app.state.people.now().astimezone(request.app.state.serving.settings.zone).date()
    return today

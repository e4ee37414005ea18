"""`/reports`: reports of a month as files, and packs for publication, which a second person approves."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from serving.access.guard import Reader, reader_of
from serving.documents.fill import MIME as WORD
from serving.pages.rendering import Key, refused_as_problem, render
from serving.pages.risk_list import MOST_CHOICES
from serving.read.problem import Problem
from serving.reports import publication
from serving.reports.files import issuer_of, report_file
from serving.reports.make import KINDS, Kind, make_again
from serving.reports.report import Report
from serving.reports.workbook import MIME as EXCEL
from serving.state import PublicationPack, ReportMade
from serving.work.idempotent_write import idempotent_write

router = APIRouter(include_in_schema=False)

Ending = Literal["xlsx", "docx"]
Month = Annotated[str, Query(max_length=7)]
PackId = Annotated[int, Path(ge=1, lt=2**31)]
Reason = Annotated[str, Form(max_length=publication.LONGEST_REASON)]
MOST = 50


@router.get("/reports", response_class=HTMLResponse)
def show(
    request: Request,
    month: Annotated[str, Query(max_length=7)] = "",
    unit: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """What may be made of a month and a unit, what was made, and the packs for publication."""
    reader, people = reader_of(request), request.app.state.people
    with people.state.reading() as session:
        made = made_in(session, reader)
        packs = packs_in(session, reader)
    people.receipts.record(reader.login, "report.read", {"listed": len(made)}, now=people.now())
    months = _ended_months(people.now().astimezone(request.app.state.serving.settings.zone).date())
    register, scope = request.app.state.known.register, reader.scope
    units = sorted((code for code in register.units if scope.covers(code)), key=register.unit)
    return render(
        request, "reports.html", title="Báo cáo", kinds=kinds_for(reader), made=made, packs=packs, months=months,
        month=month if month in months else months[0], unit=unit if unit in units else "",
        units=units if len(units) <= MOST_CHOICES else None, whole=scope.units is None, account_id=reader.account_id,
        may_propose=_whole(reader, "publication.propose"), may_approve=_whole(reader, "publication.approve"),
    )  # fmt: skip


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
    return _file(request, report, ending, "report.export")


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
    return _file(request, pack_in(request, pack_id), ending, "publication.export")


def kinds_for(reader: Reader) -> dict[str, Kind]:
    """The kinds of report for a reader: the one of inspections is for those who read their plan."""
    return {name: kind for name, kind in KINDS.items() if name != "mission" or reader.may("plan.read")}


def report_in(request: Request, kind: str, month: str, unit: str, as_of: str) -> Report:
    """A report of the reader's scope; 404 for a unit outside it, 422 for what cannot be made."""
    reader, people = reader_of(request), request.app.state.people
    scope = reader.scope
    if kind in KINDS and kind not in kinds_for(reader):
        raise Problem(404, "No report of this kind.")
    if not unit and scope.units is not None:
        unit = reader.unit_code
    if unit and not scope.covers(unit):
        raise Problem(404, "No unit of this code.")
    with refused_as_problem():
        return make_again(
            _record(request), people.state, kind, month, _moment(request, as_of), VIETNAM, now=people.now(),
            unit_code=unit, by=reader.account_id,
        )  # fmt: skip


def pack_in(request: Request, pack_id: int) -> Report:
    """A pack for publication; only for those who see the whole province."""
    reader, people = reader_of(request), request.app.state.people
    with people.state.reading() as session:
        pack = session.get(PublicationPack, pack_id) if reader.scope.units is None else None
        if pack is None:
            raise Problem(404, "No pack of this number.")
        with refused_as_problem():
            return publication.pack_report(_record(request), session, pack, VIETNAM)


def write_proposal(request: Request, month: str, as_of: str, reason: str, key: str, back: str) -> str:
    """The reader's proposal; 404 for those who do not see the whole province, 422 for what is refused."""
    reader, people = reader_of(request), request.app.state.people
    if reader.scope.units is not None:
        raise Problem(404, "Packs are of the whole province.")

    def effect(session: Session) -> dict[str, object]:
        pack = publication.propose(
            _record(request), session, month, _moment(request, as_of), VIETNAM, reason, by=reader.account_id,
            now=people.now(),
        )  # fmt: skip
        return {"pack": pack.id, "month": month, "sha256": pack.sha256}

    with refused_as_problem():
        return idempotent_write(people, reader, key, "publication.propose", back, effect)


def write_decision(request: Request, pack_id: int, outcome: str, because: str, key: str, back: str) -> str:
    """The second person's decision; approval makes the pack once more, so that what is approved can be had."""
    reader, people = reader_of(request), request.app.state.people
    if outcome not in ("approved", "refused"):
        raise Problem(422, "Wanted approved or refused.")

    def effect(session: Session) -> dict[str, object]:
        pack = session.get(PublicationPack, pack_id, with_for_update=True)
        if pack is None or reader.scope.units is not None:
            raise Problem(404, "No pack of this number.")
        if outcome == "approved":
            publication.pack_report(_record(request), session, pack, VIETNAM)
        publication.decide(pack, outcome == "approved", because, by=reader.account_id, now=people.now())
        return {"pack": pack_id, "outcome": outcome, "sha256": pack.sha256}

    with refused_as_problem():
        return idempotent_write(people, reader, key, "publication.approve", back, effect, [f"publication:{pack_id}"])


def made_in(session: Session, reader: Reader) -> list[ReportMade]:
    """The reports made in the reader's scope, the latest first."""
    found = session.scalars(select(ReportMade).order_by(ReportMade.id.desc()).limit(1_000))
    scope = reader.scope
    return [one for one in found if scope.units is None or (one.unit_code and scope.covers(one.unit_code))][:MOST]


def packs_in(session: Session, reader: Reader) -> list[PublicationPack]:
    """The packs, the latest first; for those who see the whole province and may read them."""
    if not _whole(reader, "publication.read"):
        return []
    return list(session.scalars(select(PublicationPack).order_by(PublicationPack.id.desc()).limit(MOST)))


def _ended_months(today: date) -> list[str]:
    """The twelve months before this one, the latest first, such as 2026-09."""
    first = today.year * 12 + today.month - 1
    return [f"{(first - back) // 12:04d}-{(first - back) % 12 + 1:02d}" for back in range(1, 13)]


def _record(request: Request) -> Record:
    record: Record = request.app.state.trackers.record
    return record


def _whole(reader: Reader, action: str) -> bool:
    return reader.may(action) and reader.scope_for(action).units is None


def _moment(request: Request, as_of: str) -> datetime:
    now: datetime = request.app.state.people.now()
    if not as_of:
        return now
    told = datetime.fromisoformat(as_of)
    aware = told if told.tzinfo else told.replace(tzinfo=request.app.state.serving.settings.zone)
    if aware > now:
        raise ValueError("as_of: wanted a moment that has come")
    return aware


def _file(request: Request, report: Report, ending: Ending, action: str) -> Response:
    people = request.app.state.people
    content = report_file(
        report,
        f".{ending}",
        request.app.state.serving.settings.zone,
        issuer_of(report, _record(request), request.app.state.serving.settings.home),
    )
    people.receipts.record(
        reader_of(request).login, action,
        {"kind": report.kind, "month": report.period.month, "scope": report.scope, "sha256": report.sha256},
        now=people.now(),
    )  # fmt: skip
    name = f"{report.kind}-{report.period.month}.{ending}"
    return Response(
        content,
        media_type=EXCEL if ending == "xlsx" else WORD,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-SHA256": report.sha256},
    )

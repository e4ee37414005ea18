"""Reports and packs for publication as a reader may make, see and approve them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from serving.documents.fill import MIME as WORD
from serving.read.problem import Problem, refused_as_problem
from serving.reports import publication
from serving.reports.files import MIME as PLAIN
from serving.reports.files import issuer_of, report_file
from serving.reports.make import KINDS, ReportKind, make_again
from serving.reports.report import Report, Sentence
from serving.reports.text import write_text
from serving.reports.workbook import MIME as EXCEL
from serving.state import PublicationPack, ReportMade, ReportText
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import Reader, reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.use_cases.looked import note_look

Ending = Literal["xlsx", "docx", "csv"]
PackId = Annotated[int, Path(ge=1, lt=2**31)]
MOST = 50


def kinds_for(reader: Reader) -> dict[str, ReportKind]:
    """The kinds of report for a reader: the one of inspections is for those who read their plan."""
    found = {name: kind for name, kind in KINDS.items() if reader.may(kind.needs)}
    if reader.scope.units is None:
        return found
    return dict(sorted(found.items(), key=lambda one: not one[1].of_unit))  # a unit's own report comes first


def report_in(
    request: Request, kind: str, month: str, unit: str, as_of: str, *, drafted: bool = False
) -> Report:  # fmt: skip
    """A report of the reader's scope; 404 for a unit outside it, 422 for what cannot be made.

    drafted: as `make_again` has it.
    """
    reader, people = reader_of(request), context_of(request).people
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
            unit_code=unit, by=reader.account_id, drafted=drafted,
        )  # fmt: skip


def write_report_text(
    request: Request, asked: tuple[str, str, str, str], written: Sequence[tuple[str, str, str]], key: str, back: str
) -> str:
    """Stores the text that the reader wrote; the receipt holds it and the draft. asked: kind, month, unit, as_of.

    written: part, sentence, key of the rows that its figure stands on; empty sentences are left out.
    """
    reader, people = reader_of(request), context_of(request).people
    report = report_in(request, *asked, drafted=True)
    sentences = [
        Sentence(part, words, rows if rows in {one.key for one in report.rows} else "") for part, words, rows in written
    ]

    def effect(session: Session) -> dict[str, object]:
        return write_text(session, report, sentences, by=reader.account_id, now=people.now())

    return idempotent_write(request, key, "report.write", back, effect)


def pack_in(request: Request, pack_id: int) -> Report:
    """A pack for publication; only for those who see the whole province."""
    reader, people = reader_of(request), context_of(request).people
    with people.state.reading() as session:
        pack = session.get(PublicationPack, pack_id) if reader.scope.units is None else None
        if pack is None:
            raise Problem(404, "No pack of this number.")
        with refused_as_problem():
            return publication.pack_report(_record(request), session, pack, VIETNAM)


def write_proposal(request: Request, month: str, as_of: str, reason: str, key: str, back: str) -> str:
    """The reader's proposal; 404 for those who do not see the whole province, 422 for what is refused."""
    reader, people = reader_of(request), context_of(request).people
    if reader.scope.units is not None:
        raise Problem(404, "Packs are of the whole province.")

    def effect(session: Session) -> dict[str, object]:
        pack = publication.propose(
            _record(request), session, month, _moment(request, as_of), VIETNAM, reason, by=reader.account_id,
            now=people.now(),
        )  # fmt: skip
        return {"pack": pack.id, "month": month, "sha256": pack.sha256}

    return idempotent_write(request, key, "publication.propose", back, effect)


def write_decision(request: Request, pack_id: int, outcome: str, because: str, key: str, back: str) -> str:
    """The second person's decision; approval makes the pack once more, so that what is approved can be had."""
    reader, people = reader_of(request), context_of(request).people
    if outcome not in ("approved", "refused"):
        raise Problem(422, "Wanted approved or refused.")

    def effect(session: Session) -> dict[str, object]:
        pack = session.get(PublicationPack, pack_id, with_for_update=True)
        if pack is None or reader.scope.units is not None:
            raise Problem(404, "No pack of this number.")
        if outcome == "approved":
            publication.pack_report(_record(request), session, pack, VIETNAM)
        publication.decide(session, pack, outcome == "approved", because, by=reader.account_id, now=people.now())
        return {"pack": pack_id, "outcome": outcome, "sha256": pack.sha256}

    return idempotent_write(request, key, "publication.approve", back, effect, [f"publication:{pack_id}"])


def edited_in(session: Session, month: str, unit_code: str) -> dict[str, datetime]:
    """By kind, of a month and unit (empty: the province): as of when the report is whose text was written last."""
    told = session.scalars(
        select(ReportText).where(ReportText.month == month, ReportText.unit_code == unit_code).order_by(ReportText.id)
    )
    return {one.kind: one.as_of for one in told}


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


def _record(request: Request) -> Record:
    record: Record = context_of(request).trackers.record
    return record


def _whole(reader: Reader, action: str) -> bool:
    return reader.may(action) and reader.scope_for(action).units is None


def _moment(request: Request, as_of: str) -> datetime:
    now: datetime = context_of(request).people.now()
    if not as_of:
        return now
    moment = datetime.fromisoformat(as_of)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=context_of(request).serving.settings.zone)
    if aware > now:
        raise ValueError("as_of: wanted a moment that has come")
    return aware


def report_response(request: Request, report: Report, ending: Ending, action: str) -> Response:
    content = report_file(
        report,
        f".{ending}",
        context_of(request).serving.settings.zone,
        issuer_of(report, _record(request), context_of(request).serving.settings.home),
    )
    note_look(
        request,
        action,
        {"kind": report.kind, "month": report.period.month, "scope": report.scope, "sha256": report.sha256},
    )
    name = f"{report.kind}-{report.period.month}.{ending}"
    return Response(
        content,
        media_type={"xlsx": EXCEL, "docx": WORD, "csv": PLAIN}[ending],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-SHA256": report.sha256},
    )

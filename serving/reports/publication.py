"""A pack for publication: counts of units in bands, and of people and units only confirmed findings.

The pack is bound by the hash of its content to what was proposed, and a second person approves it. What was confirmed
then and is no longer so is found when the pack is asked for, and refuses it (S0 1b, 1đ; S2: monthly publication).
Counts go out through `serving.reports.small_numbers` alone, and those of a month once: a later pack of the same month
repeats the counts of the one that was approved, and brings its findings up to date. So two packs differ by nothing
that a person could be told from.
"""

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from duckdb import DuckDBPyConnection
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.working_time import Calendar
from features.record.record import Record
from serving.read.caseload import Case
from serving.read.finding_words import LATE
from serving.read.on_time_statistics import PROGRESS_POINTS
from serving.reports.conclusions import HEAD, confirmed, lines
from serving.reports.make import ReportKind, make_kind
from serving.reports.positive import add_published_positive
from serving.reports.report import Cell, Column, Draft, Figure, Report, Table
from serving.reports.report_context import ReportContext
from serving.reports.small_numbers import CountSpan, refuse_counts, share, whole, without
from serving.state import PublicationPack

DRAFT = "BẢN DỰ THẢO: chưa được người thứ hai duyệt, không công bố."
LONGEST_REASON = 2_000

_STANDING = """
SELECT finding_id FROM finding_latest WHERE coalesce(confirmed, false) AND kind <> 'none'
"""


_PUBLISHED_HEAD = tuple(words for words in HEAD if words != "Mã hồ sơ")
"""Of a finding in a publication: all but the citizen's dossier."""


def fill(draft: Draft, basis: ReportContext, counts: ReportContext | None = None) -> None:
    """Fills the draft. Findings come through `confirmed` alone; there is no other way for one to get in.

    counts: what figures are counted from, where a pack of the month has gone out already; else `basis`.
    """
    _add_progress(draft, counts or basis)
    add_published_positive(draft, counts or basis)
    findings = confirmed(basis)
    dossier = HEAD.index("Mã hồ sơ")
    shown = [line[:dossier] + line[dossier + 1 :] for line in lines(basis, findings)]
    key = draft.count("Kết luận đã xác nhận", "confirmed findings", _PUBLISHED_HEAD, shown)
    units = sorted({one.unit_code for one in findings if one.unit_code})
    draft.tables.append(
        Table(
            "Đơn vị có kết luận đã xác nhận", "units with confirmed findings",
            (Column("Đơn vị"), Column("Mã"), Column("Số kết luận", key), Column("Trong đó chậm trễ", key)),
            tuple(
                (basis.register.unit(code), code, sum(one.unit_code == code for one in findings),
                 sum(one.unit_code == code and one.kind == LATE for one in findings))
                for code in units
            ),
        )
    )  # fmt: skip
    people = sorted({(one.unit_code or "", one.official_id) for one in findings if one.official_id})
    draft.tables.append(
        Table(
            "Cán bộ có kết luận đã xác nhận", "officials with confirmed findings",
            (Column("Cán bộ"), Column("Đơn vị"), Column("Số kết luận", key)),
            tuple(
                (basis.official(official), basis.register.unit(code),
                 sum(one.official_id == official and (one.unit_code or "") == code for one in findings))
                for code, official in people
            ),
            "Chỉ gồm kết luận đã xác nhận.",
        )
    )  # fmt: skip


def _add_progress(draft: Draft, basis: ReportContext) -> None:
    """What was received and overdue by unit, as 766 counts, in bands; points from these bands."""
    units: dict[str, list[Case]] = defaultdict(list)
    for case in basis.caseload.received:
        units[case.unit_code].append(case)
    received = [len(cases) for cases in units.values()]
    late = [sum(case.late_766 for case in cases) for cases in units.values()]
    draft.figures += [
        Figure("Hồ sơ tiếp nhận trong kỳ", "received", whole(received).words if received else None),
        Figure("Quá hạn theo 766", "overdue as 766 counts", whole(late).words if late else None),
    ]
    rows: list[tuple[Cell, ...]] = []
    for (code, _), came, overdue in sorted(zip(units.items(), received, late, strict=True), key=lambda one: one[0][0]):
        of, part = CountSpan.of(came), CountSpan.of(overdue)
        if of.low:  # a few received and none look the same, or a line's absence would show that there was nobody
            points = share(without(part, of), of, PROGRESS_POINTS, 1) or "ít hồ sơ"
            rows.append((basis.register.unit(code), code, of.words, part.words, points))
    rows.append(("Mỗi đơn vị còn lại", "", CountSpan.of(0).words, CountSpan.of(0).words, "ít hồ sơ"))
    draft.tables.append(
        Table(
            "Tiến độ theo đơn vị", "progress by unit",
            (Column("Đơn vị"), Column("Mã"), Column("Tiếp nhận"), Column("Quá hạn theo 766"), Column("Điểm 766")),
            tuple(rows),
            "Số liệu công bố theo khoảng để không nhận ra người trong nhóm nhỏ; điểm tính từ các khoảng này"
            " (20 × đúng hạn / tiếp nhận, QĐ 766/QĐ-TTg).",
        )
    )  # fmt: skip


PACK = ReportKind("Danh mục công bố tháng", "pack for publication", 1, fill)


def propose(
    record: Record, session: Session, month: str, as_of: datetime, calendar: Calendar, reason: str, *, by: int,
    now: datetime,
) -> PublicationPack:  # fmt: skip
    """Proposes what to publish of a month that has ended. ValueError without a reason, or of a running month."""
    if not 5 <= len(reason.strip()) <= LONGEST_REASON:
        raise ValueError(f"reason: wanted 5 to {LONGEST_REASON} characters, got {len(reason.strip())}")
    if as_of > now:
        raise ValueError("as_of: wanted a moment that has come")
    report = _make(record, session, month, as_of, calendar, proposed_at=now)
    if report.period.until > as_of:
        raise ValueError(f"month: {month} had not ended at {as_of.isoformat()}")
    pack = PublicationPack(
        month=month, as_of=as_of, record_version=report.record_version, sha256=report.sha256, reason=reason.strip(),
        proposed_at=now, proposed_by=by, approved=None, because="", decided_at=None, decided_by=None,
    )  # fmt: skip
    session.add(pack)
    session.flush()
    return pack


def decide(session: Session, pack: PublicationPack, approved: bool, because: str, *, by: int, now: datetime) -> None:
    """A second person's decision, once. ValueError for the proposer's own, a second one, or one without a reason.

    A pack is refused, too, where another of the month was approved since it was proposed: it has counts of its own.
    """
    if pack.approved is not None:
        raise ValueError("this pack was decided on; a decision is not changed")
    if pack.proposed_by == by:
        raise ValueError("a second person approves: nobody approves their own proposal")
    if not 5 <= len(because.strip()) <= LONGEST_REASON:
        raise ValueError(f"because: wanted 5 to {LONGEST_REASON} characters, got {len(because.strip())}")
    earlier = select(PublicationPack.id).where(
        PublicationPack.month == pack.month,
        PublicationPack.approved.is_(True),
        PublicationPack.decided_at >= pack.proposed_at,
    )
    if approved and session.scalar(earlier.limit(1)) is not None:
        raise ValueError("a pack of this month was approved since: propose anew, with the counts that have gone out")
    pack.approved, pack.because, pack.decided_by, pack.decided_at = approved, because.strip(), by, now


def pack_report(record: Record, session: Session, pack: PublicationPack, calendar: Calendar) -> Report:
    """The pack as a report: a marked draft before approval, the thing itself after it.

    ValueError for a refused pack, for content that is no longer what was proposed, and where a finding in it is not
    confirmed any more.
    """
    if pack.approved is False:
        raise ValueError("this pack was refused")
    report = _make(
        record, session, pack.month, pack.as_of, calendar, proposed_at=pack.proposed_at, version=pack.record_version
    )
    if report.sha256 != pack.sha256:
        raise ValueError("the pack's content is not what was proposed: propose it anew")
    with record.connect() as con:
        stands = {row[0] for row in con.execute(_STANDING).fetchall()}
    published = {str(line[2]) for rows in report.rows if rows.head == _PUBLISHED_HEAD for line in rows.lines}
    if not published <= stands:
        raise ValueError("a finding in the pack is not confirmed any more: propose it anew")
    return report if pack.approved else replace(report, notes=(DRAFT, *report.notes))


def _make(
    record: Record, session: Session, month: str, as_of: datetime, calendar: Calendar, *, proposed_at: datetime,
    version: int | None = None,
) -> Report:  # fmt: skip
    """The pack's content; its counts are those of the month's first pack that was approved before it was proposed."""
    first = session.scalar(
        select(PublicationPack)
        .where(
            PublicationPack.month == month,
            PublicationPack.approved.is_(True),
            PublicationPack.decided_at < proposed_at,
        )
        .order_by(PublicationPack.id).limit(1)
    )  # fmt: skip
    fill_pack = PACK
    with ExitStack() as stack:
        if first is not None:
            con = stack.enter_context(record.connect(version=first.record_version, cutoff=first.as_of))
            counted = (con, first.as_of, first.record_version)
            fill_pack = replace(PACK, fill=lambda draft, basis: fill(draft, basis, _counted(basis, *counted)))
        report = make_kind(record, session, "publication", fill_pack, month, as_of, calendar, version=version)
    refuse_counts(report, open_rows=[rows.key for rows in report.rows if rows.head == _PUBLISHED_HEAD])
    return report


def _counted(basis: ReportContext, con: DuckDBPyConnection, as_of: datetime, version: int) -> ReportContext:
    return replace(basis, con=con, as_of=as_of, record_version=version)

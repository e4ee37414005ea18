"""A pack for publication: counts of units, and of people and units only confirmed findings; a second person approves.

The pack is bound by the hash of its content to what was proposed. What was confirmed then and is no longer so is
found when the pack is asked for, and refuses it (S0 1b, 1đ; S2: monthly publication).
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from features.calendar.working_time import Calendar
from features.record.record import Record
from serving.reports.conclusions import HEAD, confirmed, lines
from serving.reports.make import Kind, make_kind
from serving.reports.positive import add_positive
from serving.reports.progress import progress_by_unit
from serving.reports.report import Column, Draft, Report, Table
from serving.reports.report_context import ReportContext
from serving.state import PublicationPack

DRAFT = "BẢN DỰ THẢO: chưa được người thứ hai duyệt, không công bố."
LONGEST_REASON = 2_000

_STANDING = """
SELECT finding_id FROM finding_latest WHERE coalesce(confirmed, false) AND kind <> 'none'
"""


def fill(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft. Findings come through `confirmed` alone; there is no other way for one to get in."""
    progress_by_unit(draft, basis)
    add_positive(draft, basis)
    findings = confirmed(basis)
    key = draft.count("Kết luận đã xác nhận", "confirmed findings", HEAD, lines(basis, findings))
    units = sorted({one.unit_code for one in findings if one.unit_code})
    draft.tables.append(
        Table(
            "Đơn vị có kết luận đã xác nhận", "units with confirmed findings",
            (Column("Đơn vị"), Column("Mã"), Column("Số kết luận", key), Column("Trong đó chậm trễ", key)),
            tuple(
                (basis.register.unit(code), code, sum(one.unit_code == code for one in findings),
                 sum(one.unit_code == code and one.kind == "lateness" for one in findings))
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


PACK = Kind("Danh mục công bố tháng", "pack for publication", 1, fill)


def propose(
    record: Record, session: Session, month: str, as_of: datetime, calendar: Calendar, reason: str, *, by: int,
    now: datetime,
) -> PublicationPack:  # fmt: skip
    """Proposes what to publish of a month that has ended. ValueError without a reason, or of a running month."""
    if not 5 <= len(reason.strip()) <= LONGEST_REASON:
        raise ValueError(f"reason: wanted 5 to {LONGEST_REASON} characters, got {len(reason.strip())}")
    if as_of > now:
        raise ValueError("as_of: wanted a moment that has come")
    report = make_kind(record, session, "publication", PACK, month, as_of, calendar)
    if report.period.until > as_of:
        raise ValueError(f"month: {month} had not ended at {as_of.isoformat()}")
    pack = PublicationPack(
        month=month, as_of=as_of, record_version=report.record_version, sha256=report.sha256, reason=reason.strip(),
        proposed_at=now, proposed_by=by, approved=None, because="", decided_at=None, decided_by=None,
    )  # fmt: skip
    session.add(pack)
    session.flush()
    return pack


def decide(pack: PublicationPack, approved: bool, because: str, *, by: int, now: datetime) -> None:
    """A second person's decision, once. ValueError for the proposer's own, a second one, or one without a reason."""
    if pack.approved is not None:
        raise ValueError("this pack was decided on; a decision is not changed")
    if pack.proposed_by == by:
        raise ValueError("a second person approves: nobody approves their own proposal")
    if not 5 <= len(because.strip()) <= LONGEST_REASON:
        raise ValueError(f"because: wanted 5 to {LONGEST_REASON} characters, got {len(because.strip())}")
    pack.approved, pack.because, pack.decided_by, pack.decided_at = approved, because.strip(), by, now


def pack_report(record: Record, session: Session, pack: PublicationPack, calendar: Calendar) -> Report:
    """The pack as a report: a marked draft before approval, the thing itself after it.

    ValueError for a refused pack, for content that is no longer what was proposed, and where a finding in it is not
    confirmed any more.
    """
    if pack.approved is False:
        raise ValueError("this pack was refused")
    report = make_kind(
        record, session, "publication", PACK, pack.month, pack.as_of, calendar, version=pack.record_version
    )
    if report.sha256 != pack.sha256:
        raise ValueError("the pack's content is not what was proposed: propose it anew")
    with record.connect() as con:
        stands = {row[0] for row in con.execute(_STANDING).fetchall()}
    published = {str(line[2]) for rows in report.rows if rows.head == HEAD for line in rows.lines}
    if not published <= stands:
        raise ValueError("a finding in the pack is not confirmed any more: propose it anew")
    return report if pack.approved else replace(report, notes=(DRAFT, *report.notes))

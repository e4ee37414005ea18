"""Makes the report of a kind, month and unit as known at a moment, and the same one again later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.record.record import Record
from features.record.views import copy_views
from serving.language import SOURCE, speaking
from serving.reports.centre import centre
from serving.reports.delays import delays
from serving.reports.mission import mission
from serving.reports.period import Period
from serving.reports.period_annex import span
from serving.reports.persons import head, official
from serving.reports.progress import progress
from serving.reports.report import Draft, Report
from serving.reports.report_context import ReportContext
from serving.reports.text import with_text
from serving.reports.unit import unit
from serving.state import ReportMade, State

NOT_A_FINDING = "Số liệu là số đếm từ hồ sơ; tỷ lệ trễ không phải là kết luận về người hay đơn vị."


def _silent(_: str) -> None:
    """Tells nobody."""


OF_VISITS = "Kết quả kiểm tra công vụ, trách nhiệm giải quyết thủ tục hành chính"
OF_DOSSIERS = "Kết quả tiếp nhận, giải quyết thủ tục hành chính"


@dataclass(frozen=True)
class ReportKind:
    """A kind of report: its words, how many months it spans, who fills it, and whether it is of one unit.

    subject: what stands below BÁO CÁO; the words where left out. needs: the right that it asks for. monthly: the job
    of reports makes it each month by itself.
    """

    vi: str
    en: str
    months: int
    fill: Callable[[Draft, ReportContext], None]
    of_unit: bool = False
    subject: str = ""
    needs: str = "report.read"
    monthly: bool = False


KINDS: Mapping[str, ReportKind] = {
    "centre": ReportKind(
        "Báo cáo tháng của Trung tâm Phục vụ hành chính công",
        "the Centre's monthly report",
        1,
        centre,
        subject=OF_DOSSIERS,
        monthly=True,
    ),
    "unit": ReportKind(
        "Báo cáo tháng của đơn vị", "the unit's monthly report", 1, unit, of_unit=True, subject=OF_DOSSIERS
    ),
    "mission": ReportKind(
        "Báo cáo kiểm tra công vụ của Sở Nội vụ",
        "report on public-duty inspections",
        1,
        mission,
        subject=OF_VISITS,
        needs="plan.read",
        monthly=True,
    ),
    "official": ReportKind(
        "Phiếu tháng của cán bộ",
        "monthly sheet of officials",
        1,
        official,
        monthly=True,
        subject=f"{OF_DOSSIERS} theo cán bộ",
    ),
    "head": ReportKind(
        "Phiếu tháng của người đứng đầu",
        "monthly sheet of heads",
        1,
        head,
        monthly=True,
        subject=f"{OF_DOSSIERS} theo đơn vị, trách nhiệm người đứng đầu",
    ),
    "delays": ReportKind(
        "Danh sách tháng: hồ sơ trễ theo người giữ",
        "monthly list of who held late dossiers",
        1,
        delays,
        subject="Hồ sơ trễ hẹn theo người giữ khi quá hạn",
    ),
    "quarter": ReportKind("Phụ lục báo cáo quý", "annex of the quarter", 3, span, subject=OF_DOSSIERS),
    "half-year": ReportKind("Phụ lục báo cáo 6 tháng", "annex of the half-year", 6, span, subject=OF_DOSSIERS),
    "year": ReportKind("Phụ lục báo cáo năm", "annex of the year", 12, span, subject=OF_DOSSIERS),
    "progress": ReportKind("Điểm tiến độ 766 và đối soát", "points of 766, reconciled", 1, progress, monthly=True),
}
"""Every kind that may be made by itself. A publication is none of them: it needs a second person."""


def make(
    record: Record, session: Session, kind: str, month: str, as_of: datetime, calendar: Calendar, *,
    unit_code: str = "", version: int | None = None, say: Callable[[str], None] = _silent,
) -> Report:  # fmt: skip
    """The report of a kind of `KINDS`. ValueError for an unknown one, and as `make_kind`."""
    if kind not in KINDS:
        raise ValueError(f"kind: wanted one of {', '.join(KINDS)}, got {kind[:40]!r}")
    return make_kind(
        record, session, kind, KINDS[kind], month, as_of, calendar, unit_code=unit_code, version=version, say=say
    )  # fmt: skip


@speaking(SOURCE)
def make_kind(
    record: Record, session: Session, name: str, kind: ReportKind, month: str, as_of: datetime, calendar: Calendar, *,
    unit_code: str = "", version: int | None = None, say: Callable[[str], None] = _silent,
) -> Report:  # fmt: skip
    """The report, from the record's `version` (the newest where left out) as known before `as_of`.

    ValueError for an unknown month or unit, for a report of a unit without one, and for an `as_of` before the period
    has begun. say: takes lines of progress; a year of a large province takes minutes.
    """
    if kind.of_unit and not unit_code:
        raise ValueError(f"a report of kind {name} is of one unit: name it")
    period = Period.ending(month, kind.months, ZoneInfo(calendar.zone))
    if as_of <= period.start:
        raise ValueError(f"as_of: wanted a moment after {period.start.isoformat()}, when the period begins")
    record_version = record.version() if version is None else version
    with record.connect(version=record_version, cutoff=as_of) as con:
        say("đọc bộ dữ liệu")
        copy_views(con, ("dossier", "event"))
        basis = ReportContext(con, session, as_delivered(con, calendar), period, as_of, record_version, unit_code, say)
        if unit_code and unit_code not in basis.register.units:
            raise ValueError(f"no unit {unit_code[:40]!r} was known then")
        draft = Draft(notes=[NOT_A_FINDING])
        if basis.running:
            draft.notes.append(f"Kỳ báo cáo chưa kết thúc: số liệu tính đến {as_of.isoformat()}.")
        if basis.until < min(period.until, as_of):
            data_until = basis.reading.as_of.astimezone(ZoneInfo(calendar.zone))
            draft.notes.append(f"Dữ liệu chỉ đến {data_until:%d/%m/%Y %H:%M}: mọi con số tính đến lúc đó.")
        kind.fill(draft, basis)
        scope = basis.register.unit(unit_code) if unit_code else "Toàn tỉnh"
    return Report(
        name, kind.vi, kind.en, period, scope, as_of, record_version, tuple(draft.figures), tuple(draft.tables),
        tuple(draft.rows), tuple(draft.notes), tuple(draft.sentences), unit_code,
        kind.subject or kind.vi,
    )  # fmt: skip


def make_again(
    record: Record, state: State, kind: str, month: str, as_of: datetime, calendar: Calendar, *, now: datetime,
    unit_code: str = "", by: int | None = None, drafted: bool = False, say: Callable[[str], None] = _silent,
) -> Report:  # fmt: skip
    """The report, from the record version of its first making, with its text as last written; that making is noted.

    drafted: with its text as drafted from the figures, whatever was written since.

    So what was back-filled since does not change a report that has gone out. Raises as `make`.
    """
    same = (
        ReportMade.kind == kind, ReportMade.month == month, ReportMade.unit_code == unit_code, ReportMade.as_of == as_of
    )  # fmt: skip
    with state.reading() as session:
        first = session.scalar(select(ReportMade).where(*same))
        report = make(
            record, session, kind, month, as_of, calendar, unit_code=unit_code,
            version=first.record_version if first else None, say=say,
        )  # fmt: skip
        if first is not None:
            return report if drafted else with_text(session, report)
    try:
        with state.writing() as session:
            session.add(
                ReportMade(
                    kind=kind, month=month, unit_code=unit_code, as_of=as_of, record_version=report.record_version,
                    sha256=report.sha256, made_at=now, made_by=by,
                )
            )  # fmt: skip
    except IntegrityError:  # another process made it meanwhile: its version is the one that holds
        return make_again(record, state, kind, month, as_of, calendar, now=now, unit_code=unit_code, by=by)
    return report

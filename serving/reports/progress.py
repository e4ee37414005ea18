"""The progress group of the index 766 by unit, beside what the events say and what the sources counted (S0 1c, S2)."""

from collections import defaultdict

from features.sources.reconcile import reconcile
from serving.read.caseload import Case
from serving.read.on_time_statistics import PROGRESS_POINTS
from serving.reports.compared import add_compared
from serving.reports.dossiers import HEAD, lines
from serving.reports.dossiers import progress as points
from serving.reports.narrative import against, number
from serving.reports.report import Cell, Column, Draft, Figure, Table
from serving.reports.report_context import ReportContext

_TOLD = ("progress points", "overdue as 766 counts")


def progress(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft."""
    add_compared(draft, basis, progress_by_unit)
    points, late = (next(one for one in draft.figures if one.en == name) for name in _TOLD)
    if points.value is not None:
        draft.say(
            "results",
            f"Trong {basis.period.words}, điểm tiến độ theo Quyết định 766/QĐ-TTg là {number(points.value)}/"
            f"{PROGRESS_POINTS}{against(points)}; {late.value} hồ sơ quá hạn theo cách đếm này{against(late)}.",
            points.rows,
        )  # fmt: skip
    _add_reconciliation(draft, basis)


def progress_by_unit(draft: Draft, basis: ReportContext) -> None:
    """Points of all and of each unit: 20 × on time / received, of what was received in the period."""
    received = basis.caseload.received
    key = draft.count("Hồ sơ tiếp nhận trong kỳ", "received", HEAD, lines(basis.register, received))
    late = [case for case in received if case.late_766]
    late_key = draft.count("Quá hạn theo 766", "overdue as 766 counts", HEAD, lines(basis.register, late))
    differ = [case for case in received if case.late_by_events != case.late_766]
    differ_key = draft.count(
        "Hồ sơ mà hai cách đếm khác nhau", "dossiers that the events class otherwise", HEAD,
        lines(basis.register, differ),
    )  # fmt: skip
    draft.figures += [
        Figure("Điểm tiến độ 766 (trên 20)", "progress points", points(received), key),
        Figure("Điểm nếu đếm theo sự kiện", "points by the events", _by_events(received), differ_key),
    ]
    units: dict[str, list[Case]] = defaultdict(list)
    for case in received:
        units[case.unit_code].append(case)
    rows: list[tuple[Cell, ...]] = [
        (basis.register.unit(code), code, len(cases), sum(case.late_766 for case in cases), points(cases),
         _by_events(cases), sum(case.late_by_events != case.late_766 for case in cases))
        for code, cases in sorted(units.items(), key=lambda one: (points(one[1]) or 0.0, one[0]))
    ]  # fmt: skip
    draft.tables.append(
        Table(
            "Điểm tiến độ theo đơn vị", "progress points by unit",
            (Column("Đơn vị"), Column("Mã"), Column("Tiếp nhận", key), Column("Quá hạn theo 766", late_key),
             Column("Điểm 766", key), Column("Điểm theo sự kiện", key), Column("Hồ sơ khác nhau", differ_key)),
            tuple(rows), "Điểm = 20 × đúng hạn / tiếp nhận (QĐ 766/QĐ-TTg).",
            ("Tổng", "", len(received), len(late), points(received), _by_events(received), len(differ)),
        )
    )  # fmt: skip


def _by_events(received: list[Case]) -> float | None:
    if not received:
        return None
    return round(PROGRESS_POINTS * sum(not case.late_by_events for case in received) / len(received), 2)


def _add_reconciliation(draft: Draft, basis: ReportContext) -> None:
    start, until = basis.period.start.date(), basis.period.until.date()
    compared = [
        line
        for line in reconcile(basis.con, basis.as_of, basis.calendar)
        if basis.covers(line.unit_code) and start <= line.period_from and line.period_to <= until
    ]
    head = (
        "Đơn vị",
        "Mã đơn vị",
        "Nguồn",
        "Từ",
        "Đến",
        "Chỉ tiêu",
        "Nguồn đếm",
        "Dữ liệu đếm",
        "Chênh",
        "Giải thích được",
    )
    key = draft.count(
        "Số liệu của nguồn đã đối soát", "counts of the sources compared", head,
        [
            (basis.register.unit(line.unit_code), line.unit_code, line.source, line.period_from, line.period_to,
             line.count, line.theirs, line.ours, line.gap, line.explained)
            for line in compared
        ],
    )  # fmt: skip
    left = round(sum(abs(line.unexplained) for line in compared), 1)
    draft.figures.append(Figure("Chênh lệch chưa giải thích", "gap left unexplained", left if compared else None, key))
    if not compared:
        draft.notes.append("Kỳ này chưa có số liệu của hệ thống nguồn để đối soát.")

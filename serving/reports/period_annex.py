"""The annex of a half-year or year: month by month, units above the general level for long (S4, S1 3b, S0 3b)."""

from collections import defaultdict

from serving.read.caseload import Case, Caseload
from serving.reports.answers import add_complaints
from serving.reports.compared import add_compared
from serving.reports.conclusions import add_conclusions, add_remedies
from serving.reports.dossiers import add_counts, by, late_share, progress
from serving.reports.narrative import add_narrative
from serving.reports.report import Cell, Column, Draft, Table
from serving.reports.report_context import ReportContext

PERSISTS = 3
"""Months in a row above the general level from which persistence is shown."""


def span(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft."""
    keys = add_counts(draft, basis, listed=False)
    add_narrative(draft, basis, keys)
    first = min((case.received_at for case in basis.caseload.cases), default=basis.as_of)
    months = [(period.month, load) for period, load in basis.each_month() if first < period.until]
    draft.tables.append(
        Table(
            "Theo tháng", "by month",
            (Column("Tháng"), Column("Tiếp nhận", keys.received), Column("Xong", keys.ended),
             Column("Trễ hẹn", keys.late), Column("Tỷ lệ trễ (%)", keys.late), Column("từ (%)", keys.late),
             Column("đến (%)", keys.late), Column("Quá hạn cuối tháng"), Column("Điểm 766", keys.received)),
            tuple(
                (month, len(load.received), len(load.ended), len(load.ended_late),
                 *late_share(load.ended), len(load.overdue), progress(load.received))
                for month, load in months
            ),
        )
    )  # fmt: skip
    by(draft, basis, keys, "Đơn vị", "units", "Đơn vị", lambda case: case.unit_code, basis.register.unit)
    draft.tables.append(_persistent(basis, months))
    by(
        draft, basis, keys, "Theo lĩnh vực", "by sector", "Lĩnh vực", lambda case: case.sector_code,
        basis.register.sector,
    )  # fmt: skip
    add_compared(draft, basis, add_complaints, add_conclusions, add_remedies)


def _persistent(basis: ReportContext, months: list[tuple[str, Caseload]]) -> Table:
    """Units whose interval lay wholly above the month's general share for several months in a row."""
    above: dict[str, list[bool]] = defaultdict(lambda: [False] * len(months))
    for place, (_, load) in enumerate(months):
        general, _, _ = late_share(load.ended)
        by_unit: dict[str, list[Case]] = defaultdict(list)
        for case in load.ended:
            by_unit[case.unit_code].append(case)
        for code, cases in by_unit.items():
            _, low, _ = late_share(cases)
            above[code][place] = general is not None and low is not None and low > general
    rows: list[tuple[Cell, ...]] = []
    for code, flags in sorted(above.items()):
        longest = run = 0
        for flag in flags:
            run = run + 1 if flag else 0
            longest = max(longest, run)
        if longest >= PERSISTS:
            rows.append((basis.register.unit(code), code, longest, sum(flags)))
    return Table(
        "Đơn vị cao hơn mức chung nhiều tháng liền", "units above the general level month after month",
        (Column("Đơn vị"), Column("Mã"), Column("Số tháng liền"), Column("Tổng số tháng")), tuple(rows),
        f"Cả khoảng tin cậy nằm trên mức chung của tháng, từ {PERSISTS} tháng liền.",
    )  # fmt: skip

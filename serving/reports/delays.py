"""The monthly list of who let delay happen: each late dossier in whose hands the promise ran out (S2-09, S0 1d).

A list for the unit's head and the Department to ask by, never a conclusion: what was accepted as the citizen's, the
system's or another agency's cause stands beside it.
"""

from collections import Counter

from serving.reports.answers import explained
from serving.reports.dossiers import add_counts
from serving.reports.narrative import add_narrative
from serving.reports.report import Cell, Column, Draft, Table
from serving.reports.report_context import ReportContext

HEAD = ("Đơn vị", "Cán bộ giữ khi quá hạn", "Bước", "Mã hồ sơ", "Hẹn trả", "Kết thúc", "Quá hạn (giờ làm việc)",
        "Nguyên nhân đã nêu", "Được chấp nhận")  # fmt: skip


def delays(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft: one row a late dossier, one line an official."""
    keys = add_counts(draft, basis, listed=False)
    add_narrative(draft, basis, keys)
    causes = explained(basis)
    late = sorted((case for case in basis.caseload.cases if case.late), key=lambda one: (one.unit_code, one.dossier_id))
    rows: list[tuple[Cell, ...]] = []
    for case in late:
        cause, accepted = causes.get(case.dossier_id, (None, None))
        rows.append(
            (basis.register.unit(case.unit_code), basis.official(case.official_id), case.step, case.dossier_id,
             case.due_at, case.ended_at, round(case.over_hours, 1), cause, accepted)
        )  # fmt: skip
    key = draft.count("Hồ sơ trễ, theo người giữ khi quá hạn", "late dossiers by holder", HEAD, rows, listed=True)
    held = Counter((str(row[0]), str(row[1] or "–")) for row in rows)
    draft.tables.append(
        Table(
            "Cán bộ giữ hồ sơ khi quá hạn", "holders when the promise ran out",
            (Column("Đơn vị"), Column("Cán bộ"), Column("Số hồ sơ", key)),
            tuple((unit, official, number) for (unit, official), number in
                  sorted(held.items(), key=lambda one: (-one[1], one[0]))),
            "Người giữ khi hạn đã qua; trách nhiệm do người có thẩm quyền xác định sau giải trình.",
            ("Tổng", "", len(rows)),
        )
    )  # fmt: skip

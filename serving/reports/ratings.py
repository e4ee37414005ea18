"""What citizens said after the end, by unit (S0 2d): never the index's own "satisfaction", which is being on time."""

from collections import defaultdict

from features.case_state.relation import NAME, case_states
from features.record.utc import aware_utc
from serving.reports.report import Column, Draft, Table
from serving.reports.report_context import ReportContext

LEAST = 5
"""Fewer ratings than this give no mean."""
_ASKED = "SELECT DISTINCT dossier_id FROM rating_latest"
_RATED = f"""
SELECT s.unit_code, r.dossier_id, r.score, r.rated_at
FROM rating_latest r JOIN {NAME} s USING (dossier_id)
WHERE s.phase = 'ended' AND s.ended_at <= r.rated_at
  AND r.rated_at >= $start AND r.rated_at < $until AND NOT coalesce(r.by_staff, false)
ORDER BY s.unit_code, r.dossier_id, r.rated_at
"""


def add_ratings(draft: Draft, basis: ReportContext) -> None:
    """The ranking of units by the mean rating; ratings by staff or before the end are left out (trap T6)."""
    basis.con.execute(f"CREATE OR REPLACE TEMP TABLE rated_dossier AS {_ASKED}")
    with case_states(basis.con, basis.as_of, basis.calendar, until=basis.until, dossiers="rated_dossier"):
        ratings = [row for row in basis.con.execute(_RATED, basis.moments).fetchall() if basis.covers(row[0])]
    basis.con.execute("DROP TABLE rated_dossier")
    key = draft.count(
        "Lượt đánh giá của người dân sau khi xong", "ratings by citizens after the end",
        ("Đơn vị", "Mã đơn vị", "Mã hồ sơ", "Điểm (1–5)", "Đánh giá lúc"),
        [(basis.register.unit(row[0]), *row[:3], aware_utc(row[3])) for row in ratings],
    )  # fmt: skip
    units: dict[str, list[int]] = defaultdict(list)
    for unit, _, score, _ in ratings:
        units[unit].append(score)
    rows = [
        (basis.register.unit(unit), unit, len(scores), *(_told(scores) if len(scores) >= LEAST else (None, None)))
        for unit, scores in units.items()
    ]
    rows.sort(key=lambda row: (row[3] is None, -(row[3] or 0.0), row[1]))
    draft.tables.append(
        Table(
            "Xếp hạng mức độ hài lòng", "units by satisfaction",
            (Column("Đơn vị"), Column("Mã"), Column("Lượt đánh giá", key), Column("Điểm trung bình (1–5)", key),
             Column("Hài lòng, từ 4 điểm (%)", key)),
            tuple(rows), f"Chỉ nêu điểm từ {LEAST} lượt; không gồm đánh giá do cán bộ nhập hoặc trước khi xong.",
        )
    )  # fmt: skip


def _told(scores: list[int]) -> tuple[float, float]:
    """Mean, and share of 4 and 5 in per cent."""
    return round(sum(scores) / len(scores), 2), round(100 * sum(score >= 4 for score in scores) / len(scores), 1)

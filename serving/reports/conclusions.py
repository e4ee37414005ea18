"""Visits and what they concluded, as the record held it; a conclusion counts as one only when it is confirmed."""

from dataclasses import dataclass, replace
from datetime import datetime

from features.record.utc import aware_utc
from serving.read.finding_words import KIND_WORDS
from serving.reports.report import Cell, Column, Draft, Table
from serving.reports.report_context import ReportContext

HEAD = (
    "Đơn vị",
    "Mã đơn vị",
    "Mã kết luận",
    "Cuộc kiểm tra",
    "Mã hồ sơ",
    "Mã cán bộ",
    "Nội dung",
    "Mức",
    "Xác nhận lúc",
)
VISIT_HEAD = ("Đơn vị", "Mã đơn vị", "Cuộc kiểm tra", "Đoàn", "Ngày kiểm tra")

_FINDINGS = """
SELECT f.finding_id, f.inspection_id, i.unit_code, f.dossier_id, f.official_id, f.kind, f.severity,
       coalesce(f.confirmed, false) AS confirmed, coalesce(f.confirmed_at, f.known_at) AS said_at
FROM finding_latest f LEFT JOIN inspection_latest i USING (inspection_id)
WHERE said_at >= $start AND said_at < $until ORDER BY i.unit_code, f.finding_id
"""
VISITS = """
SELECT inspection_id, unit_code, team_id, chosen_by, visited_at FROM inspection_latest
WHERE visited_at >= $start AND visited_at < $until
ORDER BY unit_code, visited_at, inspection_id
"""


@dataclass(frozen=True)
class Conclusion:
    """One finding as last told. confirmed: by the one entitled; said_at: when that was, else when it was told."""

    finding_id: str
    inspection_id: str
    unit_code: str | None
    dossier_id: str | None
    official_id: str | None
    kind: str
    severity: int | None
    confirmed: bool
    said_at: datetime

    @property
    def stands(self) -> bool:
        """Whether something was found, and confirmed."""
        return self.confirmed and self.kind != "none"


def conclusions(basis: ReportContext) -> list[Conclusion]:
    """What was told or confirmed in the period, of the report's units, as known then."""
    rows = basis.con.execute(_FINDINGS, basis.moments).fetchall()
    told = (replace(Conclusion(*row), said_at=aware_utc(row[-1])) for row in rows)
    return [one for one in told if basis.covers(one.unit_code)]


def confirmed(basis: ReportContext) -> list[Conclusion]:
    """Of these what was found and confirmed: all that a publication may ever hold."""
    return [one for one in conclusions(basis) if one.stands]


def lines(basis: ReportContext, found: list[Conclusion]) -> list[tuple[Cell, ...]]:
    """One row a conclusion, under `HEAD`."""
    return [
        (basis.register.unit(one.unit_code), one.unit_code, one.finding_id, one.inspection_id, one.dossier_id,
         one.official_id, KIND_WORDS[one.kind], one.severity, one.said_at if one.confirmed else None)
        for one in found
    ]  # fmt: skip


def add_conclusions(draft: Draft, basis: ReportContext) -> None:
    """Figures of visits and conclusions, and the confirmed ones by kind."""
    visits = [row for row in basis.con.execute(VISITS, basis.moments).fetchall() if basis.covers(row[1])]
    # how a visit was chosen stays out: units read these reports, and would learn what brings an inspection
    shown = [(basis.register.unit(row[1]), row[1], row[0], row[2], aware_utc(row[4])) for row in visits]
    draft.count("Cuộc kiểm tra trong kỳ", "visits", VISIT_HEAD, shown)
    told = conclusions(basis)
    draft.count("Hồ sơ đã kết luận", "dossiers concluded on", HEAD, lines(basis, told))
    stands = [one for one in told if one.stands]
    key = draft.count("Kết luận có vấn đề, đã xác nhận", "confirmed findings", HEAD, lines(basis, stands))
    waiting = sum(one.kind != "none" and not one.confirmed for one in told)
    if waiting:
        draft.notes.append(f"{waiting} kết luận chờ xác nhận không được nêu trong báo cáo.")
    kinds = sorted({one.kind for one in stands})
    draft.tables.append(
        Table(
            "Kết luận đã xác nhận theo nội dung", "confirmed findings by kind",
            (Column("Nội dung"), Column("Số kết luận", key)),
            tuple((KIND_WORDS[kind], sum(one.kind == kind for one in stands)) for kind in kinds),
        )
    )  # fmt: skip

"""Who stands out by early, clean, well-rated work, for reward and publication (S0 1b, 1đ, 3d)."""

from datetime import timedelta
from typing import Literal

from features.signals.good_work import LEAST, good_work
from serving.reports.report import Column, Draft, Table
from serving.reports.report_context import ReportContext

YEAR = timedelta(days=365)
_HEAD = ("Mã", "Đơn vị", "Hồ sơ", "Làm tốt", "Tỷ lệ (%)", "từ (%)", "đến (%)", "Cùng việc (%)", "Lượt đánh giá", "Điểm")
_GRAINS: tuple[tuple[Literal["unit", "official"], str, str], ...] = (
    ("unit", "Đơn vị làm tốt", "units that stand out"), ("official", "Cán bộ làm tốt", "officials that stand out"),
)  # fmt: skip


def add_positive(draft: Draft, basis: ReportContext) -> None:
    """Units and officials whose share of good dossiers over a year lies wholly above their peers'."""
    for grain, vi, en in _GRAINS:
        found = good_work(basis.con, basis.until, grain, basis.until - YEAR, basis.calendar).to_pylist()
        lines = [
            (basis.official(one["key"]) if grain == "official" else one["key"],
             basis.register.unit(one["unit_code"]), one["n"], one["good"], _hundred(one["share"]),
             _hundred(one["low"]), _hundred(one["high"]), _hundred(one["usual"]), one["rated"],
             None if one["rating"] is None else round(one["rating"], 2))
            for one in found
            if one["stands_out"] and basis.covers(one["unit_code"])
        ]  # fmt: skip
        key = draft.count(vi, en, _HEAD, lines)
        note = f"12 tháng; xong sớm, không có dấu hiệu, không phản ánh được xác nhận; từ {LEAST} hồ sơ, khoảng 95 %."
        draft.tables.append(Table(vi, en, tuple(Column(words, key) for words in _HEAD), tuple(lines), note))


def _hundred(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)

"""Who stands out by early, clean, well-rated work, for reward and publication (S0 1b, 1đ, 3d)."""

from datetime import timedelta
from typing import Literal

from features.signals.good_work import LEAST, good_work
from serving.reports.report import Cell, Column, Draft, Figure, Table
from serving.reports.report_context import ReportContext
from serving.reports.small_numbers import CountSpan, share

YEAR = timedelta(days=365)
_HEAD = ("Mã", "Đơn vị", "Hồ sơ", "Làm tốt", "Tỷ lệ (%)")
_GRAINS: tuple[tuple[Literal["unit", "official"], str, str], ...] = (
    ("unit", "Đơn vị làm tốt", "units that stand out"), ("official", "Cán bộ làm tốt", "officials that stand out"),
)  # fmt: skip


def add_published_positive(draft: Draft, basis: ReportContext) -> None:
    """Units and officials whose share of good dossiers over a year lies wholly above their peers'; counts in bands."""
    for grain, vi, en in _GRAINS:
        found = good_work(basis.con, basis.until, grain, basis.until - YEAR, basis.calendar).to_pylist()
        named_lines: list[tuple[Cell, ...]] = []
        for one in found:
            if one["stands_out"] and basis.covers(one["unit_code"]):
                of, good = CountSpan.of(one["n"]), CountSpan.of(one["good"])
                named = basis.official(one["key"]) if grain == "official" else one["key"]
                of_hundred = share(good, of, 100, 0)
                named_lines.append((named, basis.register.unit(one["unit_code"]), of.words, good.words, of_hundred))
        draft.figures.append(Figure(vi, en, f"{len(named_lines)} {'cán bộ' if grain == 'official' else 'đơn vị'}"))
        note = f"12 tháng; xong sớm, không có dấu hiệu, không phản ánh được xác nhận; từ {LEAST} hồ sơ, khoảng 95 %."
        draft.tables.append(Table(vi, en, tuple(Column(words) for words in _HEAD), tuple(named_lines), note))

"""Counts of dossiers as every report shows them: received, ended, late, open, overdue; by unit, sector or step."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from features.intervals import wilson
from serving.read.caseload import Case, Caseload
from serving.read.on_time_statistics import LEAST, PROGRESS_POINTS
from serving.read.register import Register
from serving.reports.report import Cell, Column, Draft, Figure, Table
from serving.reports.report_context import ReportContext

HEAD = ("Đơn vị", "Mã đơn vị", "Mã hồ sơ", "Thủ tục", "Lĩnh vực", "Tiếp nhận", "Hẹn trả", "Kết thúc",
        "Quá hạn (giờ làm việc)", "Theo 766", "Theo sự kiện")  # fmt: skip
INTERVAL = ("95 % interval from", "95 % interval to")
"""Names of the two figures that give the interval of the one before them."""
CLASS_WORDS = {
    "before": "trước hạn", "on_time": "đúng hạn", "overdue": "quá hạn", "within": "đang xử lý, trong hạn",
    "overdue_open": "đang xử lý, quá hạn", "unknown": "không có hạn",
}  # fmt: skip


@dataclass(frozen=True)
class Keys:
    """Keys of the rows that dossier figures stand on."""

    received: str
    ended: str
    late: str
    open: str
    overdue: str
    waiting: str
    past_first: str


def lines(register: Register, cases: Iterable[Case]) -> list[tuple[Cell, ...]]:
    """One row a dossier, under `HEAD`, in order of unit and dossier."""
    return [
        (
            register.unit(case.unit_code), case.unit_code, case.dossier_id, case.procedure_code, case.sector_code,
            case.received_at, case.lawful_due_at, case.ended_at, round(case.over_hours, 2),
            CLASS_WORDS[case.official_class], CLASS_WORDS[case.event_class],
        )
        for case in sorted(cases, key=lambda one: (one.unit_code, one.dossier_id))
    ]  # fmt: skip


def add_counts(draft: Draft, basis: ReportContext, *, listed: bool = True) -> Keys:
    """The counts, late by the lawful clock and by the first promise, share and progress points, each on its rows.

    Beside each the same of the period before and of the same period a year before, where the record reaches back.
    listed: whether the annex on paper lists the late and overdue dossiers.
    """
    load, register = basis.caseload, basis.register
    before, year_before = (_earlier(basis, months) for months in (basis.period.months, 12))

    def count(vi: str, en: str, of: Callable[[Caseload], list[Case]], *, listed: bool = False) -> str:
        return draft.count(
            vi, en, HEAD, lines(register, of(load)), listed=listed, before=len(of(before)) if before else None,
            year_before=len(of(year_before)) if year_before else None,
        )  # fmt: skip

    keys = Keys(
        count("Hồ sơ tiếp nhận trong kỳ", "received", lambda one: one.received),
        count("Hồ sơ giải quyết xong trong kỳ", "ended", lambda one: one.ended),
        count("Trong đó trễ hẹn", "of these late", lambda one: one.ended_late, listed=listed),
        count("Hồ sơ đang giải quyết cuối kỳ", "open at the end", lambda one: one.open),
        count("Trong đó đã quá hạn", "of these overdue", lambda one: one.overdue, listed=listed),
        count("Trong đó chờ người dân hoặc tạm dừng", "of these waiting for the citizen", lambda one: one.waiting),
        count(
            "Xong sau hẹn trả đầu tiên (kể cả đã hẹn lại)", "ended past the first promise",
            lambda one: one.ended_past_first,
        ),
    )  # fmt: skip
    if load.set_aside:
        draft.count(
            "Để riêng: kết thúc ghi trước khi tiếp nhận", "set aside: the end lies before the receipt", HEAD,
            lines(register, load.set_aside),
        )  # fmt: skip
    loads = (load, before, year_before)
    shares = [late_share(one.ended) if one else (None, None, None) for one in loads]
    words = (
        ("Tỷ lệ trễ hẹn (%)", "late of ended, per cent"), ("– khoảng tin cậy 95 %, từ (%)", INTERVAL[0]),
        ("– khoảng tin cậy 95 %, đến (%)", INTERVAL[1]),
    )  # fmt: skip
    for place, (vi, en) in enumerate(words):
        now, then, last_year = (share[place] for share in shares)
        draft.figures.append(Figure(vi, en, now, keys.late, then, last_year))
    points = [progress(one.received) if one else None for one in loads]
    vi, en = "Điểm tiến độ 766 (trên 20)", "progress points of the index 766"
    draft.figures.append(Figure(vi, en, points[0], keys.received, *points[1:]))
    return keys


def _earlier(basis: ReportContext, months: int) -> Caseload | None:
    """The caseload of the period so many months before; None where the record does not hold it."""
    earlier = basis.earlier(months)
    return earlier.caseload if earlier else None


def by(
    draft: Draft, basis: ReportContext, keys: Keys, vi: str, en: str, what: str, key: Callable[[Case], str | None],
    name: Callable[[str | None], str], *, only_late: bool = False,
) -> Table:  # fmt: skip
    """A table with one line for each value of `key`, the most late dossiers first.

    only_late: lines without a late dossier are left out.
    """
    groups: dict[str | None, list[Case]] = defaultdict(list)
    for case in basis.caseload.cases:
        groups[key(case)].append(case)
    start = basis.period.start
    found: list[tuple[Cell, ...]] = []
    for code, cases in groups.items():
        if only_late and not any(case.late and (case.is_open or case.ended_at is not None) for case in cases):
            continue
        words = name(code)
        found.append((words, code if code and code != words else "", *_row(cases, start)))
    found.sort(key=lambda line: (-_number(line[4]) - _number(line[8]), str(line[1])))
    columns = (
        Column(what), Column("Mã"), Column("Tiếp nhận", keys.received), Column("Xong", keys.ended),
        Column("Trễ hẹn", keys.late), Column("Tỷ lệ trễ (%)", keys.late), Column("từ (%)", keys.late),
        Column("đến (%)", keys.late), Column("Đang giải quyết", keys.open), Column("Quá hạn", keys.overdue),
        Column("Điểm 766", keys.received), Column("Chờ người dân", keys.waiting),
        Column("Xong sau hẹn đầu", keys.past_first),
    )  # fmt: skip
    total = ("Tổng", "", *_row(basis.caseload.cases, start))
    note = f"Tỷ lệ chỉ nêu khi có từ {LEAST} hồ sơ xong; khoảng 95 % (Wilson). Khoảng chồng nhau: chưa thể so sánh."
    table = Table(vi, en, columns, tuple(found), note, total if len(found) > 1 and not only_late else ())
    draft.tables.append(table)
    return table


def _row(cases: Sequence[Case], start: datetime) -> tuple[Cell, ...]:
    """Received, ended, late, share with interval, open, overdue, points, waiting, ended past the first promise."""
    received = [case for case in cases if case.received_at >= start]
    ended = [case for case in cases if case.ended_at is not None]
    late = sum(case.late for case in ended)
    left = [case for case in cases if case.is_open]
    share = late_share(ended)
    return (
        len(received), len(ended), late, *share, len(left), sum(case.late for case in left), progress(received),
        sum(case.waits for case in left), sum(case.missed_first for case in ended),
    )  # fmt: skip


def late_share(ended: Iterable[Case]) -> tuple[float | None, float | None, float | None]:
    """Late of ended in per cent with Wilson's 95 % interval; nothing under 20 ended.

    Those without a promise or a published term are left out, as in `serving.read.on_time_statistics`: nobody can say.
    """
    judged = [case for case in ended if case.lawful_due_at is not None]
    if len(judged) < LEAST:
        return None, None, None
    late = sum(case.late for case in judged)
    low, high = wilson(late, len(judged))
    return round(100 * late / len(judged), 1), round(100 * low, 1), round(100 * high, 1)


def progress(received: list[Case]) -> float | None:
    """20 × on time / received, by the 766 class (domain.md 1.7); None where nothing was received."""
    if not received:
        return None
    return round(PROGRESS_POINTS * sum(not case.late_766 for case in received) / len(received), 2)


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else 0.0

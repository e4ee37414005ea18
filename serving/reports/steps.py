"""Steps: where the hours go, which steps nobody holds by name or that have no term, and how old open dossiers are."""

from collections.abc import Mapping
from datetime import datetime

from features.calendar.working_time import HOURS_A_DAY
from features.record.schema import ALL_ENDS
from features.record.utc import aware_utc
from serving.read.caseload import Case
from serving.reports.report import Cell, Column, Draft, Table
from serving.reports.report_context import ReportContext

# an event begins a step where it names one; it lasts until the next event of the dossier
_STEPS = f"""
WITH passed AS (
  SELECT dossier_id, kind, step, happened_at, step_due_at, official_id,
         lead(happened_at) OVER (PARTITION BY dossier_id ORDER BY happened_at, known_at, row_id) AS next_at,
         known_at, row_id
  FROM event_latest WHERE happened_at < $until AND kind <> 'note'
)
SELECT l.unit_code, p.dossier_id, p.step, p.official_id, p.happened_at, p.step_due_at, p.next_at
FROM passed p JOIN dossier_latest l USING (dossier_id)
WHERE p.step IS NOT NULL AND p.kind NOT IN {(*ALL_ENDS, "consultation_answered")}
  AND coalesce(p.next_at, $until) >= $start
ORDER BY l.unit_code, p.dossier_id, p.happened_at, p.known_at, p.row_id
"""
_HEAD = ("Đơn vị", "Mã đơn vị", "Mã hồ sơ", "Bước", "Người giữ", "Từ", "Hạn của bước", "Đến", "Giờ làm việc")
AGES = ((5, "đến 5 ngày"), (10, "6–10 ngày"), (20, "11–20 ngày"), (40, "21–40 ngày"))
OLDEST = "trên 40 ngày"
"""Working days since receipt, upper ends included."""


def add_steps(draft: Draft, basis: ReportContext) -> None:
    """One line a step, the one that took most hours first."""
    lines: list[tuple[Cell, ...]] = []
    for unit, dossier, step, official, since, due, until in basis.con.execute(_STEPS, basis.moments).fetchall():
        if basis.covers(unit):
            begun, over = aware_utc(since), aware_utc(until)
            hours = round(basis.calendar.working_hours(begun or basis.until, over or basis.until), 2)
            held = basis.official(official)
            lines.append((basis.register.unit(unit), unit, dossier, step, held, begun, aware_utc(due), over, hours))
    key = draft.count("Lượt qua bước trong kỳ", "passages of steps", _HEAD, lines)
    nameless = draft.count(
        "Lượt không có người giữ được nêu tên", "passages that nobody holds by name", _HEAD,
        [line for line in lines if line[4] is None],
    )  # fmt: skip
    past = [line for line in lines if _late(line, basis)]
    past_key = draft.count("Lượt quá hạn của bước", "passages past the step's term", _HEAD, past)
    steps: dict[str, list[tuple[Cell, ...]]] = {}
    for line in lines:
        steps.setdefault(str(line[3]), []).append(line)
    rows = [
        (step, len(held), round(_hours(held), 1), round(_hours(held) / len(held), 1),
         sum(line[4] is None for line in held), sum(line[6] is None for line in held),
         sum(_late(line, basis) for line in held))
        for step, held in sorted(steps.items(), key=lambda one: (-_hours(one[1]), one[0]))
    ]  # fmt: skip
    draft.tables.append(
        Table(
            "Thời gian theo bước", "hours by step",
            (Column("Bước"), Column("Số lượt", key), Column("Tổng giờ", key), Column("Giờ trung bình", key),
             Column("Không rõ người giữ", nameless), Column("Chưa đặt hạn cho bước", key),
             Column("Quá hạn của bước", past_key)),
            tuple(rows), "Giờ làm việc từ lúc vào bước đến việc tiếp theo, gồm cả lúc chờ người nộp hay cơ quan khác.",
        )
    )  # fmt: skip


def add_backlog(draft: Draft, basis: ReportContext, key: str) -> None:
    """Open dossiers by sector and working days since receipt. key: of the rows of open dossiers."""
    ages = [words for _, words in AGES] + [OLDEST]
    sectors: dict[str | None, dict[str, int]] = {}
    for case in basis.caseload.open:
        counts = sectors.setdefault(case.sector_code, dict.fromkeys(ages, 0))
        counts[_age(case, basis)] += 1
    draft.tables.append(
        Table(
            "Hồ sơ đang giải quyết theo tuổi", "open dossiers by age",
            (Column("Lĩnh vực"), Column("Mã"), *(Column(words, key) for words in ages)),
            tuple(
                (basis.register.sector(code), code or "", *_in_order(counts, ages))
                for code, counts in sorted(sectors.items(), key=lambda one: (-one[1][OLDEST], one[0] or ""))
            ),
            "Tuổi: ngày làm việc từ khi tiếp nhận đến cuối kỳ.",
        )
    )  # fmt: skip


def _age(case: Case, basis: ReportContext) -> str:
    days = basis.calendar.working_hours(case.received_at, basis.until) / HOURS_A_DAY
    return next((words for most, words in AGES if days <= most), OLDEST)


def _in_order(counts: Mapping[str, int], ages: list[str]) -> tuple[int, ...]:
    return tuple(counts[words] for words in ages)


def _hours(lines: list[tuple[Cell, ...]]) -> float:
    return sum(line[8] for line in lines if isinstance(line[8], float))


def _late(line: tuple[Cell, ...], basis: ReportContext) -> bool:
    """Whether a passage ran over its step's term."""
    due, until = line[6], line[7] or basis.until
    return isinstance(due, datetime) and isinstance(until, datetime) and due < until

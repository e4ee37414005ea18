"""The event table of a history: every step of every course, in the words of the canonical feed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.simulate.arrivals import Arrivals
from features.simulate.course import DECIDED, REFUSED, WITHDRAWN, Course, Flags
from features.simulate.worktime import Seconds, WorkTime
from features.simulate.world import Floats, Ints, World

KINDS = (
    "received", "assigned", "forwarded", "papers_requested", "papers_supplied", "suspended", "resumed",
    "consulted", "consultation_answered", "extended", "reset", "returned", "refused", "decided", "delivered",
    "withdrawn", "apologised", "reopened", "note",
)  # fmt: skip
STEPS = (
    "Tiếp nhận hồ sơ", "Chuyển phòng chuyên môn", "Phân công thụ lý", "Thẩm định hồ sơ",
    "Yêu cầu bổ sung giấy tờ", "Công dân đã gửi bổ sung", "Lấy ý kiến phối hợp", "Đã có ý kiến phối hợp",
    "Chuyển bộ phận khác xem xét", "Dự thảo kết quả", "Trình lãnh đạo ký", "Ký, ban hành kết quả",
    "Từ chối giải quyết", "Công dân xin rút hồ sơ", "Chuyển kết quả về một cửa", "Trả kết quả",
    "Gia hạn, hẹn lại ngày trả", "Xin lỗi và hẹn lại", "Đặt lại hạn xử lý", "Trình lãnh đạo phòng",
    "Vào sổ, đóng dấu",
)  # fmt: skip
REASONS = (
    "Hồ sơ chưa đầy đủ", "Chờ ý kiến cơ quan phối hợp", "Khối lượng hồ sơ lớn",
    "Hồ sơ phức tạp, cần xác minh thực địa", "Không đủ điều kiện theo quy định", "Theo yêu cầu của công dân",
)  # fmt: skip
NONE = -1


@dataclass
class Events:
    """Rows in order of dossier and moment. Codes index KINDS, STEPS, REASONS, `papers` the province's paper
    sets; moments are wall-clock seconds; −1 is "none".
    """

    dossier: Ints
    kind: Ints
    moment: Seconds
    official: Ints
    unit: Ints
    to_unit: Ints
    step: Ints
    step_due: Seconds
    due: Seconds
    reason: Ints
    papers: Ints

    def __len__(self) -> int:
        return len(self.dossier)

    def keep(self, rows: np.ndarray) -> Events:
        """The chosen rows (mask or positions), in that order."""
        return Events(**{name: column[rows] for name, column in vars(self).items()})

    def merged(self, *others: Events) -> Events:
        """All rows of these tables, sorted by dossier and moment (ties keep the order of arrival)."""
        parts = [self, *others]
        joined = Events(**{name: np.concatenate([vars(p)[name] for p in parts]) for name in vars(self)})
        return joined.keep(np.lexsort((joined.moment, joined.dossier)))


def rows_of(
    time: WorkTime, which: Flags, moment: Floats, kind: str, step: str, *, official: Ints | None = None,
    unit: Ints | None = None, to_unit: Ints | None = None, step_due: Floats | None = None,
    due: Floats | None = None, reason: Ints | None = None, papers: Ints | None = None,
) -> Events:
    """One event for each chosen dossier; `moment`, `step_due` and `due` in working seconds."""
    rows = np.flatnonzero(which)

    def pick(column: Ints | None) -> Ints:
        return np.full(len(rows), NONE, np.int64) if column is None else column[rows].astype(np.int64)

    def clock(column: Floats | None) -> Seconds:
        if column is None:
            return np.full(len(rows), NONE, np.int64)
        return np.where(column[rows] >= 0, time.wall(np.maximum(column[rows], 0)), NONE)

    return Events(
        rows, np.full(len(rows), KINDS.index(kind)), time.wall(moment[rows]), pick(official), pick(unit),
        pick(to_unit), np.full(len(rows), STEPS.index(step)), clock(step_due), clock(due), pick(reason),
        pick(papers),
    )


def lay_out(
    rng: np.random.Generator, world: World, time: WorkTime, a: Arrivals, c: Course, papers: Ints
) -> Events:
    """All events of all courses, the future included; `papers[dossier, round]` codes what was asked for.

    The official of an event is the one in whose hands the dossier is from then on.
    """
    n = len(a)
    everyone = np.ones(n, bool)
    unit, desk, head, clerk = a.unit, a.specialist, a.head, a.clerk
    room = world.receiver[unit]
    gone = np.where(c.end_kind == WITHDRAWN, c.ended, np.inf)
    long_way = a.legal > 2 * 8 * 3600
    reason = np.where(rng.random(n) < 0.75, rng.integers(0, 4, n), NONE)
    parts = [
        rows_of(time, everyone, c.received, "received", "Tiếp nhận hồ sơ", official=clerk, unit=room,
                step_due=c.forwarded.clip(c.received + 4 * 3600), due=c.due_first),
        rows_of(time, long_way, c.forwarded, "forwarded", "Chuyển phòng chuyên môn", official=head, unit=unit,
                to_unit=unit),
        rows_of(time, everyone, c.assigned, "assigned", "Phân công thụ lý", official=desk, unit=unit,
                step_due=c.received + 0.7 * a.legal),
        rows_of(time, everyone, c.started, "note", "Thẩm định hồ sơ", official=desk, unit=unit,
                step_due=c.received + 0.7 * a.legal),
    ]  # fmt: skip
    for k, (asked, supplied, promised) in enumerate(zip(c.asked, c.supplied, c.promised, strict=True)):
        parts += [
            rows_of(time, asked >= 0, asked, "papers_requested", "Yêu cầu bổ sung giấy tờ", official=desk,
                    unit=unit, papers=papers[:, k], reason=np.where(reason >= 0, 0, NONE)),
            rows_of(time, supplied >= 0, supplied, "papers_supplied", "Công dân đã gửi bổ sung", official=desk,
                    unit=unit, due=promised),
        ]  # fmt: skip
    consulted = c.consulted >= 0
    parts += [
        rows_of(time, consulted, c.consulted, "consulted", "Lấy ý kiến phối hợp", official=desk, unit=unit,
                to_unit=c.consulted_unit, step_due=c.answer_due),
        rows_of(time, consulted, c.answered, "consultation_answered", "Đã có ý kiến phối hợp",
                unit=c.consulted_unit, to_unit=unit),
    ]  # fmt: skip
    for k, leg in enumerate(c.pushed):
        there = np.where(np.arange(n) % 2 == 0, room, unit)
        parts.append(
            rows_of(time, leg >= 0, leg, "forwarded", "Chuyển bộ phận khác xem xét",
                    official=head if k % 2 == 0 else desk, unit=there if k % 2 == 0 else unit,
                    to_unit=unit if k % 2 == 0 else there)
        )  # fmt: skip
    decided, refused = c.end_kind == DECIDED, c.end_kind == REFUSED
    parts += [
        rows_of(time, long_way & (c.drafted < gone), c.drafted, "note", "Dự thảo kết quả", official=desk, unit=unit),
        rows_of(time, long_way & (c.drafted + 20 < gone), c.drafted + 20, "forwarded", "Trình lãnh đạo phòng",
                official=desk, unit=unit, to_unit=unit),
        rows_of(time, decided, c.ended + 120, "note", "Vào sổ, đóng dấu", official=clerk, unit=room),
        rows_of(time, c.submitted < gone, c.submitted, "forwarded", "Trình lãnh đạo ký", official=head, unit=unit,
                to_unit=unit, step_due=c.due),
        rows_of(time, (c.extended >= 0) & (c.extended < gone), c.extended, "extended", "Gia hạn, hẹn lại ngày trả",
                official=desk, unit=unit, due=c.due, reason=reason.clip(1)),
        rows_of(time, (c.extended >= 0) & (c.extended < gone), c.extended + 60, "apologised", "Xin lỗi và hẹn lại",
                official=desk, unit=unit, reason=reason.clip(1)),
        rows_of(time, (c.apologised >= 0) & (c.apologised < gone), c.apologised, "apologised", "Xin lỗi và hẹn lại",
                official=desk, unit=unit, reason=reason),
        rows_of(time, decided, c.ended, "decided", "Ký, ban hành kết quả", official=head, unit=unit),
        rows_of(time, refused, c.ended, "refused", "Từ chối giải quyết", official=head, unit=unit,
                reason=np.where(reason >= 0, 4, NONE)),
        rows_of(time, c.end_kind == WITHDRAWN, c.ended, "withdrawn", "Công dân xin rút hồ sơ", official=clerk,
                unit=room, reason=np.full(n, 5)),
        rows_of(time, decided & long_way, c.ended + 300, "forwarded", "Chuyển kết quả về một cửa", official=clerk,
                unit=unit, to_unit=room),
        rows_of(time, c.delivered >= 0, c.delivered, "delivered", "Trả kết quả", official=clerk, unit=room),
    ]  # fmt: skip
    return parts[0].merged(*parts[1:])


def words(codes: Ints, values: list[str] | tuple[str, ...]) -> pa.Array:
    """A string column from codes; −1 becomes null."""
    index = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(list(values), pa.string())).cast(pa.string())


def stamps(seconds: Seconds) -> pa.Array:
    """A timestamp[us, UTC] column from seconds since 1970; −1 becomes null."""
    return pa.array(seconds * 1_000_000, mask=seconds < 0).cast(pa.timestamp("us", tz="UTC"))


def event_table(
    events: Events, dossier_id: list[str], world: World, paper_sets: list[str]
) -> pa.Table:
    """The canonical table `event`."""
    number = pa.array(np.arange(len(events))).cast(pa.string())
    return pa.table({
        "dossier_id": words(events.dossier, dossier_id),
        "kind": words(events.kind, KINDS),
        "happened_at": stamps(events.moment),
        "official_id": words(events.official, world.official_id),
        "unit_code": words(events.unit, world.unit_code),
        "to_unit_code": words(events.to_unit, world.unit_code),
        "step": words(events.step, STEPS),
        "step_due_at": stamps(events.step_due),
        "due_at": stamps(events.due),
        "reason": words(events.reason, REASONS),
        "papers": words(events.papers, paper_sets),
        "event_id": number,
    })  # fmt: skip

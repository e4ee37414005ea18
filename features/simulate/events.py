"""The event table of a history: every step of every course, in the words of the canonical feed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.record.schema import EVENT_KINDS
from features.simulate.delays import Flags
from features.simulate.worktime import Seconds, WorkTime
from features.simulate.world import Floats, Ints, World

KINDS = EVENT_KINDS
STEPS = (
    "Tiếp nhận hồ sơ", "Chuyển phòng chuyên môn", "Phân công thụ lý", "Thẩm định hồ sơ",
    "Yêu cầu bổ sung giấy tờ", "Công dân đã gửi bổ sung", "Lấy ý kiến phối hợp", "Đã có ý kiến phối hợp",
    "Chuyển bộ phận khác xem xét", "Dự thảo kết quả", "Trình lãnh đạo ký", "Ký, ban hành kết quả",
    "Từ chối giải quyết", "Công dân xin rút hồ sơ", "Chuyển kết quả về một cửa", "Trả kết quả",
    "Gia hạn, hẹn lại ngày trả", "Xin lỗi và hẹn lại", "Đặt lại hạn xử lý", "Trình lãnh đạo phòng",
    "Vào sổ, đóng dấu", "Kết thúc xử lý hồ sơ",
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
    time: WorkTime,
    which: Flags,
    moment: Floats,
    kind: str,
    step: str,
    *,
    official: Ints | None = None,
    unit: Ints | None = None,
    to_unit: Ints | None = None,
    step_due: Floats | None = None,
    due: Floats | None = None,
    reason: Ints | None = None,
    papers: Ints | None = None,
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
        rows,
        np.full(len(rows), KINDS.index(kind)),
        time.wall(moment[rows]),
        pick(official),
        pick(unit),
        pick(to_unit),
        np.full(len(rows), STEPS.index(step)),
        clock(step_due),
        clock(due),
        pick(reason),
        pick(papers),
    )


def words(codes: Ints, values: list[str] | tuple[str, ...]) -> pa.Array:
    """A string column from codes; −1 becomes null."""
    index = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(list(values), pa.string())).cast(pa.string())


def stamps(seconds: Seconds) -> pa.Array:
    """A timestamp[us, UTC] column from seconds since 1970; −1 becomes null."""
    return pa.array(seconds * 1_000_000, mask=seconds < 0).cast(pa.timestamp("us", tz="UTC"))


def event_table(events: Events, dossier_id: list[str], world: World, paper_sets: list[str]) -> pa.Table:
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

"""The steps of every course as events: who held the dossier, where, since when, with which promise."""

from __future__ import annotations

from functools import partial

import numpy as np

from features.simulate.arrivals import Arrivals
from features.simulate.course import Course
from features.simulate.delays import DECIDED, REFUSED, WITHDRAWN
from features.simulate.events import NONE, Events, rows_of
from features.simulate.worktime import WorkTime
from features.simulate.world import Ints, World


def lay_out(rng: np.random.Generator, world: World, time: WorkTime, a: Arrivals, c: Course, papers: Ints) -> Events:
    """All events of all courses, the future included; `papers[dossier, round]` codes what was asked for.

    The official of an event is the one in whose hands the dossier is from then on.
    """
    n, row = len(a), partial(rows_of, time)
    everyone = np.ones(n, bool)
    unit, desk, head, clerk = a.unit, a.specialist, a.head, a.clerk
    room = world.receiver[unit]
    gone = np.where(c.end_kind == WITHDRAWN, c.ended, np.inf)
    promise = np.maximum.reduce([c.due_first, *c.promised])  # what was promised before any extension
    long_way = a.legal > 2 * 8 * 3600
    reason = np.where(rng.random(n) < 0.75, rng.integers(0, 4, n), NONE)
    parts = [
        row(everyone, c.received, "received", "Tiếp nhận hồ sơ", official=clerk, unit=room,
                step_due=c.received + 4 * 3600),
        row(long_way, c.forwarded, "forwarded", "Chuyển phòng chuyên môn", official=head, unit=unit,
                to_unit=unit),
        row(everyone, c.assigned, "assigned", "Phân công thụ lý", official=desk, unit=unit,
                step_due=c.received + 0.7 * a.legal),
        row(everyone, c.started, "assigned", "Thẩm định hồ sơ", official=desk, unit=unit,
                step_due=c.received + 0.7 * a.legal),
    ]  # fmt: skip
    for k, (asked, supplied, promised) in enumerate(zip(c.asked, c.supplied, c.promised, strict=True)):
        parts += [
            row(asked >= 0, asked, "papers_requested", "Yêu cầu bổ sung giấy tờ", official=desk,
                    unit=unit, papers=papers[:, k], reason=np.where(reason >= 0, 0, NONE)),
            row(supplied >= 0, supplied, "papers_supplied", "Công dân đã gửi bổ sung", official=desk,
                    unit=unit, due=promised),
        ]  # fmt: skip
    consulted = c.consulted >= 0
    parts += [
        row(consulted, c.consulted, "consulted", "Lấy ý kiến phối hợp", official=desk, unit=unit,
                to_unit=c.consulted_unit, step_due=c.answer_due),
        row(consulted, c.answered, "consultation_answered", "Đã có ý kiến phối hợp",
                unit=c.consulted_unit, to_unit=unit),
    ]  # fmt: skip
    for k, leg in enumerate(c.pushed):
        there = np.where(np.arange(n) % 2 == 0, room, unit)
        parts.append(
            row(leg >= 0, leg, "forwarded", "Chuyển bộ phận khác xem xét",
                    official=head if k % 2 == 0 else desk, unit=there if k % 2 == 0 else unit,
                    to_unit=unit if k % 2 == 0 else there)
        )  # fmt: skip
    extended = (c.extended >= 0) & (c.extended < gone)
    sorry = (c.apologised >= 0) & (c.apologised < gone)
    decided, refused = c.end_kind == DECIDED, c.end_kind == REFUSED
    parts += [
        row(long_way & (c.drafted < gone), c.drafted, "assigned", "Dự thảo kết quả", official=desk,
            unit=unit),
        row(long_way & (c.drafted + 20 < gone), c.drafted + 20, "forwarded", "Trình lãnh đạo phòng",
                official=desk, unit=unit, to_unit=unit),
        row(decided, c.ended + 120, "note", "Vào sổ, đóng dấu", official=clerk, unit=room),
        row(c.submitted < gone, c.submitted, "forwarded", "Trình lãnh đạo ký", official=head, unit=unit,
                to_unit=unit, step_due=promise),
        row(extended, c.extended, "extended", "Gia hạn, hẹn lại ngày trả",
                official=desk, unit=unit, due=c.due, reason=reason.clip(1)),
        row(extended, c.extended + 60, "apologised", "Xin lỗi và hẹn lại",
                official=desk, unit=unit, due=c.due, reason=reason.clip(1)),
        row(sorry, c.apologised, "apologised", "Xin lỗi và hẹn lại",
                official=desk, unit=unit, reason=reason),
        row(decided, c.ended, "decided", "Ký, ban hành kết quả", official=head, unit=unit),
        row(refused, c.ended, "refused", "Từ chối giải quyết", official=head, unit=unit,
                reason=np.where(reason >= 0, 4, NONE)),
        row(c.end_kind == WITHDRAWN, c.ended, "withdrawn", "Công dân xin rút hồ sơ", official=clerk,
                unit=room, reason=np.full(n, 5)),
        row(decided & long_way, c.ended + 300, "note", "Chuyển kết quả về một cửa", official=clerk,
                unit=unit, to_unit=room),
        row(c.delivered >= 0, c.delivered, "delivered", "Trả kết quả", official=clerk, unit=room),
    ]  # fmt: skip
    return parts[0].merged(*parts[1:])

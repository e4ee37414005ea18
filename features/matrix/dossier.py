"""What is known of the dossier itself: its clock, its way so far, what it is about.

Time is counted by the lawful promise (`features.case_state.state`), so that a due date which the office moves of its
own accord lowers nothing; by how much it moved is told beside. Nor is the event by which it moves one of the dossier's
way: it is counted as a move, not as a step, and ends no silence (`features.case_state.history`).
"""

from __future__ import annotations

from features.matrix.declaration import HOURS, Feature, Grain

D, H = Grain.DOSSIER, Grain.HISTORY
USED = "as_of_w - received_w - paused_now_w"
LEGAL = "legal_working_days * 8 * 3.6e9"
OWN_TERM = f"COALESCE(start_w - received_w, {LEGAL})"
TERM = f"COALESCE(lawful_w - received_w, {LEGAL} + paused_now_w)"


def _count(kind: str) -> str:
    return f"SUM(CASE WHEN kind = '{kind}' THEN 1 ELSE 0 END)"


FEATURES = [
    Feature("sector_code", D, "sector_code", "Lĩnh vực", "sector", "kind", category=True),
    Feature("procedure_code", D, "procedure_code", "Thủ tục", "procedure", "kind", category=True),
    Feature("unit_code", D, "unit_code", "Đơn vị giải quyết", "competent unit", "kind", category=True),
    Feature("channel", D, "channel", "Kênh nộp", "channel", "kind", category=True),
    Feature("applicant_kind", D, "applicant_kind", "Loại đối tượng", "kind of applicant", "kind", category=True),
    Feature("step", D, "step", "Bước hiện tại", "current step", "step", category=True, no_history="no step taken yet"),
    Feature(
        "hours_elapsed",
        D,
        f"({USED}) / {HOURS}",
        "Giờ làm việc đã dùng (trừ thời gian tạm dừng)",
        "working hours used, pauses out",
        "clock",
    ),
    Feature(
        "hours_left",
        D,
        f"({TERM} - (as_of_w - received_w)) / {HOURS}",
        "Giờ làm việc còn lại đến hạn luật định",
        "working hours left to the lawful promise",
        "clock",
        monotone=-1,
        no_history="no promise and no legal term",
    ),
    Feature(
        "time_used",
        D,
        f"({USED}) / NULLIF({OWN_TERM}, 0)",
        "Phần thời hạn đã dùng",
        "share of the term used",
        "clock",
        no_history="no promise and no legal term",
    ),
    Feature(
        "promise_used",
        D,
        f"(as_of_w - received_w) / NULLIF({TERM}, 0)",
        "Phần thời hạn đã trôi qua, kể cả tạm dừng",
        "share of the term gone, pauses included",
        "clock",
        no_history="no promise and no legal term",
    ),
    Feature(
        "days_left",
        D,
        "lawful_left_us / 8.64e10",
        "Số ngày lịch còn lại đến hạn luật định",
        "calendar days left to the lawful promise; while the clock stands, when it stopped",
        "clock",
        monotone=-1,
        no_history="no promise",
    ),
    Feature(
        "first_term_hours",
        D,
        f"(first_due_w - received_w) / {HOURS}",
        "Thời hạn hẹn ban đầu (giờ làm việc)",
        "working hours of the first promise",
        "term",
        no_history="no promise",
    ),
    Feature(
        "legal_hours",
        D,
        "legal_working_days * 8",
        "Thời hạn theo quy định (giờ làm việc)",
        "working hours of the legal term",
        "term",
        no_history="the procedure has no published term",
    ),
    Feature(
        "days_to_long_break",
        D,
        f"(break_w - as_of_w) / (8 * {HOURS})",
        "Số ngày làm việc đến kỳ nghỉ dài tiếp theo",
        "working days to the next break of four days or more",
        "break",
        law="Bộ luật Lao động 2019, Điều 112",
        no_history="the calendar knows of no such break",
    ),
    Feature(
        "term_moved_hours",
        D,
        f"(due_w - first_due_w) / {HOURS}",
        "Số giờ làm việc hạn trả đã bị dời",
        "working hours by which the promise was moved",
        "promise",
        monotone=1,
    ),
    Feature(
        "moved_beyond_hours",
        D,
        f"(CASE WHEN due_w > lawful_w THEN due_w - lawful_w WHEN received_w IS NOT NULL THEN 0 END) / {HOURS}",
        "Số giờ làm việc cơ quan dời hạn trả quá hạn luật định",
        "working hours by which the office moved its promise beyond the lawful one",
        "promise",
        monotone=1,
    ),
    Feature(
        "extensions",
        H,
        _count("extended"),
        "Số lần gia hạn",
        "times the promise was extended",
        "promise",
        monotone=1,
        empty=0,
    ),
    Feature(
        "resets",
        H,
        _count("reset"),
        "Số lần đặt lại hạn",
        "times the promise was set anew",
        "promise",
        monotone=1,
        empty=0,
    ),
    Feature(
        "paper_rounds",
        H,
        _count("papers_requested"),
        "Số lần yêu cầu bổ sung giấy tờ",
        "times papers were requested",
        "papers",
        empty=0,
    ),
    Feature("paused_hours", D, f"paused_now_w / {HOURS}", "Giờ làm việc tạm dừng", "working hours paused", "papers"),
    Feature("stopped", D, "stopped", "Đồng hồ đang dừng", "the clock is stopped", "papers"),
    Feature(
        "consultations", H, _count("consulted"), "Số lần lấy ý kiến", "consultations asked", "consultation", empty=0
    ),
    Feature(
        "consultation_open",
        H,
        f"{_count('consulted')} - {_count('consultation_answered')}",
        "Số lần lấy ý kiến chưa được trả lời",
        "consultations not answered",
        "consultation",
        empty=0,
    ),
    Feature("returns", H, _count("returned"), "Số lần trả lại", "times returned", "papers", empty=0),
    Feature("reopenings", H, _count("reopened"), "Số lần mở lại", "times reopened", "promise", empty=0),
    Feature("apologies", H, _count("apologised"), "Số lần xin lỗi", "apologies", "promise", monotone=1, empty=0),
    Feature("events", H, "SUM(way)", "Số việc đã ghi nhận", "events so far", "way", empty=0),
    Feature("steps", H, "SUM(step_new)", "Số bước khác nhau đã qua", "distinct steps so far", "way", empty=0),
    Feature(
        "steps_again",
        H,
        "SUM(step_changed) - SUM(step_new)",
        "Số lần quay lại bước cũ",
        "returns to an earlier step",
        "way",
        empty=0,
    ),
    Feature(
        "officials", H, "SUM(official_new)", "Số cán bộ đã xử lý", "distinct officials so far", "handling", empty=0
    ),
    Feature("handovers", H, "SUM(handover)", "Số lần chuyển tay", "handovers between officials", "handling", empty=0),
    Feature(
        "handed_back",
        H,
        "SUM(handed_back)",
        "Số lần chuyển lại cho người đã xử lý",
        "handovers back to an earlier official",
        "handling",
        empty=0,
    ),
    Feature(
        "longest_gap_hours",
        H,
        f"MAX(gap_w) / {HOURS}",
        "Khoảng im lặng dài nhất (giờ làm việc)",
        "longest silence, working hours",
        "silence",
        no_history="fewer than two events",
    ),
    Feature(
        "silent_hours",
        D,
        f"(as_of_w - COALESCE(last_w, received_w)) / {HOURS}",
        "Giờ làm việc từ việc gần nhất",
        "working hours since the last event",
        "silence",
    ),
    Feature(
        "step_hours",
        D,
        f"(as_of_w - step_w) / {HOURS}",
        "Giờ làm việc ở bước hiện tại",
        "working hours in the current step",
        "step",
        no_history="no step taken yet",
    ),
    Feature(
        "held_hours",
        D,
        f"(as_of_w - held_w) / {HOURS}",
        "Giờ làm việc cán bộ hiện tại đã giữ",
        "working hours with the present holder",
        "handling",
        no_history="nobody named yet",
    ),
    Feature("received_hour", D, "received_clock_us // 3600000000", "Giờ tiếp nhận", "hour of receipt", "receipt"),
    Feature(
        "received_weekday",
        D,
        "(received_day + 3) % 7",
        "Thứ trong tuần khi tiếp nhận (0 = thứ Hai)",
        "weekday of receipt, 0 = Monday",
        "receipt",
    ),
]

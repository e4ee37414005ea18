"""The reviewed words of reasons: one head a feature, in Vietnamese and English, and how a value is measured.

A head states what stands in the matrix, without judgement; the comparison with the usual and the direction are
added by `models.reasons`. Words never accuse: a score is a reason to look, not a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """How a value is written and compared: amounts as a multiple of the usual, shares beside the usual share."""

    COUNT = "count"
    HOURS = "hours"
    DAYS = "days"
    SHARE = "share"
    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True)
class Head:
    """A sentence's beginning with `{value}`; `none_*` says that it is not known, `past_*` that it is below zero."""

    vi: str
    en: str
    measure: Measure
    none_vi: str = ""
    none_en: str = ""
    past_vi: str = ""
    past_en: str = ""


C, H, D, S, T, F = (Measure.COUNT, Measure.HOURS, Measure.DAYS, Measure.SHARE, Measure.TEXT, Measure.FLAG)

HEADS: dict[str, Head] = {
    "sector_code": Head("Lĩnh vực {value}", "Sector {value}", T, "Chưa rõ lĩnh vực", "Sector not known"),
    "procedure_code": Head("Thủ tục {value}", "Procedure {value}", T, "Chưa rõ thủ tục", "Procedure not known"),
    "unit_code": Head("Đơn vị {value}", "Unit {value}", T, "Chưa rõ đơn vị", "Unit not known"),
    # who it is stands beside the reason, by name for who may see it: no key in a sentence
    "official_id": Head("Cán bộ đang giữ hồ sơ", "Its holder", T, "Chưa có người thụ lý", "Nobody holds it yet"),
    "channel": Head("Nộp qua kênh {value}", "Filed by {value}", T, "Chưa rõ kênh nộp", "Channel not known"),
    "applicant_kind": Head(
        "Đối tượng nộp: {value}", "Applicant: {value}", T, "Chưa rõ đối tượng nộp", "Kind of applicant not known"
    ),
    "step": Head("Đang ở bước {value}", "In step {value}", T, "Chưa qua bước nào", "No step taken yet"),
    "hours_elapsed": Head("Đã dùng {value} giờ làm việc", "{value} working hours used", H),
    "hours_left": Head(
        "Còn {value} giờ làm việc đến hạn",
        "{value} working hours left",
        H,
        "Chưa có hạn trả kết quả",
        "No due date yet",
        "Đã quá hạn {value} giờ làm việc",
        "{value} working hours past the promise",
    ),
    "time_used": Head("Đã dùng {value} thời hạn", "{value} of the term used", S, "Chưa có thời hạn", "No term yet"),
    "promise_used": Head(
        "Đã trôi qua {value} thời hạn, kể cả tạm dừng",
        "{value} of the term gone, pauses included",
        S,
        "Chưa có thời hạn",
        "No term yet",
    ),
    "days_to_long_break": Head(
        "Còn {value} ngày làm việc đến kỳ nghỉ dài",
        "{value} working days to the next long break",
        D,
        "Chưa có lịch nghỉ dài",
        "No long break known",
    ),
    "days_left": Head(
        "Còn {value} ngày đến hạn",
        "{value} days left",
        D,
        "Chưa có hạn trả kết quả",
        "No due date yet",
        "Đã quá hạn {value} ngày",
        "{value} days past the promise",
    ),
    "first_term_hours": Head(
        "Thời hạn hẹn {value} giờ làm việc",
        "Promised in {value} working hours",
        H,
        "Chưa có hạn hẹn",
        "Nothing promised yet",
    ),
    "legal_hours": Head(
        "Thời hạn theo quy định {value} giờ làm việc",
        "Legal term of {value} working hours",
        H,
        "Thủ tục chưa công bố thời hạn",
        "No published term",
    ),
    "term_moved_hours": Head("Hạn trả đã dời {value} giờ làm việc", "Due date moved by {value} working hours", H),
    "moved_beyond_hours": Head(
        "Hạn trả dời quá hạn luật định {value} giờ làm việc", "Due date {value} working hours beyond the lawful one", H
    ),
    "extensions": Head("Gia hạn {value} lần", "Extended {value} times", C),
    "resets": Head("Hạn trả được đặt lại {value} lần", "Due date set anew {value} times", C),
    "paper_rounds": Head("Yêu cầu bổ sung giấy tờ {value} lần", "Papers requested {value} times", C),
    "paused_hours": Head("Tạm dừng {value} giờ làm việc", "Paused for {value} working hours", H),
    "stopped": Head("Đồng hồ đang dừng: {value}", "Clock stopped: {value}", F, "Chưa từng tạm dừng", "Never stopped"),
    "consultations": Head("Lấy ý kiến {value} lần", "{value} consultations asked", C),
    "consultation_open": Head("{value} lần lấy ý kiến chưa được trả lời", "{value} consultations not answered", C),
    "returns": Head("Trả lại {value} lần", "Returned {value} times", C),
    "reopenings": Head("Mở lại {value} lần", "Reopened {value} times", C),
    "apologies": Head("Đã xin lỗi {value} lần", "{value} apologies", C),
    "events": Head("Đã ghi nhận {value} việc", "{value} events so far", C),
    "steps": Head("Đã qua {value} bước", "{value} steps so far", C),
    "steps_again": Head("Quay lại bước cũ {value} lần", "Back to an earlier step {value} times", C),
    "officials": Head("{value} cán bộ đã xử lý", "{value} officials so far", C),
    "handovers": Head("Chuyển tay {value} lần", "{value} handovers", C),
    "handed_back": Head("Chuyển lại người đã xử lý {value} lần", "Handed back {value} times", C),
    "longest_gap_hours": Head(
        "Có lúc {value} giờ làm việc không có cập nhật",
        "Longest silence {value} working hours",
        H,
        "Mới có chưa đến hai cập nhật",
        "Fewer than two events",
    ),
    "silent_hours": Head("{value} giờ làm việc chưa có cập nhật mới", "No event for {value} working hours", H),
    "step_hours": Head(
        "Ở bước hiện tại {value} giờ làm việc",
        "{value} working hours in this step",
        H,
        "Chưa qua bước nào",
        "No step taken yet",
    ),
    "held_hours": Head(
        "Cán bộ hiện tại đã giữ {value} giờ làm việc",
        "{value} working hours with the holder",
        H,
        "Chưa có người thụ lý",
        "Nobody named yet",
    ),
    "received_hour": Head("Tiếp nhận lúc {value} giờ", "Received at {value} o'clock", C),
    "received_weekday": Head("Tiếp nhận vào thứ (0 = thứ Hai) {value}", "Received on weekday (0 = Monday) {value}", C),
    "official_open": Head("Cán bộ đang giữ {value} hồ sơ", "The official holds {value} dossiers", C),
    "official_overdue": Head(
        "{value} hồ sơ cán bộ đang giữ đã quá hạn",
        "{value} of the official's dossiers are overdue",
        S,
        "Cán bộ không giữ hồ sơ nào",
        "The official holds none",
    ),
    "official_hours": Head(
        "Hồ sơ cán bộ vừa giải quyết mất bình quân {value} giờ làm việc",
        "The official's dossiers took {value} working hours on average",
        H,
        "Cán bộ chưa giải quyết xong hồ sơ nào trong 90 ngày",
        "None closed by the official in 90 days",
    ),
    "unit_open": Head("Đơn vị đang giải quyết {value} hồ sơ", "{value} dossiers open in the unit", C),
    "unit_overdue": Head(
        "{value} hồ sơ đang giải quyết của đơn vị đã quá hạn",
        "{value} of the unit's open dossiers are overdue",
        S,
        "Đơn vị không có hồ sơ đang giải quyết",
        "None open in the unit",
    ),
    "unit_hours": Head(
        "Hồ sơ đơn vị vừa giải quyết mất bình quân {value} giờ làm việc",
        "The unit's dossiers took {value} working hours on average",
        H,
    ),
    "procedure_hours": Head(
        "Hồ sơ thủ tục này vừa giải quyết mất bình quân {value} giờ làm việc",
        "Dossiers of the procedure took {value} working hours on average",
        H,
    ),
    "procedure_open": Head("Thủ tục này có {value} hồ sơ đang giải quyết", "{value} open dossiers of the procedure", C),
    "procedure_overdue": Head(
        "{value} hồ sơ đang giải quyết của thủ tục này đã quá hạn",
        "{value} of the procedure's open dossiers are overdue",
        S,
    ),
    "step_left_hours": Head(
        "Từ bước này thường còn {value} giờ làm việc",
        "Usually {value} working hours from this step",
        H,
        "Chưa có hồ sơ nào đi hết từ bước này",
        "No dossier ended after this step yet",
    ),
    "procedure_step_left_hours": Head(
        "Từ bước này của thủ tục thường còn {value} giờ làm việc",
        "Usually {value} working hours from this step of the procedure",
        H,
        "Chưa có hồ sơ nào của thủ tục đi hết từ bước này",
        "No dossier of the procedure ended after this step yet",
    ),
}

NEEDED = (
    "Từ bước này thường cần {needed} giờ làm việc, còn {left} giờ đến hạn",
    "Usually {needed} working hours needed from this step, {left} left to the promise",
)
"""Of the time left beside the time that is usually needed, in Vietnamese and English."""

PEER_WORDS = {
    "unit_code": ("của đơn vị", "of the unit"),
    "procedure_code": ("của thủ tục", "of the procedure"),
    "": ("chung", "overall"),
}


def head_of(name: str, words_vi: str, words_en: str, *, category: bool) -> Head:
    """The reviewed head of a feature; one made of its declared words where none was written.

    Rates are written as shares, hours as hours, all else as counts.
    """
    if name in HEADS:
        return HEADS[name]
    measure = T if category else S if "_rate" in name else H if name.endswith("hours") else C
    return Head(
        f"{words_vi}: {{value}}",
        f"{words_en[:1].upper()}{words_en[1:]}: {{value}}",
        measure,
        f"{words_vi}: chưa rõ",
        f"{words_en[:1].upper()}{words_en[1:]}: not known",
    )

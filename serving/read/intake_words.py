"""What receipts of deliveries say to people: sources, tables, columns, notes and reasons for setting aside."""

import re
from datetime import datetime

from features.record.delivery import ALARM, Reject
from features.record.schema import TABLES
from features.sources import SOURCES
from serving.language import LazyText as lazy
from serving.language import chosen
from serving.language import gettext as _
from serving.words import calendar_day

OWN_WORDS = {"findings": lazy("Kết quả kiểm tra ghi tại đây"), "explanations": lazy("Giải trình ghi tại đây")}
"""Deliveries that this service writes itself: nobody sends them in."""

TABLE_WORDS = {
    "sector": lazy("lĩnh vực"),
    "procedure": lazy("thủ tục"),
    "unit": lazy("đơn vị"),
    "official": lazy("cán bộ"),
    "dossier": lazy("hồ sơ"),
    "event": lazy("sự kiện"),
    "complaint": lazy("phản ánh"),
    "rating": lazy("đánh giá"),
    "inspection": lazy("cuộc kiểm tra"),
    "finding": lazy("kết quả kiểm tra"),
    "explanation": lazy("giải trình"),
    "outage": lazy("sự cố hệ thống"),
    "holiday": lazy("ngày nghỉ"),
    "alias": lazy("mã khác"),
    "counter": lazy("số đếm của nguồn"),
}

_COLUMN_WORDS = {
    "dossier_id": lazy("mã hồ sơ"),
    "procedure_code": lazy("mã thủ tục"),
    "unit_code": lazy("mã đơn vị"),
    "received_at": lazy("ngày tiếp nhận"),
    "due_at": lazy("ngày hẹn trả"),
    "submitted_at": lazy("ngày nộp"),
    "known_at": lazy("biết từ lúc"),
    "channel": lazy("hình thức nộp"),
    "sector_code": lazy("mã lĩnh vực"),
    "unit_name": lazy("tên đơn vị"),
    "procedure_name": lazy("tên thủ tục"),
    "kind": lazy("loại"),
    "happened_at": lazy("lúc xảy ra"),
    "official_id": lazy("cán bộ"),
    "step": lazy("bước"),
    "ended_at": lazy("ngày kết thúc"),
    "applicant_id": lazy("người nộp"),
    "activity": lazy("việc đã làm"),
}

_NOTES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"(.+): columns never mapped: (.+)", lazy(r"\1: cột chưa khai trong bảng ánh xạ: \2")),
        (r"(.+): no column (.+?) for ([\w.]+)(?:; is it (.+)\?)?", lazy(r"\1: thiếu cột \2 (\3)")),
        (r"(.+): no attribute (.+) for ([\w.]+)", lazy(r"\1: thiếu thuộc tính \2 (\3)")),
        (r"(.+): attributes never mapped: (.+)", lazy(r"\1: thuộc tính chưa khai: \2")),
        (r"(.+): \d+ hidden sheets, not read: (.+)", lazy(r"\1: trang ẩn không đọc: \2")),
        (r"(.+): \d+ sheets without the mapped columns, not read: (.+)", lazy(r"\1: trang thiếu cột đã khai: \2")),
        (r"(.+): cells of a merged one, which say the same", lazy(r"\1: ô gộp, lấy cùng giá trị")),
        (
            r"(.+): (.+) has (\d+) dates beside (\d+) texts, as .*",
            lazy(r"\1: cột \2 có \3 ô ngày lẫn \4 ô chữ: có thể ngày và tháng đã bị đảo"),
        ),
        (
            r"(.+): (.+) has (\d+) dates beside (\d+) texts, .*",
            lazy(r"\1: cột \2 có \3 ô ngày lẫn \4 ô chữ, cần xem lại"),
        ),
        (r"pages missing from an answer: (.+?) of (\d+)(.*)", lazy(r"thiếu trang \1 trong \2 trang trả lời")),
        (r"items missing from an answer(.*)", lazy(r"câu trả lời thiếu mục")),
        (r"events outside of traces, .*", lazy(r"sự kiện nằm ngoài vụ việc, đọc theo mã hồ sơ của chính nó")),
        (r"event: not complete by the log itself .*", lazy(r"việc mới dự kiến, mới bắt đầu: chỉ ghi chú")),
        (
            r"event: an end more than (\d+) minutes before receipt.*",
            lazy(r"kết thúc trước khi tiếp nhận quá \1 phút: hồ sơ để riêng, cần kiểm tra"),
        ),
        (
            r"event: an end up to (\d+) minutes before receipt.*",
            lazy(r"kết thúc trước tiếp nhận đến \1 phút: lệch giờ máy"),
        ),
        (
            r"event.known_at: as it happened, though the delivery came more than (\d+) days later.*",
            lazy(r"sự kiện ghi là biết ngay lúc xảy ra, nhưng gửi đến sau hơn \1 ngày: khi đó thực ra chưa ai biết"),
        ),
        (
            r"event.known_at: as it happened, though the delivery came (\d+) to (\d+) days later.*",
            lazy(r"sự kiện ghi là biết ngay lúc xảy ra, nhưng gửi đến sau \1 đến \2 ngày: khi đó thực ra chưa ai biết"),
        ),
        (r"\d+ files of other kinds not read", lazy(r"tệp thuộc loại khác, không đọc")),
        (r"dossier.due_at: no such column, so no promise.*", lazy(r"thiếu cột ngày hẹn trả: không hồ sơ nào có hẹn")),
        (r"dossier.due_at: empty, so no promise", lazy(r"ngày hẹn trả để trống: hồ sơ không có hẹn")),
        (r"dossier.submitted_at: after receipt, unknown", lazy(r"ngày nộp sau ngày tiếp nhận: coi là chưa biết")),
        (r"([\w.]+): after the delivery came, .*", lazy(r"\1: ngày chưa đến khi gửi dữ liệu, cần kiểm tra")),
        (r"([\w.]+): a code outside the source's list, unknown", lazy(r"\1: mã ngoài danh mục, coi là chưa biết")),
        (r"([\w.]+): 1.250 read as 1,25 .*", lazy(r"\1: số như 1.250 được hiểu là 1,25; nếu là nghìn, hãy viết 1250")),
        (
            r"event: the status says that the dossier ended .*",
            lazy(r"trạng thái nói đã kết thúc nhưng không có ngày: hồ sơ vẫn tính là đang giải quyết"),
        ),
        (r"official: without a unit, nobody's post", lazy(r"cán bộ không có đơn vị: không đọc")),
        (r"(.+): a column without a name, not read", lazy(r"\1: cột không tên, không đọc")),
        (
            r"official_id: a name of several in units .*",
            lazy(r"cán bộ trùng tên ở các đơn vị đã nhập: để riêng từng người"),
        ),
        (
            r"official_id: two numbers of one name .*",
            lazy(r"hai mã cán bộ cùng một tên trong một đơn vị: tính là một người"),
        ),
        (r"([\w.]+): column not read", lazy(r"\1: cột không đọc")),
        (
            r"([\w.]+): midnight to the second as a promise.*",
            lazy(r"\1: hẹn đúng 0 giờ; nếu là cả ngày, hãy gửi dạng ngày"),
        ),
        (r"([\w.]+): words for nothing .*", lazy(r"\1: ô ghi N/A, -, không: coi là chưa biết")),
        (r"([\w.]+): no number in a column of numbers.*", lazy(r"\1: không phải số trong cột số, coi là chưa biết")),
        (r"([\w.]+): from here on read as (numbers|text).*", lazy(r"\1: từ nay đọc theo kiểu khác")),
        (r"([\w.]+): told by two columns.*", lazy(r"\1: hai cột cùng nghĩa, lấy cột đầu")),
        (r"([\w.]+): outside the list, .*", lazy(r"\1: giá trị ngoài danh mục")),
        (
            r"([\w.]+): empty in all rows, (\d+) of (\d+) rows told it.*",
            lazy(r"CẢNH BÁO \1: trống ở mọi dòng, lần trước có ở \2 trong \3 dòng"),
        ),
    )
)

_WANTED = {
    "a value": lazy("phải có giá trị"),
    "a time in ISO 8601": lazy("cần một thời điểm đọc được"),
    "a time from 1990 to 2100": lazy("cần thời điểm từ 1990 đến 2100"),
    "a day in ISO 8601": lazy("cần một ngày đọc được"),
    "a decimal number": lazy("cần một số"),
    "a whole number": lazy("cần một số nguyên"),
    "true or false": lazy("cần có hoặc không"),
    "one of the list": lazy("cần một giá trị trong danh mục"),
    "not before received_at": lazy("không được trước ngày tiếp nhận"),
    "text in UTF-8": lazy("cần chữ Unicode (UTF-8)"),
    "lines that end in a line feed": lazy("mỗi dòng phải kết thúc bằng ký tự xuống dòng (LF)"),
    "Unicode text": lazy("cần chữ Unicode"),
    "a whole table": lazy("cần một bảng nguyên vẹn"),
    "a whole file": lazy("cần một tệp nguyên vẹn"),
    "a row of the table": lazy("không phải một dòng hồ sơ"),
    "columns of the mapping": lazy("không có cột nào đã khai"),
    "the day of the code": lazy("ngày và tháng trái với mã hồ sơ"),
    "a day that no spreadsheet turned round": lazy("ngày và tháng có thể đã bị đảo"),
    "a code as text, with all its digits": lazy("mã đã mất chữ số, hãy gửi dạng chữ"),
    "a number that no other office gave to another dossier": lazy("số này đơn vị khác đã cấp cho hồ sơ khác"),
}


_CAME = {
    "nothing": lazy("để trống"),
    "a line of totals": lazy("dòng tổng cộng"),
    "a line of signatures or remarks": lazy("dòng ký tên, ghi chú"),
    "the header again": lazy("lặp lại tiêu đề"),
    "a line with hardly a cell": lazy("hầu như trống"),
    "a header with other columns; split the file": lazy("tiêu đề có thứ tự cột khác; hãy tách tệp"),
    "a line below another header": lazy("dòng dưới một tiêu đề khác"),
    "a repeated column": lazy("cột lặp lại"),
    "an empty file": lazy("tệp trống"),
    "a float": lazy("số"),
    "day and month the other way round than in the code": lazy("ngược với mã"),
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d")


def source_words() -> dict[str, str]:
    """The name of each source."""
    return {name: chosen(feed.words_vi, feed.words) for name, feed in SOURCES.items()}


def column_words(name: str) -> str:
    """A column's name for people, with the contract's own behind it where that differs."""
    plain = name.rpartition(".")[2]
    return _COLUMN_WORDS.get(plain, plain)


def cell_words(cell: str) -> str:
    """A cell of a first row: moments as people write them, unknown as a dash."""
    if not _MOMENT.fullmatch(cell):
        return cell or "–"
    try:
        at = datetime.fromisoformat(cell)
    except ValueError:  # a text that looks like one
        return cell
    return _("từ trước") if at.year == 1990 else f"{calendar_day(at)} {at:%H:%M}"


def note_words(note: str) -> str:
    """A note in the language spoken; one that is not known here as it is."""
    text = note.removeprefix(ALARM)
    for pattern, words in _NOTES:
        if pattern.fullmatch(text):
            return pattern.sub(_(words), text)
    return text


def reject_words(reject: Reject) -> str:
    """Where, which column, and what was wanted of a row that was set aside."""
    place = f"{reject.file}:{reject.line}" if reject.line and reject.file else reject.file
    wanted = _WANTED.get(reject.wanted, _("cần {wanted}").format(wanted=reject.wanted))
    column = f"{column_words(reject.column)}: " if reject.column else ""
    return f"{place} {column}{wanted} ({_CAME.get(reject.came, reject.came)})".strip()


assert set(TABLE_WORDS) == set(TABLES), "every table has its words"

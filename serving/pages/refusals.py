"""Why something was refused, in one sentence for people, and at which field: what the state and the use cases say in
English, by cause.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from serving.language import LazyText as lazy
from serving.language import gettext as _

CAUSES: Sequence[tuple[str, str]] = (
    (r"a plan of .* is sealed", lazy("Tháng này đã có kế hoạch niêm phong: muốn lập thêm thì ghi lý do.")),
    (r"No plan keeps all quotas: (.*)", lazy("Không lập được kế hoạch giữ đủ chỉ tiêu: {0}.")),
    (r"not all of .* have said the words", lazy("Chưa đủ hai người nói phần hạt giống của mình.")),
    (r"Nothing has been scored for this", lazy("Chưa có danh sách điểm để lập kế hoạch theo cách này.")),
    (r"has a conclusion; it stands", lazy("Hồ sơ này đã có kết luận; muốn đổi thì sửa ở trang Kết quả và nêu lý do.")),
    (r"evidence: wanted a note", lazy("Có vấn đề thì phải ghi đã thấy gì và lưu ở đâu.")),
    (r"severity: wanted", lazy("Có vấn đề thì chọn mức độ 1, 2 hoặc 3; không có vấn đề thì để trống.")),
    (r"a correction needs a reason", lazy("Sửa kết luận phải nêu lý do, ít nhất 5 ký tự.")),
    (r"of kind none leaves nothing", lazy("Kết luận không có vấn đề thì không có gì để khắc phục.")),
    (r"due_on: wanted a day to come|new_due_at: wanted a moment", lazy("Ngày hẹn phải là một ngày sắp tới.")),
    (r"due_on: wanted the new date", lazy("Gia hạn thì ghi ngày mới; việc khác thì không.")),
    (
        r"nobody (answers|closes|decides)|their own",
        lazy("Không ai tự xem xét việc của chính mình; hãy để người khác làm."),
    ),
    (
        r"was (already )?answered|was decided on|has been sent|already contested",
        lazy("Việc này đã làm, không đổi được."),
    ),
    (
        r"needs a reason of 5|wanted 5 to \d+ characters|says why",
        lazy("Nội dung phải có ít nhất 5 ký tự và không quá dài."),
    ),
    (
        r"(text|reason|because|note|what): wanted|a mark says why|characters, got|at least 5 characters",
        lazy("Nội dung phải có ít nhất 5 ký tự và không quá dài."),
    ),
    (r"can be undone any more", lazy("Không còn gì để hoàn tác: đã quá một giờ, hoặc sau đó đã có việc khác.")),
    (r"every late dossier has a letter", lazy("Hồ sơ trễ nào cũng đã có phiếu xin lỗi.")),
    (r"official: wanted an official of your", lazy("Hãy chọn một cán bộ của đơn vị mình.")),
    (r"tick at least|Tick at least", lazy("Hãy đánh dấu ít nhất một dòng.")),
    (r"month: .* had not ended", lazy("Tháng chưa kết thúc thì chưa công bố được.")),
    (r"name of a view: wanted", lazy("Bộ lọc phải có tên, không quá 80 ký tự.")),
    (r"views of a page are kept", lazy("Đã lưu nhiều bộ lọc: hãy bỏ bớt một bộ lọc rồi lưu lại.")),
    (
        r"a warning costs more than it saves",
        lazy("Với các chi phí này thì không cảnh báo nào đáng: tăng chi phí lỡ hẹn hoặc giảm chi phí xem."),
    ),
    (r"lead: wanted", lazy("Tổ trưởng phải là người kiểm tra có tài khoản đang mở.")),
    (r"photo: wanted a picture", lazy("Ảnh phải là JPEG, PNG hoặc WebP.")),
    (r"photo: wanted at most (\d+) MB", lazy("Ảnh không quá {0} MB.")),
    (r"photo: (\d+) of a dossier", lazy("Mỗi hồ sơ giữ nhiều nhất {0} ảnh: hãy bỏ bớt một ảnh.")),
    (r"hours: ", lazy("Giờ gửi viết như 07:30-11:30,13:00-17:00.")),
    (r"the login .* is taken", lazy("Tên đăng nhập này đã có người dùng.")),
    (r"a login has 3 to 120", lazy("Tên đăng nhập có 3 đến 120 ký tự: a–z, 0–9 và . _ @ -")),
    (r"a unit head needs", lazy("Tài khoản người đứng đầu phải chọn đơn vị.")),
    (r"an official's account needs", lazy("Tài khoản cán bộ phải chọn cán bộ.")),
    (r"an account needs a password", lazy("Tài khoản phải có mật khẩu hoặc mã của hệ thống định danh.")),
    (r"password", lazy("Mật khẩu phải có ít nhất 12 ký tự, khó đoán và không chứa tên đăng nhập.")),
    (r"some work on models is under way", lazy("Đang có một việc với mô hình chạy: hãy đợi xong.")),
    (r"No unit of this code", lazy("Không có đơn vị này.")),
    (r"form is out of date", lazy("Biểu mẫu đã cũ: hãy mở lại trang rồi gửi lại.")),
    (r"This role may not", lazy("Vai trò của bạn không có quyền làm việc này.")),
)
"""Pattern of the error → the sentence; {0} is what the pattern caught."""


def cause_of(refusal: str) -> str | None:
    """The sentence of the first cause that fits; None where there is none of its own."""
    for pattern, sentence in CAUSES:
        if found := re.search(pattern, refusal):
            return sentence.format(*found.groups()) if "{0}" in sentence else sentence
    return None


_FIELDS: Sequence[tuple[str, str]] = (
    (r"a plan of .* is sealed|a correction needs a reason", "because"),
    (r"the login .* is taken|a login has 3 to 120", "login"),
    (r"a unit head needs|No unit of this code", "unit"),
    (r"an official's account needs", "official"),
    (r"a mark says why", "note"),
    (r"needs a reason of 5|a promotion says why", "reason"),
    (r"^wanted 5 to \d+ characters", "text"),
    (r"name of a view: wanted", "name"),
    (r"password", "password"),
    (r"a warning costs more", "c_out"),
    (r"^(\w+): ", "{0}"),
)
"""Pattern of the error → the field of the form that it is about."""
_WRONG: Mapping[str, str] = {
    "missing": lazy("Ô này phải điền."),
    "string_too_short": lazy("Cần ít nhất {min_length} ký tự."),
    "string_too_long": lazy("Dài quá {max_length} ký tự."),
    "greater_than_equal": lazy("Không được nhỏ hơn {ge}."),
    "less_than_equal": lazy("Không được lớn hơn {le}."),
    "int_parsing": lazy("Phải là một số nguyên."),
    "float_parsing": lazy("Phải là một con số, chẳng hạn 0,5."),
}
"""What the checking of types calls a mistake → the sentence; its bounds are filled in."""


def field_of(refusal: str) -> str | None:
    """The field that a refusal is about; None where it is about none."""
    for pattern, field in _FIELDS:
        if found := re.search(pattern, refusal):
            return field.format(*found.groups())
    return None


def wrong_fields(errors: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Field → sentence, of what pydantic found wrong in a posted form."""
    return {
        str(one["loc"][-1]): _WRONG.get(one["type"], _("Giá trị này chưa đúng.")).format(**one.get("ctx", {}))
        for one in errors
    }

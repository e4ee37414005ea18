"""What receipts and rights are called: each action in words, and what a receipt holds as a line that reads."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from serving.language import LazyText as lazy
from serving.words import Clockface, iso_day

ACTION_WORDS = {
    "session.start": lazy("Đăng nhập"),
    "session.end": lazy("Đăng xuất"),
    "session.refused": lazy("Đăng nhập không thành công"),
    "password.write": lazy("Đổi mật khẩu của mình"),
    "language.write": lazy("Chọn ngôn ngữ"),
    "home.read": lazy("Mở trang đầu"),
    "list.read": lazy("Xem danh sách"),
    "list.export": lazy("Xuất danh sách"),
    "harassment.read": lazy("Xem dấu hiệu phiền hà"),
    "dossier.read": lazy("Xem hồ sơ"),
    "dossier.score": lazy("Chấm điểm hồ sơ gửi đến"),
    "event.write": lazy("Ghi sự kiện hồ sơ"),
    "own.read": lazy("Xem hồ sơ của mình"),
    "official.read": lazy("Xem trang cán bộ"),
    "conduct.read": lazy("Xem danh sách phiền hà"),
    "evidence.read": lazy("Xem căn cứ của dấu hiệu"),
    "sectors.read": lazy("Xem theo lĩnh vực"),
    "conduct.digest": lazy("Gửi người kiểm tra dấu hiệu mới"),
    "conduct.export": lazy("Xuất danh sách phiền hà"),
    "unit.read": lazy("Xem trang đơn vị"),
    "board.read": lazy("Xem đơn vị"),
    "what_if.read": lazy("Thử chuyển việc"),
    "warning.read": lazy("Xem cảnh báo sớm"),
    "warning.write": lazy("Xác nhận cảnh báo sớm"),
    "warning.export": lazy("Xuất cảnh báo sớm"),
    "rule.read": lazy("Xem quy tắc cảnh báo"),
    "rule.write": lazy("Đặt quy tắc cảnh báo"),
    "warning.effect": lazy("Xem tác dụng của cảnh báo"),
    "leadership.read": lazy("Xem toàn tỉnh"),
    "leadership.export": lazy("Xuất bảng toàn tỉnh"),
    "analyst.read": lazy("Xem mô hình"),
    "board.export": lazy("Xuất việc của đơn vị"),
    "own.export": lazy("Xuất hồ sơ của mình"),
    "contest.export": lazy("Xuất giải trình"),
    "receipt.export": lazy("Xuất nhật ký"),
    "receipt.read": lazy("Xem nhật ký"),
    "plan.export": lazy("Xuất kế hoạch"),
    "plan.read": lazy("Xem kế hoạch"),
    "plan.write": lazy("Lập kế hoạch"),
    "plan.approve": lazy("Duyệt kế hoạch"),
    "visit.ahead": lazy("Xem cuộc kiểm tra trước giờ"),
    "visit.read": lazy("Xem phiếu kiểm tra"),
    "finding.write": lazy("Ghi kết quả kiểm tra"),
    "finding.export": lazy("Xuất kết quả kiểm tra"),
    "self.read": lazy("Xem tự kiểm tra"),
    "self.write": lazy("Ghi kết quả tự kiểm tra"),
    "remedy.demand": lazy("Yêu cầu khắc phục"),
    "decision.write": lazy("Quyết định về điểm"),
    "pick.read": lazy("Xem hồ sơ chọn kiểm tra"),
    "explanation.read": lazy("Xem phiếu giải trình"),
    "explanation.export": lazy("Xuất phiếu giải trình"),
    "explanation.write": lazy("Giải trình hồ sơ trễ"),
    "explanation.review": lazy("Thủ trưởng xem xét giải trình"),
    "explanation.close": lazy("Cấp trên xem xét giải trình"),
    "answer.read": lazy("Xem theo dõi trả lời"),
    "answer.export": lazy("Xuất theo dõi trả lời"),
    "case.read": lazy("Xem việc của đơn vị"),
    "case.assign": lazy("Giao việc"),
    "case.export": lazy("Xuất việc của đơn vị"),
    "apology.write": lazy("Soạn, gửi phiếu xin lỗi"),
    "apology.export": lazy("Xuất phiếu xin lỗi"),
    "letter.export": lazy("Xuất văn bản theo mẫu"),
    "mark.write": lazy("Ghi nhận"),
    "return.review": lazy("Xem xét hồ sơ bị trả"),
    "remedy.write": lazy("Ghi khắc phục"),
    "report.read": lazy("Xem báo cáo"),
    "report.write": lazy("Sửa lời văn báo cáo"),
    "report.export": lazy("Xuất báo cáo"),
    "publication.read": lazy("Xem danh mục công bố"),
    "publication.propose": lazy("Đề nghị công bố"),
    "publication.approve": lazy("Duyệt công bố"),
    "publication.export": lazy("Xuất danh mục công bố"),
    "ledger.read": lazy("Xem sổ trách nhiệm"),
    "contest.read": lazy("Xem giải trình về điểm"),
    "contest.write": lazy("Gửi giải trình về điểm"),
    "contest.answer": lazy("Trả lời giải trình về điểm"),
    "account.read": lazy("Xem danh sách tài khoản"),
    "account.write": lazy("Sửa tài khoản"),
    "file.adopt": lazy("Tiếp nhận tệp có trước nhật ký"),
    "file.write": lazy("Lập danh sách"),
    "row.adopt": lazy("Tiếp nhận dữ liệu có trước nhật ký"),
    "token.write": lazy("Sửa khóa máy"),
    "view.write": lazy("Bộ lọc đã lưu"),
    "intake.read": lazy("Xem các lần nhận dữ liệu"),
    "intake.write": lazy("Nhận tệp dữ liệu"),
    "delivery.write": lazy("Nhận dữ liệu từ cổng"),
    "metrics.read": lazy("Xem số đo vận hành"),
    "job.read": lazy("Xem việc tự chạy"),
    "model.promote": lazy("Đưa mô hình vào dùng"),
    "model.train": lazy("Giao việc với mô hình"),
}
"""Every action of `serving.access.permissions.GRANTS` and every action that receipts carry."""

_NAMES = {
    "dossier": lazy("hồ sơ"),
    "dossiers": lazy("hồ sơ"),
    "seen": lazy("đã hiện"),
    "unit": lazy("đơn vị"),
    "official": lazy("cán bộ"),
    "plan": lazy("kế hoạch"),
    "week": lazy("tuần từ"),
    "visit": lazy("cuộc"),
    "warnings": lazy("cảnh báo"),
    "standing": lazy("tình trạng"),
    "page": lazy("trang"),
    "rows": lazy("số dòng"),
    "listed": lazy("số báo cáo"),
    "reason": lazy("lý do"),
    "note": lazy("ghi chú"),
    "kind": lazy("loại"),
    "outcome": lazy("kết quả"),
    "score": lazy("điểm"),
    "model": lazy("mô hình"),
    "champion": lazy("mô hình"),
    "as_of": lazy("tính đến"),
    "until": lazy("đến"),
    "by": lazy("bằng"),
    "as": lazy("dạng"),
    "about": lazy("về"),
    "grain": lazy("đối tượng"),
    "tier": lazy("mức bằng chứng"),
    "month": lazy("tháng"),
    "slip": lazy("phiếu"),
    "cause": lazy("nguyên nhân"),
    "made": lazy("đã tạo"),
    "closed": lazy("đã đóng"),
    "revoked": lazy("đã hủy"),
    "role": lazy("vai trò"),
    "actions": lazy("quyền"),
    "subject": lazy("đối tượng"),
    "field": lazy("mục"),
    "value": lazy("giá trị"),
    "pack": lazy("danh mục"),
    "contest": lazy("giải trình"),
    "candidate": lazy("ứng viên"),
    "scope": lazy("phạm vi"),
    "sha256": lazy("mã băm"),
}
_VALUES = {
    "others": lazy("các phiên khác"),
    "password": lazy("mật khẩu"),
    "oidc": lazy("hệ thống định danh"),
    "open": lazy("chờ xác nhận"),
    "answered": lazy("đã xác nhận"),
    "official": lazy("cán bộ"),
    "unit": lazy("đơn vị"),
    "dossier": lazy("hồ sơ"),
    "signal": lazy("dấu hiệu"),
    "reported": lazy("phản ánh"),
    "upheld": lazy("đúng"),
    "rejected": lazy("giữ nguyên"),
    "pick": lazy("đưa vào kế hoạch"),
    "dismiss": lazy("gác lại"),
    "override": lazy("ưu tiên khác với điểm"),
    "undo": lazy("hoàn tác"),
    "accepted": lazy("chấp nhận"),
    "returned": lazy("yêu cầu lại"),
    "closed": lazy("đóng"),
    "refused": lazy("từ chối"),
    "approved": lazy("duyệt"),
    "none": lazy("không có vấn đề"),
    "fact": lazy("dữ kiện"),
}
_SHOWN = 3
"""Members of a list that are named; of the others only the number is shown."""


def detail_words(detail: str, zone: ZoneInfo = ZoneInfo("UTC")) -> str:
    """The detail of a receipt (a JSON object) as one line, moments in `zone`; text that is none stays as it is."""
    try:
        fields = json.loads(detail)
    except ValueError:
        return detail
    if not isinstance(fields, Mapping):
        return detail
    return "; ".join(
        f"{_NAMES.get(name, name)}: {_value(value, zone)}"
        for name, value in fields.items()
        if value != [] and name != "rows"
    )


def _value(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, list):
        named = ", ".join(str(one) for one in value[:_SHOWN])
        return named if len(value) <= _SHOWN else f"{len(value)} ({named}, …)"
    text = str(value)
    if text in _VALUES:
        return _VALUES[text]
    if len(text) > 40 and all(sign in "0123456789abcdef" for sign in text):
        return f"{text[:12]}…"
    if len(text) >= 16 and text[4:5] == "-" and text[10:11] == "T":
        return _moment(text, zone)
    return text or "–"


def _moment(text: str, zone: ZoneInfo) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if not at.tzinfo:
        return f"{iso_day(text[:10])} {text[11:16]}"
    return Clockface(zone).moment(at) + (" UTC" if zone.key == "UTC" else "")

"""What receipts and rights are called: each action in words, and what a receipt holds as a line that reads."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from serving.words import iso_day

ACTION_WORDS = {
    "session.start": "Đăng nhập",
    "session.end": "Đăng xuất",
    "session.refused": "Đăng nhập không thành công",
    "password.write": "Đổi mật khẩu của mình",
    "home.read": "Mở trang đầu",
    "list.read": "Xem danh sách",
    "list.export": "Xuất danh sách",
    "harassment.read": "Xem dấu hiệu phiền hà",
    "dossier.read": "Xem hồ sơ",
    "dossier.score": "Chấm điểm hồ sơ gửi đến",
    "event.write": "Ghi sự kiện hồ sơ",
    "own.read": "Xem hồ sơ của mình",
    "official.read": "Xem trang cán bộ",
    "conduct.read": "Xem danh sách phiền hà",
    "evidence.read": "Xem căn cứ của dấu hiệu",
    "sectors.read": "Xem theo lĩnh vực",
    "conduct.digest": "Gửi người kiểm tra dấu hiệu mới",
    "conduct.export": "Xuất danh sách phiền hà",
    "unit.read": "Xem trang đơn vị",
    "board.read": "Xem đơn vị",
    "what_if.read": "Thử chuyển việc",
    "warning.read": "Xem cảnh báo sớm",
    "warning.write": "Xác nhận cảnh báo sớm",
    "warning.export": "Xuất cảnh báo sớm",
    "rule.read": "Xem quy tắc cảnh báo",
    "rule.write": "Đặt quy tắc cảnh báo",
    "warning.effect": "Xem tác dụng của cảnh báo",
    "leadership.read": "Xem toàn tỉnh",
    "leadership.export": "Xuất bảng toàn tỉnh",
    "analyst.read": "Xem mô hình",
    "board.export": "Xuất việc của đơn vị",
    "own.export": "Xuất hồ sơ của mình",
    "contest.export": "Xuất giải trình",
    "receipt.export": "Xuất nhật ký",
    "receipt.read": "Xem nhật ký",
    "plan.export": "Xuất kế hoạch",
    "plan.read": "Xem kế hoạch",
    "plan.write": "Lập kế hoạch",
    "plan.approve": "Duyệt kế hoạch",
    "visit.ahead": "Xem cuộc kiểm tra trước giờ",
    "visit.read": "Xem phiếu kiểm tra",
    "finding.write": "Ghi kết quả kiểm tra",
    "finding.export": "Xuất kết quả kiểm tra",
    "self.read": "Xem tự kiểm tra",
    "self.write": "Ghi kết quả tự kiểm tra",
    "remedy.demand": "Yêu cầu khắc phục",
    "decision.write": "Quyết định về điểm",
    "pick.read": "Xem hồ sơ chọn kiểm tra",
    "explanation.read": "Xem phiếu giải trình",
    "explanation.export": "Xuất phiếu giải trình",
    "explanation.write": "Giải trình hồ sơ trễ",
    "explanation.review": "Thủ trưởng xem xét giải trình",
    "explanation.close": "Cấp trên xem xét giải trình",
    "answer.read": "Xem theo dõi trả lời",
    "answer.export": "Xuất theo dõi trả lời",
    "case.read": "Xem việc của đơn vị",
    "case.assign": "Giao việc",
    "case.export": "Xuất việc của đơn vị",
    "apology.write": "Soạn, gửi phiếu xin lỗi",
    "apology.export": "Xuất phiếu xin lỗi",
    "letter.export": "Xuất văn bản theo mẫu",
    "mark.write": "Ghi nhận",
    "return.review": "Xem xét hồ sơ bị trả",
    "remedy.write": "Ghi khắc phục",
    "report.read": "Xem báo cáo",
    "report.write": "Sửa lời văn báo cáo",
    "report.export": "Xuất báo cáo",
    "publication.read": "Xem danh mục công bố",
    "publication.propose": "Đề nghị công bố",
    "publication.approve": "Duyệt công bố",
    "publication.export": "Xuất danh mục công bố",
    "ledger.read": "Xem sổ trách nhiệm",
    "contest.read": "Xem giải trình về điểm",
    "contest.write": "Gửi giải trình về điểm",
    "contest.answer": "Trả lời giải trình về điểm",
    "account.read": "Xem danh sách tài khoản",
    "account.write": "Sửa tài khoản",
    "file.adopt": "Tiếp nhận tệp có trước nhật ký",
    "file.write": "Lập danh sách",
    "row.adopt": "Tiếp nhận dữ liệu có trước nhật ký",
    "token.write": "Sửa khóa máy",
    "view.write": "Bộ lọc đã lưu",
    "intake.read": "Xem các lần nhận dữ liệu",
    "intake.write": "Nhận tệp dữ liệu",
    "delivery.write": "Nhận dữ liệu từ cổng",
    "metrics.read": "Xem số đo vận hành",
    "job.read": "Xem việc tự chạy",
    "model.promote": "Đưa mô hình vào dùng",
    "model.train": "Giao việc với mô hình",
}
"""Every action of `serving.access.permissions.GRANTS` and every action that receipts carry."""

_NAMES = {
    "dossier": "hồ sơ", "dossiers": "hồ sơ", "seen": "đã hiện", "unit": "đơn vị", "official": "cán bộ",
    "plan": "kế hoạch", "week": "tuần từ", "visit": "cuộc", "warnings": "cảnh báo", "standing": "tình trạng",
    "page": "trang", "rows": "số dòng", "listed": "số báo cáo", "reason": "lý do", "note": "ghi chú",
    "kind": "loại", "outcome": "kết quả", "score": "điểm", "model": "mô hình", "champion": "mô hình",
    "as_of": "tính đến", "until": "đến", "by": "bằng", "as": "dạng", "about": "về", "grain": "đối tượng",
    "tier": "mức bằng chứng", "month": "tháng", "slip": "phiếu", "cause": "nguyên nhân", "made": "đã tạo",
    "closed": "đã đóng", "revoked": "đã hủy", "role": "vai trò", "actions": "quyền", "subject": "đối tượng",
    "field": "mục", "value": "giá trị", "pack": "danh mục", "contest": "giải trình", "candidate": "ứng viên",
    "scope": "phạm vi", "sha256": "mã băm",
}  # fmt: skip
_VALUES = {
    "others": "các phiên khác",
    "password": "mật khẩu", "oidc": "hệ thống định danh", "open": "chờ xác nhận", "answered": "đã xác nhận",
    "official": "cán bộ", "unit": "đơn vị", "dossier": "hồ sơ", "signal": "dấu hiệu", "reported": "phản ánh",
    "upheld": "đúng", "rejected": "giữ nguyên", "pick": "đưa vào kế hoạch", "dismiss": "gác lại",
    "override": "ưu tiên khác với điểm", "undo": "hoàn tác",
    "accepted": "chấp nhận", "returned": "yêu cầu lại", "closed": "đóng",
    "refused": "từ chối", "approved": "duyệt", "none": "không có vấn đề", "fact": "dữ kiện",
}  # fmt: skip
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
    return at.astimezone(zone).strftime("%d/%m/%Y %H:%M") + (" UTC" if zone.key == "UTC" else "")

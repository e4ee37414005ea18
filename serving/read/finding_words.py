"""What a finding and its cause are called on the form. None of the words accuses anybody."""

from typing import Literal

FindingKind = Literal["none", "lateness", "harassment", "extra_papers", "wrongful_return", "tampering", "other"]

LATE = "lateness"
"""The kind of a finding that a dossier was late."""

KIND_WORDS: dict[str, str] = {
    "none": "Không có vấn đề",
    LATE: "Chậm so với hẹn",
    "harassment": "Dấu hiệu gây phiền hà",
    "extra_papers": "Yêu cầu giấy tờ ngoài quy định",
    "wrongful_return": "Trả lại không đúng căn cứ",
    "tampering": "Thời hạn bị điều chỉnh không rõ căn cứ",
    "other": "Khác",
}

CAUSE_WORDS = {
    "": "Chưa rõ",
    "citizen": "Phía người nộp",
    "consultation": "Chờ cơ quan phối hợp",
    "system": "Hệ thống",
    "law": "Quy định",
    "workload": "Khối lượng việc",
    "official": "Người xử lý",
}
CONFIRMED_WORDS = {True: "đã xác nhận", False: "xác định không đúng", None: "chờ xác nhận"}

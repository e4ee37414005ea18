"""What a finding and its cause are called on the form. None of the words accuses anybody."""

from typing import Literal

from serving.language import LazyText as lazy

FindingKind = Literal["none", "lateness", "harassment", "extra_papers", "wrongful_return", "tampering", "other"]

LATE = "lateness"
"""The kind of a finding that a dossier was late."""

KIND_WORDS: dict[str, str] = {
    "none": lazy("Không có vấn đề"),
    LATE: lazy("Chậm so với hẹn"),
    "harassment": lazy("Dấu hiệu gây phiền hà"),
    "extra_papers": lazy("Yêu cầu giấy tờ ngoài quy định"),
    "wrongful_return": lazy("Trả lại không đúng căn cứ"),
    "tampering": lazy("Thời hạn bị điều chỉnh không rõ căn cứ"),
    "other": lazy("Khác"),
}

CAUSE_WORDS = {
    "": lazy("Chưa rõ"),
    "citizen": lazy("Phía người nộp"),
    "consultation": lazy("Chờ cơ quan phối hợp"),
    "system": lazy("Hệ thống"),
    "law": lazy("Quy định"),
    "workload": lazy("Khối lượng việc"),
    "official": lazy("Người xử lý"),
}
CONFIRMED_WORDS = {True: lazy("đã xác nhận"), False: lazy("xác định không đúng"), None: lazy("chờ xác nhận")}

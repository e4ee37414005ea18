"""What models, their gates and what is watched are called on the analyst's page, in Vietnamese."""

from models.reasons import DECLARED
from serving.read.register import Register

GATE_WORDS = {
    "time travel": "Không dữ liệu nào lấy từ tương lai",
    "attribute": "Không dựa quá nhiều vào một thuộc tính riêng của nguồn",
    "leak": "Không tốt đến mức đáng ngờ",
    "rule": "Không kém quy tắc đơn giản",
    "list": "Danh sách đầu không kém quy tắc",
    "calibration": "Điểm đúng mức",
    "card": "Thẻ mô hình đầy đủ",
    "champion": "Không kém mô hình đang dùng",
    "list of champion": "Danh sách đầu không kém mô hình đang dùng",
    "groups": "Các nhóm được đối xử như nhau",
    "reasons": "Lý do giữ vững",
    "second person": "Người thứ hai",
}
MEMBER_WORDS = {
    "trees": "cây quyết định",
    "ridge": "hồi quy",
    "identity": "ai giữ, ở đâu, thủ tục nào",
    "base_rate": "tỷ lệ chung",
}
_GROUP_WORDS = {
    "online": "trực tuyến", "counter": "tại quầy", "post": "bưu chính", "phone": "điện thoại", "citizen": "người dân",
    "business": "doanh nghiệp", "agency": "cơ quan", "other": "khác", "others": "các nhóm còn lại",
    "unknown": "chưa rõ",
}  # fmt: skip
_OTHER_WORDS = {
    "score": "Phân bố điểm", "reasons": "Phân bố lý do", "step": "Bước", "procedure_code": "Thủ tục",
    "sector_code": "Lĩnh vực", "unit_code": "Đơn vị", "official_id": "Cán bộ",
}  # fmt: skip


def member_words(name: str) -> str:
    """A member of the blend: learners by name, rules by what they go by."""
    if name.startswith("rate:"):
        return "tỷ lệ trễ theo " + ", ".join(feature_words(one).lower() for one in name[5:].split("+"))
    return MEMBER_WORDS.get(name) or feature_words(name)


def feature_words(name: str) -> str:
    """A column of the matrix in words; a column of a local attribute by its own name."""
    if name in _OTHER_WORDS:
        return _OTHER_WORDS[name]
    return DECLARED[name].words_vi if name in DECLARED else name


def group_words(name: str) -> str:
    """A crossed group of channel and kind of applicant."""
    return " × ".join(_GROUP_WORDS.get(part, part) for part in name.split(" × "))


def warning_words(name: str, register: Register) -> str:
    """What a warning of the watch is about, by its name; its figures stand beside it as the watch wrote them."""
    kind, _, about = name.partition(" ")
    if kind == "pace":
        return f"Lĩnh vực {register.sector(about)}: nhịp giải quyết khác thường lệ"
    if kind == "silence":
        return f"{register.unit(about)} lâu không gửi dữ liệu: không có dữ liệu không phải là không có rủi ro"
    return {
        "inputs": "Dữ liệu đầu vào khác lúc học",
        "score": "Phân bố điểm khác lúc học",
        "reasons": "Phân bố lý do khác lúc học",
        "live": "Điểm lệch so với tỷ lệ trễ thật",
    }.get(name, name)

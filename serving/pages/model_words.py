"""What models, their gates and what is watched are called on the analyst's page."""

from models.reasons import DECLARED
from serving.language import LazyText as lazy
from serving.language import chosen
from serving.language import gettext as _
from serving.read.register import Register

GATE_WORDS = {
    "time travel": lazy("Không dữ liệu nào lấy từ tương lai"),
    "attribute": lazy("Không dựa quá nhiều vào một thuộc tính riêng của nguồn"),
    "leak": lazy("Không tốt đến mức đáng ngờ"),
    "rule": lazy("Không kém quy tắc đơn giản"),
    "list": lazy("Danh sách đầu không kém quy tắc"),
    "calibration": lazy("Điểm đúng mức"),
    "card": lazy("Thẻ mô hình đầy đủ"),
    "champion": lazy("Không kém mô hình đang dùng"),
    "list of champion": lazy("Danh sách đầu không kém mô hình đang dùng"),
    "groups": lazy("Các nhóm được đối xử như nhau"),
    "reasons": lazy("Lý do giữ vững"),
    "second person": lazy("Người thứ hai"),
}
MEMBER_WORDS = {
    "trees": lazy("cây quyết định"),
    "ridge": lazy("hồi quy"),
    "identity": lazy("ai giữ, ở đâu, thủ tục nào"),
    "base_rate": lazy("tỷ lệ chung"),
}
_GROUP_WORDS = {
    "online": lazy("trực tuyến"),
    "counter": lazy("tại quầy"),
    "post": lazy("bưu chính"),
    "phone": lazy("điện thoại"),
    "citizen": lazy("người dân"),
    "business": lazy("doanh nghiệp"),
    "agency": lazy("cơ quan"),
    "other": lazy("khác"),
    "others": lazy("các nhóm còn lại"),
    "unknown": lazy("chưa rõ"),
}
_OTHER_WORDS = {
    "score": lazy("Phân bố điểm"),
    "reasons": lazy("Phân bố lý do"),
    "step": lazy("Bước"),
    "procedure_code": lazy("Thủ tục"),
    "sector_code": lazy("Lĩnh vực"),
    "unit_code": lazy("Đơn vị"),
    "official_id": lazy("Cán bộ"),
}


def member_words(name: str) -> str:
    """A member of the blend: learners by name, rules by what they go by."""
    if name.startswith("rate:"):
        return _("tỷ lệ trễ theo {of}").format(of=", ".join(feature_words(one).lower() for one in name[5:].split("+")))
    return MEMBER_WORDS.get(name) or feature_words(name)


def feature_words(name: str) -> str:
    """A column of the matrix in words; a column of a local attribute by its own name."""
    if name in _OTHER_WORDS:
        return _OTHER_WORDS[name]
    return chosen(DECLARED[name].words_vi, DECLARED[name].words_en) if name in DECLARED else name


def group_words(name: str) -> str:
    """A crossed group of channel and kind of applicant."""
    return " × ".join(_(_GROUP_WORDS.get(part, part)) for part in name.split(" × "))


def warning_words(name: str, register: Register) -> str:
    """What a warning of the watch is about, by its name; its figures stand beside it as the watch wrote them."""
    kind, _space, about = name.partition(" ")
    if kind == "pace":
        return _("Lĩnh vực {sector}: nhịp giải quyết khác thường lệ").format(sector=register.sector(about))
    if kind == "silence":
        return _("{unit} lâu không gửi dữ liệu: không có dữ liệu không phải là không có rủi ro").format(
            unit=register.unit(about)
        )
    return {
        "inputs": _("Dữ liệu đầu vào khác lúc học"),
        "score": _("Phân bố điểm khác lúc học"),
        "reasons": _("Phân bố lý do khác lúc học"),
        "live": _("Điểm lệch so với tỷ lệ trễ thật"),
    }.get(name, name)

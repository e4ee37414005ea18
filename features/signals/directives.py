"""The directives' own words behind each signal, and what a reader sees in place of our codes.

Signals name their source as `H1: “…” (S0 1a)`, `T5, domain.md 1.9` or `DOC766 rule 4`. A reader sees the rule in plain
words with document and clause; `RULES` holds the text that *Căn cứ* opens.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

DOCUMENTS: Mapping[str, str] = {
    "S0": "Chỉ thị của UBND TP Hà Nội về trách nhiệm cá nhân trong giải quyết thủ tục hành chính",
    "S1": "Chỉ thị năm 2018 của UBND TP Hà Nội về kỷ luật, kỷ cương hành chính",
    "S2": "Chỉ thị 15/CT-UBND năm 2023 của UBND TP Hà Nội",
    "S3": "Chỉ đạo năm 2022 của Chủ tịch UBND TP Hồ Chí Minh về cải cách hành chính",
    "S4": "Chỉ thị 03/CT-UBND năm 2024 của UBND tỉnh Đồng Nai",
    "DOC766": "Quyết định 766/QĐ-TTg năm 2022: cách tính Bộ chỉ số phục vụ người dân, doanh nghiệp",
}
"""Code of a document in our sources → its name."""
_SHORT = {
    "S0": "Chỉ thị trách nhiệm cá nhân, Hà Nội", "S1": "Chỉ thị kỷ luật, kỷ cương 2018, Hà Nội",
    "S2": "Chỉ thị 15/CT-UBND, Hà Nội", "S3": "Chỉ đạo cải cách hành chính 2022, TP Hồ Chí Minh",
    "S4": "Chỉ thị 03/CT-UBND, Đồng Nai",
}  # fmt: skip
INDEX = "cách tính Bộ chỉ số 766"
DATA = "quy tắc kiểm tra tính toàn vẹn của dữ liệu"
OWN = "quy ước kiểm tra nêu ở trang Căn cứ"


@dataclass(frozen=True)
class Demand:
    """One demand: its anchor on the page, plain words, the directive's text, document and clause (may be empty)."""

    anchor: str
    words: str
    text: str
    document: str
    clause: str

    @property
    def cited(self) -> str:
        """How a reason names it."""
        place = _SHORT[self.document] + (f", mục {self.clause}" if self.clause else "")
        return f"{self.words} ({place})"


def _rule(code: str, words: str, text: str, document: str, clause: str = "") -> tuple[str, Demand]:
    return code, Demand(f"quy-dinh-{code[1:]}", words, text, document, clause)


RULES: Mapping[str, Demand] = dict(
    (
        _rule("H1", "không tự ý yêu cầu bổ sung", "không được tự ý yêu cầu bổ sung hồ sơ", "S0", "1a"),
        _rule("H2", "không kéo dài vô cớ", "kéo dài thời gian giải quyết không có lý do chính đáng", "S0", "1a"),
        _rule("H3", "không trả lại nhiều lần", "hồ sơ bị trả lại nhiều lần do lỗi chủ quan của cán bộ", "S0", "2b"),
        _rule("H4", "trả hồ sơ đúng quy định",
              "phát hiện, xử lý kịp thời các trường hợp chậm trễ, trả hồ sơ không đúng quy định", "S4", "1đ"),
        _rule("H5", "không thêm giấy tờ, điều kiện",
              "làm phát sinh thêm thủ tục hành chính, hồ sơ, giấy tờ, yêu cầu điều kiện không đúng quy định", "S2"),
        _rule("H6", "không để chậm trễ nhiều lần", "nhiều lần để xảy ra tình trạng chậm trễ", "S2"),
        _rule("H7", "tỷ lệ hồ sơ chậm trễ", "tỷ lệ hồ sơ chậm trễ cao", "S0", "3d"),
        _rule("H8", "phản ánh đến Tổng đài 1022, Cổng dịch vụ công",
              "người dân, doanh nghiệp còn phản ánh đến Tổng đài 1022, Cổng dịch vụ công quốc gia", "S4"),
        _rule("H9", "xử lý kịp thời phản ánh về chậm trễ, phiền hà",
              "Kịp thời xử lý các phản ánh, kiến nghị … liên quan đến việc chậm trễ, phiền hà", "S0", "1a"),
        _rule("H10", "trả lời phản ánh cụ thể, rõ ràng",
              "chấm dứt tình trạng không trả lời hoặc trả lời chung chung, không cụ thể, rõ ràng, né tránh", "S2"),
        _rule("H11", "xin lỗi khi trễ hẹn",
              "thực hiện Thư xin lỗi bằng các hình thức phù hợp đối với các trường hợp giải quyết hồ sơ trễ hạn", "S3",
              "1l"),
        _rule("H12", "mức độ hài lòng của người dân",
              "xếp hạng mức độ hài lòng của người dân đối với từng cơ quan", "S0", "2d"),
        _rule("H13", "thái độ khi giao tiếp", "thái độ thiếu chuẩn mực khi giao tiếp", "S3", "1l"),
        _rule("H14", "không đùn đẩy, né tránh",
              "đùn đẩy trách nhiệm, không dám làm, đây là nguyên nhân chính dẫn đến tình trạng trả hồ sơ, trễ hạn",
              "S4"),
        _rule("H15", "chỉ lấy ý kiến cơ quan liên quan",
              "không lấy ý kiến phối hợp của cơ quan không liên quan hoặc không cần thiết", "S4", "1d"),
        _rule("H16", "cơ quan được hỏi trả lời đúng hạn",
              "cơ quan được lấy ý kiến có trách nhiệm trả lời đúng hạn … không trả lời chung chung", "S4", "1d"),
        _rule("H17", "lặp lại, có tổ chức",
              "đặc biệt là các trường hợp tái phạm, có tổ chức, có tính chất nghiêm trọng", "S1", "1d"),
        _rule("H18", "người đứng đầu xử lý kịp thời", "không kịp thời xử lý hoặc có dấu hiệu bao che", "S0", "1đ"),
        _rule("H19", "lĩnh vực nguy cơ cao",
              "các lĩnh vực có nguy cơ tiêu cực, nhũng nhiễu như: Đất đai, đầu tư, xây dựng, cấp phép kinh doanh",
              "S0", "2c"),
        _rule("H20", "phản ánh của Mặt trận, đoàn thể, báo chí",
              "phản ánh … những hành vi nhũng nhiễu, gây phiền hà …", "S1", "13, 14"),
        _rule("H21", "giải quyết hồ sơ tồn đọng", "giải quyết hồ sơ thủ tục đầu tư còn tồn đọng", "S3", "5a"),
        _rule("H22", "việc gây bức xúc", "các trường hợp gây bức xúc cho người dân, doanh nghiệp", "S3", "1h"),
    )
)  # fmt: skip
"""Code of a demand in our sources → what it says."""

_CODE = re.compile(r"\bH\d+\b")
_CLAUSE = re.compile(r"\b(S[0-4])(?: ([\dđa-z]+))?")
_LEFT = re.compile(r"\bT\d+\b")


def basis_vi(source: str) -> str:
    """The source of a rule for readers: plain words, document and clause; never one of our codes."""
    rules = [RULES[code] for code in dict.fromkeys(_CODE.findall(source)) if code in RULES]
    found = [rule.cited for rule in rules]
    if not rules:
        found += [
            _SHORT[document] + (f", mục {clause}" if clause else "")
            for document, clause in dict.fromkeys(_CLAUSE.findall(source))
        ]
    if "DOC766" in source:
        found.append(INDEX)
    if _LEFT.search(source):
        found.append(DATA)
    return "; ".join(found) or OWN


CITED: Mapping[str, str] = {rule.cited: rule.anchor for rule in RULES.values()} | {
    INDEX: "chi-so-766", DATA: "du-lieu", OWN: "quy-uoc",
}  # fmt: skip
"""What a reason cites → its anchor on the page of directives."""

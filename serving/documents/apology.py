"""The letter of apology with a new appointment: Mẫu 04 of Thông tư 03/2025/TT-VPCP (domain.md 3.1).

What it says of the citizen is left open to be written by hand: the software holds no name and no address.
"""

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from serving.documents.letter import Letter
from serving.documents.letterhead import Letterhead

TEMPLATE = Path(__file__).with_name("apology.docx")
LINES = (
    "Kính gửi: {{ applicant }}",
    "Địa chỉ: {{ address }}        Điện thoại: {{ phone }}",
    "Ngày {{ received_on }}, {{ receiving_unit }} đã tiếp nhận hồ sơ: {{ procedure }}; mã hồ sơ: {{ dossier_id }}.",
    "Thời gian hẹn trả kết quả giải quyết hồ sơ: {{ old_due_at }}.",
    "Tuy nhiên đến nay, {{ unit }} chưa trả kết quả giải quyết hồ sơ đúng thời hạn quy định. Lý do: {{ reason }}",
    "{{ unit }} xin lỗi Ông/Bà và hẹn thời gian trả kết quả giải quyết hồ sơ là: {{ new_due_at }}.",
    "Sự chậm trễ này đã ảnh hưởng đến Ông/Bà; {{ unit }} kính mong Ông/Bà thông cảm và chia sẻ.",
)
BLANK = "……………………………"


@dataclass(frozen=True)
class ApologyLetter:
    """The fields of the form; days and moments are already in words."""

    letterhead: Letterhead
    day: date
    dossier_id: str
    procedure: str
    received_on: str
    receiving_unit: str
    unit: str
    old_due_at: str
    new_due_at: str
    reason: str
    applicant: str = BLANK
    address: str = BLANK
    phone: str = BLANK

    def letter(self, file: str) -> Letter:
        """As a letter, whose file is named so."""
        texts = {one.name: getattr(self, one.name) for one in fields(self) if one.type is str}
        return Letter(file, TEMPLATE, self.letterhead, self.day, texts)

"""A reason names what it tells of: a code of the record stands where nobody ever named it."""

import pytest

from models.reasons import Reason
from serving.read.register import Register, UnitEntry

REGISTER = Register(
    units={"H99.24": UnitEntry("H99.24", "Sở Tư pháp", None, None)},
    procedures={"1.990003": "Chuyển mục đích sử dụng đất"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "value", "said", "named"),
    [
        ("procedure_code", "1.990003", "Thủ tục 1.990003: trễ 69%", "Thủ tục Chuyển mục đích sử dụng đất: trễ 69%"),
        ("unit_code", "H99.24", "Đơn vị H99.24: trễ 32%", "Đơn vị Sở Tư pháp: trễ 32%"),
        ("sector_code", "G1", "Lĩnh vực G1: trễ 27%", "Lĩnh vực G1: trễ 27%"),
        ("procedure_code", "", "Chưa rõ thủ tục", "Chưa rõ thủ tục"),
        ("left_hours", "1.990003", "Còn 1.990003 giờ", "Còn 1.990003 giờ"),
    ],
)
def test_a_code_is_told_by_its_name(code: str, value: str, said: str, named: str) -> None:
    reason = Reason(code, 0.4, value, "", 10, said, "")
    assert REGISTER.named(reason).vi == named

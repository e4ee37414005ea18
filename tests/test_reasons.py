"""Reasons state cells of the matrix in words that never accuse, and their effects are the score's own parts."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.matrix.batch import FEATURES
from models.encoding import CategoryRates
from models.reasons import DECLARED, Reason, group_of, reasons
from models.risk_model import Scores
from models.sentences import HEADS, head_of
from models.targets import TARGETS

ACCUSING = re.compile(
    r"vi phạm|sai phạm|tham nhũng|nhũng nhiễu|cố tình|lỗi của|guilty|corrupt|violat|abuse|fault", re.I
)
USUAL = {
    "peers": {"official_open": "unit_code", "hours_left": "procedure_code", "unit_late_rate": ""},
    "groups": {
        "": {"": {"n": 900, "median": {"official_open": 15.0, "hours_left": 60.0, "unit_late_rate": 0.12}}},
        "unit_code": {"U": {"n": 120, "median": {"official_open": 20.5}}},
        "procedure_code": {"P": {"n": 80, "median": {"hours_left": 40.0}}},
    },
}
RATES = (CategoryRates(("step",), {"Thẩm định": float(np.log(0.4 / 0.6))}, prior=float(np.log(0.2 / 0.8))),)


def _told(top: int = 3, **cells: tuple[object, float]) -> list[Reason]:
    """The reasons of one case from its cells: name → (value, contribution)."""
    columns = {
        name: pa.array([value], pa.string() if isinstance(value, str) else None) for name, (value, _) in cells.items()
    }
    for key in ("unit_code", "procedure_code"):
        columns.setdefault(key, pa.array([key[0].upper()]))
    contributions = np.array([[effect for _, effect in cells.values()]])
    scores = Scores(np.array([0.5]), contributions.sum(1), 0.0, contributions, tuple(cells), USUAL, RATES)
    return reasons(scores, pa.table(columns), top)[0]


def test_the_sentence_of_the_brief() -> None:
    (reason,) = _told(official_open=(43.0, 0.8))
    assert reason.vi == "Cán bộ đang giữ 43 hồ sơ, gấp 2,1 lần thường lệ của đơn vị (góp phần làm tăng nguy cơ)"
    assert reason.en == "The official holds 43 dossiers, 2.1 times the usual of the unit (helps to raise the risk)"
    assert (reason.code, reason.value, reason.usual, reason.n) == ("official_open", "43", "20.5", 120)
    assert reason.effect == 0.8


@pytest.mark.parametrize(
    ("cells", "vi"),
    [
        (
            {"hours_left": (10.0, 1.0)},
            "Còn 10,0 giờ làm việc đến hạn, bằng 0,2 lần thường lệ của thủ tục (góp phần làm tăng",
        ),
        (
            {"hours_left": (41.0, -1.0)},
            "Còn 41,0 giờ làm việc đến hạn, ngang mức thường lệ của thủ tục (góp phần làm giảm",
        ),
        ({"hours_left": (float("nan"), 1.0)}, "Chưa có hạn trả kết quả (góp phần làm tăng"),
        ({"unit_late_rate": (0.31, 1.0)}, "Tỷ lệ trễ hạn trước đây của đơn vị: 31%, thường lệ chung là 12% (góp phần"),
        (
            {"step": ("Thẩm định", 1.0)},
            "Đang ở bước Thẩm định: trước đây 40% hồ sơ trễ hạn, chung 20% (góp phần làm tăng",
        ),
        ({"step": ("Mới", -1.0)}, "Đang ở bước Mới: chưa có hồ sơ nào trước đây (góp phần làm giảm"),
        ({"stopped": (1.0, 1.0)}, "Đồng hồ đang dừng: có (góp phần làm tăng"),
    ],
)
def test_values_are_told_beside_what_is_usual(cells: dict[str, Any], vi: str) -> None:
    (reason,) = _told(**cells)
    assert reason.vi.startswith(vi)


def test_a_group_is_told_once_by_its_strongest_cell_and_effects_add_up() -> None:
    told = _told(
        top=9, official_open=(43.0, 0.5), official_arrived_7=(9.0, 0.7), hours_left=(10.0, -0.4), events=(3.0, 0.0)
    )
    assert [reason.code for reason in told] == ["official_arrived_7", "hours_left"]
    assert [round(reason.effect, 9) for reason in told] == [1.2, -0.4]


def test_the_speaker_points_the_way_of_its_group() -> None:
    told = _told(official_open=(43.0, 0.6), official_arrived_7=(1.0, -0.9))
    assert told[0].code == "official_arrived_7"
    assert told[0].effect == pytest.approx(-0.3)
    assert "làm giảm" in told[0].vi


def test_at_most_the_asked_number_strongest_first() -> None:
    told = _told(2, hours_left=(1.0, 0.1), official_open=(9.0, -0.9), unit_late_rate=(0.5, 0.5))
    assert [reason.code for reason in told] == ["official_open", "unit_late_rate"]


def test_an_attribute_and_its_past_are_one_reason() -> None:
    assert group_of("x_channel") == group_of("x_channel_late_rate") == group_of("x_channel_known")


def test_every_declared_feature_has_words_that_never_accuse() -> None:
    for feature in FEATURES:
        head = head_of(feature.name, feature.words_vi, feature.words_en, category=feature.category)
        for text in (head.vi, head.en, head.none_vi, head.none_en):
            assert not ACCUSING.search(text), feature.name
        assert "{value}" in head.vi
        assert "{value}" in head.en


def test_no_reviewed_head_is_left_without_a_feature() -> None:
    assert set(HEADS) - set(DECLARED) <= {"official_id"}, "official_id is a key of the matrix"


def test_past_rates_are_told_in_the_words_of_the_target() -> None:
    """What 40 % of the earlier dossiers at a step had is what the target asks, not lateness."""
    for target in TARGETS.values():
        step = pa.table({name: ["Thẩm định"] for name in ("step", "unit_code", "procedure_code")})
        scores = Scores(np.array([0.5]), np.ones(1), 0.0, np.ones((1, 1)), ("step",), {}, RATES, target.name)
        ((reason,),) = reasons(scores, step, 1)
        assert f"40% hồ sơ {target.past_vi}, chung 20%" in reason.vi
        assert f"40% of past dossiers {target.past_en}, 20% overall" in reason.en
        assert not ACCUSING.search(reason.vi + reason.en + target.words_vi + target.words_en)

"""Reasons state cells of the matrix in words that never accuse, and their effects are the score's own parts."""

import re
from dataclasses import replace
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
from tests.drawn_model import drawn_model

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


def _told(top: int = 3, **cells: Any) -> list[Reason]:
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
        ({"hours_left": (float("nan"), 1.0)}, "Chưa có hạn trả kết quả (góp phần làm tăng"),
        ({"unit_late_rate": (0.31, 1.0)}, "Tỷ lệ trễ hạn trước đây của đơn vị: 31%, thường lệ chung là 12% (góp phần"),
        (
            {"step": ("Thẩm định", 1.0)},
            "Đang ở bước Thẩm định: trước đây 40% hồ sơ trễ hạn, chung 20% (góp phần làm tăng",
        ),
        ({"stopped": (1.0, 1.0)}, "Đồng hồ đang dừng: có (góp phần làm tăng"),
    ],
)
def test_values_are_told_beside_what_is_usual(cells: dict[str, Any], vi: str) -> None:
    (reason,) = _told(**cells)
    assert reason.vi.startswith(vi)


def test_what_says_nothing_is_not_told() -> None:
    """A value as usual, a category that nobody has seen, one whose past points the other way, a trifle."""
    assert _told(hours_left=(41.0, -1.0)) == []
    assert _told(step=("Mới", -1.0)) == []
    assert _told(step=("Thẩm định", -1.0)) == []
    assert _told(official_open=(43.0, 0.01)) == []


def test_a_group_is_told_once_by_its_strongest_cell_with_the_effect_of_that_cell() -> None:
    told = _told(
        top=9, official_open=(43.0, 0.5), official_arrived_7=(9.0, 0.7), hours_left=(10.0, -0.4), events=(3.0, 0.0)
    )
    assert [(reason.code, round(reason.effect, 9)) for reason in told] == [("official_arrived_7", 0.7)]


def test_only_what_raises_is_told_and_what_lowers_where_nothing_does() -> None:
    told = _told(official_open=(43.0, 0.6), official_arrived_7=(1.0, -0.9))
    assert [(reason.code, reason.effect) for reason in told] == [("official_arrived_7", -0.9)]
    assert "làm giảm" in told[0].vi


def test_at_most_the_asked_number_strongest_first() -> None:
    told = _told(2, hours_left=(1.0, 0.1), official_open=(9.0, -0.9), unit_late_rate=(0.5, 0.5), channel=("x", 0.0))
    assert [reason.code for reason in told] == ["unit_late_rate", "hours_left"]


def test_what_is_needed_stands_beside_what_is_left() -> None:
    (reason,) = _told(hours_left=(0.5, 0.8), procedure_step_left_hours=(61.0, 0.4))
    assert reason.vi.startswith("Từ bước này thường cần 61,0 giờ làm việc, còn 0,5 giờ đến hạn (góp phần làm tăng")
    assert reason.en.startswith("Usually 61.0 working hours needed from this step, 0.5 left to the promise (helps")
    assert (reason.code, reason.value, reason.usual) == ("hours_left", "0.5", "61")
    assert reason.effect == pytest.approx(1.2)
    assert _told(hours_left=(90.0, 0.8), procedure_step_left_hours=(61.0, 0.4))[0].vi.startswith("Còn 90,0 giờ")


def test_a_pair_with_the_last_column_is_not_taken_for_the_column_after_what_is_left() -> None:
    """Kinds of sentences are numbered by both columns, of which the second may be none."""
    cells = {"hours_left": [0.5, 41.0], "unit_late_rate": [0.12, 0.31], "procedure_step_left_hours": [61.0, 3.0]}
    contributions = np.array([[0.8, 0.0, 0.4], [0.0, 0.9, 0.0]])
    scores = Scores(np.array([0.5, 0.5]), contributions.sum(1), 0.0, contributions, tuple(cells), USUAL, RATES)
    keys = {"unit_code": ["U", "U"], "procedure_code": ["P", "P"]}
    (pair,), (alone,) = reasons(scores, pa.table(cells | keys))
    assert (pair.code, alone.code) == ("hours_left", "unit_late_rate")
    assert pair.vi.startswith("Từ bước này thường cần 61,0 giờ")
    assert alone.vi.startswith("Tỷ lệ trễ hạn trước đây của đơn vị: 31%")


def test_something_that_a_head_can_act_on_is_among_them() -> None:
    told = _told(2, hours_left=(1.0, 0.9), unit_late_rate=(0.5, 0.5), official_open=(43.0, 0.1))
    assert [reason.code for reason in told] == ["hours_left", "official_open"]


def test_effects_are_what_the_score_loses_when_the_told_goes_back_to_the_usual() -> None:
    model = drawn_model()
    rng = np.random.default_rng(3)
    n = 300
    matrix = pa.table(
        {
            "hours_left": rng.normal(40, 30, n), "time_used": rng.uniform(0, 1.5, n),
            "unit_late_rate": rng.uniform(0, 0.5, n), "official_open": rng.integers(0, 40, n).astype(float),
            "procedure_code": rng.choice(["1.001000", "1.002000"], n), "unit_code": ["U"] * n,
        }
    )  # fmt: skip
    usual = {"hours_left": 40.0, "time_used": 0.4, "unit_late_rate": 0.2, "official_open": 10.0}
    model = replace(model, usual={"peers": {}, "groups": {"": {"": {"n": n, "median": usual}}}})
    scores = model.score(matrix)
    checked = 0
    for row, told in enumerate(reasons(scores, matrix)):
        for reason in told:
            back = matrix.slice(row, 1)
            if reason.code in usual:
                at = back.column_names.index(reason.code)
                back = back.set_column(at, reason.code, pa.array([usual[reason.code]]))
                assert scores.log_odds[row] - model.score(back).log_odds[0] == pytest.approx(reason.effect, abs=1e-9)
                checked += 1
        assert len({reason.effect > 0 for reason in told}) <= 1
    assert checked > 200


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

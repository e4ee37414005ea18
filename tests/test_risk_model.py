"""The blend is a sum: contributions add up to the score, and the trees' part is what shap's own engine says."""

import threading
import warnings
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from models.booster import TreeMember
from models.encoding import CategoryRates, Encoder
from models.logit import logit
from models.risk_model import RiskModel
from models.rule import RuleMember
from tests.drawn_model import drawn_model
from tests.drawn_sample import drawn_sample
from training.fit import SMALL, fit
from training.sample import Sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return drawn_sample()


@pytest.fixture(scope="module")
def model(sample: Sample) -> RiskModel:
    return fit(sample, target="lateness", recipes={"small": SMALL})


def test_contributions_add_up_to_the_score(model: RiskModel, sample: Sample) -> None:
    scores = model.score(sample.matrix)
    assert np.abs(scores.contributions.sum(1) + scores.base - scores.log_odds).max() < 1e-9
    assert np.abs(model.probability(sample.matrix) - scores.probability).max() < 1e-9, "the short way says the same"
    assert np.abs(expit(scores.log_odds) - scores.probability).max() == 0
    assert scores.contributions.shape == (len(sample), len(scores.features))


def test_the_parts_of_the_blend_weigh_what_the_weights_say(model: RiskModel, sample: Sample) -> None:
    x = model.encoder.encode(sample.matrix)
    stage = model.encoder.stage(x)
    weights = [{name: of.get(name, 0.0) for name in model.weights} for of in model.by_stage]
    by_hand = sum(
        np.array([of[name] for of in weights])[stage] * model.members[name].log_odds(x) for name in model.weights
    )
    assert np.abs(model.intercept + model.slope * by_hand - model.score(sample.matrix).log_odds).max() < 1e-9
    for member in model.members.values():
        base, cells = member.contributions(x)
        assert np.abs(base + cells.sum(1) - member.log_odds(x)).max() < 1e-9


def test_the_trees_part_equals_shap(model: RiskModel, sample: Sample) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap and numba warn about their own futures
        import lightgbm
        import shap

        trees = model.members["trees"]
        assert isinstance(trees, TreeMember)
        x = model.encoder.encode(sample.matrix.slice(0, 200))
        explainer = shap.TreeExplainer(lightgbm.Booster(model_str=trees.text))
        theirs = explainer.shap_values(x)
    base, ours = trees.contributions(x)
    assert np.abs(ours - theirs).max() < 1e-9
    assert abs(base - float(np.ravel(explainer.expected_value)[0])) < 1e-9


def test_no_row_and_one_row_and_missing_cells(model: RiskModel, sample: Sample) -> None:
    assert len(model.score(sample.matrix.slice(0, 0)).probability) == 0
    empty = sample.matrix.slice(0, 1)
    for at, name in enumerate(empty.column_names):
        if name not in ("dossier_id", "as_of"):
            empty = empty.set_column(at, name, pa.nulls(1, empty[name].type))
    scores = model.score(empty)
    assert np.isfinite(scores.log_odds).all()
    assert abs(scores.contributions.sum() + scores.base - scores.log_odds[0]) < 1e-9


def test_a_missing_column_is_named(model: RiskModel, sample: Sample) -> None:
    with pytest.raises(KeyError, match="official_open"):
        model.score(sample.matrix.drop_columns(["official_open"]))


def test_a_category_never_seen_has_its_parents_rate() -> None:
    parent = CategoryRates(("sector_code",), {"S": 1.0}, prior=-2.0)
    rates = CategoryRates(("procedure_code",), {"P": 0.5}, prior=-1.0, parent=parent)
    matrix = pa.table({"procedure_code": ["P", "Q", None, "Q"], "sector_code": ["S", "S", "S", "other"]})
    assert rates.encode(matrix).tolist() == [0.5, 1.0, 1.0, -2.0]


def test_contributions_of_columns_go_back_to_the_cell_they_come_from() -> None:
    encoder = Encoder(
        ("hours_left",), (CategoryRates(("step",), {}, 0.0), CategoryRates(("step", "unit_code"), {}, 0.0))
    )
    assert encoder.features == ("hours_left", "step")
    assert encoder.by_feature(np.array([[1.0, 2.0, 4.0]])).tolist() == [[1.0, 6.0]]


def test_a_rule_is_a_line_through_knots() -> None:
    rule = RuleMember("hours_left", 0, np.array([0.0, 10.0]), np.array([2.0, 0.0]), -1.0, 0.5)
    x = np.array([[-5.0], [5.0], [20.0], [np.nan]])
    assert rule.log_odds(x).tolist() == [2.0, 1.0, 0.0, -1.0]


def test_log_odds_are_finite_at_the_edges() -> None:
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
    assert expit(np.array([-1000.0, 1000.0])).tolist() == [0.0, 1.0]


def test_eight_threads_get_the_answers_of_one(model: RiskModel, sample: Sample) -> None:
    wanted = model.score(sample.matrix).log_odds
    wrong: list[float] = []

    def work() -> None:
        for _ in range(5):
            wrong.append(float(np.abs(model.score(sample.matrix).log_odds - wanted).max()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 40
    assert max(wrong) == 0.0


def test_the_range_of_a_score_is_told_by_how_far_the_members_disagree() -> None:
    model = replace(drawn_model(), doubt=0.5)
    rng = np.random.default_rng(3)
    matrix = pa.table({
        "hours_left": rng.uniform(0, 100, 300), "time_used": rng.uniform(0, 1, 300),
        "unit_late_rate": rng.uniform(0, 1, 300), "official_open": rng.uniform(0, 30, 300),
        "procedure_code": ["1.001000"] * 300,
    })  # fmt: skip
    told = model.score(matrix)
    ends = told.range()
    assert ends is not None
    low, high = ends
    assert (low < told.probability).all()
    assert (told.probability < high).all()
    x = model.encoder.encode(matrix)
    line, trees = (model.members[name].log_odds(x) for name in ("ridge", "trees"))
    apart = np.sqrt(0.6 * 0.4) * np.abs(line - trees)  # deviation of two values with these weights
    assert np.allclose(np.log(high / (1 - high)) - told.log_odds, 0.5 * apart)
    assert drawn_model().score(matrix).range() is None

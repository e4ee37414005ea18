"""How we learn: splits that cannot leak, figures that agree with scikit-learn, a blend that never loses to its rule."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from tests.drawn_sample import DAY, drawn_sample
from training import evaluate
from training.calibrate import blend_weights, platt, tilt
from training.fit import SMALL, fit, stable_columns
from training.model_selection import SAFE, Judged, blend, choose, doubt
from training.sample import Sample
from training.split import LeakError, Split, at_origin, rolling
from training.training_set import drawn


def test_a_split_never_learns_an_unripe_label_nor_judges_the_past() -> None:
    sample = drawn_sample()
    for split in rolling(sample):
        assert (sample.due_at[split.learn] < split.origin).all()
        assert (sample.as_of[split.judge] >= split.origin).all()
        assert not set(sample.dossier[split.learn]) & set(sample.dossier[split.judge])
    assert len(rolling(sample)) == 3


@pytest.mark.parametrize(
    ("learn", "judge", "why"),
    [
        (lambda s, o: s.due_at >= o, lambda s, o: s.as_of < 0, "label was not known"),
        (lambda s, o: s.due_at < o, lambda s, o: s.as_of < o, "judged rows lie before"),
    ],
)
def test_a_split_that_leaks_is_refused_with_the_reason(learn: object, judge: object, why: str) -> None:
    sample, origin = drawn_sample(), 150 * DAY
    rows = Split(origin, np.flatnonzero(learn(sample, origin)), np.flatnonzero(judge(sample, origin)))  # type: ignore[operator]
    with pytest.raises(LeakError, match=why):
        rows.checked(sample)


def test_a_dossier_on_both_sides_is_refused() -> None:
    sample = drawn_sample()
    fair = at_origin(sample, 150 * DAY, 200 * DAY)
    moved = replace(sample, dossier=np.where(np.arange(len(sample)) == fair.judge[0], sample.dossier[fair.learn[0]],
                                             sample.dossier))  # fmt: skip
    with pytest.raises(LeakError, match="learnt and judged"):
        Split(fair.origin, fair.learn, fair.judge).checked(moved)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 4)), min_size=2, max_size=60))
def test_figures_agree_with_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    label = np.array([row[0] for row in rows], float)
    score = np.array([row[1] / 5 for row in rows])
    weight = np.array([row[2] for row in rows], float)
    found = evaluate.figures(label, score, weight)
    if label.min() == label.max():
        assert np.isnan(found["auc"])
        return
    assert found["auc"] == pytest.approx(roc_auc_score(label, score, sample_weight=weight), abs=1e-12)
    assert found["ap"] == pytest.approx(average_precision_score(label, score, sample_weight=weight), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(label, score, sample_weight=weight), abs=1e-12)


def test_intervals_are_over_dossiers_not_rows() -> None:
    """A hundred copies of each row say no more than one: the interval stays as wide."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 80).astype(float)
    score = np.clip(label * 0.2 + rng.uniform(size=80), 0, 1)
    one, _ = evaluate.with_intervals(label, {"s": score}, np.arange(80), draws=200)
    many, _ = evaluate.with_intervals(
        np.tile(label, 20), {"s": np.tile(score, 20)}, np.tile(np.arange(80), 20), draws=200
    )
    wide = one["s"]["auc"].high - one["s"]["auc"].low
    assert many["s"]["auc"].high - many["s"]["auc"].low == pytest.approx(wide, rel=0.01)
    assert wide > 0.1


def test_a_paired_difference_is_surer_than_two_figures() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 400).astype(float)
    noise = rng.normal(size=400)
    better, worse = expit(label * 1.2 + noise), expit(label * 0.9 + noise)
    alone, pairs = evaluate.with_intervals(label, {"a": better, "b": worse}, np.arange(400), draws=300)
    difference = pairs["a", "b"]["auc"]
    assert difference.low > 0
    assert difference.value == pytest.approx(alone["a"]["auc"].value - alone["b"]["auc"].value)
    assert difference.high - difference.low < alone["a"]["auc"].high - alone["a"]["auc"].low


def test_platt_finds_the_line_that_was_planted() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=20_000)
    label = (rng.uniform(size=20_000) < expit(-0.7 + 0.5 * z)).astype(float)
    intercept, slope = platt(z, label, np.ones(20_000))
    assert intercept == pytest.approx(-0.7, abs=0.05)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert platt(z, (rng.uniform(size=20_000) < expit(-z)).astype(float), np.ones(20_000))[1] == 0.0


def test_calibration_turns_scores_about_their_mean_and_leaves_the_level_of_slices() -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(loc=-1.0, size=8000)
    group = np.repeat([0, 1], 4000)
    label = (rng.uniform(size=len(z)) < expit(2.0 * z + np.where(group, 1.5, 0.5))).astype(float)
    intercept, slope = tilt(z, label, np.ones(len(z)), group)
    assert slope == pytest.approx(1.95, abs=0.25)
    assert intercept + slope * z.mean() == pytest.approx(z.mean())


def test_weights_of_a_stage_are_the_average_unless_other_slices_show_better_ones() -> None:
    rng = np.random.default_rng(5)

    def weights(n: int) -> dict[str, float]:
        z = rng.normal(size=n)
        label = (rng.uniform(size=n) < expit(z)).astype(float)
        said = {"identity": rng.normal(size=n), "trees": z, "base_rate": np.zeros(n)}
        one = np.ones(n)
        found = blend(Judged(said, label, one, np.arange(n) % 3, np.arange(n), np.arange(n), np.zeros(n, int)))
        return found.weights

    few, many = weights(30), weights(20_000)
    assert few["identity"] == pytest.approx(SAFE[0]["identity"] / (1 - SAFE[0]["ridge"]))
    assert many["trees"] == pytest.approx(1.0, abs=0.1)
    assert many.get("identity", 0.0) < 0.05


def test_the_rule_stands_alone_where_it_is_better_beyond_doubt() -> None:
    rng = np.random.default_rng(8)
    z = rng.normal(size=3000)
    label = (rng.uniform(size=3000) < expit(2 * z)).astype(float)
    said = {"identity": rng.normal(size=3000), "base_rate": np.zeros(3000), "days_left": z}
    found = blend(Judged(said, label, np.ones(3000), np.arange(3000) % 2, np.arange(3000), np.arange(3000),
                         np.zeros(3000, int)))  # fmt: skip
    assert found.weights == {"days_left": 1.0}


def test_blend_weights_are_not_negative_and_drop_noise() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(size=5000)
    label = (rng.uniform(size=5000) < expit(z)).astype(float)
    weights = blend_weights({"true": z, "noise": rng.normal(size=5000), "wrong": -z}, label, np.ones(5000),
                            np.zeros(5000, int))  # fmt: skip
    assert weights["true"] == pytest.approx(1.0, abs=0.15)
    assert weights["noise"] < 0.1
    assert weights["wrong"] == 0.0


def test_columns_that_only_tell_the_time_are_left_out() -> None:
    sample = drawn_sample()
    kept = stable_columns(sample, rolling(sample))
    assert "unit_known" not in kept
    assert {"official_open", "promise_used", "procedure_code"} <= set(kept)


def test_training_finds_what_was_planted_and_beats_its_rule() -> None:
    sample, later = drawn_sample(1500), drawn_sample(1500, seed=9)
    model = fit(sample, target="lateness", recipes={"small": SMALL})
    found = evaluate.figures(later.label, model.probability(later.matrix))
    rule = evaluate.figures(later.label, model.rule_probability(later.matrix))
    assert found["auc"] > rule["auc"] + 0.1
    assert found["brier"] < rule["brier"]
    top = np.abs(model.score(later.matrix).contributions).mean(0)
    strongest = {model.score(later.matrix).features[at] for at in np.argsort(-top)[:2]}
    assert strongest == {"official_open", "procedure_late_rate"}


def test_the_blend_is_no_worse_than_the_rule_where_learning_finds_nothing() -> None:
    """Labels that only the procedure's past explains: learners can't beat the rule that says it, and may not spoil it.

    The rule alone ships where it is better beyond doubt; else it stands in an average with learners that see its rate.
    """
    sample = drawn_sample(400, seed=5)
    rng = np.random.default_rng(6)
    rate = sample.matrix["procedure_late_rate"].to_numpy()[::3]
    late = np.repeat((rng.uniform(size=len(rate)) < rate).astype(float), 3)
    noise = {name: pa.array(rng.normal(size=len(sample))) for name in ("official_open", "promise_used", "hours_left")}
    matrix = sample.matrix
    for name, cells in noise.items():
        matrix = matrix.set_column(matrix.column_names.index(name), name, cells)
    drawn = replace(sample, matrix=matrix.drop_columns(["unit_known"]), label=late)
    choices = choose(drawn, rolling(drawn), {"small": SMALL})
    assert choices.rule in ("procedure_late_rate", "rate:procedure_code")
    assert choices.weights[choices.rule] > 0.05
    value, low, _ = choices.figures["blend_over_rule"]["brier"]
    assert low is not None
    assert value is not None
    assert low <= 0
    assert value < 0.004


def test_training_is_the_same_to_the_bit() -> None:
    sample, later = drawn_sample(400), drawn_sample(100, seed=1)
    first, second = (fit(sample, target="lateness", recipes={"small": SMALL}) for _ in range(2))
    assert np.array_equal(first.probability(later.matrix), second.probability(later.matrix))


def test_a_handful_of_cases_gives_the_base_rate_and_one_outcome_is_refused() -> None:
    few = drawn_sample(40)
    model = fit(few.take(np.arange(30)), target="lateness", recipes={"small": SMALL})
    assert model.rule == "base_rate"
    assert len(set(model.probability(few.matrix).tolist())) == 1
    with pytest.raises(ValueError, match="both outcomes"):
        fit(few.take(few.label == 1.0), target="lateness")
    with pytest.raises(ValueError, match="both outcomes"):
        fit(few.take(np.zeros(0, int)), target="lateness")


def test_a_sample_keeps_only_rows_whose_label_is_known() -> None:
    zero = pa.scalar(0, pa.timestamp("us", "UTC"))
    labelled = pa.table({
        "dossier_id": ["b", "a", "b"], "as_of": [zero.as_py()] * 3, "due_at": [zero.as_py()] * 3,
        "received_at": [zero.as_py()] * 3, "label": pa.array([1.0, None, 0.0]),
    })  # fmt: skip
    labelled = labelled.cast(pa.schema([
        ("dossier_id", pa.string()), ("as_of", pa.timestamp("us", "UTC")), ("due_at", pa.timestamp("us", "UTC")),
        ("received_at", pa.timestamp("us", "UTC")), ("label", pa.float64())]))  # fmt: skip
    sample = Sample.of(pa.table({"x": [1.0, 2.0, 3.0]}), labelled)
    assert sample.matrix["x"].to_pylist() == [1.0, 3.0]
    assert sample.share.tolist() == [0.5, 0.5]


def test_a_share_of_dossiers_is_drawn_whole_and_always_the_same() -> None:
    ids = pa.chunked_array([pa.array([f"d{n % 1000}" for n in range(5000)])])
    kept = np.array(drawn(ids, 0.3).to_pylist())
    assert np.array_equal(kept, np.tile(kept[:1000], 5)), "all rows of a dossier or none"
    assert 0.25 < kept.mean() < 0.35
    assert np.array_equal(kept, np.array(drawn(ids, 0.3).to_pylist()))


def test_a_score_s_range_takes_in_what_groups_show() -> None:
    rng = np.random.default_rng(0)
    n = 4_000
    truth = rng.normal(-0.5, 1.0, n)
    off = rng.normal(0, 1, n) * (np.arange(n) % 2)  # on every other row the members are far apart
    label = (rng.uniform(size=n) < 1 / (1 + np.exp(-truth))).astype(float)
    zero = np.zeros(n, np.int64)
    members = {"trees": truth + off, "ridge": truth - off}
    said = Judged(members, label, np.ones(n), zero, np.arange(n), np.arange(n), zero)
    halves = [{"trees": 0.5, "ridge": 0.5}]
    right = doubt(said, halves, truth, 1.0)
    wrong = doubt(said, halves, truth + 0.8, 1.0)  # a level that is off wants a wider range
    assert 0 < right < wrong
    assert doubt(said.take(np.arange(n) < 100), halves, truth[:100], 1.0) == 0  # too few to say anything

"""Identities: what names tell jointly is a sum of numbers, told back to their cells, the same row by row."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.encoding import Encoder, IdentityTerms, Stages, levels_of
from models.risk_model import RiskModel
from tests.drawn_sample import DAY, drawn_sample
from training.evaluate import auc
from training.fit import FEW, SMALL, almost_constant, fit, suited
from training.identities import STAGES, fit_identities
from training.members import fit_encoder, learner_view
from training.sample import Sample


def test_stages_of_the_term_and_of_a_case_without_one() -> None:
    stages = Stages("promise_used", (0.05, 0.5))
    share = [0.0, 0.05, 0.49, 0.5, 3.0, None]
    assert stages.encode(pa.table({"promise_used": pa.array(share, pa.float64())})).tolist() == [0, 1, 1, 2, 2, 1]
    assert [stages.encode_cell({"promise_used": one}) for one in share] == [0, 1, 1, 2, 2, 1]


@given(
    cells=st.lists(
        st.tuples(st.sampled_from(["a", "a,b", "b, c", "", "new"]), st.sampled_from(["U", "V", None]), st.floats(0, 1)),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=60)
def test_many_rows_and_one_row_say_the_same(cells: list[tuple[str, str | None, float]]) -> None:
    tables = tuple({"=a,b": 0.5 * n, "~b": 0.25, "~a": -1.0, "|a\x1fU": 2.0, "|b, c\x1f": n} for n in (0, 1, 2))
    term = IdentityTerms("procedure_code", "unit_code", True, tables)
    encoder = Encoder(("promise_used",), (), (term,), STAGES)
    matrix = pa.table({
        "procedure_code": [one for one, _, _ in cells],
        "unit_code": pa.array([one for _, one, _ in cells], pa.string()),
        "promise_used": [one for _, _, one in cells],
    })  # fmt: skip
    together = encoder.encode(matrix)
    alone = [encoder.encode_cells(row) for row in matrix.to_pylist()]
    assert np.array_equal(together, np.concatenate(alone))


def test_levels_are_the_value_its_tokens_and_its_cross() -> None:
    assert list(levels_of("a, b,a", "U", crossed=True, tokens=True)) == [
        "=a, b,a", "~a", "~b", "|a, b,a\x1fU"]  # fmt: skip
    assert list(levels_of("a, b", "", crossed=False, tokens=False)) == ["=a, b"]


def test_a_token_seen_in_other_lists_is_recognised_in_a_new_one() -> None:
    rng = np.random.default_rng(0)
    lists = [",".join(sorted(rng.choice(list("abcdef"), 2, replace=False))) for _ in range(800)]
    late = np.array([rng.uniform() < (0.9 if "a" in one else 0.1) for one in lists], float)
    matrix = pa.table({"procedure_code": lists, "unit_code": ["U"] * 800, "promise_used": [0.0] * 800})
    terms = fit_identities(matrix, late, np.arange(800), ["procedure_code", "unit_code"], STAGES, 1.0)
    term = next(one for one in terms if one.key == "procedure_code")
    cells: dict[str, float | str | None] = {"promise_used": 0.0, "unit_code": "U"}
    assert term.encode_cell({**cells, "procedure_code": "a,z"}, 0) > 1.0
    assert term.encode_cell({**cells, "procedure_code": "b,z"}, 0) < 0.3


def test_what_few_dossiers_show_is_drawn_to_nothing() -> None:
    rng = np.random.default_rng(1)
    value = np.array(["many"] * 400 + ["few"] * 6 + ["rest"] * 600)
    late = np.where(value == "rest", rng.uniform(size=1006) < 0.3, 1.0)
    matrix = pa.table({"procedure_code": value, "unit_code": ["U"] * 1006, "promise_used": [0.0] * 1006})
    terms = fit_identities(matrix, late, np.arange(1006), ["procedure_code"], STAGES, 1.0)
    table = terms[0].tables[0]
    assert table["=many"] > 2 * table["=few"] > 0


def test_the_blend_learns_identities_and_still_adds_up() -> None:
    sample = drawn_sample(900, seed=4)
    model = fit(sample, target="lateness", recipes={"small": SMALL})
    assert isinstance(model, RiskModel)
    assert model.by_stage
    scores = model.score(sample.matrix)
    assert np.abs(scores.contributions.sum(1) + scores.base - scores.log_odds).max() < 1e-9
    assert np.abs(model.log_odds(model.encoder.encode(sample.matrix)) - scores.log_odds).max() < 1e-9
    one = model.score_encoded(model.encoder.encode_cells(sample.matrix.slice(5, 1).to_pylist()[0]))
    assert one.log_odds[0] == pytest.approx(scores.log_odds[5], abs=1e-9)
    at = scores.features.index("procedure_code")
    assert auc(sample.label, scores.contributions[:, at]) > 0.6


def test_rates_that_learners_see_do_not_hold_the_answer() -> None:
    """A category of one dossier a value tells nothing out of fold, all in the rows that it was learnt from."""
    rng = np.random.default_rng(2)
    late = (rng.uniform(size=400) < 0.5).astype(float)
    matrix = pa.table({
        "x_name": [f"n{n}" for n in range(400)], "unit_code": ["U"] * 400, "promise_used": [0.0] * 400})  # fmt: skip
    moments = np.arange(400) * DAY
    sample = Sample(matrix, late, np.arange(400), moments, moments, moments + 20 * DAY)
    encoder = fit_encoder(sample, 20.0)
    at = encoder.columns.index("rate:x_name")
    x = encoder.encode(matrix)
    assert auc(late, x[:, at]) > 0.99
    assert abs(auc(late, learner_view(x, encoder, sample, SMALL)[:, at]) - 0.5) < 0.08


def test_an_attribute_that_nearly_all_share_is_left_out() -> None:
    n = 200
    moments = np.arange(n) * DAY
    matrix = pa.table({"x_same": ["a"] * n, "x_rare": ["b"] * 5 + ["a"] * (n - 5), "x_even": ["a", "b"] * (n // 2)})
    sample = Sample(matrix, np.zeros(n), np.arange(n), moments, moments, moments)
    assert [almost_constant(sample, name) for name in matrix.column_names] == [False, True, False]


def test_names_are_learnt_of_few_dossiers_alone() -> None:
    for n, named in ((FEW, True), (FEW + 1, False)):
        moments = np.arange(n) * DAY
        sample = Sample(pa.table({"x": moments}), np.zeros(n), np.arange(n), moments, moments, moments)
        recipe = suited({"small": SMALL}, sample)["small"]
        assert (recipe.identities is not None) == named

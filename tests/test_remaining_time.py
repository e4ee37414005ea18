"""Time to the end: curves that fall, pass through the score, are read back as hours, and are learnt with censoring."""

from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import artefact, canary
from models.artefact import MANIFEST, REMAINING, ArtefactError
from models.booster import TreeMember
from models.encoding import Encoder, LevelOffsets, Stages
from models.level import STAGE
from models.remaining_time import DAYS_AHEAD, HIGH, LEFT, LOW, Curves, RemainingTime, group_of, with_bins
from models.risk_model import RiskModel
from models.rule import RuleMember
from serving.words import against_promise, hours_between
from tests.drawn_model import drawn_model
from training.remaining_time import (
    Endings,
    JudgedTimes,
    OpenSample,
    bin_edges,
    fit_hazard,
    followed_ends,
    kaplan_meier,
)

EDGES = np.array([0.0, 4.0, 10.0, 40.0, 100.0])


def drawn_times(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Endings]:
    """One number that carries the pace, hours left at random, and exponential times, half of them cut off at 60 h."""
    rng = np.random.default_rng(seed)
    pace = rng.uniform(0.5, 2.0, n)
    hours = rng.exponential(30.0 * pace)
    cut = np.where(rng.random(n) < 0.5, 60.0, np.inf)
    return pace[:, None], rng.uniform(-20, 100, n), Endings(np.minimum(hours, cut), hours <= cut)


@pytest.fixture(scope="module")
def fitted() -> RemainingTime:
    x, left, seen = drawn_times()
    found = fit_hazard(x, left, seen, np.ones(len(left)))
    assert found is not None
    return found


@given(
    hazard=st.lists(st.floats(0.001, 3.0), min_size=4, max_size=4),
    late=st.floats(0.001, 0.999),
    left=st.floats(0.1, 300.0),
    share=st.floats(0.01, 0.99),
)
@settings(max_examples=200)
def test_the_curve_passes_through_the_score_and_is_read_back(
    hazard: list[float], late: float, left: float, share: float
) -> None:
    total = np.concatenate([[0.0], np.cumsum(hazard)])[None]
    plain = Curves(EDGES, total, np.zeros(1))
    due = np.array([left])
    shift = np.log(late / (1 - late)) - plain.open_odds(due)
    moved = Curves(EDGES, total, shift)
    assert moved.open_at(due)[0] == pytest.approx(late, abs=1e-9)
    assert moved.open_at(np.zeros(1))[0] == 1.0
    hours = np.linspace(0, 400, 60)
    falling = np.array([moved.open_at(np.array([one]))[0] for one in hours])
    assert (np.diff(falling) <= 1e-12).all()
    when = moved.when_ended(share)
    assert moved.open_at(when)[0] == pytest.approx(1 - share, abs=1e-6)
    assert moved.when_ended(0.1)[0] <= moved.when_ended(0.9)[0]


def test_an_overdue_dossier_keeps_its_curve_and_counts_what_has_passed(fitted: RemainingTime) -> None:
    x = np.ones((2, 1))
    overdue, ahead = fitted.tell(x, np.array([-10.0, 20.0]), np.array([0.999, 0.3]), np.zeros(2, np.int64))
    assert overdue.late_low is not None
    assert overdue.late_low == pytest.approx(overdue.low + 10)
    assert overdue.expected_late is not None
    assert overdue.expected_late > 10
    assert ahead.low < ahead.hours < ahead.high
    assert fitted.curves(x[1:], np.array([20.0]), np.array([0.3])).open_at(np.array([20.0]))[0] == pytest.approx(0.3)
    assert len(ahead.open_by_day) == DAYS_AHEAD
    assert ahead.open_by_day == sorted(ahead.open_by_day, reverse=True)


def test_without_a_promise_the_end_is_told_and_no_lateness(fitted: RemainingTime) -> None:
    (told,) = fitted.tell(np.ones((1, 1)), np.array([np.nan]), np.array([0.4]), np.zeros(1, np.int64))
    assert told.hours > 0
    assert told.late_low is told.late_high is told.expected_late is None
    assert fitted.tell(np.ones((0, 1)), np.zeros(0), np.zeros(0), np.zeros(0, np.int64)) == []


def test_censored_times_do_not_shorten_what_is_learnt(fitted: RemainingTime) -> None:
    """The truth is exponential: medians 30 ln 2 · pace; taking the cut-off ones for ended would say far less."""
    pace = np.array([[0.7], [1.7]])
    found = fitted.curves(pace, np.full(2, np.nan), np.full(2, np.nan)).when_ended(0.5)
    assert found == pytest.approx(30 * np.log(2) * pace[:, 0], rel=0.25)


def test_too_few_ends_tell_no_time() -> None:
    x, left, seen = drawn_times(80)
    assert fit_hazard(x, left, seen, np.ones(80)) is None


def test_edges_rise_from_zero_also_where_all_take_the_same() -> None:
    assert bin_edges(np.full(500, 8.0)).tolist() == [0.0, 8.0]
    assert (np.diff(bin_edges(np.random.default_rng(1).exponential(5, 500))) > 0).all()


def test_coverage_counts_those_open_beyond_the_interval_and_not_those_of_which_nothing_is_known() -> None:
    share = np.array([0.05, 0.5, 0.95, 0.95, 0.3])
    ended = np.array([True, True, True, False, False])
    one = np.ones(5)
    judged = JudgedTimes(share, one, Endings(one, ended), one, np.arange(5))
    assert judged.covered()[0] == pytest.approx(1 / 4)


def test_of_equal_times_those_seen_so_far_were_still_open_at_the_end_of_the_others() -> None:
    times, open_after = kaplan_meier(np.array([2.0, 1.0, 1.0]), np.array([True, False, True]), np.ones(3))
    assert times.tolist() == [1.0, 1.0, 2.0]
    assert open_after == pytest.approx([2 / 3, 2 / 3, 0.0])


def model_of(remaining: RemainingTime) -> RiskModel:
    """A model that says the same of all, with room for stages; its first number is the pace."""
    encoder = Encoder(("pace", "promise_used"), (), (), Stages("promise_used", (0.5,)), (LevelOffsets(STAGE),))
    rule = RuleMember("base_rate", -1, np.zeros(1), np.zeros(1), 0.0, 0.0)
    return RiskModel(
        "lateness", encoder, {"base_rate": rule}, {"base_rate": 1.0}, 0.0, 1.0, "base_rate", remaining=remaining
    )


def seen_since(n: int, slower: float, seed: int, used: float = 0.2, left: float | None = None) -> OpenSample:
    """Dossiers without a promise, a row each, that take so many times as long as the hazard learnt; half cut off."""
    pace, _, seen = drawn_times(n, seed)
    matrix = pa.table({
        "pace": pace[:, 0], "promise_used": np.full(n, used), LEFT: pa.array([left] * n, pa.float64()),
    })  # fmt: skip
    cases = pa.table({"dossier_id": [f"{seed}-{one}" for one in range(n)]})
    return OpenSample(cases, matrix, Endings(seen.hours * slower, seen.ended))


@pytest.mark.parametrize("slower", [0.5, 1.0, 2.5])
def test_the_interval_follows_what_has_ended_since(fitted: RemainingTime, slower: float) -> None:
    model = model_of(fitted)
    ends = followed_ends(model, seen_since(2000, slower, 5))
    later = seen_since(4000, slower, 6)
    whole = np.random.default_rng(6).exponential(30.0 * later.matrix["pace"].to_numpy()) * slower
    curves = fitted.curves(later.matrix["pace"].to_numpy()[:, None], np.full(4000, np.nan), np.full(4000, np.nan))

    def covered(remaining: RemainingTime) -> float:
        low, high = (curves.when_ended(end) for end in remaining.interval(np.full(4000, np.nan), np.zeros(4000, int)))
        return float(((whole >= low) & (whole <= high)).mean())

    assert covered(replace(fitted, ends=ends)) == pytest.approx(0.8, abs=0.04)
    if slower < 1:
        assert ends[0][0] < LOW
        assert ends[0][1] < HIGH - 0.1
    if slower > 1:
        assert covered(fitted) < 0.76


def test_few_ends_leave_the_interval_and_each_group_has_its_own(fitted: RemainingTime) -> None:
    model = model_of(fitted)
    assert followed_ends(replace(model, remaining=None), seen_since(50, 2.0, 1)) == ()
    assert followed_ends(model, seen_since(9, 2.0, 1)) == ((LOW, HIGH),) * 3
    parts = [seen_since(500, 2.5, 1), seen_since(500, 0.4, 2, used=0.9), seen_since(500, 1.0, 3, used=1.4, left=-5.0)]
    both = OpenSample(
        pa.concat_tables(part.cases for part in parts),
        pa.concat_tables(part.matrix for part in parts),
        Endings(*(np.concatenate([getattr(part.endings, name) for part in parts]) for name in ("hours", "ended"))),
    )
    early, late, overdue = followed_ends(model, both)
    assert early[0] > LOW + 0.05
    assert early[1] > HIGH
    assert late[0] < LOW - 0.03
    assert late[1] < HIGH - 0.1
    assert overdue == pytest.approx((LOW, HIGH), abs=0.05)
    few = followed_ends(model, seen_since(20, 2.5, 1))
    assert few[0][0] < early[0]  # drawn to the plain interval


def test_groups_are_stages_and_the_overdue() -> None:
    left = np.array([5.0, np.nan, 1.0, 0.0, -3.0])
    assert group_of(left, np.array([0, 1, 2, 2, 2]), 4).tolist() == [0, 1, 2, 3, 3]
    assert group_of(left, np.zeros(5, np.int64), 2).tolist() == [0, 0, 0, 1, 1]


def test_bins_are_told_beside_the_promise() -> None:
    x = with_bins(np.array([[5.0]]), np.array([6.0]), EDGES, np.array([0, 0]), np.array([0, 1]))
    assert x.tolist() == [[5.0, 0.0, 4.0, -4.0, 2 / 6], [5.0, 4.0, 10.0, 1.0, 7 / 6]]


def _with_time() -> tuple[RiskModel, np.ndarray]:
    model = drawn_model()
    rng = np.random.default_rng(0)
    x, left = rng.normal(size=(400, 5)) * 20, rng.uniform(1, 50, 400)
    rows, bin_of = np.repeat(np.arange(400), 4), np.tile(np.arange(4), 400)
    cells = with_bins(x[:, :4], left, EDGES, rows, bin_of)
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 4}
    names = [f"c{at}" for at in range(cells.shape[1])]
    data = lightgbm.Dataset(cells, rng.random(1600) < 0.2, feature_name=names, params={"verbosity": -1})
    trees = TreeMember(lightgbm.train(params, data, 5).model_to_string())
    return replace(model, remaining=RemainingTime(EDGES, trees, 4)), x


def test_the_package_keeps_the_time_to_the_end_and_checks_it(tmp_path: Path) -> None:
    model, x = _with_time()
    artefact.save(model, tmp_path, golden=x[:20])
    assert canary.check(tmp_path) == 20
    again = artefact.load(tmp_path)
    assert again.remaining is not None
    assert model.remaining is not None
    given = x, np.full(400, 12.0), np.full(400, 0.3), np.zeros(400, np.int64)
    assert again.remaining.tell(*given) == model.remaining.tell(*given)
    whole = (tmp_path / MANIFEST).read_text()
    for change in (("40.0,", "4.0,"), ("100.0", "1e999")):
        (tmp_path / MANIFEST).write_text(whole.replace(*change))
        with pytest.raises(ArtefactError):
            artefact.load(tmp_path)
    (tmp_path / MANIFEST).write_text(whole)
    (tmp_path / REMAINING).write_bytes((tmp_path / REMAINING).read_bytes()[:-5])
    with pytest.raises(ArtefactError, match=r"remaining\.txt"):
        artefact.load(tmp_path)


def test_lateness_is_said_as_a_range() -> None:
    model, _ = _with_time()
    assert model.remaining is not None
    told = model.remaining.tell(np.zeros((1, 5)), np.array([5.0]), np.array([0.5]), np.zeros(1, np.int64))[0]
    said = {
        (12.0, 15.0): "trễ khoảng 12–15 giờ",
        (16.0, 32.0): "trễ khoảng 2,0–4,0 ngày làm việc",
        (-3.0, 8.0): "có thể trễ đến 8 giờ",
        (-9.0, -1.0): "dự kiến kịp hạn",
    }
    for (low, high), words in said.items():
        assert against_promise(replace(told, late_low=low, late_high=high)) == words
    assert against_promise(None) == against_promise(replace(told, late_low=None)) == ""
    assert hours_between(0.5, 0.5) == "0,5 giờ"

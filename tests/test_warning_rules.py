"""Rules of warning: threshold from costs, flicker, budget, quiet hours, the draw of the held out; as properties."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from models.effect import effect
from serving.access.permissions import UnitTree
from serving.warnings.firing import OpenDossier, Streak, above, counted, ripe, share_out
from serving.warnings.heads import Heads
from serving.warnings.held_out import draw
from serving.warnings.policy import Costs, Policy
from serving.warnings.quiet import Quiet
from tests.bench.firing import Firing

DUE = datetime(2026, 3, 20, 9, tzinfo=UTC)
QUIET = Quiet(VIETNAM)
moments = st.integers(0, 364 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")) + timedelta(minutes=minutes)
)


def watched(score: float, dossier: str = "H1", head: str = "x1", left: float = 40, due: datetime = DUE) -> OpenDossier:
    return OpenDossier(dossier, due, head, score, left)


# costs


@given(st.floats(0, 5), st.floats(0, 5), st.floats(0.1, 50), st.floats(0.05, 1), st.floats(0, 1))
def test_a_warning_fires_exactly_where_it_costs_less(
    c_in: float, c_com: float, c_out: float, eff: float, p: float
) -> None:
    try:
        threshold = Costs(c_in, c_out, c_com, eff).threshold
    except ValueError:
        assert c_in + c_com >= eff * c_out + c_com or np.isclose(c_in, eff * c_out)
        return
    warned = p * (c_in + (1 - eff) * c_out) + (1 - p) * (c_in + c_com)
    silent = p * c_out
    if abs(p - threshold) > 1e-9:
        assert (p > threshold) == (warned < silent) or np.isclose(warned, silent)


@pytest.mark.parametrize(("stay", "a_week", "held_out"), [(0, 1, 0.1), (1, -1, 0.1), (1, 1, 0.9)])
def test_rules_that_cannot_be_followed_are_refused_by_name(stay: int, a_week: int, held_out: float) -> None:
    with pytest.raises(ValueError, match=r"stay|a_week|held_out"):
        Policy(stay=stay, a_week=a_week, held_out=held_out)


# flicker

SIDES = st.lists(st.booleans(), min_size=1, max_size=30)


@given(SIDES, st.integers(1, 5))
def test_a_score_fires_after_k_scorings_in_a_row_and_once(sides: list[bool], stay: int) -> None:
    policy = Policy(stay=stay, at_once_hours=0)
    firing = Firing(policy)
    fired_at = [at for at, high in enumerate(sides) if any(firing.look([watched(0.9 if high else 0.1)], "2026-W10", 4))]
    run, first = 0, None
    for at, high in enumerate(sides):
        run = run + 1 if high else 0
        if first is None and run >= stay:
            first = at
    assert fired_at == ([] if first is None else [first])


def test_a_new_promise_begins_anew_and_may_fire_again() -> None:
    firing = Firing(Policy(stay=2, at_once_hours=0))
    later = DUE + timedelta(days=10)
    seen = [bool(firing.look([watched(0.9, due=due)], "w", 4)[0]) for due in (DUE, DUE, later, later, later)]
    assert seen == [False, True, False, True, False]


def test_with_little_time_left_it_fires_at_once_and_past_due_never() -> None:
    policy = Policy(stay=3, at_once_hours=8)
    firing = Firing(policy)
    assert firing.look([watched(0.9, left=7.9)], "w", 4)[0]
    assert not above([watched(0.99, left=0.0), watched(0.99, left=-5)], policy)


# budget


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 13), st.sampled_from(["x1", "x2"]), st.floats(0.3, 1)), min_size=1, max_size=80),
    st.integers(0, 6),
)
def test_no_head_gets_more_single_warnings_in_a_week_than_the_budget(
    arrivals: list[tuple[int, str, float]], a_week: int
) -> None:
    policy = Policy(stay=1, a_week=a_week)
    firing = Firing(policy)
    told: Counter[tuple[str, str]] = Counter()
    everything: Counter[str] = Counter()
    start = datetime(2026, 3, 2, 2, tzinfo=UTC)  # a Monday
    for day in range(14):
        now = start + timedelta(days=day)
        scoring = [watched(score, f"H{n}", head) for n, (at, head, score) in enumerate(arrivals) if at <= day]
        told_at = QUIET.opens(now)
        week, weekday = QUIET.week(told_at), QUIET.weekday(told_at)
        single, digest = firing.look(scoring, week, weekday)
        for one in single:
            told[one.head, week] += 1
            assert told[one.head, week] <= policy.allowance(weekday) <= a_week
        everything.update(one.dossier_id for one in [*single, *digest])
    over = {f"H{n}" for n, (_, _, score) in enumerate(arrivals) if score > policy.costs.threshold}
    assert set(everything) == over, "what finds no room goes into the digest, nothing is lost"
    assert set(everything.values()) <= {1}


def test_the_allowance_grows_over_the_week_up_to_the_budget() -> None:
    assert [Policy(a_week=10).allowance(day) for day in range(7)] == [2, 4, 6, 8, 10, 10, 10]
    assert [Policy(a_week=3).allowance(day) for day in range(7)] == [1, 2, 2, 3, 3, 3, 3]
    assert [Policy(a_week=0).allowance(day) for day in range(7)] == [0] * 7


def test_the_most_urgent_are_told_singly() -> None:
    lines = [watched(0.5, "a"), watched(0.9, "b"), watched(0.9, "c", left=3)]
    policy = Policy(stay=1)
    order = ripe(lines, counted(lines, {}), policy, set())
    assert [one.dossier_id for one in order] == ["c", "b", "a"]
    single, digest = share_out(order, {"x1": 1}, 2)
    assert [one.dossier_id for one in single] == ["c"]
    assert [one.dossier_id for one in digest] == ["b", "a"]
    assert counted(lines[:1], {"a": Streak(DUE, 4), "b": Streak(DUE, 2)}) == {"a": Streak(DUE, 5)}


# quiet hours


@given(moments)
def test_messages_go_out_in_working_hours_alone(moment: datetime) -> None:
    opens = QUIET.opens(moment)
    assert opens >= moment
    assert QUIET.open(opens)
    hours = VIETNAM.hours(opens.date())
    assert any(begin <= opens.time() < end for begin, end in hours), "an instant of work"
    assert VIETNAM.working_hours(moment, opens) == 0, "and the first one"


def test_nobody_is_told_during_tet_or_at_night() -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    assert QUIET.opens(datetime(2026, 3, 2, 22, tzinfo=zone)) == datetime(2026, 3, 3, 8, tzinfo=zone)
    tet = datetime(2026, 2, 17, 10, tzinfo=zone)  # the first day of the year of the horse
    assert QUIET.opens(tet).date() > date(2026, 2, 20)
    assert not QUIET.open(datetime(2026, 3, 8, 10, tzinfo=zone)), "a Sunday"
    assert QUIET.open(datetime(2026, 1, 10, 10, tzinfo=zone)), "a Saturday made up"


# held out


@given(st.text(max_size=30), st.binary(min_size=32, max_size=32))
def test_the_draw_of_a_dossier_never_changes(dossier: str, seed: bytes) -> None:
    assert draw(seed, "lateness", dossier) == draw(seed, "lateness", dossier)
    assert 0 <= draw(seed, "lateness", dossier) < 1


def test_a_greater_share_holds_out_whom_a_smaller_held_out_and_the_share_is_kept() -> None:
    drawn = np.array([draw(b"s" * 32, "lateness", f"H{n}") for n in range(20_000)])
    assert abs((drawn < 0.1).mean() - 0.1) < 4 * np.sqrt(0.09 / 20_000)
    assert set(np.flatnonzero(drawn < 0.1)) <= set(np.flatnonzero(drawn < 0.2))
    other = np.array([draw(b"t" * 32, "lateness", f"H{n}") for n in range(20_000)])
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.03, "another seed draws others"


# heads

TREE = UnitTree.of(
    [("tinh", None, None), ("x1", "tinh", None), ("x1.1", "x1", None), ("huyen", None, None), ("x2", "huyen", None)]
)


def test_the_nearest_unit_with_a_head_is_warned_and_the_next_above_is_told() -> None:
    heads = Heads(TREE, {"x1", "tinh"}, {"o1": "x1.1", "o9": "x2"})
    assert heads.of("x2", "o1") == "x1", "the holder's head, not the competent unit's"
    assert heads.of("x1.1", None) == "x1"
    assert heads.of("x2", "o9") == "x2", "nobody on the way up: it waits where it is"
    assert [heads.above(code) for code in ("x1", "tinh", "x2")] == ["tinh", None, "huyen"]


# effect


def trial(seed: int, n: int = 600, eff: float = 0.3, share: float = 0.2) -> tuple[tuple[float, float], float, float]:
    """One simulated year of warnings: the interval, the planted effect on these dossiers, the unadjusted width."""
    random = np.random.default_rng(seed)
    score = random.beta(2, 2, n)
    late_untold = random.random(n) < score
    saved = random.random(n) < eff
    told = random.random(n) >= share
    late = (late_untold & ~(told & saved)).astype(float)
    found = effect(late, told, score, np.full(n, share))
    return (found.low, found.high), -float((late_untold & saved).mean()), found.p_value


def test_the_estimate_recovers_a_planted_effect() -> None:
    trials = [trial(seed) for seed in range(100)]
    assert np.mean([low <= truth <= high for (low, high), truth, _ in trials]) >= 0.9
    assert np.mean([p < 0.05 for _, _, p in trials]) > 0.5, "an effect of this size is seen more often than not"


def test_without_an_effect_the_test_is_seldom_alarmed() -> None:
    trials = [trial(seed, eff=0.0) for seed in range(100)]
    assert np.mean([p < 0.05 for _, _, p in trials]) < 0.1
    assert np.mean([low <= 0 <= high for (low, high), _, _ in trials]) >= 0.9


def test_few_held_out_tell_nothing_and_a_share_of_zero_is_refused() -> None:
    late, told, score = np.zeros(30), np.arange(30) > 4, np.full(30, 0.5)
    found = effect(late, told, score, np.full(30, 0.1))
    assert np.isnan(found.value)
    assert (found.told, found.held_out) == (25, 5)
    with pytest.raises(ValueError, match="held out"):
        effect(late, told, score, np.zeros(30))


def test_adjustment_by_the_score_narrows_the_interval() -> None:
    random = np.random.default_rng(3)
    n = 1000
    score = np.where(random.random(n) < 0.5, 0.05, 0.95)
    late = (random.random(n) < score).astype(float)
    told = random.random(n) >= 0.2
    share = np.full(n, 0.2)
    with_score = effect(late, told, score, share)
    without = effect(late, told, np.full(n, 0.5), share)
    assert with_score.high - with_score.low < 0.7 * (without.high - without.low)

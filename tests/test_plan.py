"""The plan: quotas kept or refused with reasons, independence, gaps, closed days, the same bytes again."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.plan.eligibility import Infeasible
from serving.plan.plan import Plan, make
from serving.plan.plan_input import PlanInput, Pull
from serving.plan.rules import Rules, Team
from serving.plan.sheet import sheet
from tests.drawn_month import DAYS, TEAMS, office


def check(brief: PlanInput, plan: Plan) -> None:
    """Every rule of the brief, read from the visits alone."""
    rules, units = brief.rules, {unit.unit_code: unit for unit in brief.units}
    teams = {team.team_id: team for team in rules.teams}
    heads = [visit.unit_code for visit in plan.visits if visit.by == "own_head"]
    assert sorted(heads) == sorted(list(units) * rules.own_head_visits)
    out = [visit for visit in plan.visits if visit.team_id]
    missions = {(visit.team_id, visit.at[:10]) for visit in out if visit.by == "home_affairs"}
    assert len(missions) >= rules.home_affairs_missions
    assert sum(v.by == "centre" for v in out) >= rules.high_risk_visits
    assert len({visit.unit_code for visit in out}) == len(out)
    load: dict[tuple[str, str], int] = {}
    for visit in plan.visits:
        day = date.fromisoformat(visit.at[:10])
        assert day in brief.days
        assert day not in rules.closed.get(visit.unit_code, ())
    for visit in out:
        unit, team, day = units[visit.unit_code], teams[str(visit.team_id)], date.fromisoformat(visit.at[:10])
        assert visit.unit_code not in team.units
        assert team.team_id != unit.last_team
        assert not team.days or day in team.days
        assert team.kind == visit.by
        assert visit.by != "centre" or unit.prior >= rules.high_risk_prior
        if unit.last_visit and not unit.confirmed:
            assert (day - unit.last_visit).days >= rules.min_gap_days
        load[team.team_id, visit.at] = load.get((team.team_id, visit.at), 0) + 1
    assert max(load.values(), default=1) == 1, "a team is in one place at a time"
    for team in rules.teams:
        own = [visit.at[:10] for visit in out if visit.team_id == team.team_id]
        assert len(set(own)) <= team.days_a_month
        assert all(own.count(day) <= team.visits_a_day for day in own)


def test_a_plan_keeps_every_rule_and_pulls_dossiers_by_risk_and_by_chance() -> None:
    brief = office()
    plan = make(brief, "seed")
    check(brief, plan)
    team_visits = [visit for visit in plan.visits if visit.team_id]
    assert len(team_visits) == 19  # of 20 that the teams could make: no unit is sure of a visit
    for visit in plan.visits:
        size = 20 if visit.team_id else 10
        assert len(visit.sheet) == size
        top = [line for line in visit.sheet if line.chosen_by == "score"]
        assert len(top) == size - round(0.2 * size)
        assert all(line.probability == 1 for line in top)
        assert all(0 < line.probability < 1 for line in visit.sheet if line.chosen_by == "draw")
        officials = [line.official_id for line in top]
        assert max(officials.count(one) for one in officials) <= brief.rules.official_cap


def test_the_same_brief_and_seed_give_the_same_bytes_in_any_order_of_input() -> None:
    brief = office()
    turned = replace(brief, units=brief.units[::-1], days=brief.days[::-1])
    again = PlanInput.from_json(json.loads(json.dumps(turned.as_json())))
    assert make(brief, "seed").text() == make(turned, "seed").text() == make(again, "seed").text()
    assert make(brief, "seed").text() != make(brief, "other").text()


def test_probabilities_sum_to_the_visits_and_excluded_units_say_why() -> None:
    plan = make(office(), "seed")
    chances = {code: (p, why) for code, p, why in plan.frame}
    assert sum(p for p, _ in chances.values()) == pytest.approx(sum(v.team_id is not None for v in plan.visits))
    for p, why in chances.values():
        assert (p > 0) is (why is None)
    for visit in plan.visits:
        if visit.team_id:
            assert visit.probability == chances[visit.unit_code][0]


@settings(max_examples=15)
@given(
    st.integers(4, 60), st.integers(0, 10_000), st.integers(0, 40), st.integers(0, 6), st.integers(0, 90),
    st.integers(1, 3),
)  # fmt: skip
def test_quotas_are_met_or_refused_never_missed(
    n: int, seed: int, missions: int, high: int, gap: int, heads: int
) -> None:
    brief = office(
        n,
        seed,
        home_affairs_missions=missions,
        high_risk_visits=high,
        min_gap_days=gap,
        own_head_visits=heads,
    )
    plan = refused = None
    try:
        plan = make(brief, str(seed))
    except Infeasible as refusal:
        refused = refusal.unmet
    if plan is None:
        assert refused
        assert all(one.vi and one.en and one.possible < one.wanted for one in refused)
    else:
        check(brief, plan)
        assert all(quota.planned >= quota.wanted for quota in plan.quotas)


@pytest.mark.parametrize(
    ("rules", "quota"),
    [
        ({"closed": {"U005": DAYS}}, "own_head"),
        ({"home_affairs_missions": 5}, "placement"),
        ({"high_risk_visits": 13}, "high_risk"),
        ({"visits": 21}, "visits"),
        ({"visits": 1}, "high_risk"),
        ({"teams": ()}, "high_risk"),
    ],
)
def test_what_cannot_be_met_is_refused_by_name(rules: dict[str, Any], quota: str) -> None:
    with pytest.raises(Infeasible) as refusal:
        make(office(**rules), "seed")
    assert [one.quota for one in refusal.value.unmet][:1] == [quota]


def test_a_plan_that_only_a_free_choice_of_days_allows_is_found() -> None:
    """Two units open on one day each: the first pass guesses the team's days, the second must find them."""
    brief = office(
        6, high_risk_visits=0, home_affairs_missions=2, visits=2, min_gap_days=0,
        teams=(Team("home", "home_affairs", visits_a_day=1, days_a_month=2),),
        closed={f"U{i:03d}": tuple(d for d in DAYS if d != DAYS[3 + i]) for i in range(6)},
    )  # fmt: skip
    brief = replace(brief, units=tuple(replace(u, last_team=None, last_visit=None) for u in brief.units))
    for seed in "abcdef":
        check(brief, make(brief, seed))


def test_prices_name_what_each_rule_costs() -> None:
    plan = make(office(), "seed")
    price = {one.code: one for one in plan.prices}
    assert price["draw"].findings == pytest.approx(plan.expected)
    assert price["random"].findings < plan.expected < price["greedy"].findings
    costs = sum(p.cost for p in plan.prices if p.cost is not None)
    assert price["greedy"].findings - costs == pytest.approx(plan.expected)


def test_rules_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="random_share"):
        Rules(random_share=0.5)
    with pytest.raises(ValueError, match="unknown rule 'visit'"):
        Rules.from_json({"visit": 3})
    with pytest.raises(ValueError, match="same team_id"):
        Rules(teams=(TEAMS[0], TEAMS[0]))


def test_no_unit_is_sure_of_a_visit_and_no_team_goes_where_nothing_is_open() -> None:
    brief = office(24)
    first, *others = brief.units
    plan = make(replace(brief, units=(replace(first, pulls=()), *others)), "s")
    chances = {code: p for code, p, _ in plan.frame}
    assert chances[first.unit_code] == 0
    assert {code: why for code, _, why in plan.frame}[first.unit_code] == "no open dossier to look at"
    assert max(chances.values()) <= 0.9 + 1e-9
    assert plan.guessable is not None
    assert 0.5 <= plan.guessable < 1


def test_a_brief_sealed_before_there_was_a_floor_of_surprise_is_read_as_it_was() -> None:
    brief = replace(office(12), rules=replace(office(12).rules, surprise=0.0))
    told = brief.as_json()
    assert "surprise" not in told["rules"]
    assert PlanInput.from_json(told).as_json() == told


def test_picks_come_first_on_the_sheet_take_no_drawn_place_and_lift_their_unit() -> None:
    pulls = [Pull(f"H{n:02d}", f"o{n % 7}", 1 - n / 100) for n in range(60)]
    plain = sheet(pulls, 20, 0.2, 6, "seed", "visit")
    lines = sheet(pulls, 20, 0.2, 6, "seed", "visit", {"H59", "H30", "H-gone"})
    assert [(one.dossier_id, one.chosen_by, one.probability) for one in lines[:2]] == [
        ("H30", "pick", 1.0), ("H59", "pick", 1.0),
    ]  # fmt: skip
    assert len(lines) == len({one.dossier_id for one in lines}) == 20
    for told in (plain, lines):
        assert sum(one.chosen_by == "draw" for one in told) == 4
    assert sum(one.chosen_by == "score" for one in lines) == 14
    many = sheet(pulls, 20, 0.2, 6, "seed", "visit", {pull.dossier_id for pull in pulls})
    assert [one.chosen_by for one in many] == ["pick"] * 16 + ["draw"] * 4
    few = sheet(pulls[:3], 20, 0.2, 6, "seed", "visit", {"H02"})
    assert [one.dossier_id for one in few] == ["H02", "H00", "H01"]


def test_a_brief_with_picks_is_read_as_it_was_and_one_without_keeps_its_hash() -> None:
    asked = office(24)
    assert "picked" not in str(asked.as_json())
    first = next(unit for unit in asked.units if unit.pulls)
    lifted = replace(first, picked=(first.pulls[-1].dossier_id,))
    other = replace(asked, units=tuple(lifted if unit is first else unit for unit in asked.units))
    assert PlanInput.from_json(other.as_json()).as_json() == other.as_json()
    assert other.utility(lifted) > asked.utility(first)
    visits = [visit for visit in make(other, "ab" * 32).visits if visit.unit_code == first.unit_code]
    assert visits
    for visit in visits:
        assert any(line.chosen_by == "pick" for line in visit.sheet) == (visit.by != "own_head")

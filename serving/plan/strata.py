"""How many visits go to high-risk units and how many elsewhere, and each unit's probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.plan.draw import draw, fractions
from serving.plan.eligibility import EligibleUnit, Infeasible, Unmet, capacity
from serving.plan.inclusion import Floats, inclusion
from serving.plan.plan_input import PlanInput
from serving.plan.rules import Rules


@dataclass(frozen=True)
class Drawn:
    """One unit drawn for a team visit. by: `draw` where it fell to the random share, else `score`."""

    framed: EligibleUnit
    probability: float
    by: str


def inclusion_of(brief: PlanInput, framed: Sequence[EligibleUnit]) -> Floats:
    """The probability of a team visit of each framed unit, float [n]; 0 for excluded ones alone.

    Sums to a whole number within the high-risk units and within the others. Raises Infeasible where teams or
    units do not suffice for the quotas.
    """
    rules = brief.rules
    may = np.array([one.need is not None for one in framed])
    high = np.array([one.high_risk for one in framed]) & may
    room = {kind: capacity(brief, kind) for kind in ("home_affairs", "centre")}
    total = min(room["home_affairs"] + min(room["centre"], int(high.sum())), int(may.sum()))
    unmet = []
    if rules.visits > total:
        unmet.append(
            Unmet(
                "visits",
                rules.visits,
                total,
                f"Các đoàn đi được {sum(room.values())} cuộc, {int(may.sum())} đơn vị có thể kiểm tra",
                f"teams can make {sum(room.values())} visits, {int(may.sum())} units may be visited",
            )
        )
    possible = min(room["centre"], int(high.sum()))
    if possible < rules.high_risk_visits:
        unmet.append(
            Unmet(
                "high_risk",
                rules.high_risk_visits,
                possible,
                f"Trung tâm đi được {room['centre']} cuộc, {int(high.sum())} đơn vị rủi ro cao",
                f"the Centre can make {room['centre']} visits to {int(high.sum())} high-risk units",
            )
        )
    if 0 < rules.visits < rules.high_risk_visits:
        unmet.append(
            Unmet(
                "high_risk",
                rules.high_risk_visits,
                rules.visits,
                f"Chỉ xin {rules.visits} cuộc, ít hơn số cuộc phải đến đơn vị rủi ro cao",
                f"{rules.visits} visits were asked for, fewer than must go to high-risk units",
            )
        )
    if unmet:
        raise Infeasible(unmet)
    p = np.zeros(len(framed))
    n_may, in_high = int(may.sum()), int(high.sum())
    in_rest = n_may - in_high
    sure = max(_unsure(in_high, rules), min(rules.high_risk_visits, in_high))
    budget = min(rules.visits or total, sure + min(_unsure(in_rest, rules), room["home_affairs"]))
    if not budget:
        return p
    utility = np.array([brief.utility(one.unit) for one in framed])
    natural = inclusion(utility[may], budget, rules.random_share, rules.power)
    least = max(rules.high_risk_visits, budget - room["home_affairs"], budget - _unsure(in_rest, rules))
    most = max(min(sure, budget), least)
    visits_high = min(max(round(float(natural[high[may]].sum())), least), most)
    for stratum, visits in ((high, visits_high), (may & ~high, budget - visits_high)):
        if visits:
            n = int(stratum.sum())
            ceiling = max(1.0 - rules.surprise, visits / n)
            p[stratum] = inclusion(utility[stratum], visits, rules.random_share, rules.power, most=ceiling)
    return p


def _unsure(units: int, rules: Rules) -> int:
    """How many of so many units can be visited with none of them sure of it."""
    return int((1.0 - rules.surprise) * units + 1e-9)


def draw_units(framed: Sequence[EligibleUnit], p: Floats, random_share: float, seed: str) -> list[Drawn]:
    """The drawn units by unit_code: exact size in each stratum, with probability and what chose them.

    A drawn unit belongs to the random share with probability floor / p: over the whole, every unit of a
    stratum is equally likely to be there, which is what unbiased figures need.
    """
    drawn: list[Drawn] = []
    for name, stratum in (("high_risk", True), ("other", False)):
        own = [i for i, one in enumerate(framed) if one.high_risk is stratum and p[i] > 0]
        if not own:
            continue
        names = [framed[i].unit.unit_code for i in own]
        chosen = [own[k] for k in draw(p[own], names, seed, f"units {name}")]
        floor = random_share * len(chosen) / len(own)
        luck = fractions(seed, f"random share {name}", [framed[i].unit.unit_code for i in chosen])
        by_chance = {i for i, one in zip(chosen, luck, strict=True) if one < floor / p[i]}
        drawn += [Drawn(framed[i], float(p[i]), "draw" if i in by_chance else "score") for i in chosen]
    return sorted(drawn, key=lambda one: one.framed.unit.unit_code)

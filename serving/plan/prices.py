"""What a plan is expected to find beside greedy, random and present practice, and what each rule costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from serving.plan.eligibility import EligibleUnit, frame
from serving.plan.inclusion import Floats
from serving.plan.plan_input import PlanInput
from serving.plan.rules import Rules


@dataclass(frozen=True)
class Price:
    """One comparison. findings: expected of as many team visits. cost: what the rule takes from the plan.

    cost is null for policies that stand beside the plan; negative where a rule happens to gain.
    """

    code: str
    findings: float
    cost: float | None
    vi: str
    en: str


def prices(brief: PlanInput, framed: Sequence[EligibleUnit], p: Floats) -> list[Price]:
    """Policies beside the plan, all with its number of visits, then the price of each rule.

    The plan's yield is Σ p · expected. A rule's price is the yield of the riskiest choice without the rule
    less that with it; the price of the draw is what remains between that choice and the plan.
    """
    visits = round(float(p.sum()))
    expected = np.array([one.unit.expected for one in framed])
    may = np.array([one.need is not None for one in framed])
    utility = np.array([brief.utility(one.unit) for one in framed])
    plan = float((p * expected).sum())
    greedy = _top(expected, expected, may, visits)
    by_utility = _top(utility, expected, may, visits)
    strata = _top_in_strata(utility, expected, may, np.array([one.high_risk for one in framed]), p)
    free = _top(expected, expected, np.ones(len(framed), dtype=bool), visits)
    without_gap = _greedy_under(brief, brief.rules.without(min_gap_days=0), visits)
    age = np.array([-_days_since(one) for one in framed], dtype=np.float64)
    return [
        Price("greedy", free, None, "Chọn điểm cao nhất, không ràng buộc", "highest first, no rules"),
        Price("random", visits * float(expected.mean()) if len(expected) else 0.0, None,
              "Chọn ngẫu nhiên", "drawn with equal chances"),
        Price("practice", _top(-age, expected, may, visits), None,
              "Lâu chưa kiểm tra nhất, cùng ràng buộc", "longest unvisited first, under the same rules"),
        Price("gap", without_gap, without_gap - greedy, "Khoảng cách giữa hai lần", "gap between visits"),
        Price("availability", free, free - without_gap, "Độc lập, ngày nghỉ, ngày của đoàn",
              "independence, closed days, team days"),
        Price("sector_weight", by_utility, greedy - by_utility, "Trọng số lĩnh vực rủi ro cao",
              "weight of high-risk sectors"),
        Price("high_risk_quota", strata, by_utility - strata, "Chỉ tiêu lĩnh vực rủi ro cao",
              "quota of high-risk units"),
        Price("draw", plan, strata - plan, "Bốc thăm: tỷ lệ ngẫu nhiên và xác suất khác không",
              "the draw: random share, no unit impossible"),
    ]  # fmt: skip


def _top(key: Floats, expected: Floats, may: np.ndarray, visits: int) -> float:
    """Expected findings of the `visits` admissible units with the highest key."""
    order = np.argsort(-np.where(may, key, -np.inf), kind="stable")[:visits]
    return float(expected[order[may[order]]].sum())


def _top_in_strata(utility: Floats, expected: Floats, may: np.ndarray, high: np.ndarray, p: Floats) -> float:
    return sum(_top(utility, expected, may & s, round(float(p[s].sum()))) for s in (high, ~high))


def _greedy_under(brief: PlanInput, rules: Rules, visits: int) -> float:
    """Expected findings of the riskiest choice under other rules."""
    other = frame(replace(brief, rules=rules))
    expected = np.array([one.unit.expected for one in other])
    return _top(expected, expected, np.array([one.need is not None for one in other]), visits)


def _days_since(one: EligibleUnit) -> int:
    return -(one.unit.last_visit or date.min).toordinal()

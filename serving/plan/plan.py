"""A month's plan: made from a brief and a seed, and from nothing else; the same two give it byte for byte."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models.loop import known_chances
from serving.plan.draw import keyed_uniform, seed_hash
from serving.plan.eligibility import Infeasible, Unmet, frame
from serving.plan.inclusion import Floats
from serving.plan.plan_input import PlanInput, UnitBrief
from serving.plan.prices import Price, prices
from serving.plan.rules import Team
from serving.plan.sheet import SheetLine, sheet
from serving.plan.solver import Least, Slot, assign
from serving.plan.strata import Drawn, draw_units, inclusion_of
from serving.state.canonical_json import canonical, digest

HOURS = (time(8, 30), time(14, 0), time(10, 0), time(15, 30), time(9, 15), time(14, 45))
"""When the visits of one team's day begin, in the order in which they are given out."""


@dataclass(frozen=True)
class Visit:
    """One visit. by: `own_head`, or the kind of team. at: local ISO 8601 with offset; sealed until then.

    probability: of this unit being visited in this way this month. chosen_by: score, draw (the random share)
    or periodic (the monthly check that every unit gets).
    """

    visit_id: str
    unit_code: str
    at: str
    by: str
    team_id: str | None
    chosen_by: str
    probability: float
    expected: float
    prior: float
    sheet: tuple[SheetLine, ...]


@dataclass(frozen=True)
class Quota:
    """One quota and how the plan keeps it."""

    code: str
    wanted: int
    planned: int
    vi: str
    en: str


@dataclass(frozen=True)
class Plan:
    """A month's plan. frame: of every unit the probability of a team visit, and why it is 0 where it is.

    expected: findings expected of the team visits (Σ p · expected). prices: what each rule costs of that.
    guessable: AUC of who knows all probabilities, null where it is undefined.
    """

    plan_id: str
    month: str
    seed_sha256: str
    brief_sha256: str
    source: Mapping[str, Any]
    quotas: tuple[Quota, ...]
    expected: float
    prices: tuple[Price, ...]
    frame: tuple[tuple[str, float, str | None], ...]
    visits: tuple[Visit, ...]
    guessable: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return asdict(self)

    def text(self) -> bytes:
        """The plan as the bytes that are hashed: canonical JSON."""
        return canonical(self.as_json())


def make(brief: PlanInput, seed: str, plan_id: str | None = None) -> Plan:
    """The plan of a month. Raises Infeasible, with each rule that breaks; there is no partial plan."""
    brief = brief.sorted()
    plan_id = plan_id or brief.month
    heads = _head_days(brief, seed)
    framed = frame(brief)
    p = inclusion_of(brief, framed)
    drawn = draw_units(framed, p, brief.rules.random_share, seed)
    slots = _slots(brief, drawn, seed)
    visits = _head_visits(brief, plan_id, heads, slots, seed) + _team_visits(brief, plan_id, drawn, slots, seed)
    plan = Plan(
        plan_id=plan_id,
        month=brief.month,
        seed_sha256=seed_hash(seed),
        brief_sha256=digest(brief.as_json()),
        source=asdict(brief.source),
        quotas=_quotas(brief, visits),
        expected=float(sum(one.unit.expected * chance for one, chance in zip(framed, p, strict=True))),
        prices=tuple(prices(brief, framed, p)),
        frame=tuple((one.unit.unit_code, float(chance), one.excluded) for one, chance in zip(framed, p, strict=True)),
        visits=tuple(sorted(visits, key=lambda visit: (visit.at, visit.visit_id))),
        guessable=_guessable(p[[one.need is not None for one in framed]]),
    )
    if broken := [q for q in plan.quotas if q.planned < q.wanted]:
        raise Infeasible([Unmet(q.code, q.wanted, q.planned, q.vi, q.en) for q in broken])
    return plan


def _guessable(p: Floats) -> float | None:
    chance = known_chances(p)
    return None if chance is None else round(chance, 9)


def _head_days(brief: PlanInput, seed: str) -> dict[str, list[date]]:
    """The open days of each unit in a seeded order: its own head's checks take the first that are free."""
    wanted = brief.rules.own_head_visits
    days = {
        unit.unit_code: sorted(
            brief.open_days(unit), key=lambda day: keyed_uniform(seed, "head day", f"{unit.unit_code} {day}")
        )
        for unit in brief.units
    }
    short = tuple(code for code, open_days in days.items() if len(open_days) < wanted)
    if short:
        raise Infeasible(
            [
                Unmet(
                    "own_head",
                    wanted * len(days),
                    sum(min(wanted, len(open_days)) for open_days in days.values()),
                    f"{len(short)} đơn vị không đủ ngày làm việc trong tháng: {', '.join(short[:5])}",
                    f"{len(short)} units have too few open days in the month: {', '.join(short[:5])}",
                    short,
                )
            ]
        )
    return days


def _slots(brief: PlanInput, drawn: Sequence[Drawn], seed: str) -> dict[str, Slot]:
    """The team and day of each drawn unit; Infeasible names those that no plan can place."""
    rules = brief.rules
    least = Least({"home_affairs": rules.home_affairs_missions}, {"centre": rules.high_risk_visits})
    needs = [one.framed.need for one in drawn if one.framed.need is not None]
    slots = assign(needs, rules.teams, brief.days, seed, least)
    left = tuple(need.unit_code for need in needs if need.unit_code not in slots)
    if left:
        raise Infeasible(
            [
                Unmet(
                    "placement",
                    len(needs),
                    len(slots),
                    "Không xếp được đoàn và ngày trong khi giữ số đợt, số cuộc, tính độc lập và khoảng cách: "
                    f"{', '.join(left[:5])}",
                    "no team and day can be found within missions, visits, independence and gaps for: "
                    f"{', '.join(left[:5])}",
                    left,
                )
            ]
        )
    return slots


_OF_HEAD = "/head/"


def is_of_head(name: str) -> bool:
    """Whether a visit's name, or a finding's that begins with it, is of a check by the unit's own head."""
    return _OF_HEAD in name


def _head_visits(
    brief: PlanInput, plan_id: str, days: Mapping[str, list[date]], slots: Mapping[str, Slot], seed: str
) -> list[Visit]:
    """The monthly surprise checks by each unit's own head, not on the day on which a team comes."""
    rules, visits = brief.rules, []
    for unit in brief.units:
        taken = slots[unit.unit_code].day if unit.unit_code in slots else None
        order = sorted(days[unit.unit_code], key=lambda day: day == taken)  # stable: the seeded order stays
        for number, day in enumerate(order[: rules.own_head_visits], 1):
            name = f"{plan_id}/{unit.unit_code}{_OF_HEAD}{number}"
            hour = HOURS[int(keyed_uniform(seed, "head hour", name) * len(HOURS))]
            visits.append(_visit(brief, unit, name, day, hour, "own_head", None, "periodic", 1.0, seed))
    return visits


def _team_visits(
    brief: PlanInput, plan_id: str, drawn: Sequence[Drawn], slots: Mapping[str, Slot], seed: str
) -> list[Visit]:
    """The drawn visits with their hours: those of one team's day one after another, in a seeded order."""
    kinds: dict[str, Team] = {team.team_id: team for team in brief.rules.teams}
    out: dict[Slot, int] = {}
    visits = []
    for one in sorted(drawn, key=lambda one: keyed_uniform(seed, "turn", one.framed.unit.unit_code)):
        unit = one.framed.unit
        slot = slots[unit.unit_code]
        turn = out[slot] = out.get(slot, -1) + 1
        team = kinds[slot.team_id]
        visits.append(
            _visit(
                brief, unit, f"{plan_id}/{unit.unit_code}/team", slot.day, _hour(turn, team.visits_a_day),
                team.kind, team.team_id, one.by, one.probability, seed,
            )
        )  # fmt: skip
    return visits


def _hour(turn: int, of: int) -> time:
    """When the visit begins that is the `turn`-th (from 0) of at most `of` on one day."""
    if of <= len(HOURS):
        return sorted(HOURS[:of])[turn]
    minutes = int(turn * 8 * 60 / of)
    return (datetime.combine(date.min, time(8, 30)) + timedelta(minutes=minutes)).time()


def _visit(
    brief: PlanInput, unit: UnitBrief, name: str, day: date, hour: time, by: str, team_id: str | None,
    chosen_by: str, probability: float, seed: str,
) -> Visit:  # fmt: skip
    rules = brief.rules
    size = rules.head_sheet_size if by == "own_head" else rules.sheet_size
    picked = () if by == "own_head" else unit.picked  # what inspectors chose is not for the inspected
    lines = sheet(unit.pulls, size, rules.sheet_random_share, rules.official_cap, seed, name, picked)
    at = datetime.combine(day, hour, tzinfo=ZoneInfo(brief.zone)).isoformat()
    return Visit(name, unit.unit_code, at, by, team_id, chosen_by, probability, unit.expected, unit.prior, tuple(lines))


def _quotas(brief: PlanInput, visits: Sequence[Visit]) -> tuple[Quota, ...]:
    """Each quota counted from the visits themselves."""
    rules = brief.rules
    heads: dict[str, int] = {}
    for visit in visits:
        if visit.by == "own_head":
            heads[visit.unit_code] = heads.get(visit.unit_code, 0) + 1
    checked = sum(min(rules.own_head_visits, heads.get(unit.unit_code, 0)) for unit in brief.units)
    missions = {(v.team_id, v.at[:10]) for v in visits if v.by == "home_affairs"}
    high = sum(v.by == "centre" and v.prior >= rules.high_risk_prior for v in visits)
    return (
        Quota(
            "own_head", rules.own_head_visits * len(brief.units), checked,
            "Mỗi đơn vị tự kiểm tra đột xuất ít nhất 01 lần/tháng (Chỉ thị 2018, mục 1g)",
            "each unit is checked by its own head at least once a month (directive of 2018, 1g)",
        ),
        Quota(
            "home_affairs", rules.home_affairs_missions, len(missions),
            "Sở Nội vụ kiểm tra công vụ ít nhất 02 lần/tháng (Chỉ thị 2018, mục 3c)",
            "Department of Home Affairs: at least two missions a month (directive of 2018, 3c)",
        ),
        Quota(
            "high_risk", rules.high_risk_visits, high,
            "Trung tâm kiểm tra đột xuất lĩnh vực đất đai, đầu tư, xây dựng, cấp phép kinh doanh (mục 2c)",
            "the Centre's surprise checks in land, investment, construction, business licensing (2c)",
        ),
    )  # fmt: skip

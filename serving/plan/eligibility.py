"""The frame of a month's draw: which units teams may visit, on which days, by whom, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from serving.plan.plan_input import PlanInput, UnitBrief
from serving.plan.rules import Kind, Team
from serving.plan.solver import Need


@dataclass(frozen=True)
class Unmet:
    """One quota or rule that cannot be met, and why. possible: how much of it can be met."""

    quota: str
    wanted: int
    possible: int
    vi: str
    en: str
    units: tuple[str, ...] = ()


class Infeasible(ValueError):
    """No plan keeps all rules. `unmet` names each rule that breaks; there is never a partial plan."""

    def __init__(self, unmet: Sequence[Unmet]) -> None:
        self.unmet = tuple(unmet)
        lines = [f"{one.quota}: {one.possible}/{one.wanted}. {one.vi} / {one.en}" for one in self.unmet]
        super().__init__("no plan can keep the rules\n" + "\n".join(lines))


@dataclass(frozen=True)
class EligibleUnit:
    """One unit in the frame. need: how it may be visited; None where it may not, `excluded` then says why."""

    unit: UnitBrief
    high_risk: bool
    need: Need | None
    excluded: str | None


def frame(brief: PlanInput) -> list[EligibleUnit]:
    """Every unit of the brief with what the rules leave of days and teams, in the brief's order."""
    available = {team.team_id: frozenset(team_days(team, brief.days)) for team in brief.rules.teams}
    return [_framed(brief, unit, available) for unit in brief.units]


def _framed(brief: PlanInput, unit: UnitBrief, available: dict[str, frozenset[date]]) -> EligibleUnit:
    rules = brief.rules
    high_risk = unit.prior >= rules.high_risk_prior
    if not unit.pulls:
        return EligibleUnit(unit, high_risk, None, "no open dossier to look at")
    days = set(brief.open_days(unit))
    if not days:
        return EligibleUnit(unit, high_risk, None, "closed all month")
    if unit.last_visit is not None and not unit.confirmed:
        again = unit.last_visit + timedelta(days=rules.min_gap_days)
        days = {day for day in days if day >= again}
        if not days:
            return EligibleUnit(
                unit, high_risk, None, f"visited on {unit.last_visit}, gap of {rules.min_gap_days} days"
            )
    teams = frozenset(
        team.team_id
        for team in rules.teams
        if team.team_id != unit.last_team
        and unit.unit_code not in team.units
        and (team.kind != "centre" or high_risk)
        and not days.isdisjoint(available[team.team_id])
    )
    if not teams:
        return EligibleUnit(unit, high_risk, None, "no independent team has a day left")
    area = rules.areas.get(unit.unit_code, "")
    return EligibleUnit(unit, high_risk, Need(unit.unit_code, area, frozenset(days), teams), None)


def team_days(team: Team, days: Sequence[date]) -> list[date]:
    """The open days on which a team can go; none for a team that is never out."""
    return [day for day in days if not team.days or day in team.days] if team.days_a_month else []


def capacity(brief: PlanInput, kind: Kind) -> int:
    """How many visits the teams of one kind can make in the month."""
    return sum(
        team.visits_a_day * min(team.days_a_month, len(team_days(team, brief.days)))
        for team in brief.rules.teams
        if team.kind == kind
    )

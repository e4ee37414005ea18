"""The rules of a plan: the directives' quotas with their law, the teams, gaps, caps and days, read from TOML.

| quota | who goes | least | source |
|---|---|---|---|
| `own_head` | the unit's own head | each unit once a month | Hà Nội 2018 directive, 1g |
| `home_affairs` | teams of the Department of Home Affairs | two missions a month | the same, 3c |
| `high_risk` | teams of the Centre | visits to units with high-risk sectors | directive on late TTHC, 2c |

A mission is one team out on one day, to one or several units.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

Kind = Literal["home_affairs", "centre"]
KINDS: tuple[Kind, ...] = ("home_affairs", "centre")


@dataclass(frozen=True)
class Team:
    """An inspection team. `units`: where its members serve (they never visit these).

    days: when it can go; empty for any open day of the month. visits_a_day and days_a_month: at most.
    """

    team_id: str
    kind: Kind
    units: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    visits_a_day: int = 2
    days_a_month: int = 31


@dataclass(frozen=True)
class Rules:
    """What a plan must keep to. All numbers are of one month; the defaults are the directives'.

    visits: how many visits of teams; 0 for as many as the teams can make. min_gap_days: before a team comes
    to a unit again, unless a finding was confirmed there. high_risk_prior: `prior_weight` of a sector from
    which it counts as high-risk. prior_strength: how much that weight adds to a unit's utility (1 + strength
    · weight); it is an order of the directives, not evidence, and is shown beside the score.
    random_share, power, sheet_*: the draw of units, and the number of dossiers that a visit pulls. surprise: the least
    chance that a unit is not visited in the month, so that nobody can be sure; a quota that wants more goes before it.
    """

    own_head_visits: int = 1
    home_affairs_missions: int = 2
    high_risk_visits: int = 4
    visits: int = 0
    min_gap_days: int = 45
    high_risk_prior: float = 0.5
    prior_strength: float = 0.5
    random_share: float = 0.2
    power: float = 4.0
    surprise: float = 0.1
    sheet_size: int = 20
    head_sheet_size: int = 10
    sheet_random_share: float = 0.2
    official_cap: int = 6
    closed: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    areas: Mapping[str, str] = field(default_factory=dict)
    teams: tuple[Team, ...] = (
        Team("home-affairs-1", "home_affairs", days_a_month=4),
        Team("centre-1", "centre", days_a_month=4),
    )

    def __post_init__(self) -> None:
        """Refuses rules that contradict themselves, with the rule's name."""
        if not 0.1 <= self.random_share <= 0.2:
            raise ValueError(f"random_share: wanted 0.1 to 0.2 (methods 4), got {self.random_share}")
        if not 0.1 <= self.sheet_random_share <= 0.5:
            raise ValueError(f"sheet_random_share: wanted 0.1 to 0.5, got {self.sheet_random_share}")
        if not 0 <= self.surprise <= 0.5:
            raise ValueError(f"surprise: wanted 0 to 0.5, got {self.surprise}")
        low = [
            name
            for name in (
                "own_head_visits",
                "home_affairs_missions",
                "high_risk_visits",
                "visits",
                "min_gap_days",
            )
            if getattr(self, name) < 0
        ]
        low += [n for n in ("sheet_size", "head_sheet_size", "official_cap") if getattr(self, n) < 1]
        if low:
            raise ValueError(f"{low[0]}: {getattr(self, low[0])} is too small")
        ids = [team.team_id for team in self.teams]
        if len(set(ids)) != len(ids):
            raise ValueError("two teams have the same team_id")
        for team in self.teams:
            if team.kind not in KINDS:
                raise ValueError(f"team {team.team_id}: kind must be one of {', '.join(KINDS)}, got {team.kind!r}")
            if team.visits_a_day < 1 or team.days_a_month < 0:
                raise ValueError(f"team {team.team_id}: visits_a_day ≥ 1 and days_a_month ≥ 0 are wanted")

    def without(self, **changes: Any) -> "Rules":
        """The same rules with some changed: what a rule costs is the plan's yield without it."""
        return replace(self, **changes)

    def as_json(self) -> dict[str, Any]:
        """The rules as JSON values, keys sorted, days in ISO 8601."""
        values = asdict(self)
        if not self.surprise:
            del values["surprise"]  # as plans were sealed before there was such a rule
        values["closed"] = {unit: [d.isoformat() for d in days] for unit, days in sorted(self.closed.items())}
        values["areas"] = dict(sorted(self.areas.items()))
        teams = sorted(self.teams, key=lambda team: team.team_id)
        values["teams"] = [
            {**asdict(t), "units": sorted(t.units), "days": sorted(d.isoformat() for d in t.days)} for t in teams
        ]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Rules":
        """The rules that `as_json` or a TOML file gives; ValueError names an unknown key."""
        names = {f.name for f in fields(cls)}
        if unknown := set(values) - names:
            raise ValueError(f"unknown rule {sorted(unknown)[0]!r}; known: {', '.join(sorted(names))}")
        read = dict(values)
        if "teams" in read:
            read["teams"] = tuple(_team(team) for team in read["teams"])
        if "closed" in read:
            read["closed"] = {unit: tuple(map(_day, days)) for unit, days in read["closed"].items()}
        return cls(**read)

    @classmethod
    def from_toml(cls, path: Path) -> "Rules":
        """The rules of a TOML file: the fields above, `[[teams]]`, `[closed]`, `[areas]`."""
        try:
            return cls.from_json(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, TypeError) as error:
            raise ValueError(f"{path.name} is not a file of plan rules: {error}") from error


def _team(values: Mapping[str, Any]) -> Team:
    if unknown := set(values) - {f.name for f in fields(Team)}:
        raise ValueError(f"team: unknown {sorted(unknown)[0]!r}")
    given = dict(values)
    return Team(**{**given, "units": tuple(given.get("units", ())), "days": tuple(map(_day, given.get("days", ())))})


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)

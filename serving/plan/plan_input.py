"""What a plan is made from: the units with what is known of them, the month's open days, the rules.

A brief is a value: it holds every number that the draw and the solver use, so that the plan can be made again
from it, byte for byte, without the record or the model at hand.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from serving.plan.rules import Rules


@dataclass(frozen=True)
class Pull:
    """One open dossier that a visit may pull, or an ended one that an inspector picked.

    score: the model's probability, 0 of an ended one. reasons: codes, not words.
    """

    dossier_id: str
    official_id: str | None
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnitBrief:
    """One unit. expected: findings expected when a visit pulls its sheet. prior: weight of its sectors, 0–1.

    last_visit, last_team: of the last visit by a team. confirmed: a finding was confirmed there since, which
    lifts the gap. pulls: its open dossiers, by falling score, then ended ones that were picked. picked: those of them
    that an inspector chose.
    """

    unit_code: str
    unit_name: str
    expected: float
    prior: float = 0.0
    last_visit: date | None = None
    last_team: str | None = None
    confirmed: bool = False
    pulls: tuple[Pull, ...] = ()
    picked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Which scores the plan rests on: target, moment, model, features and record version."""

    target: str
    as_of: str
    model_version: str
    model_sha256: str
    features_hash: str
    record_version: int
    scores_sha256: str


@dataclass(frozen=True)
class PlanInput:
    """All input of one month's plan. month: `YYYY-MM`. zone: of visiting hours. days: open days."""

    month: str
    zone: str
    days: tuple[date, ...]
    units: tuple[UnitBrief, ...]
    rules: Rules
    source: Source

    def __post_init__(self) -> None:
        """Refuses a brief with doubled units or days outside its month."""
        codes = [unit.unit_code for unit in self.units]
        if len(set(codes)) != len(codes):
            raise ValueError("a unit stands twice in the brief")
        if any(day.isoformat()[:7] != self.month for day in self.days):
            raise ValueError(f"an open day lies outside {self.month}")

    def utility(self, unit: UnitBrief) -> float:
        """Expected findings with the directives' weight on high-risk sectors; what inspectors picked counts as one."""
        return (unit.expected + bool(unit.picked)) * (1 + self.rules.prior_strength * unit.prior)

    def open_days(self, unit: UnitBrief) -> tuple[date, ...]:
        """The month's open days on which this unit is not closed."""
        closed = set(self.rules.closed.get(unit.unit_code, ()))
        return tuple(day for day in self.days if day not in closed)

    def sorted(self) -> "PlanInput":
        """The same brief in canonical order; the plan does not depend on the order of input."""
        units = tuple(sorted(self.units, key=lambda unit: unit.unit_code))
        return PlanInput(self.month, self.zone, tuple(sorted(self.days)), units, self.rules, self.source)

    def as_json(self) -> dict[str, Any]:
        """The brief as JSON values."""
        return {
            "month": self.month,
            "zone": self.zone,
            "days": [day.isoformat() for day in self.days],
            "units": [_unit_json(unit) for unit in self.units],
            "rules": self.rules.as_json(),
            "source": asdict(self.source),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "PlanInput":
        """The brief that `as_json` gave."""
        return cls(
            month=values["month"],
            zone=values["zone"],
            days=tuple(map(date.fromisoformat, values["days"])),
            units=tuple(_unit(unit) for unit in values["units"]),
            rules=Rules.from_json({"surprise": 0.0, **values["rules"]}),  # older plans had no such rule
            source=Source(**values["source"]),
        )


def _unit_json(unit: UnitBrief) -> dict[str, Any]:
    return {
        "unit_code": unit.unit_code,
        "unit_name": unit.unit_name,
        "expected": unit.expected,
        "prior": unit.prior,
        "last_visit": unit.last_visit.isoformat() if unit.last_visit else None,
        "last_team": unit.last_team,
        "confirmed": unit.confirmed,
        "pulls": [[p.dossier_id, p.official_id, p.score, list(p.reasons)] for p in unit.pulls],
    } | ({"picked": list(unit.picked)} if unit.picked else {})  # plans sealed before picks were counted hold none


def _unit(values: Mapping[str, Any]) -> UnitBrief:
    last = values["last_visit"]
    pulls = tuple(Pull(i, o, s, tuple(r)) for i, o, s, r in values["pulls"])
    picked = tuple(values.get("picked", ()))
    given = {**values, "last_visit": date.fromisoformat(last) if last else None, "pulls": pulls, "picked": picked}
    return UnitBrief(**given)

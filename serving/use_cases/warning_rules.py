"""The rules of warning as a reader sees and sets them, with a receipt."""

from collections.abc import Sequence

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from serving.state import WarningRuleSet
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.warnings import rule_sets
from serving.warnings.policy import MOST_HELD_OUT, Costs, Policy
from serving.warnings.rules import WarningRules


class WarningRulesWish(BaseModel):
    """Rules of warning: fields of `serving.warnings.policy.Policy` and `Costs`; hours as `07:30-11:30,13:00-17:00`,
    empty for those of the installation's file. because: why they are changed.
    """

    c_in: float = Field(default=1.0, ge=0, le=1_000)
    c_out: float = Field(default=8.0, gt=0, le=10_000)
    c_com: float = Field(default=0.5, ge=0, le=1_000)
    eff: float = Field(default=0.5, gt=0, le=1)
    stay: int = Field(default=2, ge=1, le=20)
    at_once_hours: float = Field(default=8.0, ge=0, le=80)
    a_week: int = Field(default=10, ge=0, le=500)
    held_out: float = Field(default=0.1, ge=0, le=MOST_HELD_OUT)
    escalate_hours: float = Field(default=8.0, ge=0, le=200)
    levels: int = Field(default=2, ge=0, le=5)
    hours: str = Field(default="", max_length=100)
    because: str = Field(default="", max_length=rule_sets.LONGEST_REASON)

    def policy(self) -> Policy:
        """The policy wished for; ValueError names what cannot be."""
        costs = Costs(c_in=self.c_in, c_out=self.c_out, c_com=self.c_com, eff=self.eff)
        return Policy(
            costs, self.stay, self.at_once_hours, self.a_week, self.held_out, self.escalate_hours, self.levels
        )


def wish_of(policy: Policy, hours: str) -> WarningRulesWish:
    """The wish that would set these rules."""
    costs = policy.costs
    return WarningRulesWish(
        c_in=costs.c_in, c_out=costs.c_out, c_com=costs.c_com, eff=costs.eff, stay=policy.stay,
        at_once_hours=policy.at_once_hours, a_week=policy.a_week, held_out=policy.held_out,
        escalate_hours=policy.escalate_hours, levels=policy.levels, hours=hours,
    )  # fmt: skip


def rules_now(request: Request) -> tuple[WarningRulesWish, Sequence[WarningRuleSet]]:
    """The rules in force, and every set before, the latest first."""
    context = context_of(request)
    with context.people.state.reading() as session:
        found = rule_sets.sets(session)
    rules = rule_sets.under(WarningRules.from_toml(context.serving.settings.warnings), found[0] if found else None)
    return wish_of(rules.policy, found[0].hours if found else ""), found


def write_rules(request: Request, wish: WarningRulesWish, key: str, back: str) -> str:
    """Puts rules in force; 422 for what cannot be."""
    reader, people = reader_of(request), context_of(request).people

    def effect(session: Session) -> dict[str, object]:
        rule_sets.set_rules(session, wish.policy(), wish.hours, wish.because, now=people.now(), by=reader.account_id)
        return {"made": wish.model_dump(exclude={"because"}), "reason": wish.because.strip()}

    return idempotent_write(request, key, "rule.write", back, effect)

"""The rules of warning that hold: those of the installation's file, under what somebody set on the page since."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.vietnam import hours_of, office
from serving.state import State, WarningRuleSet
from serving.warnings.policy import Costs, Policy
from serving.warnings.rules import WarningRules

LONGEST_REASON = 1_000


def rules_in_force(state: State, path: Path) -> WarningRules:
    """The file's rules with the policy and the hours of the latest set; addresses and servers are the file's alone."""
    with state.reading() as session:
        last = latest_set(session)
    return under(WarningRules.from_toml(path), last)


def under(rules: WarningRules, last: WarningRuleSet | None) -> WarningRules:
    """`rules` as the latest set changes them."""
    if last is None:
        return rules
    changed = replace(rules, policy=policy_of(last))
    return replace(changed, calendar=office("messages", hours_of(last.hours))) if last.hours else changed


def policy_of(row: WarningRuleSet) -> Policy:
    """The policy that a set holds."""
    values = json.loads(row.policy)
    return Policy(**values | {"costs": Costs(**values["costs"])})


def set_rules(
    session: Session, policy: Policy, hours: str, because: str, *, now: datetime, by: int
) -> WarningRuleSet:  # fmt: skip
    """Puts rules in force from now on; what has fired stays as it was. ValueError without a reason, for wrong hours."""
    if not 5 <= len(because.strip()) <= LONGEST_REASON:
        raise ValueError(f"because: wanted 5 to {LONGEST_REASON} characters, got {len(because.strip())}")
    if hours.strip():
        try:
            if not hours_of(hours.strip()):
                raise ValueError("wanted at least one span, such as 07:30-11:30")
            office("messages", hours_of(hours.strip()))
        except ValueError as error:
            raise ValueError(f"hours: {error}") from error
    row = WarningRuleSet(
        policy=json.dumps(asdict(policy), sort_keys=True), hours=hours.strip(), because=because.strip(), set_at=now,
        set_by=by,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def latest_set(session: Session) -> WarningRuleSet | None:
    """The set that holds; None where the file's rules do."""
    return session.scalars(select(WarningRuleSet).order_by(WarningRuleSet.id.desc()).limit(1)).first()


def sets(session: Session) -> Sequence[WarningRuleSet]:
    """Every set, the latest first."""
    return session.scalars(select(WarningRuleSet).order_by(WarningRuleSet.id.desc()).limit(50)).all()

"""The gates of promotion: what must hold before a candidate becomes champion, each with by how much.

Judged on fresh rows that neither the candidate nor the champion has learnt: the slice of dossiers received in the
last part of the training period, by models fitted before it (`training.fit` keeps the figures), and, against the
champion, by scores of both on the same later rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.record.claimed_knowledge import ClaimedKnowledge
from training.attribute_leak import JUMP, MOST_SHARE, AttributeWeight
from training.evaluate import LISTED, Metric, with_intervals

MOST_GAP = 0.05
"""A calibration gap of a group whose whole interval lies beyond this is not let through unexplained."""
LEAK = 0.95
"""An open-file AUC from here on asks for a leak check first (methods.md 2)."""
SLOPE = (0.6, 1.6)
"""Calibration slopes that are let through."""
STEADY = 0.5
"""The share of a score's reasons that must stay when only the seed, or only the week, is another."""
TO_TELL = ("cutoff", "record_version", "calendar", "git_commit", "lock_hash", "features_hash", "training", "background")
"""What a card must state."""


@dataclass(frozen=True)
class Gate:
    """One condition: whether it holds, and by how much, in words."""

    name: str
    holds: bool
    words: str


class Refused(ValueError):
    """The candidate may not ship; lists the gates that refuse and by how much."""


def insist(gates: Sequence[Gate], because: str | None) -> None:
    """Raises Refused where a gate does not hold, unless a person's reason to overrule is given."""
    refusing = [gate for gate in gates if not gate.holds]
    if refusing and not because:
        raise Refused(
            "refused by "
            + "; ".join(f"{gate.name}: {gate.words}" for gate in refusing)
            + "; give --because REASON to promote all the same"
        )


def gates_of(about: Mapping[str, Any]) -> list[Gate]:
    """The gates of a candidate by what its training found (`RiskModel.about`).

    A retrained model as good as its champion may replace it, since it is fresher; a worse one, by an interval, may
    not, neither in probability nor at list size.
    Against a champion the candidate must beat the best rule by an interval and treat groups alike. The first champion
    must only not lose to the rule, which stands in the blend: without it nothing would be served but the rule.
    """
    figures, beside = about.get("figures", {}), about.get("champion")
    found = [
        _time_travel(about.get("time_travel"), about.get("claimed_knowledge")),
        _leak(figures),
        _attribute(about.get("attribute")),
        _rule(figures, first=beside is None),
        _list(figures.get("blend_over_rule", {}).get("listed"), "the best rule"),
        _calibrated(about),
        _card(about),
    ]
    if beside:
        found += [
            not_worse(Metric(*beside["brier"])),
            _list(beside.get("listed"), "the champion"),
            groups_alike(about.get("groups", {})),
            steady(about.get("steadiness", {})),
        ]
    return found


def second_person(trained_by: str | None, promoted_by: str | None) -> Gate:
    """Holds unless the one who promotes is the one who trained, or is not named where the trainer is."""
    if trained_by is None:
        return Gate("second person", True, "who trained is not told")
    same = promoted_by is None or promoted_by == trained_by
    return Gate("second person", not same, f"trained by {trained_by}, promoted by {promoted_by or 'nobody told'}")


def steady(stability: Mapping[str, Any]) -> Gate:
    """Refuses when the reasons change with the seed or with the week (`training.reason_stability`)."""
    measured = {name: stability[name] for name in ("reseeded", "next_week") if stability.get(name)}
    if not measured:
        return Gate("reasons", True, "no rows to compare reasons on")
    words = ", ".join(
        f"{name.replace('_', ' ')} {value:.2f} [{low:.2f}, {high:.2f}]" for name, (value, low, high) in measured.items()
    )
    return Gate(
        "reasons",
        all(high >= STEADY for *_, high in measured.values()),
        f"in common {words}, wanted {STEADY} of reasons",
    )


def _list(difference: list[float | None] | None, whom: str) -> Gate:
    name = "list" if whom == "the best rule" else "list of champion"
    if difference is None or any(number is None for number in difference):
        return Gate(name, True, "no later slice to judge by")
    value, low, high = difference
    words = f"precision of the top {LISTED:.0%} minus that of {whom} {value:+.3f} [{low:+.3f}, {high:+.3f}]"
    return Gate(name, not (high is not None and high < 0), words)


def _card(about: Mapping[str, Any]) -> Gate:
    missing = [name for name in TO_TELL if not about.get(name) and about.get(name) != 0]
    return Gate("card", not missing, f"not told: {', '.join(missing)}" if missing else "complete")


def not_worse(difference: Metric) -> Gate:
    """Holds unless the candidate's Brier score is above the champion's by an interval."""
    words = f"Brier score minus champion's {difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    return Gate("champion", not difference.low > 0, words)


def against(label: np.ndarray, candidate: np.ndarray, champion: np.ndarray, dossier: np.ndarray) -> dict[str, Metric]:
    """The candidate's figures minus the champion's on the same rows [n], with paired intervals."""
    _, pairs = with_intervals(label, {"candidate": candidate, "champion": champion}, dossier, draws=300, listed=True)
    return pairs["candidate", "champion"]


def _time_travel(check: Mapping[str, Any] | None, claimed: Mapping[str, Any] | None) -> Gate:
    """Tells beside the check what it cannot see: knowledge that the record itself dates back."""
    words = str(check["words"]) if check else "not checked"
    if claimed and claimed["events"]:
        words += f"; not seen by it: {ClaimedKnowledge(**claimed)}"
    return Gate("time travel", bool(check and check["holds"]), words)


def _leak(figures: Mapping[str, Any]) -> Gate:
    value = figures.get("blend", {}).get("auc", [None])[0]
    if value is None:
        return Gate("leak", True, "no later slice to judge by: the base rate ships")
    return Gate("leak", value < LEAK, f"AUC {value:.3f} on later dossiers, at most {LEAK} is believed without a check")


def _attribute(weight: Mapping[str, Any] | None) -> Gate:
    """Refuses where one attribute of the deliveries holds what only the outcome could give."""
    if not weight:
        return Gate("attribute", True, "no attribute counts")
    heavy = AttributeWeight(**weight)
    words = f"{heavy.name} holds {heavy.share:.0%} of all contributions, more than {MOST_SHARE:.0%} is not believed"
    if heavy.lost is not None:
        value, low, high = heavy.lost
        words += f"; without it AUC falls by {value:.3f} [{low:.3f}, {high:.3f}], at most {JUMP} is believed"
    if heavy.suspicious:
        words += "; ask the source whether it is filled in at receipt or afterwards, and leave it out if afterwards"
    return Gate("attribute", not heavy.suspicious, words)


def _rule(figures: Mapping[str, Any], *, first: bool) -> Gate:
    difference = figures.get("blend_over_rule", {}).get("brier")
    if difference is None or difference[0] is None:
        return Gate("rule", True, "no later slice to judge by: the base rate ships")
    value, low, high = difference
    same = value == 0
    words = f"Brier score minus the best rule's {value:+.4f} [{low:+.4f}, {high:+.4f}]"
    return Gate(
        "rule", same or (not low > 0 if first else high < 0), words + (", the rule itself ships" if same else "")
    )


def _calibrated(about: Mapping[str, Any]) -> Gate:
    slope = about.get("training", {}).get("slope")
    if slope is None:
        return Gate("calibration", True, "no later slice to judge by: the base rate ships")
    low, high = SLOPE
    words = f"slope {slope:.2f} before calibration, {low} to {high} is let through"
    return Gate("calibration", low <= slope <= high, words)


def groups_alike(groups: Mapping[str, Any]) -> Gate:
    """Refuses when a group's whole interval of the calibration gap lies beyond `MOST_GAP`.

    `groups`: as `training.fairness.as_json` gives them.
    """
    if not groups:
        return Gate("groups", True, "no groups to compare")
    bad = [name for name, one in groups.items() if one["gap"][1] > MOST_GAP or one["gap"][2] < -MOST_GAP]
    worst = max(groups, key=lambda name: abs(groups[name]["gap"][0]))
    value, low, high = groups[worst]["gap"]
    return Gate("groups", not bad, f"largest gap {value:+.3f} [{low:+.3f}, {high:+.3f}] in {worst}")

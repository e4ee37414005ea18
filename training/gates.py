"""The gates of promotion: what must hold before a candidate becomes champion, each with by how much.

Judged on fresh rows that neither the candidate nor the champion has learnt: the slice of dossiers received in the
last part of the training period, by models fitted before it (`training.fit` keeps the figures), and, against the
champion, by scores of both on the same later rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluate import Figure, with_intervals

LEAK = 0.95
"""An open-file AUC from here on asks for a leak check first (methods.md 2)."""
SLOPE = (0.7, 1.4)
"""Calibration slopes that are let through."""


@dataclass(frozen=True)
class Gate:
    """One condition: whether it holds, and by how much, in words."""

    name: str
    holds: bool
    words: str


def gates(
    about: Mapping[str, Any], *, time_travel: bool | None, champion: Figure | None = None, fairness: Gate | None = None
) -> list[Gate]:
    """The gates of a candidate by what its training found (`RiskModel.about`).

    `time_travel`: result of the check, None where it was not made. `champion`: the candidate's Brier score minus the
    champion's on the same fresh rows, None where there is no champion. `fairness`: see `training.fairness`.
    """
    figures = about.get("figures", {})
    found = [_time_travel(time_travel), _leak(figures), _rule(figures), _calibrated(about)]
    if champion is not None:
        found.append(not_worse(champion))
    if fairness is not None:
        found.append(fairness)
    return found


def not_worse(difference: Figure) -> Gate:
    """Holds unless the candidate's Brier score is above the champion's by an interval."""
    words = f"Brier score minus champion's {difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    return Gate("champion", not difference.low > 0, words)


def against(label: np.ndarray, candidate: np.ndarray, champion: np.ndarray, dossier: np.ndarray) -> Figure:
    """The candidate's Brier score minus the champion's on the same rows [n], with a paired interval."""
    _, pairs = with_intervals(label, {"candidate": candidate, "champion": champion}, dossier, draws=300)
    return pairs["candidate", "champion"]["brier"]


def _time_travel(holds: bool | None) -> Gate:
    words = {None: "not checked", True: "every cell the same from the truncated record", False: "cells differ"}[holds]
    return Gate("time travel", holds is True, words)


def _leak(figures: Mapping[str, Any]) -> Gate:
    value = figures.get("blend", {}).get("auc", [None])[0]
    if value is None:
        return Gate("leak", True, "no later slice to judge by: the base rate ships")
    return Gate("leak", value < LEAK, f"AUC {value:.3f} on later dossiers, at most {LEAK} is believed without a check")


def _rule(figures: Mapping[str, Any]) -> Gate:
    said = figures.get("blend_over_rule", {}).get("brier")
    if said is None or said[0] is None:
        return Gate("rule", True, "no later slice to judge by: the base rate ships")
    value, low, high = said
    same = value == 0
    words = f"Brier score minus the best rule's {value:+.4f} [{low:+.4f}, {high:+.4f}]"
    return Gate("rule", same or high < 0, words + (", the rule itself ships" if same else ""))


def _calibrated(about: Mapping[str, Any]) -> Gate:
    slope = about.get("training", {}).get("slope")
    if slope is None:
        return Gate("calibration", True, "no later slice to judge by: the base rate ships")
    low, high = SLOPE
    return Gate(
        "calibration", low <= slope <= high, f"slope {slope:.2f} before calibration, {low} to {high} is let through"
    )

"""Teams whose findings lie where no other team finds anything: labels to be checked before they teach.

A strict team finds more, but in the same places; labels entered at random, or turned over, lie anywhere. So the
share of a team's findings that fall on the dossiers of low risk is held against that share of all others: the
number expected has a beta-binomial distribution, and a team is named at 1 % over all teams (Bonferroni). The risk is
that of models that learnt none of the team's labels. In the spirit of confident learning (Northcutt, Jiang &
Chuang 2021), but by whoever wrote the labels, since that is who can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import betabinom

LOW = 0.75
"""The lowest three quarters of the risk are called low."""

ERROR = 0.01
"""Chance that any team is named though its labels are as the others'."""


@dataclass(frozen=True)
class Suspect:
    """A team to ask: findings in all and on dossiers of low risk, how many of these the others' share gives, and the
    chance of so many.
    """

    team: str
    findings: int
    low: int
    expected: float
    chance: float


def suspects(label: np.ndarray, risk: np.ndarray, team: np.ndarray, teams: Sequence[str]) -> list[Suspect]:
    """Teams whose findings at low risk are more than chance gives, the most striking first.

    `label` [n], `risk` [n] log-odds from models that learnt no label of the row's team (NaN: not judged), `team` [n]
    numbers `teams`, −1 nobody.
    """
    low = at_low_risk(risk)
    found = (label == 1.0) & (team >= 0) & ~np.isnan(risk)
    all_low, everything = int((found & low).sum()), int(found.sum())
    named = []
    for number, name in enumerate(teams):
        mine = found & (team == number)
        k, k_low = int(mine.sum()), int((mine & low).sum())
        others_low, others_high = all_low - k_low, everything - k - (all_low - k_low)
        if not k or not everything - k:
            continue
        spread = betabinom(k, others_low + 0.5, others_high + 0.5)
        chance = float(spread.sf(k_low - 1))
        if chance <= ERROR / len(teams):
            named.append(Suspect(name, k, k_low, float(spread.mean()), chance))
    return sorted(named, key=lambda one: one.chance)


def mended(
    label: np.ndarray, risk: np.ndarray, team: np.ndarray, teams: Sequence[str], named: Sequence[Suspect], usual: float
) -> np.ndarray:
    """Labels [n] in which each finding of a team `named` counts as likely as it is one, until the team has answered.

    A finding is true with odds p : q, with p the probability that the others' findings give this dossier (`risk`
    plus `usual`, log-odds of a middling team) and q the team's rate of findings that nothing explains. So labels
    that fit the others' keep their weight, and those entered at random lose it.
    """
    healed = label.copy()
    low = at_low_risk(risk)
    for one in named:
        mine = team == teams.index(one.team)
        q = (one.low - one.expected) / max(int((mine & low).sum()), 1)
        findings = mine & (label == 1.0)
        p = expit(risk[findings] + usual)
        healed[findings] = p / (p + q)
    return healed


def at_low_risk(risk: np.ndarray) -> np.ndarray:
    """Which rows [n] have a risk among the lowest `LOW`; a row that was not judged has not."""
    judged = ~np.isnan(risk)
    if not judged.any():
        return np.zeros(len(risk), bool)
    low: np.ndarray = judged & (risk <= np.quantile(risk[judged], LOW))
    return low

"""A model of what is there, learnt through teams of differing strictness: severity is an offset.

log-odds(found) = severity(team) + risk(place). Severity and risk are fitted in turn; then the risk is learnt
by boosting and by ridge regression with the severity as a fixed offset. The offset is absent from the score.
"""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from features.shrinkage import shrunk

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TREES = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 60, "lambda_l2": 10.0,
    "extra_trees": True, "feature_fraction": 0.9, "bagging_fraction": 0.7, "bagging_freq": 1,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip
ROUNDS = 150
SEEDS = tuple(range(1, 9))
TREE_WEIGHT = 0.7
"""Share of boosting in the blend; the rest is ridge. Chosen on rolling windows before the official one."""
RIDGE = 30.0
LEAST_SEVERITY_WEIGHT = 20.0


@dataclass(frozen=True)
class Learnt:
    """What was learnt: the log-odds that each team adds [teams], and members that score places."""

    severity: Floats
    trees: tuple[lgb.Booster, ...]
    ridge: "Ridge"

    def risk(self, x: Floats) -> Floats:
        """Log-odds of the place's risk [n] of encoded rows [n × columns], without any team."""
        trees = np.mean([booster.predict(x, raw_score=True) for booster in self.trees], axis=0)
        blended: Floats = TREE_WEIGHT * trees + (1 - TREE_WEIGHT) * self.ridge.predict(x)
        return blended


@dataclass(frozen=True)
class Ridge:
    """Logistic regression on standardised columns with an offset; missing cells stand at the median."""

    coefficients: Floats
    median: Floats
    mean: Floats
    scale: Floats

    def predict(self, x: Floats) -> Floats:
        """Log-odds [n] without the offset."""
        filled = np.where(np.isnan(x), self.median, x)
        out: Floats = self.coefficients[0] + ((filled - self.mean) / self.scale) @ self.coefficients[1:]
        return out


def learn(x: Floats, found: Ints, team: Ints, trees: bool = True, offset: bool = True) -> Learnt:
    """Learns from visits: x [n × columns], found 0/1 [n], team from 0 [n].

    trees: without them the ridge alone (its severity is what is then of use). offset: False treats all
    teams as equally strict, for comparison.
    """
    severity = severity_of(x, found, team) if offset else np.zeros(int(team.max()) + 1)
    base = severity[team]
    boosters = tuple(
        lgb.train({**TREES, "seed": seed}, lgb.Dataset(x, found, init_score=base), ROUNDS)
        for seed in (SEEDS if trees else ())
    )
    return Learnt(severity, boosters, fit_ridge(x, found, base))


def severity_of(x: Floats, found: Floats | Ints, team: Ints, turns: int = 4) -> Floats:
    """Log-odds of each team at ordinary places [teams], from ridge and severity fitted in turn."""
    n = np.bincount(team)
    rate = shrunk(np.bincount(team, found), n, found.mean(), LEAST_SEVERITY_WEIGHT)
    severity: Floats = logit(rate)
    for _ in range(turns):
        risk = fit_ridge(x, found, severity[team]).predict(x)
        for _ in range(5):  # Newton steps; each team's log-odds has one parameter
            p = expit(risk + severity[team])
            severity = severity + np.bincount(team, found - p) / (np.bincount(team, p * (1 - p)) + 1.0)
    return severity


def fit_ridge(x: Floats, found: Floats | Ints, offset: Floats, steps: int = 25) -> Ridge:
    """Ridge logistic regression with a fixed offset [n], by Newton's method."""
    median = np.nanmedian(x, axis=0)
    filled = np.where(np.isnan(x), median, x)
    mean, scale = filled.mean(axis=0), filled.std(axis=0) + 1e-9
    z = np.column_stack([np.ones(len(x)), (filled - mean) / scale])
    penalty = np.eye(z.shape[1]) * RIDGE
    penalty[0, 0] = 1e-6

    def loss(b: Floats) -> float:
        eta = z @ b + offset
        return float(np.logaddexp(0, eta).sum() - found @ eta + 0.5 * b @ penalty @ b)

    b = np.zeros(z.shape[1])
    for _ in range(steps):
        p = expit(z @ b + offset)
        step = np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + penalty, z.T @ (found - p) - penalty @ b)
        while loss(b + step) > loss(b) + 1e-9 and np.abs(step).max() > 1e-8:
            step = step / 2
        b = b + step
        if np.abs(step).max() < 1e-8:
            break
    return Ridge(b, median, mean, scale)

"""Pulled dossiers drawn at random: two signals carry the truth, teams differ in what they find of it."""

import numpy as np
import pyarrow as pa

from models import finding_matrix
from training.finding import Cases

WEEK = 7 * 86_400_000_000
TEAMS = ("strict", "lax", "third", "fourth")
EYES = np.array([0.95, 0.4, 0.7, 0.7])
ASKED, PUSHED = (finding_matrix.NUMBERS.index(f"signal_{name}") for name in ("repeated_supplement", "ping_pong"))


def drawn_cases(n: int = 4000, *, seed: int = 0, strength: float = 4.0, confounded: bool = False) -> Cases:
    """`n` pulled dossiers of 40 weeks. `strength` 0: nothing tells where harm is. `confounded`: the strict team
    visits where a column of the course is high, which has nothing to do with harm.
    """
    rng = np.random.default_rng(seed)
    x = np.zeros((n, len(finding_matrix.NUMBERS)))
    x[:, ASKED], x[:, PUSHED] = rng.random(n) < 0.08, rng.random(n) < 0.05
    x[:, 0] = rng.normal(size=n)
    harm = rng.random(n) < 1 / (1 + np.exp(4.5 - strength * (x[:, ASKED] + 0.7 * x[:, PUSHED])))
    team = rng.integers(0, len(TEAMS), n)
    if confounded:
        team = np.where(x[:, 0] > 0, 0, 1)
    label = (harm & (rng.random(n) < EYES[team])).astype(float)
    matrix = pa.table({name: x[:, at] for at, name in enumerate(finding_matrix.NUMBERS)})
    for name, value in (("unit_code", "U"), ("procedure_code", "P")):
        matrix = matrix.append_column(name, pa.array([value] * n))
    return Cases(
        matrix, x, label, team.astype(np.int64), TEAMS, rng.random(n) < 0.6, np.ones(n),
        np.sort(rng.integers(0, 40, n)) * WEEK, rng.random(n) * 0.2 + 0.3 * x[:, PUSHED],
    )  # fmt: skip

"""What the visits of a plan have found, as the record knows it, and what that says of all open dossiers.

A pulled dossier was reached with probability (of the visit) · (of being pulled at it). Every unit is visited
by its own head, so each dossier can be reached twice: team visits and own checks differ by who came,
and only team visits, which are independent, enter the estimates.
"""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from features.signals.finding_history import COUNTS
from models.loop import Loop, monitor
from models.value import Estimate, bounds, doubly_robust, hajek
from serving.plan.store import SealedPlan

_FOUND = """
SELECT inspection_id, dossier_id, bool_or(
    CASE WHEN $target = 'conduct' THEN $counted ELSE kind <> 'none' END) AS found
FROM finding_latest AS f WHERE dossier_id IS NOT NULL GROUP BY ALL
""".replace("$counted", COUNTS)
"""Of a plan for conduct only findings of the harassment type count."""

_LISTS = """
SELECT date_trunc('month', coalesce(planned_at, visited_at)) AS month, list(DISTINCT unit_code)
FROM inspection WHERE team_id IS NOT NULL AND coalesce(planned_at, visited_at) IS NOT NULL
GROUP BY ALL ORDER BY month
"""


@dataclass(frozen=True)
class Outcome:
    """Figures after the visits. hajek, robust: share of open dossiers with a finding; random_share: the same
    from dossiers that chance alone reached. bounds: of hajek, odds of selection off by up to 2.
    """

    visits: int
    pulled: int
    found: int
    hajek: Estimate
    robust: Estimate
    random_share: Estimate
    bounds: tuple[float, float]
    loop: Loop


def outcome(con: duckdb.DuckDBPyConnection, sealed: SealedPlan) -> Outcome:
    """The outcome of a plan so far. con: a connection to the record as known at the moment of asking."""
    found = con.execute(_FOUND, {"target": sealed.plan["source"]["target"]}).fetchall()
    results = {(visit, dossier): counts for visit, dossier, counts in found}
    rows = [
        (float(results[visit["visit_id"], line["dossier_id"]]), visit["probability"] * line["probability"],
         line["score"], line["chosen_by"] == "draw", visit["chosen_by"] == "draw")
        for visit in sealed.plan["visits"] if visit["team_id"] is not None
        for line in visit["sheet"] if (visit["visit_id"], line["dossier_id"]) in results
    ]  # fmt: skip
    y, p, score, line_drawn, unit_drawn = (np.array(rows, dtype=np.float64).reshape(-1, 5)).T
    chance = (line_drawn == 1) & (unit_drawn == 1)
    every = np.array([pull[2] for unit in sealed.brief["units"] for pull in unit["pulls"]], dtype=np.float64)
    drawn = line_drawn == 1
    return Outcome(
        visits=len({visit for visit, _ in results} & {visit["visit_id"] for visit in sealed.plan["visits"]}),
        pulled=len(y),
        found=int(y.sum()),
        hajek=hajek(y, p),
        robust=doubly_robust(y, p, score, every) if len(y) else hajek(y, p),
        random_share=hajek(y[chance], p[chance]),
        bounds=bounds(y, p) if len(y) else (0.0, 1.0),
        loop=monitor(
            [set(units) for _, units in con.execute(_LISTS).fetchall()],
            [unit["unit_code"] for unit in sealed.brief["units"]],
            _hits(y[~drawn]),
            _hits(y[drawn]),
        ),
    )


def _hits(y: Any) -> tuple[int, int]:
    return int(y.sum()), len(y)

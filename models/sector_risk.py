"""Risk of a field of work: findings of the random share, complaints on staff and signals, each with its interval.

Tiers stand side by side and are never added up. The weight that quotas and orders use is the greater of the
directives' and of what the findings show: by how much the lower end of the sector's rate exceeds the province's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from features.record.latest import latest
from features.record.utc import naive_utc
from features.signals.finding_history import COUNTS
from features.signals.handled import FAMILIES
from features.signals.high_risk_fields import directive_weights
from models.loop import HitRate, hit_rate

FEWEST_PULLED = 30
"""Dossiers of the random share under which a sector's findings weigh nothing."""

_PULLED = f"""
SELECT p.sector_code, count(*) FILTER (x.found), count(*) FROM (
    SELECT f.dossier_id, f.inspection_id, bool_or({COUNTS}) AS found
    FROM {latest("finding", "known_at < $as_of")} f WHERE f.chosen_by = 'draw' AND f.dossier_id IS NOT NULL
    GROUP BY ALL) x
JOIN (SELECT DISTINCT dossier_id, procedure_code FROM dossier WHERE known_at < $as_of) d USING (dossier_id)
JOIN (SELECT procedure_code, any_value(sector_code ORDER BY sector_code) AS sector_code FROM procedure
      GROUP BY procedure_code) p USING (procedure_code)
WHERE p.sector_code IS NOT NULL GROUP BY p.sector_code
"""

_COMPLAINED = """
SELECT p.sector_code, count(DISTINCT d.dossier_id) FILTER (c.dossier_id IS NOT NULL), count(DISTINCT d.dossier_id)
FROM (SELECT DISTINCT dossier_id, procedure_code FROM dossier WHERE known_at < $as_of) d
JOIN (SELECT procedure_code, any_value(sector_code ORDER BY sector_code) AS sector_code FROM procedure
      GROUP BY procedure_code) p USING (procedure_code)
LEFT JOIN (SELECT DISTINCT dossier_id FROM complaint WHERE known_at < $as_of AND dossier_id IS NOT NULL
           AND topic IN ('conduct', 'extra_papers', 'bribe')
           AND coalesce(verdict, '') NOT IN ('rejected', 'withdrawn')) c
     ON c.dossier_id = d.dossier_id
WHERE p.sector_code IS NOT NULL GROUP BY p.sector_code
"""


@dataclass(frozen=True)
class SectorRisk:
    """One sector: `found` of pulled (random share), `reported` of all dossiers, `signalled` of those handled lately.

    directive: the directives' weight (0: none named). weight: what quotas and orders use, 0–1.
    """

    sector_code: str
    directive: float
    found: HitRate
    reported: HitRate
    signalled: HitRate | None
    weight: float


def sector_risks(con: duckdb.DuckDBPyConnection, as_of: datetime, acted: pa.Table | None = None) -> list[SectorRisk]:
    """Every sector with dossiers, the heaviest first. `acted`: of `handled`, for the signals."""
    moment = {"as_of": naive_utc(as_of)}
    complained = {code: (k, n) for code, k, n in con.execute(_COMPLAINED, moment).fetchall()}
    pulled = {code: (k, n) for code, k, n in con.execute(_PULLED, moment).fetchall()}
    signals = _signalled(con, acted) if acted is not None else {}
    directive = directive_weights(con, as_of)
    everything = hit_rate(sum(k for k, _ in pulled.values()), sum(n for _, n in pulled.values()))
    risks = []
    for code in sorted(complained):
        found = hit_rate(*pulled.get(code, (0, 0)))
        shown = 0.0
        if found.n >= FEWEST_PULLED and everything.rate > 0:
            shown = min(max(found.low / everything.rate - 1.0, 0.0), 1.0)
        weight = max(directive.get(code, 0.0), shown)
        risks.append(SectorRisk(code, directive.get(code, 0.0), found, hit_rate(*complained[code]),
                               hit_rate(*signals[code]) if code in signals else None, weight))  # fmt: skip
    return sorted(risks, key=lambda one: (-one.weight, -one.found.low, one.sector_code))


def sector_weights(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, float]:
    """The weight of each sector that has one: of the directives, or of what findings show."""
    weights = {**directive_weights(con, as_of), **{one.sector_code: one.weight for one in sector_risks(con, as_of)}}
    return {code: weight for code, weight in weights.items() if weight > 0}


def _signalled(con: duckdb.DuckDBPyConnection, acted: pa.Table) -> Mapping[str, tuple[int, int]]:
    con.register("acted", acted)
    try:
        rows = con.execute(
            f"""SELECT p.sector_code, count(DISTINCT a.dossier_id) FILTER ({" OR ".join(FAMILIES)}),
                       count(DISTINCT a.dossier_id)
                FROM acted a JOIN (SELECT procedure_code, any_value(sector_code ORDER BY sector_code) AS sector_code
                                   FROM procedure GROUP BY procedure_code) p USING (procedure_code)
                WHERE p.sector_code IS NOT NULL GROUP BY p.sector_code"""
        ).fetchall()
    finally:
        con.unregister("acted")
    return {code: (k, n) for code, k, n in rows}

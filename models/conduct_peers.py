"""Officials and units against their peers: how many dossiers show signals charged to them, and how many would.

Expected is what the peers' rates make of the same dossiers: the rate of the same procedure among officials of
the same position, everybody's own dossiers left out of the rate they are held against, pulled to the rate of
all in that position by 20 dossiers. Nobody is flagged most of whose dossiers have too few peers, or by acts of
which it is in doubt who did them (`features.signals.accounts`): the office answers for those. The order is that of
`models.excess.exceedance_percentile`, so that where nobody does anything no office and no field stands above another
for having few or many dossiers. Tier `signal`: rules on the record, which work from the first day and prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from features.shrinkage import shrunk_sql
from features.signals.handled import CHARGED, DOUBT
from models.excess import FALSE_DISCOVERY, Excess, exceedance_percentile, excess

STRICT = FALSE_DISCOVERY / len(CHARGED)
"""Local false discovery rate of a flag in one family, so that over all families it stays within the promise."""


FEWEST_SIGNALS = 5
"""Dossiers with signals that a flag wants: two or three coincidences in a rare family are no pattern."""

CLEARLY = 2.0
"""Ratio above which the whole interval of a flag lies: offices differ by half as much again for honest reasons."""


FEWEST_PEERS = 3
"""Others in the same post who must share a procedure: with fewer, a hard procedure looks like a hard official."""


@dataclass(frozen=True)
class PeerComparison:
    """How one official or unit stands in the family in which it stands out most.

    `score`: share of those with the same work whom chance makes stand out less; None where there are fewer than 20
    dossiers ("not enough data"). `doubtful`: it would be flagged if
    it were sure who did the acts. `above`: probability that the ratio of observed to expected exceeds 1.5. `ratio`,
    `low`, `high`: its posterior mean and 95 % interval. `n` dossiers handled, `observed` and `expected` dossiers with
    signals of the `family`.
    """

    key: str
    unit_code: str
    family: str
    score: float | None
    flag: bool
    doubtful: bool
    n: int
    observed: int
    expected: float
    ratio: float
    low: float
    high: float
    above: float


def officials(handled: pa.Table, position: dict[str, str]) -> list[PeerComparison]:
    """Standing of every official of `features.signals.handled.handled`, those who stand out most first.

    `position` of each official_id: peers hold the same post. Prior by office.
    """
    return _standings(handled, position, "official_id", "unit_code")


def units(handled: pa.Table, position: dict[str, str], level: dict[str, str]) -> list[PeerComparison]:
    """Standing of every unit, those that stand out most first. Prior by `level` of the unit."""
    where = pa.array([level.get(code, "other") for code in handled["unit_code"].to_pylist()], pa.string())
    return _standings(handled.append_column("level", where), position, "unit_code", "level")


def _standings(handled: pa.Table, position: dict[str, str], key: str, group: str) -> list[PeerComparison]:
    if not handled.num_rows:
        return []
    posts = pa.array([position.get(who, "") for who in handled["official_id"].to_pylist()], pa.string())
    table = handled.append_column("position", posts)
    found: dict[str, tuple[pa.Table, Excess]] = {}
    clear: dict[str, Excess] = {}
    con = duckdb.connect()
    con.register("handled", table)
    for family in CHARGED:
        counts = _against_peers(con, key, group, family)
        found[family] = counts, excess(*(counts[name].to_numpy() for name in ("observed", "expected", "grp", "n")))
        clear[family] = excess(*(counts[name].to_numpy() for name in ("clear", "expected", "grp", "n")))
    first = next(iter(found.values()))[0]
    above = np.column_stack([estimate.above for _, estimate in found.values()])
    low = np.column_stack([estimate.low for _, estimate in found.values()])
    # where several are equally sure, the one whose interval lies highest is shown
    worst = np.array([max(range(len(CHARGED)), key=lambda f: (above[i, f], low[i, f])) for i in range(len(above))])
    score = exceedance_percentile([estimate for _, estimate in found.values()])
    flagged_by = "clear" if key == "official_id" else "observed"  # who acted is in doubt: the office answers for it
    sure = clear if flagged_by == "clear" else {family: estimate for family, (_, estimate) in found.items()}
    standings = []
    for i, family in enumerate(np.array(CHARGED)[worst]):
        counts, estimate = found[family]
        enough = bool(estimate.enough[i])
        peers = enough and bool(counts["has_peers"][i].as_py())
        standings.append(
            PeerComparison(
                key=first["key"][i].as_py(),
                unit_code=first["unit_code"][i].as_py() or "",
                family=str(family),
                score=float(score[i]) if enough else None,
                flag=peers and _stands_out(counts[flagged_by][i].as_py(), sure[family], i),
                doubtful=peers
                and _stands_out(counts["observed"][i].as_py(), estimate, i)
                and not _stands_out(counts[flagged_by][i].as_py(), sure[family], i),
                n=int(first["n"][i].as_py()),
                observed=int(counts["observed"][i].as_py()),
                expected=float(counts["expected"][i].as_py()),
                ratio=float(estimate.mean[i]),
                low=float(estimate.low[i]),
                high=float(estimate.high[i]),
                above=float(estimate.above[i]),
            )
        )
    return sorted(standings, key=_order)


def _order(one: PeerComparison) -> tuple[bool, bool, bool, float, float, str]:
    """Flagged first, by the lower end of the ratio's interval; then whose acts are in doubt, by the same; then by how
    few chance lets stand out more.
    """
    first = -one.low if one.flag or one.doubtful else -(one.score or 0)
    return one.score is None, not one.flag, not one.doubtful, first, -one.low, one.key


def _stands_out(observed: float, estimate: Excess, i: int) -> bool:
    return observed >= FEWEST_SIGNALS and estimate.low[i] > CLEARLY and 1 - estimate.above[i] <= STRICT


def _against_peers(con: duckdb.DuckDBPyConnection, key: str, group: str, family: str) -> pa.Table:
    """key, unit_code, grp, n, observed, expected, has_peers: one row a key, ordered by it. `n` counts all dossiers
    handled; where the family is null there was no chance, and nothing is expected.
    """
    return con.sql(f"""
        WITH own AS (
            SELECT {key} AS key, procedure_code, position, count(*) AS dossiers, count({family}) AS n,
                   count(*) FILTER ({family}) AS k, count(*) FILTER ({family} AND NOT {family}{DOUBT}) AS clear,
                   any_value({group}) AS grp
            FROM handled GROUP BY ALL
        ), peers AS (
            SELECT procedure_code, position, sum(n) AS n, sum(k) AS k, count(*) FILTER (n > 0) AS people
            FROM own GROUP BY ALL
        ), everybody AS (
            SELECT position, coalesce(sum(k) / nullif(sum(n), 0), 0) AS rate FROM own GROUP BY position
        )
        SELECT o.key, min(u.unit_code) AS unit_code, min(o.grp) AS grp, CAST(sum(o.dossiers) AS DOUBLE) AS n,
               CAST(sum(o.k) AS DOUBLE) AS observed, CAST(sum(o.clear) AS DOUBLE) AS clear,
               sum(o.n * {shrunk_sql("p.k - o.k", "p.n - o.n", "e.rate")} ORDER BY o.procedure_code, o.position)
               AS expected,
               coalesce(sum(o.n) FILTER (p.people > {FEWEST_PEERS}) >= sum(o.n) / 2, false) AS has_peers
        FROM own o JOIN peers p ON p.procedure_code IS NOT DISTINCT FROM o.procedure_code
             AND p.position IS NOT DISTINCT FROM o.position
        JOIN everybody e ON e.position IS NOT DISTINCT FROM o.position
        JOIN (SELECT {key} AS key, mode(unit_code ORDER BY unit_code) AS unit_code FROM handled GROUP BY ALL) u
             ON u.key = o.key
        GROUP BY o.key ORDER BY o.key""").to_arrow_table()

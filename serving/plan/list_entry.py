"""Lines of a risk list at the grain of dossiers, officials or units, from one scored list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.case_state.state import WAITING
from features.record.utc import naive_column

Grain = Literal["dossier", "official", "unit"]
GRAINS: tuple[Grain, ...] = ("dossier", "official", "unit")

LEAST_DOSSIERS = 20
"""Open dossiers below which an official has no line: too few to say anything about a person."""


@dataclass(frozen=True)
class Entry:
    """One line. key: dossier_id, official_id or unit_code. expected: events expected (a probability for one dossier).

    prior: weight of the sector in the directives, 0–1; utility = expected · (1 + strength · prior), so that the
    order's part that is no evidence can be seen. oldest: when the oldest open dossier was received; breaks ties.
    """

    key: str
    unit_code: str | None
    official_id: str | None
    sector_code: str | None
    expected: float
    prior: float
    utility: float
    n: int
    oldest: datetime | None


_LINES = {
    "dossier": "SELECT dossier_id AS key, unit_code, official_id, sector_code, score AS expected, prior, 1 AS n, "
    "received_at AS oldest FROM line",
    "official": "SELECT official_id AS key, any_value(unit_code ORDER BY unit_code) AS unit_code, official_id, "
    "arg_max(sector_code, prior) AS sector_code, sum(score) AS expected, sum(score * prior) / sum(score) AS prior, "
    "count(*) AS n, min(received_at) AS oldest FROM line WHERE official_id IS NOT NULL "
    "GROUP BY official_id HAVING count(*) >= $least",
    "unit": "SELECT unit_code AS key, unit_code, NULL::VARCHAR AS official_id, "
    "arg_max(sector_code, prior) AS sector_code, "
    "sum(score) AS expected, sum(score * prior) / sum(score) AS prior, count(*) AS n, min(received_at) AS oldest "
    "FROM line WHERE unit_code IS NOT NULL GROUP BY unit_code",
}


def entries(scores: pa.Table, grain: Grain, priors: Mapping[str, float], strength: float = 0.5) -> list[Entry]:
    """All lines of a grain, in no order. scores: columns of `score_files.SCHEMA`.

    priors: prior_weight by sector_code. strength: how much a prior of 1 adds to the utility. Officials with fewer
    than LEAST_DOSSIERS open dossiers have no line. Dossiers whose clock stands are on no list.
    """
    if grain not in GRAINS:
        raise ValueError(f"grain: wanted one of {', '.join(GRAINS)}, got {str(grain)[:20]!r}")
    scores = scores.filter(pc.invert(pc.is_in(scores["phase"], pa.array(WAITING, pa.string()))))
    con = duckdb.connect(config={"threads": 1})
    columns = ["dossier_id", "unit_code", "official_id", "sector_code", "score"]
    con.register("score", scores.select(columns).append_column("received_at", naive_column(scores["received_at"])))
    ordered = dict(sorted(priors.items()))
    con.register("prior", pa.table({"sector_code": list(ordered), "prior": pa.array(ordered.values(), pa.float64())}))
    con.execute(
        "CREATE VIEW line AS SELECT dossier_id, unit_code, official_id, sector_code, greatest(score, 1e-12) AS score, "
        "received_at, coalesce(prior, 0) AS prior FROM score LEFT JOIN prior USING (sector_code)"
    )
    values = {"least": LEAST_DOSSIERS} if grain == "official" else None
    rows: list[dict[str, Any]] = con.sql(_LINES[grain], params=values).to_arrow_table().to_pylist()
    return [Entry(**row, utility=row["expected"] * (1 + strength * row["prior"])) for row in rows]

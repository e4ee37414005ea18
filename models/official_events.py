"""Target of the yearly forecast for officials: will an event of a tier fall on them within the horizon?

The tiers are never mixed. `reported`: somebody complained. `upheld`: the complaint was upheld.
`discovered`: an inspection found harassment. An event belongs to the day on which the complaint was
filed or the finding made; whether it counts may become known much later (verdicts take months), which
is why each tier knows how long its labels need to mature.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from features.record.latest import latest, newest
from features.record.utc import aware_utc, naive_utc


@dataclass(frozen=True)
class Tier:
    """One tier of events on officials: its words and the relation that lists them.

    `events` gives official_id, happened_at and known_at (naive UTC), one row an event.
    """

    name: str
    words_vi: str
    words_en: str
    events: str
    prefix: str


FILING_KNOWN = "CASE WHEN known_by = 'clock' THEN filed_at ELSE known_at END"
"""When a complaint was known to exist: a back-fill's row, verdict and all, existed from its filing on."""

REPORTED = Tier(
    "reported",
    "có phản ánh về cán bộ trong 12 tháng tới",
    "a complaint about the official within 12 months",
    f"SELECT official_id, filed_at AS happened_at, min({FILING_KNOWN}) AS known_at FROM complaint"
    " WHERE official_id IS NOT NULL GROUP BY complaint_id, official_id, filed_at",
    "reported",
)

UPHELD = Tier(
    "upheld",
    "có phản ánh được kết luận là đúng trong 12 tháng tới",
    "a complaint filed within 12 months and later upheld",
    "SELECT official_id, filed_at AS happened_at, greatest(verdict_at, known_at) AS known_at FROM ("
    # a complaint names several officials, each with a verdict of theirs
    f"SELECT * FROM complaint {newest('complaint_id', 'official_id')})"
    " WHERE official_id IS NOT NULL AND verdict = 'upheld'",
    "upheld",
)

DISCOVERED = Tier(
    "discovered",
    "có phát hiện qua kiểm tra trong 12 tháng tới",
    "an inspection finding of the harassment kind within 12 months",
    f"SELECT official_id, known_at AS happened_at, known_at FROM {latest('finding')} WHERE official_id IS NOT NULL"
    " AND kind IN ('harassment', 'extra_papers', 'wrongful_return', 'tampering')",
    "discovered",
)

TIERS = {tier.name: tier for tier in (REPORTED, UPHELD, DISCOVERED)}

KNOWN_SHARE = 0.9
"""A tier's labels count as mature once this share of its events has usually become known."""


def labels(
    con: duckdb.DuckDBPyConnection, cases: pa.Table, tier: Tier, horizon: timedelta, cutoff: datetime
) -> np.ndarray:
    """Whether an event known at the cutoff falls on the official in [as_of, as_of + horizon).

    `cases` has official_id and as_of; returns 0.0 or 1.0 for each row, in order.
    """
    numbered = cases.select(["official_id", "as_of"]).append_column("nth", pa.array(range(cases.num_rows)))
    con.register("label_case", numbered)
    found = con.sql(
        f"SELECT DISTINCT c.nth FROM label_case AS c JOIN ({tier.events}) AS e"
        " ON e.official_id = c.official_id AND e.happened_at >= c.as_of"
        " AND e.happened_at < c.as_of + $horizon AND e.known_at < $cutoff",
        params={"horizon": horizon, "cutoff": naive_utc(cutoff)},
    ).fetchnumpy()["nth"]
    con.unregister("label_case")
    label = np.zeros(cases.num_rows)
    label[found] = 1.0
    return label


def maturity(con: duckdb.DuckDBPyConnection, tier: Tier, cutoff: datetime) -> timedelta:
    """How long after it happened an event of the tier has usually become known, as seen at the cutoff."""
    row = con.execute(
        f"SELECT quantile_cont(epoch(known_at) - epoch(happened_at), {KNOWN_SHARE})"
        f" FROM ({tier.events}) WHERE known_at < $cutoff",
        {"cutoff": naive_utc(cutoff)},
    ).fetchall()[0]
    return timedelta(seconds=float(row[0])) if row[0] is not None else timedelta(0)


def first_event(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> datetime | None:
    """When the record of complaints and findings begins; None where it is empty at the cutoff."""
    first: datetime | None = con.execute(
        f"SELECT min(happened_at) FROM ({REPORTED.events} UNION ALL {DISCOVERED.events}) WHERE known_at < $cutoff",
        {"cutoff": naive_utc(cutoff)},
    ).fetchall()[0][0]
    return aware_utc(first)


def last_known(con: duckdb.DuckDBPyConnection) -> datetime:
    """The end of the record of complaints and findings: the latest moment anything in it became known."""
    latest: datetime | None = con.execute(
        f"SELECT max(known_at) FROM ({' UNION ALL '.join(tier.events for tier in TIERS.values())})"
    ).fetchall()[0][0]
    if latest is None:
        raise ValueError("the record holds no complaint and no finding about an official to judge by")
    return aware_utc(latest) + timedelta(microseconds=1)

"""Target of the yearly forecast for officials: will an event of a tier fall on them within the horizon?

The tiers are never mixed. `reported`: somebody complained. `upheld`: the complaint was upheld.
`discovered`: an inspection found harassment. An event belongs to the day on which the complaint was
filed or the finding made; whether it counts may become known much later (verdicts take months), which
is why each tier knows how long its labels need to mature.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from features.case_state import custody
from features.case_state.custody import FILING_KNOWN
from features.record.latest import latest, newest
from features.record.utc import aware_utc, naive_utc


@dataclass(frozen=True)
class Tier:
    """One tier of events on officials: its words and the relation that lists them.

    `events` gives official_id, happened_at, known_at (naive UTC) and weight, one row an event and official: of what
    names nobody one row for each who held the dossier (the relation `custody`, which must be attached).
    """

    name: str
    words_vi: str
    words_en: str
    events: str
    prefix: str


_FILING_KNOWN = FILING_KNOWN.format(c="c")


def _holder(about: str, key: str) -> str:
    return f"LEFT JOIN custody h ON c.official_id IS NULL AND h.about = '{about}' AND h.about_id = c.{key}"


_WHO = "coalesce(c.official_id, h.official_id) AS official_id, coalesce(h.weight, 1.0) AS weight"

REPORTED = Tier(
    "reported",
    "có phản ánh về cán bộ trong 12 tháng tới",
    "a complaint about the official within 12 months",
    f"SELECT {_WHO}, c.filed_at AS happened_at, min({_FILING_KNOWN}) AS known_at"
    f" FROM complaint c {_holder('complaint', 'complaint_id')} WHERE coalesce(c.official_id, h.official_id) IS NOT NULL"
    " GROUP BY c.complaint_id, c.official_id, h.official_id, h.weight, c.filed_at",
    "reported",
)

UPHELD = Tier(
    "upheld",
    "có phản ánh được kết luận là đúng trong 12 tháng tới",
    "a complaint filed within 12 months and later upheld",
    f"SELECT {_WHO}, c.filed_at AS happened_at, greatest(c.verdict_at, c.known_at) AS known_at FROM ("
    # a complaint names several officials, each with a verdict of theirs
    f"SELECT * FROM complaint {newest('complaint_id', 'official_id')}) c {_holder('complaint', 'complaint_id')}"
    " WHERE coalesce(c.official_id, h.official_id) IS NOT NULL AND c.verdict = 'upheld'",
    "upheld",
)

DISCOVERED = Tier(
    "discovered",
    "có phát hiện qua kiểm tra trong 12 tháng tới",
    "an inspection finding of the harassment kind within 12 months",
    f"SELECT {_WHO}, c.known_at AS happened_at, c.known_at FROM {latest('finding')} c"
    f" {_holder('finding', 'finding_id')} WHERE coalesce(c.official_id, h.official_id) IS NOT NULL"
    " AND c.kind IN ('harassment', 'extra_papers', 'wrongful_return', 'tampering')",
    "discovered",
)

TIERS = {tier.name: tier for tier in (REPORTED, UPHELD, DISCOVERED)}

KNOWN_SHARE = 0.9
"""A tier's labels count as mature once this share of its events has usually become known."""
LEARNT_SHARE = 0.5
"""Of what is only learnt from, half is enough: verdicts that are late are missing alike for whoever they are about, and
moments of years ago teach less than what is missing costs (chosen on cutoffs 2005 to 2007 of a public record)."""


def labels(
    con: duckdb.DuckDBPyConnection, cases: pa.Table, tier: Tier, horizon: timedelta, cutoff: datetime
) -> np.ndarray:
    """How surely an event known at the cutoff falls on the official in [as_of, as_of + horizon).

    `cases` has official_id and as_of; returns numbers in [0, 1] [rows], in order: 1 where an event names the official,
    else the chance that at least one of those shared out by custody is theirs, 1 − Π(1 − weight).
    """
    numbered = cases.select(["official_id", "as_of"]).append_column("nth", pa.array(range(cases.num_rows)))
    custody.attach(con, [cutoff])
    con.register("label_case", numbered)
    found = con.sql(
        f"SELECT c.nth, 1 - product(1 - e.weight) AS weight FROM label_case AS c JOIN ({tier.events}) AS e"
        " ON e.official_id = c.official_id AND e.happened_at >= c.as_of"
        " AND e.happened_at < c.as_of + $horizon AND e.known_at < $cutoff GROUP BY c.nth",
        params={"horizon": horizon, "cutoff": naive_utc(cutoff)},
    ).fetchnumpy()
    con.unregister("label_case")
    label = np.zeros(cases.num_rows)
    label[found["nth"]] = found["weight"]
    return label


def maturity(con: duckdb.DuckDBPyConnection, tier: Tier, cutoff: datetime, share: float = KNOWN_SHARE) -> timedelta:
    """How long after it happened this share of the tier's events has become known, as seen at the cutoff."""
    custody.attach(con, [cutoff])
    row = con.execute(
        f"SELECT quantile_cont(epoch(known_at) - epoch(happened_at), {float(share)})"
        f" FROM ({tier.events}) WHERE known_at < $cutoff",
        {"cutoff": naive_utc(cutoff)},
    ).fetchall()[0]
    return timedelta(seconds=float(row[0])) if row[0] is not None else timedelta(0)


def first_event(con: duckdb.DuckDBPyConnection, cutoff: datetime) -> datetime | None:
    """When the record of complaints and findings begins; None where it is empty at the cutoff."""
    custody.attach(con, [cutoff])
    first: datetime | None = con.execute(
        f"SELECT min(happened_at) FROM ({REPORTED.events} UNION ALL BY NAME {DISCOVERED.events})"
        " WHERE known_at < $cutoff",
        {"cutoff": naive_utc(cutoff)},
    ).fetchall()[0][0]
    return aware_utc(first)


def last_known(con: duckdb.DuckDBPyConnection) -> datetime:
    """The end of the record of complaints and findings: the latest moment anything in it became known."""
    custody.attach(con, [datetime(9999, 1, 1, tzinfo=UTC)])
    latest: datetime | None = con.execute(
        f"SELECT max(known_at) FROM ({' UNION ALL BY NAME '.join(tier.events for tier in TIERS.values())})"
    ).fetchall()[0][0]
    if latest is None:
        raise ValueError("the record holds no complaint and no finding about an official to judge by")
    return aware_utc(latest) + timedelta(microseconds=1)

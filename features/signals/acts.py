"""The acts behind the figures of conduct: for every dossier charged to somebody, what was done, when, with which words.

One row an act: a request for papers with the papers and whether the published list has them, a promise moved, a
handover, a return; and beside them each signal that the dossier shows and what citizens said of it. Figures about an
official, a unit, a procedure or a sector are counts over these dossiers, so each figure opens them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.record.utc import naive_utc
from features.signals.evaluate import SIGNAL_SHOWN
from features.signals.handled import ACTS, CHARGED, DOUBT, FAMILIES, NAMED
from features.signals.hands import YEAR
from features.signals.over_cases import CaseRelations
from features.signals.year import within_year

SCHEMA = pa.schema([
    ("official_id", pa.string()), ("unit_code", pa.string()), ("procedure_code", pa.string()),
    ("sector_code", pa.string()), ("dossier_id", pa.string()), ("family", pa.string()), ("doubtful", pa.bool_()),
    ("act", pa.string()), ("happened_at", pa.timestamp("us", "UTC")), ("account_id", pa.string()),
    ("detail", pa.string()), ("unlisted", pa.list_(pa.string())), ("hours", pa.float64()), ("value", pa.float64()),
])  # fmt: skip
"""family: of `CHARGED`. act: a kind of event, `signal:<name>`, or `complaint`. account_id: under whom it was entered.
detail: papers asked for, reason given, or the citizen's words. unlisted: those papers that the published list lacks.
hours: working hours until the citizen had answered. value: of a signal.
"""


def acts(
    con: duckdb.DuckDBPyConnection,
    acted: pa.Table,
    as_of: datetime,
    since: datetime | None = None,
    year: CaseRelations | None = None,
) -> pa.Table:
    """Rows of `SCHEMA` behind the charges of `acted` (`handled` for the same moment), by official, dossier and time.

    `con`: a connection of `Record.connect`. `year`: as in `handled`.
    """
    charged = _charged(acted)
    if not charged.num_rows:
        return SCHEMA.empty_table()
    con.register("charge", charged)
    try:
        with within_year(con, as_of, since, VIETNAM, signals=NAMED, year=year) as over:
            return over.select(_select(naive_utc(since or as_of - YEAR)), last=year is None).cast(SCHEMA)
    finally:
        con.unregister("charge")


def _charged(acted: pa.Table) -> pa.Table:
    parts = []
    for family in CHARGED:
        rows = acted.filter(pa.array([bool(one) for one in acted[family].to_pylist()], pa.bool_()))
        keys = rows.select(["official_id", "unit_code", "procedure_code", "dossier_id"])
        parts.append(keys.append_column("family", pa.array([family] * rows.num_rows, pa.string()))
                     .append_column("doubtful", rows[f"{family}{DOUBT}"].cast(pa.bool_())))  # fmt: skip
    return pa.concat_tables(parts)


def _kinds(kinds: Iterable[str]) -> str:
    return ", ".join(repr(kind) for kind in kinds)


def _select(begin: datetime) -> str:
    of_family = " OR ".join(f"(g.family = '{family}' AND k.kind IN ({_kinds(ACTS[family])}))" for family in FAMILIES)
    of_signal = " OR ".join(
        f"(g.family = '{family}' AND s.signal IN ({_kinds(names)}))" for family, names in FAMILIES.items()
    )
    return f"""
        WITH place AS (
            SELECT g.*, d.case_no, p.sector_code FROM charge g JOIN dossier_now d ON d.dossier_id = g.dossier_id
            LEFT JOIN (SELECT procedure_code, any_value(sector_code ORDER BY sector_code) AS sector_code
                       FROM procedure GROUP BY procedure_code) p ON p.procedure_code = g.procedure_code
        ), published AS (
            SELECT procedure_code, max(lower(papers)) AS papers FROM procedure WHERE papers IS NOT NULL
            GROUP BY procedure_code
        ), done AS (
            SELECT g.official_id, g.unit_code, g.procedure_code, g.sector_code, g.dossier_id, g.family, g.doubtful,
                   k.kind AS act, k.happened_at, k.account_id,
                   nullif(concat_ws('; ', k.papers, k.reason), '') AS detail,
                   CASE WHEN k.kind = 'papers_requested' AND k.papers IS NOT NULL AND p.papers IS NOT NULL THEN
                        list_filter(list_transform(string_split(k.papers, ';'), lambda x: trim(x)),
                                    lambda x: x <> '' AND NOT contains(p.papers, lower(x))) END AS unlisted,
                   (SELECT min(n.happened_w) FROM known n WHERE n.case_no = k.case_no AND n.happened_at > k.happened_at
                    AND n.kind IN ('papers_supplied', 'resumed')) - k.happened_w AS hours,
                   NULL::DOUBLE AS value
            FROM place g JOIN act_in_custody k ON k.case_no = g.case_no AND k.official_id = g.official_id
                 AND ({of_family})
            LEFT JOIN published p ON p.procedure_code = g.procedure_code
            WHERE k.happened_at >= TIMESTAMP '{begin.isoformat(" ")}'
        ), signalled AS (
            SELECT g.official_id, g.unit_code, g.procedure_code, g.sector_code, g.dossier_id, g.family, g.doubtful,
                   'signal:' || s.signal AS act, NULL::TIMESTAMP AS happened_at, NULL AS account_id, NULL AS detail,
                   NULL::VARCHAR[] AS unlisted, NULL::DOUBLE AS hours, s.value
            FROM place g JOIN {SIGNAL_SHOWN} s ON s.case_no = g.case_no AND ({of_signal})
        ), said AS (
            SELECT g.official_id, g.unit_code, g.procedure_code, g.sector_code, g.dossier_id, g.family, g.doubtful,
                   'complaint' AS act, q.filed_at AS happened_at, NULL AS account_id,
                   left(q.text, 400) AS detail, NULL::VARCHAR[] AS unlisted, NULL::DOUBLE AS hours,
                   NULL::DOUBLE AS value
            FROM place g JOIN (
                SELECT c.dossier_id, min(c.filed_at) AS filed_at, arg_min(c.text, (c.known_at, c.row_id)) AS text
                FROM complaint c JOIN cases_in i ON i.dossier_id = c.dossier_id AND c.known_at < i.as_of
                WHERE c.topic IN ('conduct', 'extra_papers', 'bribe', 'procedure') GROUP BY c.complaint_id, c.dossier_id
            ) q ON q.dossier_id = g.dossier_id
        ), agent AS (
            SELECT g.official_id, g.unit_code, g.procedure_code, g.sector_code, g.dossier_id, g.family, g.doubtful,
                   'agent' AS act, NULL::TIMESTAMP AS happened_at, NULL AS account_id, NULL AS detail,
                   NULL::VARCHAR[] AS unlisted, NULL::DOUBLE AS hours, NULL::DOUBLE AS value
            FROM place g WHERE g.family = 'agents'
        )
        SELECT official_id, unit_code, procedure_code, sector_code, dossier_id, family, doubtful, act,
               timezone('UTC', happened_at) AS happened_at, account_id, detail, unlisted, hours, value
        FROM (FROM done UNION ALL FROM signalled UNION ALL FROM said UNION ALL FROM agent)
        ORDER BY official_id, dossier_id, family, happened_at NULLS FIRST, act"""

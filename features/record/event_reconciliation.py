"""One event that several sources deliver, or deliver otherwise than it was: how the record's portal rows are read.

Applies where a one-stop source was delivered. Their feeds (`features.sources.row_builder`) give an event the id
`<kind>@<moment>…`, with `state:` before it where it was read off a dossier's current state. The record keeps every
row; the views of this module say what they mean together:

* one dossier under two codes (T7): the alias leads to the dossier's own code, in every table;
* an event told twice at once is one event with the cells of both; a telling that comes later adds a `note`, and where
  it is the first to tell the due moment with which the citizen's time is booked, a `resumed` that gives it;
* an end dated to the very moment of receipt was made up (T2, T4): a `note`;
* work after an end opens the dossier again (T1, T12): a `reopened` is added when the work becomes known, and an
  end that becomes known only after the work that contradicts it is a `note`;
* the due moment of a supplement round that an older version took in as `extended` books the citizen's time: `resumed`;
* a status of the 2026 API has no moment: it stands with the event of its kind, and is not seen before.

What is known later never changes how earlier knowledge reads: of two rows that contradict each other, the one
that became known later gives way.
"""

from collections.abc import Collection

import duckdb

from features.record.schema import ENDS, WORK

PORTAL_SOURCES = frozenset({"dvcqg", "opencps", "igate"})
TABLES_OF_DOSSIERS = ("dossier", "event", "complaint", "rating", "finding", "explanation")
RAW = "_raw"
"""Suffix of the views that hold the rows as they were delivered."""

_MERGED = ", ".join(
    f"first_value({column} IGNORE NULLS) OVER tellers AS {column}"
    for column in ("official_id", "unit_code", "to_unit_code", "step", "step_due_at", "due_at", "reason", "papers")
)

_BOOKED = (
    "kind = 'extended' AND step = 'Bổ sung hồ sơ' AND reason IS NULL AND regexp_matches(event_id, '^extended@[0-9]+$')"
)
"""How deliveries were read until November 2026: the due moment of a supplement round as an event of its own."""

_ALIAS = """
    WITH step AS (SELECT other_id, min(dossier_id) AS dossier_id FROM alias GROUP BY other_id)
    SELECT s.other_id, coalesce(n.dossier_id, s.dossier_id) AS dossier_id
    FROM step s LEFT JOIN step n ON n.other_id = s.dossier_id
"""

_EVENT = f"""
    WITH ours AS (
        SELECT * REPLACE (CASE WHEN {_BOOKED} THEN 'resumed' ELSE kind END AS kind),
               starts_with(event_id, 'state:') AS of_state FROM event_named
        WHERE regexp_matches(event_id, '^(state:)?[a-z_]+@[0-9]{{14}}')
    ),
    twice AS (
        SELECT dossier_id, kind, happened_at FROM ours WHERE kind <> 'note'
        GROUP BY dossier_id, kind, happened_at HAVING count(*) > 1
    ),
    numbered AS (
        SELECT o.* REPLACE ({_MERGED}),
               row_number() OVER telling AS nth, first_value(known_at) OVER telling AS first_known,
               of_state AND kind = 'papers_supplied' AND due_at IS NOT NULL AND count(due_at) OVER telling = 1 AS books
        FROM ours o SEMI JOIN twice USING (dossier_id, kind, happened_at)
        WINDOW telling AS (
            PARTITION BY dossier_id, kind, happened_at ORDER BY known_at, of_state, event_id, row_id
        ), tellers AS (
            PARTITION BY dossier_id, kind, happened_at, known_at ORDER BY of_state, event_id, row_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ),
    counted AS (
        SELECT *, 1 AS nth FROM ours ANTI JOIN twice USING (dossier_id, kind, happened_at)
        UNION ALL BY NAME
        SELECT * EXCLUDE (first_known, books) FROM numbered
        WHERE nth = 1 OR (known_at > first_known AND NOT of_state AND official_id IS NOT NULL)
        UNION ALL BY NAME
        SELECT * EXCLUDE (first_known, books) REPLACE (
            'resumed' AS kind, 1 AS nth, 'state:resumed' || substr(event_id, strpos(event_id, '@')) AS event_id)
        FROM numbered WHERE books AND known_at > first_known
    ),
    once AS (
        SELECT c.* EXCLUDE (of_state, nth) REPLACE (
            CASE WHEN c.nth > 1 OR (c.kind IN {ENDS} AND d.dossier_id IS NOT NULL) THEN 'note' ELSE c.kind END AS kind)
        FROM counted c LEFT JOIN (
            SELECT DISTINCT dossier_id, received_at FROM dossier
        ) d ON d.dossier_id = c.dossier_id AND d.received_at = c.happened_at
    ),
    against AS (
        SELECT e.row_id AS end_row, w.row_id AS work_row, e.known_at AS end_known, w.known_at AS work_known,
               w.happened_at
        FROM (SELECT * FROM once WHERE kind IN {ENDS}) e
        JOIN (SELECT * FROM once WHERE kind IN {WORK}
              AND NOT (kind = 'forwarded' AND coalesce(step, '') ILIKE '%kết quả%')) w
          ON w.dossier_id = e.dossier_id AND w.happened_at > e.happened_at
    ),
    opening AS (
        SELECT DISTINCT work_row FROM (
            SELECT work_row, row_number() OVER (
                PARTITION BY end_row ORDER BY work_known, happened_at, work_row) AS nth
            FROM against WHERE work_known >= end_known
        ) WHERE nth = 1
    ),
    taken_back AS (SELECT DISTINCT end_row FROM against WHERE work_known < end_known)
    SELECT o.* REPLACE (CASE WHEN t.end_row IS NULL THEN o.kind ELSE 'note' END AS kind)
    FROM once o LEFT JOIN taken_back t ON t.end_row = o.row_id
    UNION ALL BY NAME
    SELECT w.* REPLACE ('reopened' AS kind, NULL AS due_at, w.row_id || '-reopened' AS row_id,
                        'reopened' || substr(w.event_id, strpos(w.event_id, '@')) AS event_id)
    FROM once w JOIN opening ON opening.work_row = w.row_id
    UNION ALL BY NAME
    SELECT s.* REPLACE (m.happened_at AS happened_at, greatest(s.known_at, m.known_at) AS known_at)
    FROM event_named s JOIN (
        SELECT dossier_id, kind, min(happened_at) AS happened_at, arg_min(known_at, happened_at) AS known_at
        FROM once GROUP BY dossier_id, kind
    ) m ON m.dossier_id = s.dossier_id AND s.event_id LIKE 'status:' || m.kind || '@%'
    UNION ALL BY NAME
    SELECT * FROM event_named
    WHERE event_id IS NULL OR NOT regexp_matches(event_id, '^((state:)?[a-z_]+@[0-9]{{14}}|status:[a-z_]+@)')
"""


def reconciled_views(tables: Collection[str] = TABLES_OF_DOSSIERS) -> dict[str, str]:
    """SELECT by name of view, in order, over those of the same name with `_raw`; needs the view `alias`."""
    views = {"alias_end": _ALIAS}
    for table in tables:
        views["event_named" if table == "event" else table] = (
            f"SELECT t.* REPLACE (coalesce(a.dossier_id, t.dossier_id) AS dossier_id) "
            f"FROM {table}{RAW} t LEFT JOIN alias_end a ON a.other_id = t.dossier_id"
        )
    return views | {"event": _EVENT}


def create_reconciled_views(con: duckdb.DuckDBPyConnection) -> None:
    """Creates the views of `reconciled_views` for all tables of dossiers."""
    for name, sql in reconciled_views().items():
        con.execute(f"CREATE VIEW {name} AS {sql}")

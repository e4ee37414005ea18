"""Which moment of a history is worth looking at."""

from datetime import UTC, datetime, timedelta

import duckdb

from features.record import Record
from serving.settings import Settings

_WEEKS = """
    WITH bounds AS (
        SELECT MIN(known_at) AS first_at, MAX(known_at) AS last_at
        FROM (SELECT known_at FROM dossier UNION ALL SELECT known_at FROM event)
    ),
    life AS (
        SELECT d.dossier_id, MIN(d.received_at) AS from_at,
               MIN(e.happened_at) AS until_at
        FROM dossier d
        LEFT JOIN event e ON e.dossier_id = d.dossier_id
             AND e.kind IN ('refused', 'decided', 'withdrawn', 'delivered')
        GROUP BY d.dossier_id
    ),
    due AS (
        SELECT dossier_id, MAX(due_at) AS due_at
        FROM (SELECT dossier_id, due_at FROM dossier UNION ALL SELECT dossier_id, due_at FROM event)
        GROUP BY dossier_id
    ),
    week AS (
        SELECT UNNEST(range(0, CAST(date_diff('day', first_at, last_at) // 7 AS BIGINT) + 1)) AS back, last_at
        FROM bounds
    ),
    moment AS (SELECT last_at - to_days(CAST(7 * back AS INTEGER)) AS as_of FROM week)
    SELECT m.as_of, COUNT(l.dossier_id) AS open
    FROM moment m
    LEFT JOIN (SELECT l.*, due.due_at FROM life l JOIN due USING (dossier_id)) l
         ON l.from_at < m.as_of AND COALESCE(l.until_at, l.due_at) >= m.as_of AND l.due_at > m.as_of
    GROUP BY m.as_of ORDER BY m.as_of DESC
"""


def telling_moment(settings: Settings) -> datetime:
    """The latest week of the record in which about as much work is open as usual: there a list tells something.

    A log of the past ends when its last dossiers do; its very end has nothing open. The week chosen is the
    latest with at least half of the median number of dossiers open and not yet due. ValueError for an empty
    record.
    """
    con: duckdb.DuckDBPyConnection = Record(settings.record_url).connect()
    weeks = [(moment, count) for moment, count in con.execute(_WEEKS).fetchall() if moment is not None]
    counts = sorted(count for _, count in weeks if count)
    if not counts:
        raise ValueError("the record holds no dossier with a due date that was ever open: nothing to show")
    usual = counts[len(counts) // 2]
    latest: datetime = next(moment for moment, count in weeks if 2 * count >= usual)
    return latest.replace(tzinfo=UTC) + timedelta(microseconds=1)  # just after, so that its news is known

"""Which complaints about an official are one letter, whoever signed it: the same words sent again and again.

A person is told by the opaque id (feeds make it from the account or the phone, so one phone is one person); a letter
by its words. Each complaint is tied to the first that says nearly the same of the same official, filed before it: so
what comes later never changes how an earlier moment counted.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from features.complaints.copies import first_alike
from features.complaints.topics import wording
from features.complaints.triage import ANSWER

WITHIN = 90.0
"""Days within which the same words are the same letter."""

_TEXTS = """
    SELECT c.complaint_id, coalesce(c.official_id, h.official_id) AS official_id, min(c.filed_at) AS filed_at,
           arg_min(c.text, (c.known_at, c.row_id)) AS text
    FROM complaint c LEFT JOIN (SELECT DISTINCT about_id, official_id FROM custody WHERE about = 'complaint') h
         ON c.official_id IS NULL AND h.about_id = c.complaint_id
    WHERE coalesce(c.official_id, h.official_id) IS NOT NULL AND c.text IS NOT NULL
    GROUP BY ALL ORDER BY filed_at, complaint_id, official_id"""


def letters(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """complaint_id, official_id, letter (id of the first complaint in the same words); only of complaints with a text.

    `con`: a connection of `Record.connect` with the relation `custody`.
    """
    rows = con.sql(_TEXTS).fetchall()
    day = [filed_at.timestamp() / 86400 for _, _, filed_at, _ in rows]
    about = [official_id for _, official_id, _, _ in rows]
    first = first_alike([wording(text.split(ANSWER)[0]) for *_, text in rows], about, day, WITHIN)
    return pa.table({
        "complaint_id": pa.array([row[0] for row in rows], pa.string()),
        "official_id": pa.array(about, pa.string()),
        "letter": pa.array([rows[place][0] for place in first], pa.string()),
    })  # fmt: skip

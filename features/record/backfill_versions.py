"""Rows of a back-fill that cover several moments, split into what was known at each.

A back-filled complaint carries its verdict, a back-filled finding its confirmation. Taken whole, such a row was
known only when the last of it was; but that somebody had complained, or that a visit had found something, was
known before. The views show both: the row as it was at first, and the row as it came. Rows whose `known_at` the
source told, or that arrived live, are versions of their own and stay as they are.
"""

UNFOLDED = {
    "complaint": """
        SELECT * FROM complaint_kept
        UNION ALL BY NAME
        SELECT * REPLACE (filed_at AS known_at, NULL AS answered_at, NULL AS verdict, NULL AS verdict_at,
                          split_part(text, chr(10) || '[trả lời] ', 1) AS text, row_id || '/filed' AS row_id)
        FROM complaint_kept WHERE known_by = 'clock' AND known_at > filed_at
    """,
    "finding": """
        WITH visit AS (
            SELECT inspection_id, min(coalesce(visited_at, planned_at)) AS found_at
            FROM inspection_kept GROUP BY inspection_id
        ), told AS (
            SELECT f.*, v.found_at FROM finding_kept f LEFT JOIN visit v USING (inspection_id)
            WHERE known_by = 'clock'
        )
        SELECT * FROM finding_kept WHERE known_by <> 'clock'
        UNION ALL BY NAME
        SELECT * EXCLUDE (found_at) REPLACE (coalesce(greatest(found_at, confirmed_at), known_at) AS known_at)
        FROM told
        UNION ALL BY NAME
        SELECT * EXCLUDE (found_at) REPLACE (found_at AS known_at, NULL AS confirmed, NULL AS confirmed_at,
                                             row_id || '/found' AS row_id)
        FROM told WHERE confirmed_at > found_at
    """,
}
"""By table: the view over `<table>_kept`, the rows as the record keeps them."""

STORED = "_kept"
"""Suffix of the views that hold rows as the record keeps them, whenever known."""

STORED_TABLES = frozenset({*UNFOLDED, "inspection"})

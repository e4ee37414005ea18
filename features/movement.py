"""What each piece of news changed in the totals of officials, units and procedures: open, overdue, closed, late.

A **turn** is a stretch of time in which unit, procedure, holder, promise and end of a dossier, as known, stayed
the same. Every turn adds to totals at its beginning and takes away at its end, so a total at any moment is a
sum over what was known before, and news of a later moment can't reach it.

A dossier's **outcome** is known as soon as its end is known or its promise has passed unended: late when the
end lies after the promise, or the promise passed; corrected where later news says otherwise.
"""

from __future__ import annotations

TURNS = {
    "standing_news": """
        SELECT v.dossier_id, GREATEST(v.known_us, s.from_us) AS from_us,
               v.unit_code, v.procedure_code, v.received_us,
               COALESCE(s.official_id, '') AS official_id,
               COALESCE(s.new_due_us, v.due_us, 0) AS due_us, COALESCE(s.end_us, 0) AS end_us
        FROM version v
        JOIN (SELECT dossier_id, from_us, until_us, official_id, new_due_us, end_us FROM spell
              UNION ALL
              SELECT dossier_id, from_us, until_us, NULL, NULL, NULL FROM quiet) s
          ON s.dossier_id = v.dossier_id
         AND (v.until_us IS NULL OR s.from_us < v.until_us) AND (s.until_us IS NULL OR v.known_us < s.until_us)
        WHERE v.until_us IS NULL OR v.until_us > v.known_us
    """,
    "changed": """
        SELECT *,
               LAG(unit_code) OVER (PARTITION BY dossier_id ORDER BY from_us) AS last_unit,
               LAG(procedure_code) OVER (PARTITION BY dossier_id ORDER BY from_us) AS last_procedure,
               LAG(official_id) OVER (PARTITION BY dossier_id ORDER BY from_us) AS last_official,
               LAG(due_us) OVER (PARTITION BY dossier_id ORDER BY from_us) AS last_due_us,
               LAG(end_us) OVER (PARTITION BY dossier_id ORDER BY from_us) AS last_end_us
        FROM standing_news
    """,
    "turn": """
        SELECT *,
               LEAD(from_us) OVER (PARTITION BY dossier_id ORDER BY from_us) AS until_us,
               CASE WHEN last_unit IS NULL OR last_unit <> unit_code THEN 1 ELSE 0 END AS unit_new,
               CASE WHEN last_procedure IS NULL OR last_procedure <> procedure_code THEN 1 ELSE 0 END
                   AS procedure_new,
               CASE WHEN last_official IS NULL OR last_official <> official_id THEN 1 ELSE 0 END AS official_new
        FROM changed
        WHERE last_unit IS NULL OR last_unit <> unit_code OR last_procedure <> procedure_code
           OR last_official <> official_id OR last_due_us <> due_us OR last_end_us <> end_us
    """,
    # one row for each moment that moves a total
    "moved": """
        SELECT dossier_id, unit_code, procedure_code, official_id, from_us AS at_us, received_us, end_us,
               CASE WHEN end_us = 0 THEN 1 ELSE 0 END AS open, 0 AS overdue,
               unit_new, procedure_new, official_new,
               CASE WHEN end_us > 0 AND COALESCE(last_end_us, 0) = 0 THEN 1 ELSE 0 END AS closed
        FROM turn
        UNION ALL
        SELECT dossier_id, unit_code, procedure_code, official_id, until_us, received_us, end_us, -1, 0, 0, 0, 0, 0
        FROM turn WHERE end_us = 0 AND until_us IS NOT NULL
        UNION ALL
        SELECT dossier_id, unit_code, procedure_code, official_id, GREATEST(from_us, due_us),
               received_us, end_us, 0, 1, 0, 0, 0, 0
        FROM turn WHERE end_us = 0 AND due_us > 0 AND (until_us IS NULL OR due_us < until_us)
        UNION ALL
        SELECT dossier_id, unit_code, procedure_code, official_id, until_us, received_us, end_us, 0, -1, 0, 0, 0, 0
        FROM turn WHERE end_us = 0 AND due_us > 0 AND due_us < until_us
    """,
    "movement": """
        SELECT m.*, $at_day AS day,
               CASE WHEN closed = 1 THEN GREATEST(0, $end_w - $received_w) ELSE 0 END AS closed_w
        FROM moved m $clocks
    """,
    # what was thought of a dossier from each moment on: 1 late, 0 in time, null not yet known
    "verdict": """
        SELECT dossier_id, unit_code, procedure_code, from_us AS at_us, end_us,
               CASE WHEN due_us = 0 THEN NULL WHEN end_us > 0 THEN CASE WHEN end_us > due_us THEN 1 ELSE 0 END
                    WHEN due_us < from_us THEN 1 END AS late
        FROM turn
        UNION ALL
        SELECT dossier_id, unit_code, procedure_code, due_us, end_us, 1 FROM turn
        WHERE end_us = 0 AND due_us >= from_us AND (until_us IS NULL OR due_us < until_us)
    """,
    "verdict_changed": """
        SELECT *, LAG(late) OVER (PARTITION BY dossier_id ORDER BY at_us, late NULLS FIRST) AS last_late,
               LAG(end_us) OVER (PARTITION BY dossier_id ORDER BY at_us, late NULLS FIRST) AS last_end_us
        FROM verdict
    """,
    "outcome": """
        SELECT dossier_id, unit_code, procedure_code, at_us, $at_day AS day,
               CASE WHEN late IS NULL THEN 0 ELSE 1 END - CASE WHEN last_late IS NULL THEN 0 ELSE 1 END AS known,
               COALESCE(late, 0) - COALESCE(last_late, 0) AS late
        FROM verdict_changed m $clocks
        WHERE late IS DISTINCT FROM last_late
    """,
    # outcomes charged to every official who has handled the dossier, once both are known
    "handled": """
        SELECT dossier_id, official_id, MIN(known_us) AS known_us FROM event_in
        WHERE official_id IS NOT NULL GROUP BY dossier_id, official_id
    """,
    "official_outcome": """
        SELECT m.*, $at_day AS day
        FROM (SELECT h.official_id, o.procedure_code, GREATEST(o.at_us, h.known_us) AS at_us, o.known, o.late
              FROM outcome o JOIN handled h ON h.dossier_id = o.dossier_id) m $clocks
    """,
    # the first entry into each step, as first known
    "visit": """
        SELECT dossier_id, step, known_us, happened_w FROM (
            SELECT *, ROW_NUMBER() OVER (PARTITION BY dossier_id, step
                                         ORDER BY known_us, happened_us, row_id) AS nth FROM event_in) e
        WHERE nth = 1
    """,
    "closing": """
        SELECT m.*, $end_w AS end_w FROM (
            SELECT dossier_id, procedure_code, from_us AS at_us, end_us, 1 AS ended FROM turn
            WHERE end_us > 0 AND end_us <> COALESCE(last_end_us, 0)
            UNION ALL
            SELECT dossier_id, procedure_code, from_us, last_end_us, -1 FROM turn
            WHERE last_end_us > 0 AND end_us <> last_end_us) m $clocks
    """,
    "step_outcome": """
        SELECT m.*, $at_day AS day FROM (
            SELECT c.procedure_code, v.step, GREATEST(c.at_us, v.known_us) AS at_us, c.ended,
                   c.ended * GREATEST(0, c.end_w - v.happened_w) AS left_w, 0 AS known, 0 AS late
            FROM closing c JOIN visit v ON v.dossier_id = c.dossier_id
            UNION ALL
            SELECT o.procedure_code, v.step, GREATEST(o.at_us, v.known_us), 0, 0, o.known, o.late
            FROM outcome o JOIN visit v ON v.dossier_id = o.dossier_id) m $clocks
    """,
}

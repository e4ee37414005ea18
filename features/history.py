"""How a dossier stood, as known at a moment: the relations in which the cutoff lives.

Written as SQL text, one relation a name, each resting on those before it. Times are integers: `*_us` counts
microseconds since 1970, `*_w` microseconds worked (`features.calendar`), `day` local days; so sums do not
depend on order and every engine agrees to the last bit.

Order. Within a dossier events stand by (`happened_us`, `known_us`, `row_id`). Where news came in that order
one **strand** of history serves every moment: what was known at `as_of` is its beginning. Where an event
became known after a later one, each moment of knowledge gets a strand of its own, of what was known then.

Words. Promise in force: `due_at` of the last known event that gives one, else of the latest known version of
the dossier. Processing end: the first of refused, decided, withdrawn, else the first delivered; after the last
reopening, the last of these that follows it. Holder: the official of the last known event that names one.
"""

from __future__ import annotations

STOPS = ("papers_requested", "suspended")
RUNS = ("papers_supplied", "resumed")
ENDS = ("refused", "decided", "withdrawn")

_LAST = "OVER (PARTITION BY dossier_id, strand ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
_BEFORE = "OVER (PARTITION BY dossier_id, strand ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
_NEXT = "OVER (PARTITION BY dossier_id, strand ORDER BY seq)"

VERSIONED = {
    # every version of a dossier, with the moment until which it was the latest known
    "version": """
        SELECT d.*, p.sector_code, p.legal_working_days, p.max_supplements,
               LEAD(d.known_us) OVER (PARTITION BY d.dossier_id ORDER BY d.known_us, d.row_id) AS until_us
        FROM dossier_in d LEFT JOIN procedure_in p ON p.procedure_code = d.procedure_code
    """,
}

HISTORY = {
    # events in the order in which they happened; `known_before`: the latest knowledge of those before
    "ordered": """
        SELECT *,
               ROW_NUMBER() OVER (PARTITION BY dossier_id ORDER BY happened_us, known_us, row_id) AS seq,
               MAX(known_us) OVER (PARTITION BY dossier_id ORDER BY happened_us, known_us, row_id
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS known_before
        FROM event_in
    """,
    "disordered": "SELECT DISTINCT dossier_id FROM ordered WHERE known_before > known_us",
    "news": """
        SELECT dossier_id, known_us AS strand,
               LEAD(known_us) OVER (PARTITION BY dossier_id ORDER BY known_us) AS strand_until
        FROM (SELECT DISTINCT o.dossier_id, o.known_us
              FROM ordered o JOIN disordered d ON d.dossier_id = o.dossier_id) n
    """,
    "stranded": """
        SELECT o.*, CAST(0 AS BIGINT) AS strand, CAST(NULL AS BIGINT) AS strand_until
        FROM ordered o LEFT JOIN disordered d ON d.dossier_id = o.dossier_id
        WHERE d.dossier_id IS NULL
        UNION ALL
        SELECT o.*, n.strand, n.strand_until
        FROM ordered o JOIN news n ON n.dossier_id = o.dossier_id AND o.known_us <= n.strand
    """,
    # what lies before each event
    "stepped": f"""
        SELECT *,
               LAG(happened_us) {_NEXT} AS last_us,
               LAG(happened_w) {_NEXT} AS last_w,
               LAG(step) {_NEXT} AS last_step,
               LAST_VALUE(official_id IGNORE NULLS) {_BEFORE} AS last_official,
               LAST_VALUE(CASE WHEN kind IN {STOPS} THEN 1 WHEN kind IN {RUNS} THEN 0 END IGNORE NULLS)
                   {_BEFORE} AS last_stopped,
               LEAD(known_us) {_NEXT} AS next_known_us,
               ROW_NUMBER() OVER (PARTITION BY dossier_id, strand, step ORDER BY seq) AS step_visit,
               ROW_NUMBER() OVER (PARTITION BY dossier_id, strand, official_id ORDER BY seq) AS official_visit
        FROM stranded
    """,
    # the same as plain columns that features of the grain `history` may aggregate
    "history": """
        SELECT *,
               CASE WHEN strand = 0 THEN known_us WHEN next_known_us IS NULL THEN strand END AS from_us,
               CASE WHEN strand = 0 THEN next_known_us ELSE strand_until END AS until_us,
               happened_us - last_us AS gap_us,
               happened_w - last_w AS gap_w,
               CASE WHEN last_stopped = 1 THEN happened_w - last_w ELSE 0 END AS paused_w,
               CASE WHEN last_step IS NULL OR last_step <> step THEN 1 ELSE 0 END AS step_changed,
               CASE WHEN step_visit = 1 THEN 1 ELSE 0 END AS step_new,
               CASE WHEN official_visit = 1 AND official_id IS NOT NULL THEN 1 ELSE 0 END AS official_new,
               CASE WHEN last_official <> official_id THEN 1 ELSE 0 END AS handover,
               CASE WHEN last_official <> official_id AND official_visit > 1 THEN 1 ELSE 0 END AS handed_back
        FROM stepped
    """,
}

# Running state at each event. A strand of its own counts only at its last event, when all of it is known.
SPELL = f"""
    SELECT dossier_id, from_us, until_us,
           happened_us AS last_us, happened_w AS last_w, step,
           LAST_VALUE(official_id IGNORE NULLS) {_LAST} AS official_id,
           LAST_VALUE(CASE WHEN official_id IS NOT NULL AND (last_official IS NULL OR handover = 1)
                           THEN happened_w END IGNORE NULLS) {_LAST} AS held_w,
           LAST_VALUE(CASE WHEN step_changed = 1 THEN happened_w END IGNORE NULLS) {_LAST} AS step_w,
           LAST_VALUE(due_us IGNORE NULLS) {_LAST} AS new_due_us,
           LAST_VALUE(CASE WHEN kind IN {STOPS} THEN 1 WHEN kind IN {RUNS} THEN 0 END IGNORE NULLS)
               {_LAST} AS stopped,
           SUM(paused_w) {_LAST} AS paused_w,
           MIN(CASE WHEN kind IN {ENDS} THEN happened_us END) {_LAST} AS first_end_us,
           MIN(CASE WHEN kind = 'delivered' THEN happened_us END) {_LAST} AS first_delivered_us,
           MAX(CASE WHEN kind IN {ENDS} OR kind = 'delivered' THEN happened_us END) {_LAST} AS last_end_us,
           MAX(CASE WHEN kind = 'reopened' THEN happened_us END) {_LAST} AS reopened_us
           $features
    FROM history
"""

SPELLS = {
    # one row for each stretch of time in which the same was known of a dossier's events
    "spell": """
        SELECT *, CASE WHEN reopened_us IS NULL THEN COALESCE(first_end_us, first_delivered_us)
                       WHEN last_end_us > reopened_us THEN last_end_us END AS end_us
        FROM running WHERE from_us IS NOT NULL AND (until_us IS NULL OR until_us > from_us)
    """,
    # the stretch before the first event is known
    "quiet": """
        SELECT d.dossier_id, CAST(0 AS BIGINT) AS from_us, MIN(e.known_us) AS until_us
        FROM (SELECT DISTINCT dossier_id FROM dossier_in) d LEFT JOIN event_in e ON e.dossier_id = d.dossier_id
        GROUP BY d.dossier_id
    """,
}

# how the dossier of each case stood at its `as_of`
STANDING = """
    SELECT c.case_no, c.dossier_id, c.as_of_us, $as_of_w AS as_of_w, $as_of_day AS day,
           v.* EXCLUDE (dossier_id, row_id, known_us, until_us, due_us),
           $received_w AS received_w, $received_day AS received_day, $received_clock AS received_clock_us,
           v.due_us AS first_due_us, $first_due_w AS first_due_w,
           COALESCE(s.new_due_us, v.due_us) AS due_us, $due_w AS due_w,
           s.* EXCLUDE (dossier_id, from_us, until_us, new_due_us)
    FROM cases_in c
    LEFT JOIN version v ON v.dossier_id = c.dossier_id
         AND v.known_us < c.as_of_us AND (v.until_us IS NULL OR v.until_us >= c.as_of_us)
    LEFT JOIN spell s ON s.dossier_id = c.dossier_id
         AND s.from_us < c.as_of_us AND (s.until_us IS NULL OR s.until_us >= c.as_of_us)
    $clocks
"""

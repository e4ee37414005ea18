"""How a dossier stood, as known at a moment: the relations in which the cutoff lives.

SQL text, one relation a name, each resting on those before it. Times are integers: `*_us` counts microseconds
since 1970, `*_w` microseconds worked (`features.calendar`); so sums don't depend on order, and every engine
agrees to the last bit. `*_no` stands for a code or name (`features.matrix.source_relations`).

Order. Within a dossier events stand by (`happened_us`, `known_us`, `row_id`). Where news came in that order, one
**strand** of history serves every moment: what was known at `as_of` is its beginning. Where an event became
known after a later one, or one event came in two versions, each moment of knowledge gets a strand of its own: what
was known then, of an event its latest known version.

Words. Promise in force: `due_at` of the last known event that gives one, else of the latest known version of
the dossier. Holder: the official of the last known event that names one. Way: the events that are work on the
dossier; one by which the office moves its promise is none, so it ends no silence and is no step, and nobody lowers a
score with it. Lawful promise and end: those of `features.case_state.state`, brought by the relation `lawful`
(`features.matrix.lawful_promise`).

An event counts from when it was known and had happened.
"""

from __future__ import annotations

from string import Template

from features.case_state.kinds import MOVES, RUNS, STOPS

RUNNING = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
"""The frame of what is known up to and with an event of a strand."""


def _fill(sql: str, **parts: str) -> str:
    """`sql` with the windows of this module and the sets of kinds put in."""
    order = "PARTITION BY dossier_no, strand ORDER BY happened_us, known_us, row_id"
    return Template(sql).safe_substitute(
        in_order=f"OVER ({order})",
        in_order_running=f"OVER ({order} {RUNNING})",
        before=f"OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
        running=f"OVER (PARTITION BY dossier_no, strand ORDER BY seq {RUNNING})",
        way=f"kind NOT IN {MOVES}",
        stopped=f"CASE WHEN kind IN {STOPS} THEN 1 WHEN kind IN {RUNS} THEN 0 END",
        **parts,
    )


STRANDS = {
    # dossiers of which news may have come out of order or twice: few, where a record keeps its own time
    "suspect": """
        SELECT DISTINCT dossier_no FROM event_in WHERE known_us <> happened_us
        UNION
        SELECT dossier_no FROM event_in WHERE event_id IS NOT NULL GROUP BY dossier_no, event_id HAVING COUNT(*) > 1
    """,
    "suspected": """
        SELECT e.dossier_no, e.row_id, e.known_us,
               MAX(e.known_us) OVER (PARTITION BY e.dossier_no ORDER BY e.happened_us, e.known_us, e.row_id
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS known_before,
               CASE WHEN e.event_id IS NOT NULL
                    THEN LEAD(e.known_us) OVER (PARTITION BY e.dossier_no, e.event_id ORDER BY e.known_us, e.row_id)
                    END AS retold_us
        FROM event_in e JOIN suspect s ON s.dossier_no = e.dossier_no
    """,
    "disordered": """
        SELECT DISTINCT dossier_no FROM suspected WHERE known_before > known_us OR retold_us IS NOT NULL
    """,
    "news": """
        SELECT dossier_no, known_us AS strand,
               LEAD(known_us) OVER (PARTITION BY dossier_no ORDER BY known_us) AS strand_until
        FROM (SELECT DISTINCT e.dossier_no, e.known_us
              FROM event_in e JOIN disordered d ON d.dossier_no = e.dossier_no) n
    """,
    "stranded": """
        SELECT e.*, CAST(0 AS BIGINT) AS strand, CAST(NULL AS BIGINT) AS strand_until
        FROM event_in e WHERE NOT EXISTS (SELECT 1 FROM disordered d WHERE d.dossier_no = e.dossier_no)
        UNION ALL
        SELECT e.*, n.strand, n.strand_until
        FROM event_in e
        JOIN news n ON n.dossier_no = e.dossier_no AND e.known_us <= n.strand
        JOIN suspected s ON s.dossier_no = e.dossier_no AND s.row_id = e.row_id
        WHERE s.retold_us IS NULL OR s.retold_us > n.strand
    """,
    # each event with what lies before and after it, and the running state of holder, promise and pause
    "ordered": _fill("""
        SELECT * EXCLUDE (row_id, event_id, due_us, calendar_no, step_no), due_us AS given_us,
               CASE WHEN $way THEN step_no
                    ELSE LAST_VALUE(CASE WHEN $way THEN step_no END IGNORE NULLS) $before END AS step_no,
               CAST(ROW_NUMBER() $in_order AS INTEGER) AS seq,
               LEAD(known_us) $in_order AS next_known_us,
               LAST_VALUE(CASE WHEN $way THEN happened_us END IGNORE NULLS) $before AS last_us,
               LAST_VALUE(CASE WHEN $way THEN happened_w END IGNORE NULLS) $before AS last_w,
               LAST_VALUE(CASE WHEN $way THEN step_no END IGNORE NULLS) $before AS last_step,
               LAST_VALUE(official_no IGNORE NULLS) $before AS last_official,
               LAST_VALUE($stopped IGNORE NULLS) $before AS last_stopped,
               LAST_VALUE(due_us IGNORE NULLS) $in_order_running AS new_due_us
        FROM stranded
    """),
    # [from_us, until_us): when this event was the last known; a strand of its own counts at its last event only
    "lasting": """
        SELECT * EXCLUDE (strand_until, next_known_us),
               COALESCE(official_no, last_official) AS holder_no,
               CASE WHEN strand = 0 THEN known_us WHEN next_known_us IS NULL THEN strand END AS from_us,
               CASE WHEN strand = 0 THEN next_known_us ELSE strand_until END AS until_us
        FROM ordered
    """,
}

# First visits, for flags and for the past of steps and officials.
FIRSTS = {
    "first_step": """
        SELECT dossier_no, strand, step_no, MIN(seq) AS seq FROM lasting WHERE step_no IS NOT NULL GROUP BY ALL
    """,
    "first_official": """
        SELECT dossier_no, strand, official_no, MIN(seq) AS seq, MIN(known_us) AS known_us
        FROM lasting WHERE official_no IS NOT NULL GROUP BY dossier_no, strand, official_no
    """,
}

# Of the dossiers of the cases, as far as any case can know of them: their events as columns for features to aggregate.
HISTORY = {
    "history": _fill("""
        SELECT l.*,
               CASE WHEN $way THEN 1 ELSE 0 END AS way,
               CASE WHEN $way THEN happened_us - last_us END AS gap_us,
               CASE WHEN $way THEN happened_w - last_w END AS gap_w,
               $stopped AS stops,
               CASE WHEN $way AND last_stopped = 1 THEN happened_w - last_w ELSE 0 END AS paused_w,
               CASE WHEN $way AND (last_step IS NULL OR last_step <> l.step_no) THEN 1 ELSE 0 END AS step_changed,
               CASE WHEN s.seq = l.seq THEN 1 ELSE 0 END AS step_new,
               CASE WHEN o.seq = l.seq THEN 1 ELSE 0 END AS official_new,
               CASE WHEN last_official <> l.official_no THEN 1 ELSE 0 END AS handover,
               CASE WHEN last_official <> l.official_no AND o.seq < l.seq THEN 1 ELSE 0 END AS handed_back
        FROM lasting l
        LEFT JOIN first_step s ON s.dossier_no = l.dossier_no AND s.strand = l.strand AND s.step_no = l.step_no
        LEFT JOIN first_official o
          ON o.dossier_no = l.dossier_no AND o.strand = l.strand AND o.official_no = l.official_no
        JOIN (SELECT dossier_no, MAX(as_of_us) AS last_asked_us FROM case_in GROUP BY dossier_no) c
          ON c.dossier_no = l.dossier_no AND CASE WHEN l.strand = 0 THEN l.known_us ELSE l.strand END < c.last_asked_us
    """),
}

# One row for each stretch of time in which the same was known of the events of a case's dossier.
SPELL = _fill("""
    SELECT dossier_no, strand, seq, from_us, until_us, CASE WHEN way = 1 THEN happened_us ELSE last_us END AS last_us,
           CASE WHEN way = 1 THEN happened_w ELSE last_w END AS last_w, step_no, holder_no AS official_no, new_due_us,
           LAST_VALUE(CASE WHEN official_no IS NOT NULL AND (last_official IS NULL OR handover = 1)
                           THEN happened_w END IGNORE NULLS) $running AS held_w,
           LAST_VALUE(CASE WHEN step_changed = 1 THEN happened_w END IGNORE NULLS) $running AS step_w,
           COALESCE(stops, last_stopped) AS stopped,
           CAST(SUM(paused_w) $running AS BIGINT) AS paused_w
           $features
    FROM history
""")

# How the dossier of each case stood at its `as_of`.
CASE_STATE = """
    SELECT c.case_no, c.dossier_no, c.as_of_us, c.as_of_w, c.day, 1 AS record_no,
           v.version_no, v.unit_no, v.procedure_no, v.received_us, v.received_w, v.received_day, v.received_clock_us,
           CASE WHEN v.version_no IS NOT NULL THEN c.break_w END AS break_w,
           CASE WHEN l.seq IS NULL THEN v.slip_us ELSE l.first_us END AS first_due_us,
           $first_w AS first_due_w $attributes,
           COALESCE(s.new_due_us, v.due_us) AS due_us, $due_w AS due_w,
           CASE WHEN l.seq IS NULL THEN v.slip_w
                ELSE l.lawful_w + CASE WHEN l.stands = 1 THEN c.as_of_w - l.clock_w ELSE 0 END END AS lawful_w,
           CASE WHEN l.seq IS NULL THEN v.slip_w ELSE l.start_w END AS start_w,
           CASE WHEN l.seq IS NULL THEN v.slip_us ELSE l.lawful_us END
               - CASE WHEN l.stands = 1 THEN l.clock_us ELSE c.as_of_us END AS lawful_left_us,
           s.* EXCLUDE (dossier_no, strand, seq, from_us, until_us, new_due_us),
           CASE WHEN v.version_no IS NOT NULL THEN
               COALESCE(s.paused_w, 0) + CASE WHEN s.stopped = 1 THEN c.as_of_w - s.last_w ELSE 0 END
           END AS paused_now_w
    FROM case_in c
    LEFT JOIN version v ON v.dossier_no = c.dossier_no
         AND v.known_us < c.as_of_us AND (v.until_us IS NULL OR v.until_us >= c.as_of_us)
    LEFT JOIN spell s ON s.dossier_no = v.dossier_no
         AND s.from_us < c.as_of_us AND (s.until_us IS NULL OR s.until_us >= c.as_of_us)
    LEFT JOIN lawful l ON l.header_no = v.header_no AND l.strand = s.strand AND l.seq = s.seq
    $clocks
"""

# Of which event of every dossier the holder and `lawful` were known, stretch by stretch (0: no holder).
STATE = {
    "state": """
        SELECT dossier_no, from_us, until_us, holder_no AS official_no, strand, seq
        FROM lasting WHERE from_us IS NOT NULL AND (until_us IS NULL OR until_us > from_us)
    """,
    # before the first event was known
    "quiet": """
        SELECT v.dossier_no, CAST(0 AS BIGINT) AS from_us, MIN(e.known_us) AS until_us
        FROM (SELECT DISTINCT dossier_no FROM version) v LEFT JOIN event_in e ON e.dossier_no = v.dossier_no
        GROUP BY v.dossier_no
    """,
}

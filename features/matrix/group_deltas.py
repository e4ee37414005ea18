"""What each piece of news changed in the totals of officials, units and procedures: open, overdue, closed, late.

Every change stands at the moment from which it was known. A total at any moment is the sum of the changes
before it, and news of a later moment can't reach it.

Open, overdue and late are those of `features.case_state.state`, from the relation `lawful`: a dossier whose clock
stands is never overdue, and a due date that the office moves takes nothing back. A dossier's **outcome** is known as
soon as its end is known or its lawful promise has passed unended: late when it was missed; corrected where later news
says otherwise. One without any promise has none, one that is set aside neither.
"""

from __future__ import annotations

from string import Template

from features.matrix.lawful_promise import ENDED, RUNNING, SET_ASIDE, WAITING

# 1 late, 0 in time or not known; 1 known, 0 not known, as seen at `from_us`; `pass_us` 0 where it can't be missed then
_PASSED = "${p}missed = 1 OR (${p}pass_us > 0 AND ${p}pass_us < from_us)"
_LATE = f"CASE WHEN {_PASSED} THEN 1 ELSE 0 END"
_KNOWN = f"CASE WHEN ${{p}}promised = 1 AND (${{p}}clock = {ENDED} OR {_PASSED}) THEN 1 ELSE 0 END"
_OVERDUE = f"CASE WHEN ${{p}}clock = {RUNNING} AND ({_PASSED}) THEN 1 ELSE 0 END"
_OPEN = f"CASE WHEN ${{p}}clock IN ({RUNNING}, {WAITING}) THEN 1 ELSE 0 END"


def _both(sql: str) -> tuple[str, str]:
    return Template(sql).substitute(p="t."), Template(sql).substitute(p="t.last_")


_PARTS = {f"{name}{suffix}": text for name, sql in
          {"late": _LATE, "known": _KNOWN, "overdue": _OVERDUE, "open": _OPEN}.items()
          for suffix, text in zip(("", "_before"), _both(sql), strict=True)}  # fmt: skip

STATE_CHANGES = {
    # each stretch in which unit, procedure, holder, clock, promise and end, as known, stayed the same, and that before
    "turn": f"""
        SELECT *,
               LAG(version_no) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_version,
               LAG(unit_no) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_unit,
               LAG(procedure_no) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_procedure,
               LAG(official_no) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_official,
               LAG(received_w) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_received_w,
               LAG(clock) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_clock,
               LAG(missed) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_missed,
               LAG(promised) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_promised,
               LAG(pass_us) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_pass_us,
               LAG(end_us) OVER (PARTITION BY dossier_no ORDER BY from_us) AS last_end_us,
               LEAD(from_us) OVER (PARTITION BY dossier_no ORDER BY from_us) AS until_us
        FROM (SELECT v.dossier_no, v.calendar_no, v.version_no, GREATEST(v.known_us, s.from_us) AS from_us,
                     v.unit_no, v.procedure_no, v.received_w, COALESCE(s.official_no, 0) AS official_no,
                     COALESCE(l.clock, {RUNNING}) AS clock, COALESCE(l.missed, 0) AS missed,
                     CASE WHEN l.clock IS NOT NULL THEN CASE WHEN l.clock = {SET_ASIDE} THEN 0 ELSE l.promised END
                          WHEN v.slip_us IS NOT NULL THEN 1 ELSE 0 END AS promised,
                     COALESCE(CASE WHEN l.clock IS NULL THEN v.slip_us ELSE l.pass_us END, 0) AS pass_us,
                     COALESCE(l.end_us, 0) AS end_us
              FROM version v
              JOIN (SELECT dossier_no, from_us, until_us, official_no, strand, seq FROM state
                    UNION ALL
                    SELECT dossier_no, from_us, until_us, NULL, NULL, NULL FROM quiet) s
                ON s.dossier_no = v.dossier_no
               AND (v.until_us IS NULL OR s.from_us < v.until_us)
               AND (s.until_us IS NULL OR v.known_us < s.until_us)
              LEFT JOIN lawful l ON l.header_no = v.header_no AND l.strand = s.strand AND l.seq = s.seq
              WHERE v.until_us IS NULL OR v.until_us > v.known_us) t
    """,
    "turned": """
        SELECT * FROM turn
        WHERE last_version IS NULL OR version_no <> last_version OR official_no <> last_official
           OR clock <> last_clock OR missed <> last_missed OR promised <> last_promised OR pass_us <> last_pass_us
           OR end_us <> last_end_us
    """,
    # the lawful promise passes, without further news
    "passed": """
        SELECT * FROM turn
        WHERE pass_us > 0 AND pass_us >= from_us AND (until_us IS NULL OR pass_us < until_us)
    """,
    # ends delivered and taken back, with their working time
    "closing": """
        SELECT m.*, $end_w AS end_w FROM (
            SELECT dossier_no, calendar_no, unit_no, procedure_no, official_no, received_w, from_us AS at_us,
                   end_us, 1 AS closed
            FROM turned WHERE end_us > 0 AND (last_end_us IS NULL OR end_us <> last_end_us)
            UNION ALL
            SELECT dossier_no, calendar_no, last_unit, last_procedure, last_official, last_received_w, from_us,
                   last_end_us, -1
            FROM turned WHERE last_end_us > 0 AND end_us <> last_end_us) m $clocks
    """,
    "change": Template("""
        SELECT m.*, $$at_day AS day FROM (
            SELECT unit_no, procedure_no, official_no, from_us AS at_us, $open AS open, $overdue AS overdue,
                   CASE WHEN last_unit IS NULL OR last_unit <> unit_no THEN 1 ELSE 0 END AS unit_new,
                   CASE WHEN last_procedure IS NULL OR last_procedure <> procedure_no THEN 1 ELSE 0 END
                       AS procedure_new,
                   CASE WHEN last_official IS NULL OR last_official <> official_no THEN 1 ELSE 0 END
                       AS official_new,
                   0 AS closed, CAST(0 AS BIGINT) AS closed_w
            FROM turned t
            UNION ALL
            SELECT last_unit, last_procedure, last_official, from_us, -($open_before), -($overdue_before),
                   0, 0, 0, 0, 0
            FROM turned t WHERE last_version IS NOT NULL AND $open_before = 1
            UNION ALL
            SELECT unit_no, procedure_no, official_no, pass_us, 0, 1, 0, 0, 0, 0, 0 FROM passed
            UNION ALL
            SELECT unit_no, procedure_no, official_no, at_us, 0, 0, 0, 0, 0, closed,
                   closed * GREATEST(0, end_w - received_w)
            FROM closing) m $$clocks
    """).substitute(_PARTS),
    "outcome": Template("""
        SELECT m.*, $$at_day AS day FROM (
            SELECT dossier_no, version_no, unit_no, procedure_no, from_us AS at_us, $known AS known, $late AS late
            FROM turned t
            UNION ALL
            SELECT dossier_no, last_version, last_unit, last_procedure, from_us, -($known_before), -($late_before)
            FROM turned t WHERE last_version IS NOT NULL
            UNION ALL
            SELECT dossier_no, version_no, unit_no, procedure_no, pass_us, 1, 1 FROM passed) m $$clocks
        WHERE m.known <> 0
    """).substitute(_PARTS),
}

SHARED = {
    # every official who has handled a dossier answers for its outcome, once both are known
    "handled": """
        SELECT dossier_no, official_no, MIN(known_us) AS known_us FROM first_official GROUP BY dossier_no, official_no
    """,
    "official_outcome": """
        SELECT m.*, $at_day AS day
        FROM (SELECT h.official_no, o.procedure_no, GREATEST(o.at_us, h.known_us) AS at_us, o.known, o.late
              FROM outcome o JOIN handled h ON h.dossier_no = o.dossier_no) m $clocks
    """,
    # the first entry into each step, in its first version
    "visit": """
        SELECT l.dossier_no, l.step_no, l.known_us, l.happened_w
        FROM (SELECT dossier_no, step_no, MIN(strand) AS strand FROM first_step GROUP BY ALL) t
        JOIN first_step f ON f.dossier_no = t.dossier_no AND f.step_no = t.step_no AND f.strand = t.strand
        JOIN lasting l ON l.dossier_no = f.dossier_no AND l.strand = f.strand AND l.seq = f.seq
    """,
    "step_outcome": """
        SELECT m.*, $at_day AS day FROM (
            SELECT c.procedure_no, v.step_no, GREATEST(c.at_us, v.known_us) AS at_us, c.closed AS ended,
                   c.closed * GREATEST(0, c.end_w - v.happened_w) AS left_w, 0 AS known, 0 AS late
            FROM closing c JOIN visit v ON v.dossier_no = c.dossier_no
            UNION ALL
            SELECT o.procedure_no, v.step_no, GREATEST(o.at_us, v.known_us), 0, 0, o.known, o.late
            FROM outcome o JOIN visit v ON v.dossier_no = o.dossier_no) m $clocks
    """,
}

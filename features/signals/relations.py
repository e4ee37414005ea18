"""The relations that signals of the grain `dossier` are written over, for many cases at once.

    event_then, dossier_then  all events and dossiers of the record, as the last of the cases' moments knew them
    known     the events of each case's dossier known before `as_of`, with working hours (`*_w`) of their moments
    version   the known versions of the dossier, `dossier_now` the one that stands
    promise   every promise in the order in which it was made, with the one before it
    pause     every stop of the clock on the citizen, until work went on
    standing  the end, the first, the lawful and the promise in force, whether it is late (never while the clock
              stands), and the working hours that offices have taken so far

Words are those of `features.case_state.state`, and `standing` rests on its relation: an office that moves its promise
is as late as one that does not. `*_w` are working hours since the calendar's first day, so differences are working
time. Moments are naive TIMESTAMP in UTC, as in the record's views.
"""

from features.calendar.working_time import DAY, HOUR
from features.case_state.kinds import RUNS, STOPS
from features.case_state.relation import AT_CASES
from features.record.latest import newest
from features.record.schema import ALL_ENDS, ENDS

GOES_ON = (*RUNS, "reopened")
"""Kinds after which the clock runs again."""


def worked(moment: str, alias: str, spans: int) -> tuple[str, str]:
    """SQL of the working hours at a moment, and the join that it needs."""
    offset = f"(epoch_us({moment}) - {alias}.day * {DAY})"
    parts = [f"{alias}.worked_before"] + [
        f"greatest(0, least({offset}, {alias}.end_{k}) - {alias}.start_{k})" for k in range(spans)
    ]
    join = f"LEFT JOIN working_day {alias} ON {alias}.day = epoch_us({moment}) // {DAY}"
    return f"(({' + '.join(parts)}) / {HOUR}.0)", join


def relations(spans: int) -> dict[str, str]:
    """The SQL of each relation by name, in order. `spans`: stretches of work in one UTC day of the calendar.

    They rest on the record's views, on `working_day` (`Calendar.relation`), on `cases_in` (case_no, dossier_id, as_of)
    and on the states of these cases (`features.case_state.relation.states_of_cases`).
    """

    def timed(select: str, **moments: str) -> str:
        joins = []
        for name, moment in moments.items():
            hours, join = worked(moment, f"k_{name}", spans)
            select = select.replace(f"${name}", hours)
            joins.append(join)
        return select.replace("$joins", " ".join(joins))

    return {
        # copied once: the record's views are long, and every statement that names one plans it anew
        "event_then": """
            SELECT dossier_id, kind, happened_at, known_at, official_id, unit_code, to_unit_code, step, step_due_at,
                   due_at, reason, papers, event_id, row_id
            FROM event WHERE known_at < (SELECT max(as_of) FROM cases_in)""",
        "dossier_then": """
            SELECT dossier_id, procedure_code, unit_code, applicant_id, received_at, known_at, row_id
            FROM dossier WHERE known_at < (SELECT max(as_of) FROM cases_in)""",
        "known": timed(
            """
            SELECT c.case_no, c.as_of, e.dossier_id, e.kind, e.happened_at, e.known_at, e.official_id, e.unit_code,
                   e.to_unit_code, e.step, e.step_due_at, e.due_at, e.reason, e.papers, e.event_id, e.row_id,
                   $happened AS happened_w, $promised AS due_w
            FROM cases_in c JOIN event_then e ON e.dossier_id = c.dossier_id AND e.known_at < c.as_of $joins""",
            happened="e.happened_at", promised="e.due_at",
        ),
        "version": """
            SELECT c.case_no, c.as_of, d.*
            FROM cases_in c JOIN dossier d ON d.dossier_id = c.dossier_id AND d.known_at < c.as_of""",
        "dossier_now": timed(
            """
            SELECT v.*, $received AS received_w, $submitted AS submitted_w, $promised AS due_w
            FROM (SELECT * FROM version $newest) v $joins""".replace("$newest", newest("case_no")),
            received="v.received_at", submitted="v.submitted_at", promised="v.due_at",
        ),
        "promise": """
            SELECT *, lag(due_at) OVER made AS before_at, lag(due_w) OVER made AS before_w,
                   lead(set_at) OVER made AS until_at
            FROM (
                SELECT case_no, received_at AS set_at, received_w AS set_w, due_at, due_w, 'received' AS how,
                       '' AS row_id
                FROM dossier_now WHERE due_at IS NOT NULL
                UNION ALL
                SELECT case_no, happened_at, happened_w, due_at, due_w, kind, row_id FROM known WHERE due_at IS NOT NULL
            )
            WINDOW made AS (PARTITION BY case_no ORDER BY set_at, how <> 'received', row_id)""",
        "pause": f"""
            SELECT s.case_no, s.kind, s.happened_at AS begun_at, s.happened_w AS begun_w, s.official_id, s.row_id,
                   min(r.happened_at) AS ended_at, min(r.happened_w) AS ended_w
            FROM known s LEFT JOIN known r ON r.case_no = s.case_no AND r.happened_at > s.happened_at
                 AND r.kind IN {(*GOES_ON, *ENDS)}
            WHERE s.kind IN {STOPS}
            GROUP BY ALL""",
        "ending": f"""
            SELECT case_no, max(CASE WHEN kind = 'reopened' THEN happened_at END) AS reopened_at,
                   min(CASE WHEN kind IN {ENDS} THEN happened_at END) AS first_end_at,
                   min(CASE WHEN kind = 'delivered' THEN happened_at END) AS delivered_at,
                   max(CASE WHEN kind IN {ALL_ENDS} THEN happened_at END) AS last_end_at
            FROM known GROUP BY case_no""",
        "standing": timed(
            f"""
            SELECT s.*, $ended AS end_w, $promised AS due_w, $lawful AS lawful_w, $first AS first_w
            FROM (
                SELECT d.case_no, d.as_of, d.received_at, d.received_w, t.due_at, t.lawful_due_at AS lawful_at,
                       t.first_due_at AS first_at, t.ended_at AS end_at, t.paused_since,
                       t.late AND NOT t.waits AS late, t.is_open, (t.own_w + t.other_w) / {HOUR}.0 AS taken_w,
                       t.begun_at, t.lawful_extension_at,
                       e.first_end_at, e.delivered_at, e.reopened_at
                FROM dossier_now d JOIN {AT_CASES} t ON t.dossier_id = d.case_no
                LEFT JOIN ending e ON e.case_no = d.case_no
            ) s $joins""",
            ended="s.end_at", promised="s.due_at", lawful="s.lawful_at", first="s.first_at",
        ),
    }  # fmt: skip

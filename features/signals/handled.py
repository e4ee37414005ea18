"""Who handled which dossiers, and which signals of a dossier are charged to whom.

A signal is charged to the official whose own acts it rests on: the request for papers to who requested, the
reset of a promise to who reset it. Of several who did the same in one dossier, whoever did it most is charged.
Overtaking, refusals after the promise and a first request for published papers close to it are charged to nobody:
they follow the length of the queue and the difficulty of the work. They stay with the dossier.
"""

from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from features.calendar import Calendar
from features.signals.evaluate import DOSSIER_SIGNALS, select_signals
from features.signals.over_cases import over_cases
from features.vietnam_calendar import VIETNAM

FAMILIES = {
    "papers": ("DOC_OUTSIDE_PUBLISHED_LIST", "REPEATED_SUPPLEMENT"),
    "clock": ("END_EQUALS_DUE", "EVENT_AFTER_END", "DUE_RESET", "PAUSE_CLOSE_TO_DEADLINE", "PROLONGED_WITHOUT_REASON"),
    "evasion": ("PING_PONG", "CONSULTATION_UNUSUAL"),
    "returns": ("RETURN_WITHOUT_REASON", "WITHDRAWN_AND_RESUBMITTED", "RETURNED_REPEATEDLY"),
}
"""Signals about the conduct of whoever handles a dossier, by what they have in common."""

ACTS = {
    "papers": ("papers_requested",),
    "clock": ("reset", "extended", "suspended", "decided", "refused"),
    "evasion": ("forwarded", "consulted", "assigned"),
    "returns": ("returned", "refused", "papers_requested"),
}
"""Kinds of event whose official the signals of a family are charged to."""

YEAR = timedelta(days=365)


def handled(
    con: duckdb.DuckDBPyConnection, as_of: datetime, since: datetime | None = None, calendar: Calendar = VIETNAM
) -> pa.Table:
    """One row an official and dossier on which they acted in [since, as_of) (by default a year).

    Columns official_id, unit_code (where they acted last), procedure_code, dossier_id, with_agent, idle (the
    dossier lay still in their hands for most of its term), and for each family of `FAMILIES` whether one of its
    signals is charged to the official. Only what was known before `as_of` counts.
    """
    begin = (since or as_of - YEAR).astimezone(UTC).replace(tzinfo=None)
    until = as_of.astimezone(UTC).replace(tzinfo=None)
    ids = con.sql(
        "SELECT DISTINCT dossier_id FROM event WHERE official_id IS NOT NULL AND known_at < $until"
        " AND happened_at >= $begin ORDER BY dossier_id",
        params={"until": until, "begin": begin},
    ).to_arrow_table()["dossier_id"]
    cases = pa.table({"dossier_id": ids, "as_of": pa.array([as_of] * len(ids), pa.timestamp("us", "UTC"))})
    named = [signal for signal in DOSSIER_SIGNALS if any(signal.name in family for family in FAMILIES.values())]
    idle = [signal for signal in DOSSIER_SIGNALS if signal.name == "IDLE_IN_ONE_HAND"]
    return over_cases(con, cases, calendar, _select(begin, select_signals([*named, *idle])))


def _select(begin: datetime, signals: str) -> str:
    acts = ", ".join(f"count(*) FILTER (k.kind IN {ACTS[family]}) AS {family}_acts" for family in FAMILIES)
    charged = ", ".join(
        f"coalesce(s.{family}, false) AND {family}_acts > 0"
        f" AND {family}_acts = max({family}_acts) OVER (PARTITION BY case_no) AS {family}"
        for family in FAMILIES
    )
    shown = ", ".join(
        f"bool_or(signal IN ({', '.join(repr(name) for name in names)})) AS {family}"
        for family, names in FAMILIES.items()
    )
    # An official still holds the dossier while the silence after their act lasts; the longest one counts.
    return f"""
        SELECT official_id, unit_code, procedure_code, dossier_id, with_agent,
               coalesce(s.idle AND longest_w >= s.silence, false) AS idle, {charged}
        FROM (SELECT k.case_no, k.official_id, arg_max(k.unit_code, (k.happened_at, k.row_id)) AS unit_code,
                     d.procedure_code, k.dossier_id, d.agent_id IS NOT NULL AS with_agent,
                     max(k.gap_w) AS longest_w, {acts}
              FROM (SELECT *, lead(happened_w) OVER (
                        PARTITION BY case_no ORDER BY happened_at, known_at, row_id) - happened_w AS gap_w FROM known) k
              JOIN dossier_now d ON d.case_no = k.case_no
              WHERE k.official_id IS NOT NULL AND k.happened_at >= TIMESTAMP '{begin.isoformat(" ")}'
              GROUP BY ALL)
        LEFT JOIN (SELECT case_no, {shown}, bool_or(signal = 'IDLE_IN_ONE_HAND') AS idle,
                          max(value) FILTER (signal = 'IDLE_IN_ONE_HAND') AS silence
                   FROM ({signals}) GROUP BY case_no) s USING (case_no)
        ORDER BY official_id, dossier_id"""

"""Who handled which dossiers, and which signals of a dossier are charged to whom.

A signal is charged to the official whose own acts it rests on: the request for papers to who requested, the
reset of a promise to who reset it. An act entered under an account that never had the dossier in hand is charged, with
doubt, to whoever had. Of several who did the same in one dossier, whoever did it most is charged.
Overtaking, refusals after the promise and a first request for published papers close to it are charged to nobody:
they follow the length of the queue and the difficulty of the work. They stay with the dossier.

One family is no signal of a single dossier: `agents`, who lets dossiers wait until an agent brings them. Its chances
are the dossiers with an agent, and a chance counts that took its official less than half of what the same official
takes for the same procedure without one; elsewhere it is null, no chance.
"""

from datetime import datetime

import duckdb
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import Calendar
from features.record.utc import naive_utc
from features.signals.evaluate import DOSSIER_SIGNALS, SIGNAL_SHOWN
from features.signals.hands import YEAR
from features.signals.over_cases import CaseRelations
from features.signals.year import within_year

FAMILIES = {
    "papers": ("DOC_OUTSIDE_PUBLISHED_LIST", "REPEATED_SUPPLEMENT"),
    "clock": ("END_EQUALS_DUE", "EVENT_AFTER_END", "DUE_RESET", "PAUSE_CLOSE_TO_DEADLINE", "PROLONGED_WITHOUT_REASON"),
    "evasion": ("PING_PONG", "CONSULTATION_UNUSUAL"),
    "returns": ("RETURN_WITHOUT_REASON", "WITHDRAWN_AND_RESUBMITTED", "RETURNED_REPEATEDLY"),
}
"""Signals about the conduct of whoever handles a dossier, by what they have in common."""

AGENTS = "agents"
CHARGED = (*FAMILIES, AGENTS)
"""Columns of `handled` that say whether something of a family is charged to the official."""

ACTS = {
    "papers": ("papers_requested",),
    "clock": ("reset", "extended", "suspended", "decided", "refused"),
    "evasion": ("forwarded", "consulted", "assigned"),
    "returns": ("returned", "refused", "papers_requested"),
}
"""Kinds of event whose official the signals of a family are charged to."""

DOUBT = "_doubt"
"""Suffix of the column that says of a charge that most of the acts behind it stand under another's account."""

NAMED = [signal for signal in DOSSIER_SIGNALS if any(signal.name in family for family in FAMILIES.values())]
"""The signals of the families."""


def handled(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    since: datetime | None = None,
    calendar: Calendar = VIETNAM,
    year: CaseRelations | None = None,
) -> pa.Table:
    """One row an official and dossier on which they acted in [since, as_of) (by default a year).

    Columns official_id, unit_code (where they acted last), procedure_code, dossier_id, and for each of `CHARGED`
    whether it is charged to the official (null: there was no chance), and with `DOUBT` whether that is doubtful: the
    acts were entered under another's account (`features.signals.accounts`). Only what was known before `as_of` counts.
    `year`: the relations of the moment (`features.signals.year`), where they are at hand.
    """
    with within_year(con, as_of, since, calendar, signals=NAMED, year=year) as over:
        return over.select(_select(naive_utc(since or as_of - YEAR)), last=year is None)


def _select(begin: datetime) -> str:
    # an account that two share makes a dossier look as though it went to and fro
    acts = ", ".join(
        f"count(*) FILTER (k.kind IN {ACTS[family]}) AS {family}_acts,"
        f" count(*) FILTER (k.kind IN {ACTS[family]} AND NOT k.doubtful) AS {family}_clear"
        for family in FAMILIES
    )
    charged = ", ".join(
        f"coalesce(s.{family}, false) AND {family}_acts > 0"
        f" AND {family}_acts = max({family}_acts) OVER (PARTITION BY k.case_no) AS {family},"
        f" 2 * {family}_clear < {family}_acts{' OR in_doubt' if family == 'evasion' else ''} AS {family}{DOUBT}"
        for family in FAMILIES
    )
    shown = ", ".join(
        f"bool_or(signal IN ({', '.join(repr(name) for name in names)})) AS {family}"
        for family, names in FAMILIES.items()
    )
    return f"""
        SELECT k.official_id, k.unit_code, k.procedure_code, k.dossier_id, {charged}, a.hit AS {AGENTS},
               false AS {AGENTS}{DOUBT}
        FROM (SELECT k.case_no, k.official_id, any_value(k.in_doubt) AS in_doubt,
                     arg_max(k.unit_code, (k.happened_at, k.row_id)) AS unit_code,
                     d.procedure_code, k.dossier_id, {acts}
              FROM (SELECT *, bool_or(doubtful) OVER (PARTITION BY case_no) AS in_doubt FROM act_in_custody) k
              JOIN dossier_now d ON d.case_no = k.case_no
              WHERE k.happened_at >= TIMESTAMP '{begin.isoformat(" ")}'
              GROUP BY ALL) k
        LEFT JOIN (SELECT case_no, {shown} FROM {SIGNAL_SHOWN} GROUP BY case_no) s ON s.case_no = k.case_no
        LEFT JOIN agent_pace a ON a.case_no = k.case_no AND a.official_id = k.official_id
        ORDER BY k.official_id, k.dossier_id"""

"""The caseload of a period: every dossier that an office received, ended or held open in it, as known at a moment.

One state (`features.case_state`) serves the lists of late dossiers, the explanations and the reports, so that a
figure means the same wherever it stands. A dossier whose clock stands is neither late nor overdue: it waits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import duckdb
import numpy as np
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import HOUR, Calendar, Instants, microseconds
from features.case_state.courses import NONE, instants
from features.case_state.kinds import TURNED_AWAY, claims_end
from features.case_state.official_class import ClassedCases, OfficialClass
from features.case_state.relation import NAME, case_states
from features.case_state.state import Flag, Phase
from features.record.schema import ALL_ENDS, ENDS, SKEW
from features.record.utc import naive_utc
from features.sources.reconcile import LATE

CAME_BACK = timedelta(days=30)
"""A new dossier of the same applicant and procedure this soon after a refusal or withdrawal came back (H3)."""
MANY_TIMES = 2
"""Sent back this often, with refusals that came back as a new dossier, a dossier is looked at (S0 2b)."""

_OPEN_OR_TOUCHED = f"""
    CREATE OR REPLACE TEMP TABLE of_period AS
    SELECT dossier_id FROM dossier_latest ANTI JOIN (
        SELECT dossier_id FROM event_latest GROUP BY dossier_id
        HAVING max(happened_at) < $start AND bool_or(kind IN {ALL_ENDS})
           AND coalesce(max(happened_at) FILTER (kind IN {ALL_ENDS})
                        > max(happened_at) FILTER (kind = 'reopened'), true)) USING (dossier_id)
    WHERE received_at < $until"""
"""All but the dossiers that had ended for good, and to which nothing has happened since a moment."""
_STOOD = f"""
    CREATE OR REPLACE TEMP TABLE stood AS
    SELECT *, late AND NOT waits AS late_now,
           CASE WHEN late AND NOT waits THEN lawful_due_at ELSE coalesce(ended_at, $until) END AS held_at
    FROM {NAME} WHERE received_at < $until AND (ended_at IS NULL OR ended_at >= $start)"""
_FACTS = f"""
WITH person AS (SELECT DISTINCT applicant_id FROM dossier_latest SEMI JOIN stood USING (dossier_id)
                WHERE applicant_id IS NOT NULL),
of_person AS (SELECT dossier_id, received_at, applicant_id, procedure_code FROM dossier_latest
              SEMI JOIN person USING (applicant_id)),
wanted AS (SELECT dossier_id FROM stood UNION SELECT dossier_id FROM of_person),
back AS (
  SELECT dossier_id, count(DISTINCT happened_at) FILTER (kind = 'returned') AS returned,
         min(happened_at) FILTER (kind IN {TURNED_AWAY}) AS turned_away_at
  FROM event_latest SEMI JOIN wanted USING (dossier_id) WHERE happened_at < $until GROUP BY dossier_id
), chained AS (
  SELECT l.dossier_id, l.received_at, lag(l.dossier_id) OVER again AS former,
         lag(b.turned_away_at) OVER again AS former_at
  FROM of_person l LEFT JOIN back b USING (dossier_id)
  WINDOW again AS (PARTITION BY l.applicant_id, l.procedure_code ORDER BY l.received_at, l.dossier_id)
), told AS (
  SELECT dossier_id, kind, greatest(happened_at, received_at) AS told_at, {claims_end("event_id")} AS claims
  FROM event_latest JOIN (SELECT dossier_id, received_at FROM stood) USING (dossier_id)
  WHERE happened_at < $until
    AND (happened_at >= received_at OR kind IN {ALL_ENDS} AND happened_at >= received_at - $skew)
), ends AS (
  SELECT dossier_id, min(told_at) FILTER (kind = 'decided') AS decided_at,
         min(told_at) FILTER (kind = 'delivered') AS delivered_at,
         min(told_at) FILTER (kind IN {TURNED_AWAY}) AS turned_at,
         min(told_at) FILTER (claims OR kind IN {ENDS}) AS claimed_at
  FROM told GROUP BY dossier_id
), hands AS (
  SELECT dossier_id,
         arg_max({{o: official_id, s: coalesce(step, kind)}}, {{h: happened_at, k: known_at, r: row_id}})
             FILTER (happened_at <= held_at) AS held,
         arg_min({{o: official_id, s: coalesce(step, kind)}}, {{h: happened_at, k: known_at, r: row_id}}) AS first
  FROM event_latest JOIN (SELECT dossier_id, held_at FROM stood) USING (dossier_id)
  WHERE official_id IS NOT NULL AND held_at IS NOT NULL GROUP BY dossier_id
)
SELECT t.*, p.sector_code, coalesce(b.returned, 0) AS returned, b.turned_away_at IS NOT NULL AS turned_away,
       CASE WHEN c.former_at <= c.received_at AND c.received_at < c.former_at + $came_back THEN c.former END AS former,
       e.decided_at, e.delivered_at, e.turned_at, e.claimed_at,
       coalesce(h.held, h.first).o AS official_id, coalesce(h.held, h.first).s AS held_step
FROM stood t LEFT JOIN back b USING (dossier_id) LEFT JOIN chained c USING (dossier_id)
LEFT JOIN ends e USING (dossier_id) LEFT JOIN hands h USING (dossier_id)
LEFT JOIN procedure_latest p USING (procedure_code)
ORDER BY t.dossier_id
"""
_TOUCHED = "SELECT DISTINCT dossier_id FROM event_latest SEMI JOIN mine USING (dossier_id) WHERE happened_at >= $until"


@dataclass(frozen=True)
class Case:
    """One dossier as it stood at the end of the period.

    official_id, step: in whose hands it was, and where, when the lawful promise was missed, else when its processing
    ended, else at the end of the period; so a late dossier is not put down to whoever hands its result out.
    first_due_at, due_at, lawful_due_at: the first promise, the one in force, the lawful one. late: the lawful promise
    was missed, and the clock does not stand. missed_first: the first promise passed before the end, whoever moved it.
    begun_at, lawful_extension_at: as in `features.case_state.state`. moved_by_office: the office
    set a later day of its own accord. over_hours: past the lawful promise. returned: how often it was sent back, by
    itself (`returned` events); turned_away: it ended by refusal or withdrawal; former: the dossier of the same
    applicant and procedure that was turned away within 30 days before. official_class: as the 766 index counts it;
    event_class: by the lawful clock. Hours are working hours.
    """

    dossier_id: str
    unit_code: str
    procedure_code: str
    sector_code: str | None
    official_id: str | None
    step: str | None
    received_at: datetime
    begun_at: datetime
    first_due_at: datetime | None
    due_at: datetime | None
    lawful_due_at: datetime | None
    lawful_extension_at: datetime | None
    ended_at: datetime | None
    phase: Phase
    late: bool
    missed_first: bool
    moved_by_office: bool
    flags: frozenset[Flag]
    official_class: OfficialClass
    event_class: OfficialClass
    over_hours: float
    citizen_hours: float
    own_hours: float
    other_hours: float
    requests: int
    resets: int
    returned: int
    turned_away: bool
    former: str | None

    @property
    def times_back(self) -> int:
        """How often the applicant was sent back with this matter.

        Returns, requests for papers (QĐ 766, rule 4 allows one), a refusal, and the dossier before it.
        """
        return self.returned + self.requests + int(self.turned_away) + int(self.former is not None)

    @property
    def is_open(self) -> bool:
        """`Phase.is_open`."""
        return self.phase.is_open

    @property
    def waits(self) -> bool:
        """`Phase.waits`."""
        return self.phase.waits

    @property
    def late_766(self) -> bool:
        """Whether the 766 index counts it as overdue."""
        return self.official_class in LATE

    @property
    def late_by_events(self) -> bool:
        """Whether its class by the lawful clock is an overdue one: missed, though the clock may stand since."""
        return self.event_class in LATE


@dataclass(frozen=True)
class Caseload:
    """The dossiers of the period [start, until), by id. Those long ended are not among them."""

    start: datetime
    until: datetime
    cases: tuple[Case, ...]

    @classmethod
    def read(
        cls, con: duckdb.DuckDBPyConnection, start: datetime, until: datetime, as_of: datetime, calendar: Calendar,
        *, dossiers: str | None = None,
    ) -> "Caseload":  # fmt: skip
        """The caseload at `until`, as known before `as_of`; all three aware. `con`: `Record.connect(cutoff=as_of)`.

        dossiers: a relation of the connection with `dossier_id`s to which it is restricted.
        """
        calendar = as_delivered(con, calendar)
        at = {"start": naive_utc(start), "until": naive_utc(until)}
        try:
            if dossiers is None:
                con.execute(_OPEN_OR_TOUCHED, at)
            with case_states(con, as_of, calendar, until=until, dossiers=dossiers or "of_period"):
                con.execute(_STOOD, at)
            asked = {"until": at["until"], "came_back": CAME_BACK, "skew": SKEW}
            found = con.sql(_FACTS, params=asked).to_arrow_table()
        finally:
            for table in ("of_period", "stood"):
                con.execute(f"DROP TABLE IF EXISTS {table}")
        return cls(start, until, tuple(_cases(found, until, calendar)))

    @property
    def received(self) -> list[Case]:
        """Received in the period."""
        return [case for case in self.cases if case.received_at >= self.start]

    @property
    def ended(self) -> list[Case]:
        """Whose processing ended in the period."""
        return [case for case in self.cases if case.ended_at is not None]

    @property
    def ended_late(self) -> list[Case]:
        """Ended in the period after the lawful promise."""
        return [case for case in self.ended if case.late]

    @property
    def ended_past_first(self) -> list[Case]:
        """Ended in the period after the first promise, whether or not it was moved."""
        return [case for case in self.ended if case.missed_first]

    @property
    def open(self) -> list[Case]:
        """Open at the end of the period."""
        return [case for case in self.cases if case.is_open]

    @property
    def waiting(self) -> list[Case]:
        """Open at the end of the period, the clock standing: with the citizen, or suspended."""
        return [case for case in self.open if case.waits]

    @property
    def set_aside(self) -> list[Case]:
        """Neither open nor ended: the only recorded end lies before the receipt."""
        return [case for case in self.cases if case.phase is Phase.SET_ASIDE]

    @property
    def overdue(self) -> list[Case]:
        """Open at the end of the period, the lawful promise missed, the clock running."""
        return [case for case in self.open if case.late]

    def part(
        self, con: duckdb.DuckDBPyConnection, start: datetime, until: datetime, as_of: datetime, calendar: Calendar
    ) -> "Caseload":
        """The caseload of [start, until), a part of this one's period, equal to one that is read by itself.

        A case that ended in the part and got no event after it is taken over; only the others are read again.
        """
        mine = [
            case
            for case in self.cases
            if case.received_at < until and (case.ended_at is None or case.ended_at >= start)
        ]
        con.register("mine", _ids(mine))
        touched = {row[0] for row in con.execute(_TOUCHED, {"until": naive_utc(until)}).fetchall()}
        con.unregister("mine")
        settled = [
            case for case in mine
            if case.ended_at is not None and case.ended_at < until and case.dossier_id not in touched
        ]  # fmt: skip
        left = {case.dossier_id for case in settled}
        con.register("anew", _ids([case for case in mine if case.dossier_id not in left]))
        read_anew = Caseload.read(con, start, until, as_of, calendar, dossiers="anew")
        con.unregister("anew")
        return Caseload(start, until, tuple(sorted([*settled, *read_anew.cases], key=attrgetter("dossier_id"))))

    def of_units(self, units: frozenset[str] | None) -> "Caseload":
        """The part of some competent units; all for None."""
        if units is None:
            return self
        return Caseload(self.start, self.until, tuple(case for case in self.cases if case.unit_code in units))


def _ids(cases: Iterable[Case]) -> pa.Table:
    return pa.table({"dossier_id": pa.array([one.dossier_id for one in cases], pa.string())})


def _cases(found: pa.Table, until: datetime, calendar: Calendar) -> Iterator[Case]:
    """Each row of `_FACTS` as a case."""

    def us(name: str) -> Instants:
        return instants(found[name].cast(pa.int64()))

    def moments(name: str) -> list[datetime | None]:
        return [None if one is None else one.replace(tzinfo=UTC) for one in found[name].to_pylist()]

    def hours(*names: str) -> list[float]:
        spent: list[float] = (np.sum([found[name].to_numpy() for name in names], axis=0) / HOUR).tolist()
        return spent

    until_us, phase = microseconds(until), np.array(found["phase"].to_pylist(), object)
    lawful, ended, late = us("lawful_due_at"), us("ended_at"), found["late_now"].to_numpy()
    over_w = calendar.worked_each(np.where(ended != NONE, ended, until_us)) - calendar.worked_each(lawful)
    classes = ClassedCases(
        calendar, until_us, us("received_at"), us("first_due_at"), us("due_at"), lawful, ended, us("paused_since"),
        us("decided_at"), us("delivered_at"), us("turned_at"), us("claimed_at"),
        found["legal_days"].cast(pa.float64()).to_numpy(), found["citizen_w"].to_numpy(), found["requests"].to_numpy(),
        found["late"].to_numpy(), phase == Phase.SET_ASIDE.value, phase == Phase.CITIZEN.value,
    )  # fmt: skip
    phases = {one.value: one for one in Phase}
    no_flags = frozenset[Flag]()
    columns = (
        *(found[name].to_pylist() for name in
          ("dossier_id", "unit_code", "procedure_code", "sector_code", "official_id", "held_step")),
        *map(moments, ("received_at", "begun_at", "first_due_at", "due_at", "lawful_due_at", "lawful_extension_at",
                       "ended_at")),
        [phases[one] for one in phase], late.tolist(),
        *(found[name].to_pylist() for name in ("late_first", "moved_by_office")),
        [frozenset(map(Flag, one)) if one else no_flags for one in found["flags"].to_pylist()],
        classes.as_766(), classes.as_recomputed(),
        np.where(late & (lawful != NONE), over_w / HOUR, 0.0).tolist(),
        hours("citizen_w", "suspended_w"), hours("own_w"), hours("other_w"),
        *(found[name].to_pylist() for name in ("requests", "resets", "returned", "turned_away", "former")),
    )  # fmt: skip
    return map(Case, *columns)

"""The caseload of a period: every dossier that an office received, ended or held open in it, as known at a moment.

One state (`features.case_state`) serves the lists of late dossiers, the explanations and the reports, so that a
figure means the same wherever it stands. A dossier whose clock stands is neither late nor overdue: it waits.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter

import duckdb
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.case_state.cases import RecordedCase, recorded_cases
from features.case_state.kinds import TURNED_AWAY
from features.case_state.official_class import OfficialClass, class_766, class_recomputed
from features.case_state.state import Flag, Phase
from features.record.utc import naive_utc
from features.sources.reconcile import LATE

CAME_BACK = timedelta(days=30)
"""A new dossier of the same applicant and procedure this soon after a refusal or withdrawal came back (H3)."""
MANY_TIMES = 2
"""Sent back this often, with refusals that came back as a new dossier, a dossier is looked at (S0 2b)."""

_FACTS = f"""
WITH back AS (
  SELECT dossier_id, count(DISTINCT happened_at) FILTER (kind = 'returned') AS returned,
         min(happened_at) FILTER (kind IN {TURNED_AWAY}) AS turned_away_at
  FROM event_latest WHERE happened_at < $until GROUP BY dossier_id
), chained AS (
  SELECT l.dossier_id, l.received_at, lag(l.dossier_id) OVER again AS former,
         lag(b.turned_away_at) OVER again AS former_at
  FROM dossier_latest l LEFT JOIN back b USING (dossier_id) WHERE l.applicant_id IS NOT NULL
  WINDOW again AS (PARTITION BY l.applicant_id, l.procedure_code ORDER BY l.received_at, l.dossier_id)
)
SELECT l.dossier_id, s.sector_code, coalesce(b.returned, 0) AS returned,
       b.turned_away_at IS NOT NULL AS turned_away,
       CASE WHEN c.former_at <= c.received_at AND c.received_at < c.former_at + $came_back THEN c.former END AS former
FROM dossier_latest l LEFT JOIN back b USING (dossier_id)
LEFT JOIN chained c USING (dossier_id) LEFT JOIN procedure_latest s USING (procedure_code)
SEMI JOIN asked USING (dossier_id)
"""
_HANDS = """
SELECT dossier_id, happened_at, official_id, coalesce(step, kind) AS step
FROM event_latest SEMI JOIN asked USING (dossier_id)
WHERE official_id IS NOT NULL ORDER BY dossier_id, happened_at, known_at, row_id
"""
_TOUCHED = "SELECT DISTINCT dossier_id FROM event_latest SEMI JOIN mine USING (dossier_id) WHERE happened_at >= $until"
_Facts = dict[str, tuple[str | None, int, bool, str | None]]
_Hands = dict[str, list[tuple[str, datetime, str, str]]]


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
        found = [
            one
            for one in recorded_cases(con, as_of, calendar, until=until, since=start, cut=True, dossiers=dossiers)
            if one.state.received_at < until and (one.state.ended_at is None or one.state.ended_at >= start)
        ]
        con.register("asked", _ids(found))
        asked = {"until": naive_utc(until), "came_back": CAME_BACK}
        facts = {row[0]: row[1:] for row in con.execute(_FACTS, asked).fetchall()}
        held = con.execute(_HANDS).fetchall()
        con.unregister("asked")
        hands = {key: list(rows) for key, rows in groupby(held, key=itemgetter(0))}
        return cls(start, until, tuple(_cases(found, facts, hands, until, calendar)))

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


def _ids(cases: Iterable[Case | RecordedCase]) -> pa.Table:
    return pa.table({"dossier_id": pa.array([one.dossier_id for one in cases], pa.string())})


def _cases(
    cases: Iterable[RecordedCase], facts: _Facts, hands: _Hands, until: datetime, calendar: Calendar
) -> Iterator[Case]:
    for one in cases:
        state = one.state
        sector, returned, turned_away, former = facts[one.dossier_id]
        lawful = state.lawful_due_at
        late = state.late and not state.waits
        over = calendar.working_hours(lawful, state.ended_at or until) if late and lawful else 0.0
        official, step = _holder(hands.get(one.dossier_id, []), lawful if late else state.ended_at or until)
        moved = any(
            promise.by_office and promise.due_at > before.due_at for before, promise in pairwise(state.promises)
        )  # fmt: skip
        yield Case(
            one.dossier_id, one.unit_code, one.procedure_code, sector, official, step,
            state.received_at.astimezone(UTC), state.begun_at.astimezone(UTC), state.first_due_at, state.due_at, lawful,
            state.lawful_extension_at, state.ended_at, state.phase, late, state.late_first, moved, state.flags,
            class_766(state, calendar, one.legal_days), class_recomputed(state, calendar), over,
            state.citizen_hours, state.own_hours, state.other_hours, state.requests, state.resets,
            returned, turned_away, former,
        )  # fmt: skip


def _holder(held: list[tuple[str, datetime, str, str]], at: datetime | None) -> tuple[str | None, str | None]:
    """Official and step of the last event until a moment; of the first one after it where none came before."""
    if not held or at is None:
        return None, None
    place = bisect_right(held, naive_utc(at), key=itemgetter(1))
    _, _, official, step = held[max(place - 1, 0)]
    return official, step

"""What the pages on answers show, read from the record once it has grown, and not more often than every minute."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.calendar.working_time import Calendar
from features.record.delta import RecordUnreachable
from features.record.reading_moment import ReadingMoment
from features.record.record import Record
from serving.read.caseload import MANY_TIMES, Case, Caseload
from serving.state import State
from serving.work.annotations import marks_of
from serving.work.apologies import ApologyStanding, owed, standings
from serving.work.complaints import ComplaintStanding, Sorting, complaints, sorting
from serving.work.consultations import Consultation, consultations
from serving.work.explanations import explained, open_slips, outages

BACK = timedelta(days=31)
"""How far back late dossiers, consultations and complaints are followed; what is still open is followed however old."""
EVERY = timedelta(minutes=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Tracked:
    """Everything tracked, as of one moment: of a record that has fallen behind, the end of what it knows."""

    moment: ReadingMoment
    late: dict[str, Case]
    apologies: list[ApologyStanding]
    consultations: list[Consultation]
    complaints: list[ComplaintStanding]
    returned: list[Case]


class Trackers:
    """One per server process; `of` gives what is tracked and opens the slips that late dossiers lack."""

    def __init__(self, record: Record, state: State, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self.record, self._state, self._calendar, self._now = record, state, calendar, now
        self._held: Tracked | None = None
        self._version = -1
        self._away: tuple[datetime, RecordUnreachable] | None = None
        self._sorted: tuple[Tracked, dict[str, Sorting]] | None = None
        self._turn = threading.Lock()

    def of(self, *, anew: bool = False) -> Tracked:
        """What is tracked now. anew: read again although little time has passed, after somebody's own act.

        While the record's store does not answer it is what was tracked before, else RecordUnreachable; the store is
        asked again once a minute, for whoever asks waits and all others behind.
        """
        with self._turn:
            now, held = self._now() + _INSTANT, self._held  # an act of this very instant is shown at once
            if self._away is None or now - self._away[0] >= EVERY:
                try:
                    version = self.record.version()
                    if held is None or anew or (version != self._version and now - held.moment.asked >= EVERY):
                        held = read_tracked(self.record, self._state, self._calendar, now)
                        self._held, self._version = held, version
                    self._away = None
                except RecordUnreachable as error:
                    self._away = now, error
            if held is None:
                assert self._away is not None
                raise self._away[1]
            return held

    def sorting(self) -> dict[str, Sorting]:
        """How the complaints tracked now sort themselves; read only when somebody asks for complaints."""
        held = self.of()
        with self._turn:
            if self._sorted is None or self._sorted[0] is not held:
                until = held.moment.as_of
                with self.record.connect(cutoff=until) as con:
                    self._sorted = held, sorting(con, until)
            return self._sorted[1]


def read_tracked(record: Record, state: State, calendar: Calendar, now: datetime) -> Tracked:
    """Reads what is tracked as known before `now`, and opens slips; a second time changes nothing.

    Of a record that has fallen behind it is what was tracked when the news stopped, and no slip is opened.
    """
    with record.connect(cutoff=now, copied=True) as con:
        moment = ReadingMoment.read(con, now, calendar)
        until = moment.as_of
        since = until - BACK
        load = Caseload.read(con, since, until, until, calendar)
        late = {case.dossier_id: case for case in load.cases if case.late}
        if not moment.behind:
            with state.writing() as session:
                open_slips(session, late.values(), outages(con), calendar, now=now, explained=explained(con))
        with state.reading() as session:
            return Tracked(
                moment, late, standings(con, session, owed(load), until, sent_before=now),
                consultations(con, since, until, calendar, marks_of(session, "consultation", now)),
                complaints(con, since, until, calendar, marks_of(session, "complaint", now)),
                [case for case in load.cases if case.times_back >= MANY_TIMES],
            )  # fmt: skip

"""What pages need of the record at hand: names, counts and case files. Read again when the record has grown."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.vietnam import VIETNAM
from features.case_state.relation import NAME
from features.record.reading_moment import ReadingMoment
from features.record.record import Record
from features.record.utc import aware_table
from serving.read.case_file import CaseFiles
from serving.read.counted_dossiers import NOTHING_COUNTED, CountedDossiers
from serving.read.delay import Delays
from serving.read.official_sheet import OfficialSheets
from serving.read.on_time_statistics import OnTimeStatistics, states_of_a_year
from serving.read.register import Register
from serving.scoring.rate_limiter import RateLimiter
from serving.scoring.risk_list import RiskList

log = logging.getLogger(__name__)

Seen = tuple[int, datetime | None]
"""Version of the record and moment of the list that were read."""
_NOTHING: Seen = (0, None)
_LONGEST = 60.0
"""Seconds for which a page waits at most for what is read behind the first answers."""
_SHARE = 0.015
"""Of the time for reading all this again: who posts news waits for a fresh score, pages can lag behind by a minute."""
_EVERY = timedelta(minutes=10)
"""Without news time passes too: promises run out."""
_STATES = f"SELECT dossier_id, phase, lawful_due_at, overdue, late FROM {NAME}"
_NO_CASES = CaseFiles(
    pa.table({"dossier_id": pa.array([], pa.string())}), pa.table({"dossier_id": pa.array([], pa.string())})
)


class ReadModel:
    """One per server process; every attribute is replaced whole, so a reader never sees half of a change.

    states: where each dossier stands, and at which moment; for `RiskList.at`.
    """

    def __init__(self, record: Record, now: Callable[[], datetime]) -> None:
        self.register = Register()
        self.standing = OnTimeStatistics()
        self.counted = NOTHING_COUNTED
        self.cases = _NO_CASES
        self._officials = OfficialSheets()
        self._delays = Delays((), VIETNAM)
        self.calendar = VIETNAM
        self.states: tuple[datetime, pa.Table] | None = None
        self._now = now
        self._record = record
        self._seen = self._begun = _NOTHING
        self._whole = threading.Event()
        self._whole.set()
        self._turn = threading.Lock()
        self._pace = RateLimiter(_SHARE)

    @property
    def whole(self) -> bool:
        """Whether more than the first part has been read."""
        return self._whole.is_set()

    @property
    def officials(self) -> OfficialSheets:
        """Figures of officials; waits while `begin` has read the first part alone."""
        self._whole.wait(_LONGEST)
        return self._officials

    @property
    def delays(self) -> Delays:
        """Where time went, as known at the list's moment; waits as `officials` does."""
        self._whole.wait(_LONGEST)
        return self._delays

    def begin(self, risk_list: RiskList | None) -> None:
        """Reads what most pages show: names, counts, case files; the rest comes with the next `refresh`."""
        with self._turn:
            self._whole.clear()
            try:
                seen = (self._record.version(), risk_list.meta.as_of if risk_list else None)
                if seen[0]:
                    with self._record.connect() as con:
                        self._read_first(con, risk_list, seen)
            except Exception as error:
                log.warning("the record could not be read: %s", type(error).__name__)

    @property
    def moment(self) -> ReadingMoment:
        """The moment that pages show."""
        return ReadingMoment.of(self._now(), self.register.data_until, self.calendar)

    def refresh(self, risk_list: RiskList | None, at_once: bool = True) -> None:
        """Read again if the record or the list has changed; where that fails, what was known stays.

        at_once: also when it was read a moment ago; otherwise single news wait for their turn, a new list does not.
        """
        with self._turn:
            try:
                seen = (self._record.version(), risk_list.meta.as_of if risk_list else None)
                if not seen[0] or (seen == self._seen and not self._aged()):
                    return
                if seen[1] == self._seen[1] and not at_once and not self._pace.due():
                    return
                with self._pace.turn():
                    self._read(risk_list, seen, threads=None if at_once else 1)
            except Exception as error:  # the record may be away or locked; the pages go on with what they have
                log.warning("the record could not be read again: %s", type(error).__name__)
            finally:
                self._whole.set()

    def _aged(self) -> bool:
        """Whether what is shown is of a moment long past, of a record that has not fallen behind since."""
        return self.states is not None and self.moment.as_of - self.states[0] > _EVERY

    def _read(self, risk_list: RiskList | None, seen: Seen, threads: int | None) -> None:
        with self._record.connect() as con:
            if threads is not None:  # the other cores are for those who wait for an answer
                con.execute(f"SET threads = {threads}")
            if self._begun != seen:
                self._read_first(con, risk_list, seen)
            self._begun = _NOTHING
            assert self.states is not None  # read with the first part
            self._officials = OfficialSheets.read(con, self.states[0], self.calendar)
        if risk_list is not None and seen[1] != self._seen[1]:  # what was known at the list's moment
            with self._record.connect(cutoff=risk_list.meta.as_of) as con:
                self._delays = Delays.read(con, risk_list.meta.as_of, VIETNAM)
        self._seen = seen

    def _read_first(self, con: duckdb.DuckDBPyConnection, risk_list: RiskList | None, seen: Seen) -> None:
        self.register = Register.read(con)
        self.calendar = as_delivered(con, VIETNAM)
        until = ReadingMoment.of(self._now(), self.register.data_until, self.calendar).as_of
        with states_of_a_year(con, until, self.calendar):
            self.standing = OnTimeStatistics.counted(con, until)
            self.counted = CountedDossiers.read(con, until, self.calendar.zone)
            self.states = until, aware_table(con.sql(_STATES).to_arrow_table())
        if risk_list is not None:
            self.cases = CaseFiles.read(con, risk_list.dossier_ids())
        self._begun = seen

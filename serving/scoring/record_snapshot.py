"""What the record of one version gives to single scores: how cells are made, its days, and one dossier's
rows.
"""

import threading
from datetime import datetime

import duckdb

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.matrix.batch import FEATURES, attributes
from features.matrix.daily_snapshot import DailySnapshot, local_day, midnight, take_day
from features.matrix.online import OnlineFeatures, Row
from features.record.record import Record
from features.record.utc import aware_table, aware_utc
from serving.scoring.open_dossiers import OpenDossiers

MOST_DAYS = 8
"""Local days in memory at once; posted histories rarely ask for more than today."""

_NEWS = """
    SELECT MIN(known_at) FROM (
        SELECT known_at, delivery_id FROM dossier UNION ALL SELECT known_at, delivery_id FROM event
        UNION ALL SELECT known_at, delivery_id FROM procedure
    ) JOIN delivery USING (delivery_id) WHERE version > ?
"""


class RecordSnapshot:
    """The record at `version`; safe to share between threads.

    Days are made on demand, each once, by a pass over the record. A day of the ground `before` stays good
    when nothing delivered since was known before that day began: group features see no more than that.
    """

    def __init__(
        self, record: Record, calendar: Calendar, version: int, before: "RecordSnapshot | None" = None
    ) -> None:
        self.version = version
        self._record = record
        self._con = record.connect(version=version)
        self.calendar = calendar = as_delivered(self._con, calendar)
        self._features = [*FEATURES, *attributes(self._con)]
        self.single = OnlineFeatures(self._features, calendar)
        self._open = OpenDossiers(self._con)
        self._days = self._still_good(before)
        self._turn = threading.Lock()

    def ready(self, as_of: datetime) -> bool:
        """Whether the day of `as_of` is at hand."""
        return local_day(as_of, self.calendar) in self._days

    def day(self, as_of: datetime) -> DailySnapshot:
        """The record's day of `as_of`; made where it is not at hand."""
        number = local_day(as_of, self.calendar)
        found = self._days.get(number)
        if found is not None:
            return found
        with self._turn:
            if number not in self._days:
                con = self._record.connect(version=self.version)
                made = take_day(con, number, self._features, self.calendar)
                recent = list(self._days.items())[-(MOST_DAYS - 1) :]
                self._days = dict([*recent, (number, made)])
            return self._days[number]

    def history(self, dossier_id: str) -> tuple[Row | None, list[Row]]:
        """The latest version of one dossier (None: not known) and its events, times aware."""
        at_hand = self._open.of(dossier_id)
        if at_hand is not None:
            return at_hand
        with self._con.cursor() as con:
            return rows_of(con, dossier_id)

    def promises(self, dossier_id: str) -> list[tuple[datetime, datetime]]:
        """When each row of a dossier at hand was known, and the due moment it gave."""
        return self._open.promises(dossier_id)

    def _still_good(self, before: "RecordSnapshot | None") -> dict[int, DailySnapshot]:
        if before is None or (before._features, before.calendar) != (self._features, self.calendar):
            return {}
        first: datetime | None = self._con.execute(_NEWS, [before.version]).fetchall()[0][0]
        if first is None:
            return dict(before._days)
        news = aware_utc(first)
        return {number: day for number, day in before._days.items() if midnight(number, self.calendar) <= news}


def rows_of(con: duckdb.DuckDBPyConnection, dossier_id: str) -> tuple[Row | None, list[Row]]:
    """The latest version of one dossier (None: not known) and its events from a connection of the record."""
    versions = _rows(con, "SELECT * FROM dossier WHERE dossier_id = ? ORDER BY known_at, row_id", dossier_id)
    events = _rows(con, "SELECT * FROM event WHERE dossier_id = ?", dossier_id)
    return (versions[-1] if versions else None), events


def _rows(con: duckdb.DuckDBPyConnection, sql: str, value: str) -> list[Row]:
    rows: list[Row] = aware_table(con.sql(sql, params=[value]).to_arrow_table()).to_pylist()
    return rows

"""What came into the record dossier by dossier since it was last read as a whole, for scores at once."""

from collections.abc import Sequence
from datetime import datetime

from features.matrix.online import Row
from features.record.record import Record

MOST_ROWS = 5_000
"""Beyond which the record is read anew, when there is time for it."""

_SOURCE = "api"
_TABLES = {"dossier", "event"}

Delivery = tuple[int, Sequence[Row], Sequence[Row]]
"""Its version, its dossiers, its events; times aware."""


class RecordDelta:
    """Rows that came after `version` of the record, delivery by delivery, without a gap. Not shared between threads."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._deliveries: list[Delivery] = []
        self._dossiers: dict[str, Row] = {}
        self._events: dict[str, list[Row]] = {}
        self._promises: dict[str, list[tuple[datetime, datetime | None]]] = {}

    def add(self, delivery: Delivery) -> None:
        """The next delivery. ValueError where one between is missing."""
        version, dossiers, events = delivery
        if version != self.version + 1:
            raise ValueError(f"delivery: version {self.version + 1} was wanted, {version} came")
        self._deliveries.append(delivery)
        self._dossiers |= {row["dossier_id"]: row for row in dossiers}
        for row in dossiers:
            self._promises.setdefault(row["dossier_id"], []).append((row["known_at"], row.get("due_at")))
        for row in events:
            self._events.setdefault(row["dossier_id"], []).append(row)
        self.version = version

    def follow(self, record: Record, version: int) -> bool:
        """Adds what was taken in up to `version`, by other processes too.

        False, with nothing added, where more came than single dossiers: a file, another table.
        """
        lines = record.deliveries(version=version).slice(self.version)
        if set(lines["source"].to_pylist()) - {_SOURCE} or sum(lines["appended"].to_pylist()) > MOST_ROWS:
            return False
        arrived = record.arrived(lines)
        if arrived.keys() - _TABLES:
            return False
        rows_by_table = {name: rows.to_pylist() for name, rows in arrived.items()}
        for line in lines.to_pylist():
            mine = [
                [row for row in rows_by_table.get(name, ()) if row["delivery_id"] == line["delivery_id"]]
                for name in ("dossier", "event")
            ]
            self.add((line["version"], *mine))
        return True

    def after(self, version: int) -> "RecordDelta":
        """What came after a later version."""
        news = RecordDelta(version)
        for delivery in self._deliveries:
            if delivery[0] > version:
                news.add(delivery)
        return news

    def of(self, dossier_id: str) -> tuple[Row | None, list[Row]]:
        """The latest version that came of a dossier (None: none came) and its events."""
        return self._dossiers.get(dossier_id), list(self._events.get(dossier_id, ()))

    def promises(self, dossier_id: str) -> list[tuple[datetime, datetime | None]]:
        """When each row that came of a dossier was known, and the due moment it gave."""
        return list(self._promises.get(dossier_id, ()))

    def bearable(self, midnight: datetime) -> bool:
        """Whether the rows are few, and all of them first known after `midnight`: what groups show of a day stands."""
        rows = [row for _, *tables in self._deliveries for table in tables for row in table]
        return len(rows) <= MOST_ROWS and all(row["known_at"] >= midnight for row in rows)

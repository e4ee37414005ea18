"""Takes a delivery into the record; what `risk ingest` and the demo share."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from features.delivery import Receipt
from features.feeds import SOURCES, FeedOptions
from features.pseudonyms import load_key
from features.record import Record
from features.unit_book import UnitBook
from serving.official_names import Names, remember, written_without_marks
from serving.settings import Settings
from serving.state import State, open_state

NAMES_PEOPLE = frozenset({"dvcqg", "opencps", "igate", "petition", "rating", "roster", "api766"})
"""Sources of one-stop systems, which name units and people in words."""


def take_in(
    settings: Settings,
    path: Path,
    source: str,
    *,
    arrived_at: datetime,
    live: bool = False,
    mapping: Path | None = None,
    zone: str | None = None,
) -> Receipt:
    """Reads the delivery at `path` in the format `source` and appends it to the record.

    ValueError for an unknown source, FileNotFoundError for a path that is not there, DeliveryError where
    nothing of it can be read. zone: of times without offset, else the settings'.
    """
    if source not in SOURCES:
        raise ValueError(f"source: wanted one of {', '.join(SOURCES)}, got {source[:40]!r}")
    if not path.exists():
        raise FileNotFoundError(f"nothing lies at {path}")
    options = FeedOptions(
        zone=zone or settings.zone.key, mapping=mapping, arrived_at=arrived_at if live else None
    )
    record = Record(settings.record_url)
    if source not in NAMES_PEOPLE:
        chunks = SOURCES[source].read(path, options)
        return record.append(chunks, source=source, arrived_at=arrived_at, live=live)
    state = open_state(settings.database_url)
    try:
        options = with_reference(options, settings, record, state)
        names = Names()
        chunks = names.apart(SOURCES[source].read(path, options))
        receipt = record.append(chunks, source=source, arrived_at=arrived_at, live=live)
        remember(state, names.entries, arrived_at)
        return receipt
    finally:
        state.close()


def with_reference(options: FeedOptions, settings: Settings, record: Record, state: State) -> FeedOptions:
    """The options with what an installation knows: its secret for pseudonyms, its units, its officials' names."""
    with record.connect() as con:
        units = con.sql("SELECT unit_code, unit_name, valid_from, valid_to, succeeds FROM unit").to_arrow_table()
        numbered = con.execute(
            "SELECT a.other_id, min(d.unit_code) FROM alias a JOIN dossier d ON d.dossier_id = a.dossier_id "
            "WHERE a.other_id LIKE 'opencps:%' GROUP BY a.other_id"
        ).fetchall()
    return replace(
        options, key=load_key(settings.keys / "pseudonyms.key"), units=UnitBook.from_rows(units.to_pylist()),
        names=written_without_marks(state), unit_of=dict(numbered),
    )  # fmt: skip

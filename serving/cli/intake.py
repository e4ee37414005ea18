"""Takes a delivery into the record; what `risk ingest` and the demo share."""

from datetime import datetime
from pathlib import Path

from features.record.delivery import Receipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from features.sources.vietnamese_text import ENCODINGS
from serving.jobs.reference import NAMES_PEOPLE, with_reference
from serving.settings import Settings
from serving.state import open_state
from serving.state.official_names import Names, remember


def take_in(
    settings: Settings,
    path: Path,
    source: str,
    *,
    arrived_at: datetime,
    live: bool = False,
    mapping: Path | None = None,
    zone: str | None = None,
    encoding: str = "",
) -> Receipt:
    """Reads the delivery at `path` in the format `source` and appends it to the record.

    ValueError for an unknown source, FileNotFoundError for a path that is not there, DeliveryError where
    nothing of it can be read. zone: of times without offset, else the settings'. encoding: of text that is
    not UTF-8.
    """
    if source not in SOURCES:
        raise ValueError(f"source: wanted one of {', '.join(SOURCES)}, got {source[:40]!r}")
    if not path.exists():
        raise FileNotFoundError(f"nothing lies at {path}")
    if encoding not in ("", *ENCODINGS):
        raise ValueError(f"encoding: wanted one of {', '.join(ENCODINGS)}, got {encoding[:20]!r}")
    options = FeedOptions(
        zone=zone or settings.zone.key, mapping=mapping, arrived_at=arrived_at if live else None, encoding=encoding
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

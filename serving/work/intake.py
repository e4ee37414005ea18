"""Deliveries on their way into the record: looked at first, then taken in; what command, API and page share; and what
an installation knows that reading one-stop systems needs: its secret, its units, its officials' names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from features.key_file import key_file
from features.record.delivery import Chunks, DeliveryError, DeliveryReceipt
from features.record.dry_run import DryRun, dry_run
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from features.sources.files import members
from features.sources.proposal import ProposedColumn, mapping_text, propose
from features.sources.table import first_rows
from features.sources.unit_directory import UnitDirectory
from features.spelling.vietnamese_text import ENCODINGS
from serving.settings import Settings
from serving.state import State, open_state
from serving.state.official_names import Names, officials_by_name, remember
from serving.work.mapping_store import MappingStore

MAPPED = frozenset({"table", "xes"})
"""Sources that are read with a mapping."""


@dataclass(frozen=True)
class Preview:
    """What would become of a delivery: the mapping (as proposed or given), and the outcome or why it is refused.

    proposal: where no mapping was given, what each column seems to be.
    """

    source: str
    files: tuple[str, ...]
    mapping: str
    proposal: tuple[ProposedColumn, ...]
    outcome: DryRun | None
    refused: str = ""


def mappings_of(settings: Settings) -> MappingStore:
    """The mappings that the installation keeps."""
    return MappingStore(settings.home / "mappings")


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
) -> DeliveryReceipt:
    """Reads the delivery at `path` in the format `source` and appends it to the record.

    mapping: a file, or the name of one that is kept or shipped. zone: of times without offset, else the settings'.
    encoding: of text that is not UTF-8. ValueError for an unknown source, FileNotFoundError for a path that is not
    there, DeliveryError where nothing of it can be read.
    """
    options = _options(settings, path, source, arrived_at if live else None, mapping, zone, encoding)
    record = Record(settings.record_url)
    with _read(settings, record, path, source, options, arrived_at) as chunks:
        return record.append(chunks, source=source, arrived_at=arrived_at, live=live)


def preview(
    settings: Settings,
    path: Path,
    source: str,
    *,
    arrived_at: datetime,
    live: bool = False,
    mapping: Path | None = None,
    text: str = "",
    zone: str | None = None,
    encoding: str = "",
) -> Preview:
    """What `take_in` would do with the delivery; nothing is stored, no person's data shown.

    text: a mapping in place of a file. Without either one is proposed for a table, and the outcome is by that.
    """
    record = Record(settings.record_url)
    proposal: tuple[ProposedColumn, ...] = ()
    with TemporaryDirectory(prefix="dossier-risk-") as folder:
        try:
            files = tuple(member.name[:80] for member in members(path)[0][:20])
            if source == "table" and mapping is None and not text:
                proposal = tuple(propose(*first_rows(path, encoding)))
                text = mapping_text(proposal)
            if text:
                mapping = Path(folder) / "mapping.toml"
                mapping.write_text(text, "utf-8")
            options = _options(settings, path, source, arrived_at if live else None, mapping, zone, encoding)
            if options.mapping is not None and not text and options.mapping.is_file():
                text = options.mapping.read_text("utf-8")
        except DeliveryError as error:
            return Preview(source, (), text, proposal, None, str(error))
        try:
            with _read(settings, record, path, source, options, None) as chunks:
                outcome = dry_run(
                    chunks, record, source=source, arrived_at=arrived_at, live=live, zone=settings.zone.key
                )
        except DeliveryError as error:
            return Preview(source, files, text, proposal, None, str(error))
    return Preview(source, files, text, proposal, outcome)


def _options(
    settings: Settings, path: Path, source: str, live_since: datetime | None, mapping: Path | None, zone: str | None,
    encoding: str,
) -> FeedOptions:  # fmt: skip
    if source not in SOURCES:
        raise ValueError(f"source: wanted one of {', '.join(SOURCES)}, got {source[:40]!r}")
    if encoding not in ("", *ENCODINGS):
        raise ValueError(f"encoding: wanted one of {', '.join(ENCODINGS)}, got {encoding[:20]!r}")
    if not path.exists():
        raise FileNotFoundError(f"nothing lies at {path}")
    if mapping is not None and not mapping.is_file() and (saved := mappings_of(settings).latest(mapping.name)):
        mapping = saved.path
    return FeedOptions(zone=zone or settings.zone.key, mapping=mapping, arrived_at=live_since, encoding=encoding)


@contextmanager
def _read(
    settings: Settings, record: Record, path: Path, source: str, options: FeedOptions, remembered_at: datetime | None
) -> Iterator[Chunks]:
    """The chunks of the delivery; names of officials in it are remembered from `remembered_at` on."""
    if not SOURCES[source].names_people:
        yield SOURCES[source].read(path, options)
        return
    with open_state(settings.database_url) as state:
        names = Names()
        yield names.apart(SOURCES[source].read(path, with_reference(options, settings, record, state)))
        if remembered_at is not None:
            remember(state, names.entries, remembered_at)


KEY = "pseudonyms.key"


def with_reference(options: FeedOptions, settings: Settings, record: Record, state: State) -> FeedOptions:
    """The options with the secret for pseudonyms, units by name, OpenCPS dossiers by number, officials' names."""
    with record.connect() as con:
        units = con.sql("SELECT unit_code, unit_name, valid_from, valid_to, succeeds FROM unit")
        book = UnitDirectory.from_rows(units.to_arrow_table().to_pylist())
        numbered = con.execute(
            "SELECT a.other_id, min(d.unit_code) FROM alias a JOIN dossier d ON d.dossier_id = a.dossier_id "
            "WHERE a.other_id LIKE 'opencps:%' GROUP BY a.other_id"
        ).fetchall()
        posts = con.execute("SELECT DISTINCT official_id, unit_code FROM official").fetchall()
    return replace(
        options,
        key=key_file(settings.keys / KEY),
        units=book,
        officials=officials_by_name(state, posts),
        unit_of=dict(numbered),
    )

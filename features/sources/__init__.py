"""Feeds: what source systems send, turned into chunks of canonical rows. One module a source.

A feed module has `read(path, options) -> Iterator[Chunk]`. It names rows by the columns of `features.record.schema`
and leaves typing, checking, `known_at` and deduplication to the record; what it cannot turn into a row it
rejects, with file and line. DeliveryError where `path` is nothing it could read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path

from features.record.delivery import DEFAULT_ZONE, Chunks
from features.sources.unit_directory import UnitDirectory


@dataclass(frozen=True)
class FeedOptions:
    """How to read.

    `zone` of times without offset, `mapping` file (xes, table), `arrived_at` of a live delivery (None for a back-fill),
    `key` for pseudonyms of persons, `units` to find units by name and old codes, `encoding` of text that is not UTF-8
    (tcvn3, vni, cp1258), `names` of officials with their diacritics by (folded name, unit), `unit_of` dossiers by
    their source's number.
    """

    zone: str = DEFAULT_ZONE
    mapping: Path | None = None
    arrived_at: datetime | None = None
    key: bytes | None = field(default=None, repr=False)
    units: UnitDirectory | None = field(default=None, repr=False)
    encoding: str = ""
    names: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    unit_of: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Feed:
    """One source format: its `--source` name, a line for people, and the module that reads it."""

    name: str
    words: str
    module: str

    def read(self, path: Path, options: FeedOptions) -> Chunks:
        """The chunks of the delivery at `path`. The module is imported here: each needs other parsers."""
        chunks: Chunks = import_module(self.module).read(path, options)
        return chunks


_FEEDS = (
    Feed(
        "canonical",
        "tables of the feed contract, in a folder, a .zip or one file",
        "features.sources.canonical",
    ),
    Feed("xes", "IEEE XES event log, with a mapping", "features.sources.xes"),
    Feed("table", "CSV, Parquet or Excel export, with a mapping", "features.sources.table"),
    Feed("dvcqg", "national portal sync, v1 envelopes and v2 of 2026", "features.sources.dvcqg"),
    Feed(
        "opencps",
        "OpenCPS dossiers, action rows, statistics, calendars; the 2016 pilot",
        "features.sources.opencps",
    ),
    Feed("igate", "VNPT iGate 2.0 dossiers", "features.sources.igate"),
    Feed("petition", "1022-type complaints and those of the portal", "features.sources.petition"),
    Feed("rating", "satisfaction ratings", "features.sources.rating"),
    Feed("api766", "public reporting API of the 766 index, for reconciliation", "features.sources.api766"),
    Feed("roster", "units with succession, officials with their names", "features.sources.roster"),
)

SOURCES: dict[str, Feed] = {feed.name: feed for feed in _FEEDS}
"""Every feed by its `--source` name."""

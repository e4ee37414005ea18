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
    (tcvn3, vni, cp1258), `officials` known before (official_id, name, unit_code; one may have several units),
    `unit_of` dossiers by their source's number.
    """

    zone: str = DEFAULT_ZONE
    mapping: Path | None = None
    arrived_at: datetime | None = None
    key: bytes | None = field(default=None, repr=False)
    units: UnitDirectory | None = field(default=None, repr=False)
    encoding: str = ""
    officials: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    unit_of: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Feed:
    """One source format: its `--source` name, its words on pages, a line in English, and the module that reads it.

    names_people: it tells of units and people in words, so it is read with what is known of them, and the names it
    tells are kept apart from the record.
    """

    name: str
    words_vi: str
    words: str
    module: str
    names_people: bool = False

    def read(self, path: Path, options: FeedOptions) -> Chunks:
        """The chunks of the delivery at `path`. The module is imported here: each needs other parsers."""
        chunks: Chunks = import_module(self.module).read(path, options)
        return chunks


_FEEDS = (
    Feed(
        "canonical", "Bảng theo quy ước (canonical)", "tables of the feed contract, in a folder, a .zip or one file",
        "features.sources.canonical",
    ),
    Feed("table", "Bảng Excel, CSV, Parquet", "CSV, Parquet or Excel export, with a mapping", "features.sources.table"),
    Feed("xes", "Nhật ký quy trình XES", "IEEE XES event log, with a mapping", "features.sources.xes"),
    Feed(
        "dvcqg", "Cổng dịch vụ công quốc gia", "national portal sync, v1 envelopes and v2 of 2026",
        "features.sources.dvcqg", names_people=True,
    ),
    Feed(
        "opencps", "OpenCPS", "OpenCPS dossiers, action rows, statistics, calendars; the 2016 pilot",
        "features.sources.opencps", names_people=True,
    ),
    Feed("igate", "VNPT iGate", "VNPT iGate 2.0 dossiers", "features.sources.igate", names_people=True),
    Feed(
        "petition", "Phản ánh, kiến nghị 1022", "1022-type complaints and those of the portal",
        "features.sources.petition", names_people=True,
    ),
    Feed("rating", "Đánh giá hài lòng", "satisfaction ratings", "features.sources.rating", names_people=True),
    Feed(
        "api766", "Số liệu bộ chỉ số 766", "public reporting API of the 766 index, for reconciliation",
        "features.sources.api766", names_people=True,
    ),
    Feed(
        "roster", "Danh bạ đơn vị, cán bộ", "units with succession, officials with their names",
        "features.sources.roster", names_people=True,
    ),
)  # fmt: skip

SOURCES: dict[str, Feed] = {feed.name: feed for feed in _FEEDS}
"""Every feed by its `--source` name."""

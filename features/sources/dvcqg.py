"""The national public-service portal's own exchange: v1 envelopes and the API of 2026 (domain.md 1.1–1.5).

What an item is follows from its own fields, not from the envelope: systems send bare arrays, and dossier and
progress in one object.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from features.record.delivery import Chunk, Chunks
from features.sources import FeedOptions
from features.sources.dvcqg_dossier import read_dossier
from features.sources.dvcqg_progress import read_apology, read_consultation, read_progress, read_status
from features.sources.items import items
from features.sources.json_stream import Item
from features.sources.nested import objects
from features.sources.row_builder import RowBuilder, harvested

TRANSPORT = frozenset({"error_code", "session", "auth_request", "auth_response", "username"})
"""Fields of logins and answers, which carry no dossier."""


def read(path: Path, options: FeedOptions) -> Chunks:
    """The dossiers and events of the delivery at `path`: file, folder or zip of JSON."""
    yield from read_items(items(path), options)


def read_items(found: Iterator[Item], options: FeedOptions) -> Iterator[Chunk]:
    """The rows of items already at hand, as the receiving endpoint has them."""
    return harvested(found, options, lambda harvest, value: _read(harvest, value, harvest.header))


def _read(harvest: RowBuilder, value: Mapping[str, Any], header: Mapping[str, Any]) -> None:
    if "ThoiDiemXuLy" in value:
        read_progress(harvest, value)
    elif "MaTTHC" in value or ("NgayTiepNhan" in value and "TrangThaiHoSo" in value):
        read_dossier(harvest, value, header)
    elif "LoaiDuThao" in value or "NgayHenTraCu" in value:
        read_apology(harvest, value)
    elif "CoQuanDuocLayYKien" in value:
        read_consultation(harvest, value)
    elif "MaHoSo" in value and "TrangThai" in value:
        read_status(harvest, value)
    elif isinstance(value.get("dossier"), dict) or isinstance(value.get("tien_do"), list):
        for part in [*objects({"dossier": [value.get("dossier")]}, "dossier"), *objects(value, "tien_do")]:
            _read(harvest, part, value)
    elif not TRANSPORT & value.keys():
        harvest.reject("", "a dossier, a progress event or a status of the portal", "an object of another kind")

"""Satisfaction ratings (domain.md 1.6): `DanhGiaHaiLong` of one-stop systems.

A rating entered under the account of an official (T6) is marked `by_staff`: it was given at the counter, mostly at
receipt, and says nothing of the outcome.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.record.delivery import Chunks
from features.sources import FeedOptions
from features.sources.json_stream import items
from features.sources.row_builder import RowBuilder, harvested
from features.spelling.names import plain

SCORES = {
    "rat hai long": 5, "hai long": 4, "binh thuong": 3, "chap nhan duoc": 3, "khong hai long": 1,
    "rat khong hai long": 1,
}  # fmt: skip
"""Words of the three-point scale (and its variants) on 1–5; its worst word is the worst score."""
_CITIZENS = frozenset({"citizen", "congdan", "cong dan", "anonymous", ""})


def read(path: Path, options: FeedOptions) -> Chunks:
    """The ratings of the delivery at `path`: JSON, one object or many."""
    yield from harvested(items(path), options, _read)


def _read(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    if not {"MaHoSo", "DanhGia"} <= item.keys():
        harvest.reject("", "a rating with MaHoSo and DanhGia", "an object of another kind")
        return
    dossier_id = harvest.dossier("dossier_id", item.get("MaHoSo"))
    rated = harvest.moment("rated_at", item.get("ThoiGianDanhGia"))
    score = _score(item.get("DanhGia"))
    if dossier_id is None:
        return
    if rated is None or score is None:
        wanted = "a moment" if rated is None else "words of satisfaction or 1 to 5"
        harvest.reject("rated_at" if rated is None else "score", wanted, None)
        return
    rater, author = (str(item.get(name) or "").strip() for name in ("NguoiDanhGia", "CreatedBy"))
    staff = None if not author else rater == author and plain(author) not in _CITIZENS
    who = harvest.people.account(f"{dossier_id} {rated:%Y%m%d%H%M%S} {rater}") or ""
    harvest.row("rating", rating_id="r" + who[1:], dossier_id=dossier_id, score=score, rated_at=rated, by_staff=staff)


def _score(value: object) -> int | None:
    if isinstance(value, str):
        words = plain(value).strip()
        return SCORES.get(words) or (int(words) if words in ("1", "2", "3", "4", "5") else None)
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5 else None

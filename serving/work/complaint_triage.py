"""How complaints sort themselves for whoever answers them: topic, the same again, part of a flood; nobody's words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from features.complaints import triage

TOPIC_WORDS = {
    "lateness": "Chậm trả kết quả", "conduct": "Thái độ, cách ứng xử", "extra_papers": "Giấy tờ ngoài quy định",
    "bribe": "Tiền ngoài quy định", "procedure": "Thủ tục, hướng dẫn", "other": "Khác",
}  # fmt: skip


@dataclass(frozen=True)
class Sorting:
    """One complaint among the others of a year.

    topic: by its words where they are kept, else as recorded. same_as: the first complaint in the same words about
    the same unit. flood: the first complaint of its flood; voices: how many different people speak in it, copies of
    one letter counted once.
    """

    topic: str
    same_as: str | None
    flood: str | None
    flood_filed: int
    flood_voices: int


def sorting(con: duckdb.DuckDBPyConnection, before: datetime) -> dict[str, Sorting]:
    """complaint_id → its sorting, for complaints of the year before a moment, as known then."""
    return {
        row["complaint_id"]: Sorting(
            row["topic_text"] or row["topic"] or "other", row["same_as"], row["flood"], row["flood_filed"] or 0,
            row["flood_people"] or 0,
        )
        for row in triage(con, before).to_pylist()
    }  # fmt: skip


def floods(found: Iterable[str], sorted_by: Mapping[str, Sorting]) -> list[Sorting]:
    """The floods to which some of these complaints belong, the largest first, each once."""
    by_flood = {one.flood: one for key in found if (one := sorted_by.get(key)) is not None and one.flood}
    return sorted(by_flood.values(), key=lambda one: (-one.flood_filed, one.flood or ""))

"""The complaints of a time, read for triage: what about, which dossier, a repetition, part of a flood, how urgent."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from features.complaints.copies import first_alike
from features.complaints.floods import floods
from features.complaints.topics import topics, wording
from features.record.latest import latest
from features.record.utc import naive_utc
from features.spelling.codes import dossier_codes_in

YEAR = timedelta(days=365)
SAME_WITHIN = 60.0
"""Days within which the same words about the same unit are a copy."""
ANSWER = "\n[trả lời] "
"""Mark behind which a delivery keeps the office's answer (`features.sources.petition`)."""

SCHEMA = pa.schema([
    ("complaint_id", pa.string()), ("filed_at", pa.timestamp("us", "UTC")), ("channel", pa.string()),
    ("unit_code", pa.string()), ("official_id", pa.string()), ("dossier_id", pa.string()),
    ("due_at", pa.timestamp("us", "UTC")), ("answered_at", pa.timestamp("us", "UTC")), ("verdict", pa.string()),
    ("topic", pa.string()), ("topic_text", pa.string()), ("confidence", pa.float64()),
    ("beside", pa.list_(pa.string())), ("codes", pa.list_(pa.string())), ("same_as", pa.string()),
    ("flood", pa.string()), ("flood_filed", pa.int64()), ("flood_people", pa.int64()),
])  # fmt: skip

_KNOWN = f"""
    SELECT complaint_id, filed_at, channel, unit_code, official_id, dossier_id, complainant_id, due_at,
           CASE WHEN answered_at < $as_of THEN answered_at END AS answered_at,
           CASE WHEN coalesce(verdict_at, answered_at) < $as_of THEN verdict ELSE 'pending' END AS verdict,
           topic, text
    FROM {latest("complaint", "known_at < $as_of")} WHERE filed_at >= $since AND filed_at < $as_of
    ORDER BY filed_at, complaint_id"""


def triage(con: duckdb.DuckDBPyConnection, as_of: datetime, since: datetime | None = None) -> pa.Table:
    """One row a complaint filed in [since, as_of), by default a year, as known before `as_of`; columns of `SCHEMA`.

    Unanswered ones come first, by the moment when an answer is due. topic: as recorded; topic_text: by its words,
    with confidence and the topics beside it; null where no text is recorded. codes: dossier codes in the text.
    dossier_id: as recorded, else the first of the codes that the record holds. same_as: the first complaint in the
    same words about the same unit. flood: the first complaint of its flood, with how many were filed by how many
    voices. Neither words nor complainants are given: whoever needs them reads the complaint.
    """
    bounds = {"as_of": naive_utc(as_of), "since": naive_utc(since or as_of - YEAR)}
    rows = con.sql(_KNOWN, params=bounds).to_arrow_table().to_pylist()
    asked = [(row["text"] or "").split(ANSWER)[0] for row in rows]
    wordings = [wording(text) for text in asked]
    day = [row["filed_at"].timestamp() / 86400 for row in rows]
    alike = first_alike(wordings, [row["unit_code"] or row["official_id"] or "" for row in rows], day, SAME_WITHIN)
    by_words = topics(asked)
    recorded = _known_dossiers(con, [code for text in asked for code in dossier_codes_in(text)], bounds["as_of"])
    for place, (row, text, topic) in enumerate(zip(rows, asked, by_words, strict=True)):
        codes = dossier_codes_in(text)
        row |= {
            "codes": codes,
            "dossier_id": row["dossier_id"] or next((code for code in codes if code in recorded), None),
            "topic_text": topic.topic if wordings[place] else None,
            "confidence": topic.confidence if wordings[place] else None,
            "beside": list(topic.beside),
            "same_as": rows[alike[place]]["complaint_id"] if alike[place] != place else None,
            "flood": None, "flood_filed": None, "flood_people": None,
        }  # fmt: skip
    _mark_floods(rows, day, alike)
    rows.sort(key=lambda row: (row["answered_at"] is not None, row["due_at"] or row["filed_at"], row["complaint_id"]))
    return pa.Table.from_pylist(rows, SCHEMA)


def _mark_floods(rows: list[dict[str, Any]], day: list[float], alike: list[int]) -> None:
    """Fills flood columns: floods about an official first, then about a unit."""
    who = [row["complainant_id"] for row in rows]
    for column in ("unit_code", "official_id"):
        for flood in floods([row[column] or "" for row in rows], day, who, alike):
            for place in flood.places:
                rows[place]["flood"] = rows[flood.places[0]]["complaint_id"]
                rows[place]["flood_filed"], rows[place]["flood_people"] = len(flood.places), flood.voices


def _known_dossiers(con: duckdb.DuckDBPyConnection, codes: list[str], as_of: datetime) -> set[str]:
    found = con.execute(
        "SELECT DISTINCT dossier_id FROM dossier WHERE known_at < ? AND list_contains(?, dossier_id)", [as_of, codes]
    ).fetchall()
    return {code for (code,) in found}

"""The complaints of a time, read for triage: what about, which dossier, a repetition, part of a flood, how urgent.

Copies say the same in nearly the same words. Candidates share many character n-grams (scikit-learn, hashed, cosine);
of those, a pair counts whose words agree in any order (rapidfuzz, `token_sort_ratio`), codes and numbers left out.
Floods are many complaints about one official or unit in a short time from few people; only voices that speak again
and again belong to one. A flood is answered together and counts as few voices; all of it is still to be read.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz

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


ALIKE = 88.0
"""`token_sort_ratio` (0–100) from which two texts say the same."""
CANDIDATE = 0.6
"""Cosine under which a pair is not looked at."""
LEAST_WORDS = 6
"""Shorter texts are alike by chance: "chưa có kết quả" says the same of everybody."""
CHUNK = 512


def first_alike(wordings: Sequence[str], about: Sequence[str], day: Sequence[float], within: float) -> list[int]:
    """For each text the place of the first text that says the same; its own place where none does.

    `wordings` (`features.complaints.topics.wording`) in order of filing, `about`: whom or what each is about, `day`
    of filing: only texts about the same within so many days are compared.
    """
    first = list(range(len(wordings)))
    places: dict[str, list[int]] = {}
    for place, (text, key) in enumerate(zip(wordings, about, strict=True)):
        if key and text.count(" ") + 1 >= LEAST_WORDS:
            places.setdefault(key, []).append(place)
    for members in places.values():
        if len(members) > 1:
            _look(members, wordings, np.asarray([day[place] for place in members]), within, first)
    return first


def _look(members: list[int], wordings: Sequence[str], day: np.ndarray, within: float, first: list[int]) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    terms = HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=2**16, alternate_sign=False)
    grams = terms.transform([wordings[place] for place in members])
    for begin in range(0, len(members), CHUNK):
        shared = (grams[begin : begin + CHUNK] @ grams.T).toarray()
        for row, cosine in enumerate(shared, start=begin):
            near = np.flatnonzero((cosine[:row] >= CANDIDATE) & (day[row] - day[:row] <= within))
            for other in near.tolist():
                if fuzz.token_sort_ratio(wordings[members[row]], wordings[members[other]]) >= ALIKE:
                    first[members[row]] = first[members[other]]
                    break


DAYS = 30.0
"""Length of the window."""
LEAST = 10
"""Complaints of such voices in a window under which nothing is called a flood."""
EACH = 3
"""Complaints in a window from which a voice belongs to a flood."""


@dataclass(frozen=True)
class Flood:
    """One flood: places of its complaints in order of filing, and the number of voices behind them."""

    places: tuple[int, ...]
    voices: int


def floods(about: Sequence[str], day: Sequence[float], who: Sequence[str | None], alike: Sequence[int]) -> list[Flood]:
    """The floods among complaints in order of filing.

    `about`: whom each is about, empty for nobody. `day` of filing. `who`: opaque id, None for anonymous. `alike`:
    place of the first complaint in the same words (`features.complaints.triage.first_alike`).
    """
    groups: dict[str, list[int]] = {}
    for place, key in enumerate(about):
        if key:
            groups.setdefault(key, []).append(place)
    found = []
    for members in groups.values():
        voice = _voices(members, who, alike)
        begin, until, run = 0, -1.0, set[int]()
        for end, place in enumerate(members):
            while day[place] - day[members[begin]] > DAYS:
                begin += 1
            window = members[begin : end + 1]
            count = Counter(voice[one] for one in window)
            loud = {one for one in window if count[voice[one]] >= EACH}
            if len(loud) < LEAST:
                continue
            if run and day[members[begin]] > until:
                found.append(_flood(run, voice))
                run = set()
            run |= loud
            until = day[place]
        if run:
            found.append(_flood(run, voice))
    return found


def _flood(run: set[int], voice: dict[int, int]) -> Flood:
    return Flood(tuple(sorted(run)), len({voice[place] for place in run}))


def _voices(members: list[int], who: Sequence[str | None], alike: Sequence[int]) -> dict[int, int]:
    """Of each complaint the first one of its voice: the same person, or the same words."""
    first: dict[str, int] = {}
    root = {place: place for place in members}

    def of(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for place in members:
        keys = [f"words {alike[place]}"] + ([f"person {who[place]}"] if who[place] else [])
        for key in keys:
            one, two = sorted((of(first.setdefault(key, place)), of(place)))
            root[two] = one
    return {place: of(place) for place in members}

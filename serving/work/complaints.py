"""Complaints and their terms: refuse ≤ 2, ask for more ≤ 5, handle ≤ 15, publish ≤ 2 working days (DOC766 5.2).

Who complained is never shown, nor the words: a unit must not learn who spoke. How complaints sort themselves (topic,
the same again, part of a flood) comes from `features.complaints.triage`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from features.calendar.working_time import HOURS_A_DAY, Calendar
from features.complaints import triage
from features.record.utc import aware_utc, naive_utc
from serving.language import LazyText as lazy
from serving.state import Mark


@dataclass(frozen=True)
class TermsInForce:
    """Working days of each step for complaints filed from `valid_from` on; three from the filing, publication from
    the handling."""

    valid_from: date
    source: str
    days: Mapping[str, int]


TERMS = (TermsInForce(date.min, "QĐ 766/QĐ-TTg", {"refused": 2, "asked": 5, "handled": 15, "published": 2}),)
"""Oldest first: a new decree is one more entry, with its date of force; what was filed before keeps its terms."""
STEPS = tuple(TERMS[0].days)


def terms_of(filed_at: datetime, calendar: Calendar) -> Mapping[str, int]:
    """Step → working days for a complaint filed at a moment, by its local day."""
    day = filed_at.astimezone(ZoneInfo(calendar.zone)).date()
    return next(one.days for one in reversed(TERMS) if one.valid_from <= day)


STATES = {
    "open": lazy("Đang xử lý"),
    "overdue": lazy("Quá hạn"),
    "refused": lazy("Không tiếp nhận"),
    "handled": lazy("Đã trả lời"),
    "published": lazy("Đã công khai"),
    "withdrawn": lazy("Người gửi rút"),
}

_COMPLAINTS = """
SELECT complaint_id, unit_code, dossier_id, channel, topic, filed_at, due_at, answered_at, verdict
FROM complaint_latest
WHERE filed_at < $until AND (filed_at >= $since OR answered_at IS NULL OR answered_at >= $since)
ORDER BY filed_at, complaint_id
"""


@dataclass(frozen=True)
class Term:
    """One step's term: until when, when it was done (None: not yet), and whether it was or is too late."""

    due_at: datetime
    done_at: datetime | None
    late: bool


@dataclass(frozen=True)
class ComplaintStanding:
    """One complaint and its clocks. due_at: the source's own term, else that of the law at its filing."""

    complaint_id: str
    unit_code: str | None
    dossier_id: str | None
    channel: str | None
    topic: str | None
    filed_at: datetime
    due_at: datetime
    answered_at: datetime | None
    verdict: str | None
    state: str
    clocks: Mapping[str, Term]
    vague: bool
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        """Whether it was handled, or is being handled, past its term."""
        return self.clocks["handled"].late

    @property
    def subject(self) -> str:
        """The subject under which marks on it are stored."""
        return f"complaint:{self.complaint_id}"


def complaints(
    con: duckdb.DuckDBPyConnection, since: datetime, until: datetime, calendar: Calendar,
    marks: Mapping[str, Mapping[str, Mark]],
) -> list[ComplaintStanding]:  # fmt: skip
    """Complaints filed in [since, until), or unanswered or answered in it; those that wait first, by their term."""
    rows = con.execute(_COMPLAINTS, {"since": naive_utc(since), "until": naive_utc(until)}).fetchall()
    found = [_standing(row, marks.get(f"complaint:{row[0]}", {}), until, calendar) for row in rows]
    return sorted(found, key=lambda one: (one.state not in ("overdue", "open"), one.due_at, one.complaint_id))


def _standing(row: tuple[Any, ...], held: Mapping[str, Mark], until: datetime, calendar: Calendar) -> ComplaintStanding:
    complaint_id, unit, dossier, channel, topic, filed, due, answered, verdict = row
    filed_at, told_due, answered_at = aware_utc(filed), aware_utc(due), aware_utc(answered)
    if answered_at is not None and answered_at >= until:
        answered_at = None
    done = {step: held[step].marked_at if step in held else None for step in STEPS}
    done["handled"] = min((at for at in (answered_at, done["handled"]) if at is not None), default=None)
    clocks = {}
    for step, days in terms_of(filed_at, calendar).items():
        begins = done["handled"] if step == "published" else filed_at
        if begins is None:
            continue
        due_at = told_due if step == "handled" and told_due else calendar.add(begins, days * HOURS_A_DAY)
        # nobody need refuse or ask: those terms bind only where it was done
        waits = step in ("handled", "published") and done["refused"] is None
        clocks[step] = Term(due_at, done[step], due_at < (done[step] or (until if waits else due_at)))
    return ComplaintStanding(
        complaint_id, unit, dossier, channel, topic, filed_at,
        clocks["handled"].due_at, done["handled"], verdict, _state(verdict, done, clocks["handled"]),
        clocks, "quality" in held and held["quality"].value == "vague",
        {name: mark.value for name, mark in held.items()},
    )  # fmt: skip


def _state(verdict: str | None, done: Mapping[str, datetime | None], handling: Term) -> str:
    if verdict == "withdrawn":
        return "withdrawn"
    for step in ("published", "handled", "refused"):
        if done[step] is not None:
            return step
    return "overdue" if handling.late else "open"


TOPIC_WORDS = {
    "lateness": lazy("Chậm trả kết quả"),
    "conduct": lazy("Thái độ, cách ứng xử"),
    "extra_papers": lazy("Giấy tờ ngoài quy định"),
    "bribe": lazy("Tiền ngoài quy định"),
    "procedure": lazy("Thủ tục, hướng dẫn"),
    "other": lazy("Khác"),
}


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

"""The canonical tables: what a delivery may say, column by column.

The names, the required columns and the admitted values are those of the feed contract (`feeds.md`). Other
tools write them, so they are fixed. Everything that checks a row reads them here: there is no second list.

| type    | Arrow              | DuckDB view       | what a text cell may hold                              |
|---------|--------------------|-------------------|--------------------------------------------------------|
| text    | string             | VARCHAR           | anything; outer blanks are dropped, empty: unknown     |
| time    | timestamp[us, UTC] | TIMESTAMP, in UTC | ISO 8601, 1990 to 2100; without offset in feed's zone  |
| date    | date32             | DATE              | ISO 8601 day                                           |
| number  | double             | DOUBLE            | a finite decimal number                                |
| integer | int64              | BIGINT            | a whole number                                         |
| boolean | bool               | BOOLEAN           | true/false, 1/0, yes/no                                |
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Type = Literal["text", "time", "date", "number", "integer", "boolean"]

EVENT_KINDS = (
    "received", "assigned", "forwarded", "papers_requested", "papers_supplied", "suspended", "resumed",
    "consulted", "consultation_answered", "extended", "reset", "returned", "refused", "decided", "delivered",
    "withdrawn", "apologised", "reopened", "note",
)  # fmt: skip
ENDS = ("refused", "decided", "withdrawn")
"""End the processing; `delivered` does where none of them is known."""
ALL_ENDS = (*ENDS, "delivered")
WORK = ("assigned", "forwarded", "papers_requested", "suspended", "consulted", "returned", "resumed")
"""The office works on a dossier, or sends it on: none of them comes after a true end."""
SKEW = timedelta(minutes=15)
"""An end that lies less than this before receipt is an error of two clocks."""


@dataclass(frozen=True)
class RecordColumn:
    """One column of a canonical table.

    `personal` marks cells that may hold a person's data: a message about such a cell shows only its shape.
    `choices` are the admitted values, empty for any; `low` and `high` bound a number, both ends included.
    """

    name: str
    type: Type = "text"
    required: bool = False
    words: str = ""
    personal: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def code(self) -> bool:
        """Whether the cell names something, so that every way to write one name has to be one text."""
        return self.type == "text" and (self.name.endswith(("_id", "_code")) or self.name == "succeeds")

    @property
    def promise(self) -> bool:
        """Whether the moment is a term set to an office: as a day alone it means until that day's closing."""
        return self.type == "time" and self.name in ("due_at", "step_due_at")


@dataclass(frozen=True)
class RecordTable:
    """One canonical table.

    `key` names the columns that identify the thing a row speaks of; rows of one key are its versions.
    `clock` lists the columns whose latest moment is when a row of a back-fill could be known: a row that
    holds a verdict cannot have been known before the verdict. Empty means: known since ever.
    `lasting` rows (offices, procedures) are known since ever where their clock is silent.
    `ordered` lists pairs (earlier, later) of columns that may not stand the other way round.
    `attributes`: unknown columns are kept, as `x_…`.
    """

    name: str
    words: str
    columns: tuple[RecordColumn, ...]
    key: tuple[str, ...]
    clock: tuple[str, ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    attributes: bool = False
    lasting: bool = False

    def __getitem__(self, name: str) -> RecordColumn:
        """The column called `name`; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the feed contract."""
        return tuple(column.name for column in self.columns)


def _text(name: str, words: str, *choices: str) -> RecordColumn:
    return RecordColumn(name, words=words, choices=choices)


def _id(name: str, words: str) -> RecordColumn:
    return RecordColumn(name, required=True, words=words)


def _person(name: str, words: str, *, required: bool = False) -> RecordColumn:
    return RecordColumn(name, required=required, words=words, personal=True)


def _time(name: str, words: str, *, required: bool = False) -> RecordColumn:
    return RecordColumn(name, "time", required, words)


_KNOWN = _time("known_at", "when the record first could know it")
_VALID = (_time("valid_from", "in force from"), _time("valid_to", "in force until, not included"))

_TABLES = (
    RecordTable("sector", "a field of work", (
        _id("sector_code", "code of the sector"),
        _text("sector_name", "its name"),
        RecordColumn("prior_weight", "number", words="high-risk field of the directives", low=0, high=1),
        _KNOWN,
    ), key=("sector_code",), lasting=True),
    RecordTable("procedure", "a published administrative procedure", (
        _id("procedure_code", "code of the procedure"),
        _text("procedure_name", "its name"),
        _id("sector_code", "its sector"),
        RecordColumn("legal_working_days", "number", words="legal term, days of 8 hours", low=0, high=10_000),
        _text("papers", "published component list, separated by ;"),
        RecordColumn("max_supplements", "integer", words="how often papers may be asked for", low=0, high=1_000),
        *_VALID, _KNOWN,
    ), key=("procedure_code",), clock=("valid_from",), ordered=(("valid_from", "valid_to"),), lasting=True),
    RecordTable("unit", "an office", (
        _id("unit_code", "code of the unit"),
        _text("unit_name", "its name"),
        _text("parent_code", "the unit above it"),
        _text("level", "its level", "province", "department", "commune", "other"),
        *_VALID,
        _text("succeeds", "code of the unit it took over from"),
        _KNOWN,
    ), key=("unit_code",), clock=("valid_from",), ordered=(("valid_from", "valid_to"),), lasting=True),
    RecordTable("official", "a person in office, by an opaque id", (
        _person("official_id", "opaque id of the official", required=True),
        _id("unit_code", "where the official works"),
        _text("position", "the post"),
        RecordColumn("is_head", "boolean", words="heads the unit"),
        *_VALID, _KNOWN,
    ), key=("official_id", "unit_code"), clock=("valid_from",), ordered=(("valid_from", "valid_to"),),
       lasting=True),
    RecordTable("dossier", "one application and its first promise", (
        _id("dossier_id", "id of the dossier"),
        _id("procedure_code", "its procedure"),
        _id("unit_code", "the competent unit"),
        _text("receiving_unit_code", "the unit that received it"),
        _text("channel", "how it came", "counter", "online", "post"),
        _person("applicant_id", "opaque id of the applicant"),
        _text("applicant_kind", "what the applicant is", "citizen", "business", "agency", "other"),
        _person("agent_id", "opaque id of who acts for the applicant"),
        _time("submitted_at", "when it was handed in"),
        _time("received_at", "when the office took it", required=True),
        _time("due_at", "the first promise"),
        _KNOWN,
    ), key=("dossier_id",), clock=("received_at",), ordered=(("received_at", "due_at"),), attributes=True),
    RecordTable("event", "something that happened to a dossier", (
        _id("dossier_id", "id of the dossier"),
        RecordColumn("kind", required=True, words="what happened", choices=EVENT_KINDS),
        _time("happened_at", "when it took place", required=True),
        _KNOWN,
        _person("official_id", "who did it, by an opaque id"),
        _text("unit_code", "where"),
        _text("to_unit_code", "the unit it went to"),
        _text("step", "step of the process, or the source's own activity name"),
        _time("step_due_at", "when the step is due"),
        _time("due_at", "a new promise"),
        _person("reason", "the reason given"),
        _text("papers", "papers asked for or supplied, separated by ;"),
        _text("event_id", "id of the event in its source"),
    ), key=("dossier_id", "event_id"), clock=("happened_at",)),
    RecordTable("complaint", "a complaint or petition", (
        _id("complaint_id", "id of the complaint"),
        _time("filed_at", "when it was filed", required=True),
        _KNOWN,
        _person("complainant_id", "opaque id of the complainant, never shown to the unit"),
        _text("channel", "how it came", "hotline_1022", "portal", "phone", "box", "press", "front", "other"),
        _text("topic", "what about", "lateness", "conduct", "extra_papers", "bribe", "procedure", "other"),
        _text("dossier_id", "the dossier it names"),
        _person("official_id", "the official it names"),
        _text("unit_code", "the unit it names"),
        RecordColumn("anonymous", "boolean", words="filed without a name"),
        _time("due_at", "when an answer is due"),
        _time("answered_at", "when it was answered"),
        _text("verdict", "what came of it", "pending", "upheld", "rejected", "withdrawn"),
        _time("verdict_at", "when that was decided"),
        _person("text", "its words"),
    ), key=("complaint_id",), clock=("filed_at", "answered_at", "verdict_at"),
       ordered=(("filed_at", "due_at"), ("filed_at", "answered_at"), ("filed_at", "verdict_at"))),
    RecordTable("rating", "a citizen's rating of one dossier", (
        _id("rating_id", "id of the rating"),
        _id("dossier_id", "the dossier rated"),
        RecordColumn("score", "integer", True, "1 (worst) to 5 (best)", low=1, high=5),
        _time("rated_at", "when", required=True),
        _KNOWN,
        RecordColumn("by_staff", "boolean", words="entered by an official"),
    ), key=("rating_id",), clock=("rated_at",)),
    RecordTable("inspection", "a visit to a unit", (
        _id("inspection_id", "id of the visit"),
        _id("unit_code", "the unit visited"),
        _time("planned_at", "planned for"),
        _time("visited_at", "when it took place"),
        _text("team_id", "the visiting team"),
        _text("chosen_by", "how the unit was chosen", "score", "draw", "complaint", "periodic", "unknown"),
        RecordColumn("probability", "number", words="inclusion probability at the draw", low=0, high=1),
        _KNOWN,
    ), key=("inspection_id",), clock=("planned_at", "visited_at")),
    RecordTable("finding", "what a visit found on one dossier, or that it found nothing", (
        _id("finding_id", "id of the finding"),
        _id("inspection_id", "the visit"),
        _text("dossier_id", "the dossier pulled"),
        _person("official_id", "the official concerned"),
        _text("chosen_by", "how the dossier came to be pulled", "score", "draw", "complaint", "other"),
        RecordColumn("probability", "number", words="probability of being pulled, where drawn", low=0, high=1),
        RecordColumn("kind", required=True, words="what was found", choices=(
            "none", "lateness", "harassment", "extra_papers", "wrongful_return", "tampering", "other")),
        RecordColumn("severity", "integer", words="1 to 3", low=1, high=3),
        RecordColumn("confirmed", "boolean", words="confirmed by the one entitled"),
        _time("confirmed_at", "when it was confirmed"),
        _KNOWN,
    ), key=("finding_id",), clock=("confirmed_at",)),
    RecordTable("explanation", "why a dossier was late, as its official told it", (
        _id("dossier_id", "the dossier"),
        _person("official_id", "who explained"),
        _time("given_at", "when", required=True),
        _text("cause", "the cause", "citizen", "consultation", "system", "law", "workload", "official"),
        RecordColumn("accepted", "boolean", words="accepted by the one entitled"),
        _KNOWN,
    ), key=("dossier_id", "official_id", "given_at"), clock=("given_at",)),
    RecordTable("outage", "a time in which a system was down", (
        _text("unit_code", "the unit concerned; unknown: all"),
        _text("system", "the system"),
        _time("starts_at", "from", required=True),
        _time("ends_at", "until, not included"),
        _KNOWN,
    ), key=("unit_code", "system", "starts_at"), clock=("starts_at", "ends_at"),
       ordered=(("starts_at", "ends_at"),)),
    RecordTable("holiday", "a day off, or a working day made up for one", (
        RecordColumn("date", "date", True, "the day"),
        RecordColumn("kind", words="off or worked", choices=("off", "make_up")),
        _text("name", "its name"),
        _KNOWN,
    ), key=("date",), lasting=True),
    RecordTable("alias", "one dossier under two codes; filled by the one-stop feeds (`event_reconciliation`)", (
        _id("dossier_id", "the dossier's own code"),
        _id("other_id", "the code that another system gave it"),
        _KNOWN,
    ), key=("other_id",)),
    RecordTable("counter", "what a source system counted itself, for reconciliation", (
        _id("source", "the system"),
        _id("unit_code", "the unit counted"),
        _text("sector_code", "the sector counted; unknown: all"),
        _id("name", "the count's name in its source"),
        RecordColumn("period_from", "date", True, "first day counted"),
        RecordColumn("period_to", "date", words="the day after the last"),
        RecordColumn("value", "number", True, "the count"),
        _KNOWN,
    ), key=("source", "unit_code", "sector_code", "name", "period_from")),
)  # fmt: skip

TABLES: dict[str, RecordTable] = {table.name: table for table in _TABLES}
"""Every canonical table by name, in the order of the feed contract."""

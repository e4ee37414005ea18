"""What may be posted: a dossier and its events, by the column names of the feed contract.

A key that is neither of the contract nor an attribute `x_…` is refused by name: it would be lost without a word.
"""

from datetime import datetime
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from features.record.schema import EVENT_KINDS
from serving.api.strict import StrictBody

MOST_EVENTS = 20_000
MOST_ATTRIBUTES = 500


def _in_bounds(moment: datetime) -> datetime:
    if not 1990 <= moment.year < 2100:
        raise ValueError("wanted a moment from 1990 to 2099")
    return moment


def _known(kind: str) -> str:
    if kind not in EVENT_KINDS:
        raise ValueError("wanted a kind of event of the feed contract")
    return kind


Kind = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(EVENT_KINDS)})]
Moment = Annotated[datetime, AfterValidator(_in_bounds), Field(examples=["2026-03-02T08:00:00+07:00"])]
Text = Annotated[str, Field(max_length=500)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
AttributeName = Annotated[str, Field(pattern="^x_.")]
Attribute = str | int | float | bool | None


class PostedEvent(StrictBody):
    """One event of a dossier: every column of feeds.md, table `event`."""

    kind: Kind
    happened_at: Moment
    known_at: Moment | None = None
    official_id: Text | None = Field(None, examples=["cb-0412"])
    unit_code: Text | None = None
    to_unit_code: Text | None = None
    step: Text | None = Field(None, examples=["Thẩm định"])
    step_due_at: Moment | None = None
    due_at: Moment | None = None
    reason: Text | None = None
    papers: Annotated[str | None, Field(max_length=4_000)] = None


class PostedDossier(BaseModel):
    """One dossier: every column of feeds.md, table `dossier`; further ones named `x_…` are its attributes."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[AttributeName, Attribute] = Field(init=False)

    dossier_id: Id = Field(examples=["H99.24-260907-0012"])
    procedure_code: Id = Field(examples=["1.990001"])
    unit_code: Id = Field(examples=["H99.24"])
    receiving_unit_code: Text | None = None
    submitted_at: Moment | None = None
    received_at: Moment
    due_at: Moment | None = None
    known_at: Moment | None = None
    channel: Text | None = None
    applicant_id: Text | None = None
    applicant_kind: Text | None = None
    agent_id: Text | None = None

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if len(self.attributes()) > MOST_ATTRIBUTES:
            raise ValueError(f"wanted at most {MOST_ATTRIBUTES} attributes x_…")
        return self

    def attributes(self) -> dict[str, Attribute]:
        """The columns `x_…`, texts and numbers as they came."""
        return dict(self.__pydantic_extra__)


class PostedHistory(StrictBody):
    """A dossier with its events, to be scored as of a moment (default: now). It need not be in the record."""

    dossier: PostedDossier
    events: list[PostedEvent] = Field(default=[], max_length=MOST_EVENTS)
    as_of: Moment | None = None

    def facts(self, zone: ZoneInfo) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The dossier and its events as rows with aware times; a time without offset is local to `zone`."""
        dossier = {name: getattr(self.dossier, name) for name in PostedDossier.model_fields}
        dossier |= self.dossier.attributes()
        events = [{name: getattr(event, name) for name in PostedEvent.model_fields} for event in self.events]
        return aware(dossier, zone), [aware(event, zone) for event in events]


def aware(row: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The row with every time without offset taken as local to `zone`."""
    for name, value in row.items():
        if isinstance(value, datetime) and value.tzinfo is None:
            row[name] = value.replace(tzinfo=zone)
    return row

"""Case files: the facts and events of every open dossier, and where it stands.

Held sorted so that one is found without a query.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa

from features.calendar.working_time import Calendar
from features.case_state.replay import Happening, replay
from features.case_state.slip import first_promise
from features.case_state.state import CaseState
from features.record.latest import latest
from features.record.utc import aware_table

_ASKED = "SEMI JOIN wanted USING (dossier_id)"
_EVENTS = f"""
SELECT e.dossier_id, e.happened_at, e.kind, e.official_id, e.unit_code, e.to_unit_code, e.step, e.due_at,
       coalesce(e.reason, '') <> '' AS reasoned, e.papers
FROM {latest("event", rows=f"event {_ASKED}")} e
ORDER BY e.dossier_id, e.happened_at, e.known_at, e.row_id
"""

_DOSSIERS = f"""
SELECT dossier_id, procedure_code, unit_code, receiving_unit_code, channel, applicant_kind,
       submitted_at, received_at, d.due_at, f.due_at AS first_due_at, p.legal_working_days AS legal_days
FROM {latest("dossier", rows=f"dossier {_ASKED}")} d
LEFT JOIN {first_promise(f"(FROM dossier {_ASKED})")} f USING (dossier_id)
LEFT JOIN procedure_latest p USING (procedure_code)
ORDER BY dossier_id
"""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing that happened to a dossier. Nothing about the applicant is carried.

    reasoned: whether a reason was given; the words themselves are not carried. official_name: filled for a reader by
    `serving.use_cases.official_names`.
    """

    happened_at: datetime
    kind: str
    official_id: str | None
    unit_code: str | None
    to_unit_code: str | None
    step: str | None
    due_at: datetime | None
    papers: str | None
    reasoned: bool = False
    official_name: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What the record knows of one dossier: its facts and its events in order of time.

    first_due_at: the first promise; due_at: what the row that stands gives. legal_days: the procedure's term.
    """

    dossier_id: str
    procedure_code: str
    unit_code: str
    receiving_unit_code: str | None
    channel: str | None
    applicant_kind: str | None
    submitted_at: datetime | None
    received_at: datetime
    due_at: datetime | None
    first_due_at: datetime | None
    legal_days: float | None = None
    events: tuple[CaseEvent, ...] = ()

    def state(self, until: datetime, calendar: Calendar) -> CaseState:
        """Where the dossier stands at `until` (aware) by what happened till then."""
        happenings = (
            Happening(one.kind, one.happened_at, one.due_at, "…" if one.reasoned else None) for one in self.events
        )
        return replay(
            self.received_at, self.first_due_at, happenings, until, calendar, self.legal_days, stated_due_at=self.due_at
        )


class CaseFiles:
    """The case files of the dossiers asked for; a few hundred bytes each."""

    def __init__(self, dossiers: pa.Table, events: pa.Table) -> None:
        """Takes tables with the columns of `CaseFile` and `CaseEvent`, both sorted by dossier_id."""
        self._dossiers = aware_table(dossiers).combine_chunks()
        self._events = aware_table(events).combine_chunks()
        self._place = {key: place for place, key in enumerate(dossiers["dossier_id"].to_pylist())}
        ids = self._events["dossier_id"].to_numpy(zero_copy_only=False) if events.num_rows else np.array([], object)
        changes = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        starts = np.concatenate([[0], changes]) if len(ids) else np.array([], int)
        ends = np.concatenate([changes, [len(ids)]]) if len(ids) else np.array([], int)
        self._span = {ids[start]: (int(start), int(end)) for start, end in zip(starts, ends, strict=True)}
        self._events = self._events.drop_columns(["dossier_id"])

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, dossier_ids: pa.Array) -> "CaseFiles":
        """The case files of these dossiers from a connection of the record. The latest known version of each row."""
        con.register("wanted", pa.table({"dossier_id": dossier_ids}))
        return cls(con.sql(_DOSSIERS).to_arrow_table(), con.sql(_EVENTS).to_arrow_table())

    def of(self, dossier_id: str) -> CaseFile | None:
        """The case file of one dossier; None where the record does not know it."""
        place = self._place.get(dossier_id)
        if place is None:
            return None
        start, end = self._span.get(dossier_id, (0, 0))
        facts = self._dossiers.slice(place, 1).to_pylist()[0]
        return CaseFile(**facts, events=tuple(_events(self._events.slice(start, end - start))))

    def __len__(self) -> int:
        return len(self._place)


def _events(rows: pa.Table) -> Iterator[CaseEvent]:
    for row in rows.to_pylist():
        yield CaseEvent(**row)

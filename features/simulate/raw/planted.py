"""The history as raw deliveries can hold it, with the traps T1–T12 of domain.md 1.9 planted.

What a source does not send cannot come back, and what a trap distorts comes back distorted: `Planted` is what
a faithful reader must end up with, and its `traps` say which dossier has which trap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.record.schema import ENDS
from features.simulate.province import Province
from features.simulate.raw import traps

OPENCPS_UNITS = ("H99.18", "H99.13")
"""Departments whose one-stop system is OpenCPS; all others send to the national portal."""
LOCAL = pd.Timedelta(hours=7)


@dataclass
class Planted:
    """What the sources' deliveries amount to.

    `dossier` and `event`: what a reader must end up with (canonical columns, UTC). `dossier` has besides
    `system` (dvcqg, opencps), `portal_id` (the code sent in its place, T7), `silent` (its due date moves without
    a supplement row), and whether T2, T10, T11 touch it (`masked`, `unknown_owner`, `copied`). `moves`: every
    move of a promise (dossier_id, happened_at, due_at). `traps`: dossier_id, trap (T1 … T12).
    """

    dossier: pd.DataFrame
    event: pd.DataFrame
    moves: pd.DataFrame
    traps: pd.DataFrame

    def classes(self) -> pd.DataFrame:
        """dossier_id, due_at (last promise), ended_at (first end; NaT open), late: as the sources claim it.

        An end at the moment of receipt is none (T2, T4).
        """
        promises = self.moves.sort_values("happened_at").groupby("dossier_id").due_at.last()
        rows = self.dossier.set_index("dossier_id")
        ends = self.event[self.event.kind.isin(ENDS)]
        ends = ends[ends.happened_at.to_numpy() != rows.received_at.loc[ends.dossier_id].to_numpy()]
        ends = ends.groupby("dossier_id").happened_at.min()
        due = promises.reindex(rows.index).fillna(rows.due_at)
        ended = ends.reindex(rows.index)
        return pd.DataFrame({"due_at": due, "ended_at": ended, "late": ended > due}).reset_index()


def plant(province: Province) -> Planted:
    """The province's history with every trap in it. Deterministic by the province's seed."""
    rng = np.random.default_rng([province.seed, 12])
    dossier = province.tables["dossier"].to_pandas()
    event = province.tables["event"].to_pandas().drop(columns=["event_id"])
    names = dict(
        zip(
            *(province.tables["procedure"][c].to_pylist() for c in ("procedure_code", "procedure_name")),
            strict=True,
        )
    )
    dossier["procedure_name"] = dossier.procedure_code.map(names)
    dossier["system"] = np.where(dossier.unit_code.isin(OPENCPS_UNITS), "opencps", "dvcqg")
    end = pd.Timestamp(province.end, tz="UTC") - LOCAL
    marks: list[pd.DataFrame] = []
    for trap in (
        traps.reset_overdue, traps.masked_pause, traps.placeholder_desk, traps.promise_reset, traps.no_appointment,
        traps.moved_too_far, traps.reopened, traps.random_code, traps.unknown_owner, traps.copied_submission,
    ):  # fmt: skip
        dossier, event, found = trap(rng, dossier, event, end)
        marks.append(found)
    moves = event.loc[event.due_at.notna(), ["dossier_id", "happened_at", "due_at"]].reset_index(drop=True)
    event = _as_delivered(dossier, event)
    event = event.sort_values(["dossier_id", "happened_at"], kind="stable").reset_index(drop=True)
    staff = province.tables["rating"].to_pandas()
    marks.append(pd.DataFrame({"dossier_id": staff[staff.by_staff].dossier_id.unique(), "trap": "T6"}))
    planted = Planted(dossier, event, moves, pd.concat(marks, ignore_index=True))
    planted.traps = pd.concat([planted.traps, _same_day(planted)], ignore_index=True)
    return planted


def _as_delivered(dossier: pd.DataFrame, event: pd.DataFrame) -> pd.DataFrame:
    """Moves of the promise where the formats carry them.

    The portal gives a supplement's new promise in the supplement row, which is the supply's; that of an extension in
    its apology. OpenCPS gives one due date, the last.
    """
    row = dossier.set_index("dossier_id")
    portal = (row.system == "dvcqg").loc[event.dossier_id].to_numpy()
    silent = row.silent.loc[event.dossier_id].to_numpy()
    carried = portal & ((event.kind == "apologised") | (~silent & (event.kind == "papers_supplied")))
    event = event.assign(due_at=event.due_at.where(carried))
    forwarded = ~portal & (event.step == "Chuyển kết quả về một cửa")
    event.loc[forwarded, "kind"] = "forwarded"
    return event


def _same_day(planted: Planted) -> pd.DataFrame:
    """T5: ended after the due moment, on the due day."""
    rows = planted.classes()
    rows = rows[rows.late]
    same = (rows.ended_at + LOCAL).dt.date == (rows.due_at + LOCAL).dt.date
    return pd.DataFrame({"dossier_id": rows[same].dossier_id, "trap": "T5"})

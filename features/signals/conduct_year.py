"""All that signals say at one moment of a year's dossiers and of whoever handled them, by one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.calendar.vietnam import VIETNAM
from features.signals.acts import acts
from features.signals.evaluate import SIGNAL_SHOWN, evaluate
from features.signals.handled import handled
from features.signals.held import evaluate_held
from features.signals.held_voice import HELD_VOICE
from features.signals.signal import Grain, Signal
from features.signals.year import within_year


@dataclass(frozen=True)
class ConductYear:
    """`handled` and `acts` as of their modules; `held`: the rows of `evaluate_held` by grain.

    `shown`: dossier_id, signal and value as `evaluate` gives them of `signals` for the dossiers `dossier_ids`;
    `of_dossiers` gives them of any.
    """

    as_of: datetime
    signals: Sequence[Signal]
    dossier_ids: pa.Array
    shown: pa.Table
    handled: pa.Table
    acts: pa.Table
    held: Mapping[Grain, Sequence[Mapping[str, Any]]]

    def of_dossiers(self, con: duckdb.DuckDBPyConnection, ids: pa.Array) -> pa.Table:
        """The rows of `shown` of dossiers, in no order; those of no dossier of the year are asked of `con`."""
        at_hand = self.shown.filter(pc.is_in(self.shown["dossier_id"], value_set=ids))
        others = ids.filter(pc.invert(pc.is_in(ids, value_set=self.dossier_ids)))
        if not len(others):
            return at_hand
        moments = pa.array([self.as_of] * len(others), pa.timestamp("us", "UTC"))
        asked = pa.table({"dossier_id": others, "as_of": moments})
        return pa.concat_tables([at_hand, evaluate(con, asked, self.signals, VIETNAM).select(at_hand.column_names)])


def conduct_year(
    con: duckdb.DuckDBPyConnection, as_of: datetime, signals: Sequence[Signal], alerts: pa.Table | None = None
) -> ConductYear:
    """The year before `as_of`. `signals`: those of dossiers, with all of the families of `handled` among them.

    `alerts`: as for `evaluate_held`. `con`: a connection of `Record.connect`.
    """
    with within_year(con, as_of, signals=signals, alerts=alerts) as year:
        acted = handled(con, as_of, year=year)
        grains: tuple[Grain, ...] = ("official", "unit", "head") if acted.num_rows else ()
        held = {grain: evaluate_held(con, as_of, grain, year=year).to_pylist() for grain in grains}
        if not acted.num_rows:  # complaints alone
            held["official"] = evaluate_held(con, as_of, "official", signals=HELD_VOICE, year=year).to_pylist()
        shown = year.select(
            f"SELECT c.dossier_id, s.signal, s.value FROM {SIGNAL_SHOWN} s JOIN cases_in c ON c.case_no = s.case_no"
            " ORDER BY s.case_no, s.signal_order"
        )
        behind = acts(con, acted, as_of, year=year)
        return ConductYear(as_of, signals, year.cases["dossier_id"].combine_chunks(), shown, acted, behind, held)

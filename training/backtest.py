"""Backtest: train on what was known at a cutoff, score what came after, put labels beside that ripened until later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow as pa

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.matrix import batch as matrix
from features.record.record import Record
from models.cases import labels, landmarks
from models.risk_model import RiskModel
from models.target import Target
from models.targets import MAIN
from training.fit import fit
from training.grains import GRAINS, added_up, groups_of
from training.training_set import gather

Say = Callable[[str], None]


def backtest(
    record: Record,
    cutoff: datetime,
    until: datetime,
    *,
    every: timedelta | None = None,
    at_arrival: bool = False,
    grain: str = "dossier",
    calendar: Calendar = PLAIN_WEEK,
    target: Target = MAIN,
    say: Say = lambda line: None,
) -> pa.Table:
    """One row a landmark in `[cutoff, until]`, every `every` from the cutoff or at each dossier's own arrival.

    Columns: cutoff, as_of (timestamp[us, UTC]), dossier_id, score (of what would ship), rule_score (of the best
    simple rule, chosen without the later rows), label (double; null where it was not known at `until`). By the grain
    official or unit their rows are added up (`training.grains.added_up`).
    """
    say("read what was known at the cutoff")
    sample = gather(record.connect(cutoff=cutoff), cutoff, calendar, target=target)
    model = fit(sample, target=target.name, say=say)
    say("score what came later")
    found = score_later(record, model, cutoff, until, every=every, at_arrival=at_arrival, calendar=calendar,
                        target=target)  # fmt: skip
    if grain == "dossier":
        return found
    say(f"add up by {grain}")
    return added_up(found, groups_of(record.connect(cutoff=until), found, grain), GRAINS[grain])


def score_later(
    record: Record,
    model: RiskModel,
    cutoff: datetime,
    until: datetime,
    *,
    every: timedelta | None = None,
    at_arrival: bool = False,
    calendar: Calendar = PLAIN_WEEK,
    target: Target = MAIN,
) -> pa.Table:
    """The rows of `backtest` for a model that is trained already."""
    con = record.connect(cutoff=until)
    cases = landmarks(con, cutoff, until, target, every=every, at_arrival=at_arrival)
    cells = matrix.build(con, cases, calendar=calendar)
    labelled = labels(con, cases, until, target)
    return pa.table(
        {
            "cutoff": pa.array([cutoff] * cases.num_rows, pa.timestamp("us", "UTC")),
            "as_of": cases["as_of"],
            "dossier_id": cases["dossier_id"],
            "score": pa.array(model.probability(cells)),
            "rule_score": pa.array(model.rule_probability(cells)),
            "label": labelled["label"],
        }
    )

"""What became of warned dossiers, read from the record: warned against held out; and alerts that heads were sent."""

from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from features.calendar.vietnam import VIETNAM
from features.record.reading_moment import ReadingMoment
from features.signals.year import ALERT
from models.cases import labels
from models.effect import Effect, effect
from models.targets import MAIN
from serving.state import EarlyWarning, State


def effect_of_warnings(
    session: Session, con: duckdb.DuckDBPyConnection, as_of: datetime, since: datetime | None = None
) -> Effect:
    """The effect of all warnings fired since a moment whose promise lies before `as_of`, as known then.

    con: the record as known at `as_of`; where it has fallen behind, only promises that lie before its end count. A
    dossier counts once, with its first warning: later promises may already
    come of the warning. Warnings fired while nobody was held out say nothing and are left out.
    """
    query = select(EarlyWarning).where(
        EarlyWarning.target == MAIN.name, EarlyWarning.held_out_share > 0, EarlyWarning.fired_at < as_of
    )
    if since is not None:
        query = query.where(EarlyWarning.fired_at >= since)
    first: dict[str, EarlyWarning] = {}
    for one in session.scalars(query.order_by(EarlyWarning.as_of, EarlyWarning.id)):
        first.setdefault(one.dossier_id, one)
    rows = list(first.values())
    moment = pa.timestamp("us", "UTC")
    cases = pa.table(
        {
            "dossier_id": pa.array([one.dossier_id for one in rows], pa.string()),
            "as_of": pa.array([one.as_of for one in rows], moment),
        }
    )
    until = ReadingMoment.read(con, as_of, VIETNAM).as_of
    label = labels(con, cases, until)["label"].to_numpy(zero_copy_only=False).astype(np.float64)
    decided = np.flatnonzero(~np.isnan(label))
    return effect(
        label[decided],
        np.array([rows[at].arm == "told" for at in decided], bool),
        np.array([rows[at].score for at in decided], float),
        np.array([rows[at].held_out_share for at in decided], float),
    )


def alerts(state: State, until: datetime) -> pa.Table:
    """Rows of `ALERT`: the unit whose head was alerted before `until`, when, and when the head acknowledged it.

    What was held out of the warnings was sent to nobody and is not among them. A state that holds no warnings yet
    gives none.
    """
    if not inspect(state.engine).has_table(EarlyWarning.__tablename__):
        return ALERT.empty_table()
    asked = select(EarlyWarning.head_unit, EarlyWarning.told_at, EarlyWarning.acknowledged_at).where(
        EarlyWarning.told_at.is_not(None), EarlyWarning.told_at < until
    )
    with state.reading() as session:
        rows = session.execute(asked.order_by(EarlyWarning.id)).all()
    return pa.Table.from_pylist(
        [{"unit_code": unit, "sent_at": sent, "acknowledged_at": seen} for unit, sent, seen in rows],
        ALERT,
    )

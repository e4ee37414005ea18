"""Alerts that were sent to heads, as a table for the signals on heads (`features.signals.held`)."""

from datetime import datetime

import pyarrow as pa
from sqlalchemy import inspect, select

from features.signals.year import ALERT
from serving.state import State
from serving.state.warning import EarlyWarning


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

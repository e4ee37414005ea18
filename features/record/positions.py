"""Where officials are in office at a moment: history follows the official, the post is where they are now.

The roster has one row an official, unit and time (feed contract). Of several posts at once, or after the last one
ended, the one that began last counts; officials whom the roster doesn't name have none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from features.record.latest import latest, newest
from features.record.utc import naive_utc

PRESENT_FIRST = "coalesce(valid_to > $as_of, true) DESC, valid_from DESC NULLS LAST"
"""Order of one official's posts, for `features.record.latest.newest`: a post held, else the last one."""


@dataclass(frozen=True)
class Position:
    """One official's post: unit, position as the roster words it, whether they head the unit.

    tenure: time in office in any unit since the first known post; None where the roster gives no dates.
    """

    unit_code: str
    position: str
    is_head: bool
    tenure: timedelta | None


def positions(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, Position]:
    """The post of every official on the roster as known before `as_of`. `con`: of `Record.connect`."""
    rows = con.execute(
        f"""
        SELECT official_id, unit_code, coalesce(position, ''), coalesce(is_head, false),
               min(valid_from) OVER (PARTITION BY official_id)
        FROM {latest("official", "known_at < $as_of AND coalesce(valid_from < $as_of, true)")}
        {newest("official_id", first=PRESENT_FIRST)}
        ORDER BY official_id""",
        {"as_of": naive_utc(as_of)},
    ).fetchall()
    now = naive_utc(as_of)
    return {
        who: Position(unit, position, head, now - since if since is not None else None)
        for who, unit, position, head, since in rows
    }

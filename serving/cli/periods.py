"""Which moment of a history is worth looking at."""

from datetime import datetime, timedelta

from features.calendar.vietnam import VIETNAM
from features.case_state.relation import NAME, case_states
from features.record.reading_moment import known_until
from features.record.record import Record
from features.record.utc import aware_utc
from serving.settings import Settings

_WEEKS = f"""
    WITH news AS (SELECT known_at FROM dossier UNION ALL SELECT known_at FROM event),
    life AS (
        SELECT dossier_id, received_at AS from_at, lawful_due_at AS due_at, ended_at AS until_at FROM {NAME}
    ), bounds AS (SELECT MAX(known_at) AS last_at, date_diff('day', MIN(known_at), MAX(known_at)) // 7 AS
    weeks FROM news), week AS (SELECT last_at - to_days(CAST(7 * n AS INTEGER)) AS as_of
             FROM (SELECT last_at, UNNEST(range(0, weeks + 1)) AS n FROM bounds) b),
    working AS (SELECT w.as_of, COUNT(l.dossier_id) AS open FROM week w
                LEFT JOIN life l ON l.from_at < w.as_of AND COALESCE(l.until_at, l.due_at) >= w.as_of
                     AND l.due_at > w.as_of
                GROUP BY w.as_of),
    told AS (SELECT w.as_of, COUNT(n.known_at) AS news FROM week w
             LEFT JOIN news n ON n.known_at <= w.as_of AND n.known_at > w.as_of - to_days(7)
             GROUP BY w.as_of)
    SELECT as_of, open, news FROM working JOIN told USING (as_of) ORDER BY as_of DESC
"""


MICROSECOND = timedelta(microseconds=1)


def telling_moment(settings: Settings) -> datetime:
    """The latest week in which about as much is open and as much happens as usual.

    A list tells something there.

    A log of the past thins out at its end. The week chosen is the latest with at least half the usual number
    of dossiers open and not yet due, and half the usual news, where usual is what the average dossier or
    piece of news has beside it (Σc²/Σc over weeks, which a long thin tail does not move). ValueError for a
    record without dossiers that have a due date.
    """
    with Record(settings.record_url).connect() as con:
        until = known_until(con)
        if until is None:
            raise ValueError("the record holds no dossier")
        with case_states(con, until + MICROSECOND, VIETNAM):
            weeks = con.execute(_WEEKS).fetchall()
    usual_open = _usual([count for _, count, _ in weeks])
    usual_news = _usual([count for _, _, count in weeks])
    busy = [moment for moment, count, news in weeks if 2 * count >= usual_open and 2 * news >= usual_news]
    if not usual_open or not busy:
        raise ValueError("the record holds no dossier with a due date that was ever open: nothing to show")
    latest: datetime = busy[0]
    return aware_utc(latest) + MICROSECOND  # just after, so that its news is known


def _usual(counts: list[int]) -> float:
    return sum(count * count for count in counts) / max(sum(counts), 1)

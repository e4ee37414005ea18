"""Times and spans as people type them on the command line, and which moment of a history is worth looking at."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from features.calendar.vietnam import VIETNAM
from features.case_state.relation import NAME, case_states
from features.record.reading_moment import known_until
from features.record.record import Record
from features.record.utc import aware_utc
from serving.settings import Settings

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, zone: ZoneInfo) -> datetime:
    """The aware moment (in UTC) of ISO 8601 `text`; without an offset it is local to `zone`, a bare date its
    first instant.

    Raises typer.BadParameter that names what was wanted.
    """
    try:
        read = datetime.fromisoformat(text.strip())
        aware = read.replace(tzinfo=zone) if read.tzinfo is None else read
        return aware.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"wanted an ISO 8601 time such as 2026-03-01 or 2026-03-01T08:00:00+07:00, got {text[:40]!r}"
        ) from error


def moment_or_now(text: str | None, zone: ZoneInfo) -> datetime:
    """The moment of `text`, where none was given the present one."""
    return moment(text, zone) if text else datetime.now(UTC)


def day(text: str) -> date:
    """The day of ISO 8601 `text`; raises typer.BadParameter that names what was wanted."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"wanted a day such as 2026-01-31, got {text[:40]!r}") from error


def span(text: str) -> timedelta:
    """The positive time span of `text` such as 7d, 12h, 30m, 2w.

    Raises typer.BadParameter that names what was wanted.
    """
    match = _SPAN.fullmatch(text.strip())
    if not match or float(match[1]) <= 0:
        raise typer.BadParameter(f"wanted a span such as 7d, 12h or 2w, got {text[:40]!r}")
    try:
        return timedelta(**{_UNIT[match[2]]: float(match[1])})
    except OverflowError as error:
        raise typer.BadParameter(f"{text[:40]!r} is longer than a calendar holds") from error


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

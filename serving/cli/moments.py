"""Times and spans as people type them on the command line."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

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

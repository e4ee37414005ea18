"""Moments as Vietnamese systems write them, into aware UTC datetimes.

Forms of domain.md 1.5, 2.5, 2.6, 2.8: `yyyyMMddHHmmss`, ISO 8601 with and without an offset,
`dd/MM/yyyy HH:mm:ss`, SQL `yyyy-MM-dd HH:mm:ss`, milliseconds since 1970. OpenCPS prints a literal `Z` behind
local time; whether a feed's Z may be believed is the feed's own setting (`false_z`).
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EARLIEST, LATEST = 1990, 2100
"""Years outside are no moments of a one-stop dossier: refused, not guessed."""

_SLASHED = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:\s*(SA|CH|AM|PM))?)?",
    re.IGNORECASE,
)
_ZERO_DATES = ("0001-01-01", "00010101", "01/01/0001", "1/1/0001")
_EPOCH_MS = (10**11, 10**13)


class NotAMoment(ValueError):
    """The value is in no known form of a moment, or outside the years that dossiers live in."""


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=65536)
def _hour(text: str, zone: str) -> datetime:
    """The start of a local hour `yyyyMMddHH` in UTC: a daily file holds few hours and many rows."""
    local = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:]), tzinfo=_zone(zone))
    return local.astimezone(UTC)


def _compact(text: str, zone: str) -> datetime:
    """`yyyyMMddHHmmss`, the portal's own form and so the one that has to be quick."""
    minute, second = int(text[10:12]), int(text[12:])
    if minute > 59 or second > 59:
        raise ValueError("minute or second")
    return _hour(text[:10], zone) + timedelta(minutes=minute, seconds=second)


def _slashed(text: str) -> datetime | None:
    match = _SLASHED.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second, half = match.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError("hour of a half day")
        hours = hours % 12 + (12 if half.upper() in ("CH", "PM") else 0)
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))  # noqa: DTZ001


def _naive_or_aware(text: str) -> datetime:
    if text.isdigit():
        if len(text) in (8, 12):
            rest = text[8:] or "0000"
            return datetime(  # noqa: DTZ001
                int(text[:4]), int(text[4:6]), int(text[6:8]), int(rest[:2]), int(rest[2:])
            )
        raise ValueError("digits of another length")
    return _slashed(text) or datetime.fromisoformat(text)


def parse(value: object, *, zone: str, false_z: bool = False) -> datetime | None:
    """The moment in UTC, or None where the value is empty or a system's zero date.

    Args:
        value: text in one of the forms above, or a whole number of milliseconds since 1970.
        zone: the IANA zone that text without an offset is in.
        false_z: read a trailing Z as local time of `zone` (domain.md 2.6).

    Raises:
        NotAMoment: any other form, an impossible date, a year outside `EARLIEST`–`LATEST`.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        if not _EPOCH_MS[0] < value < _EPOCH_MS[1]:
            raise NotAMoment("number outside the milliseconds of 1973–2286")
        moment = datetime.fromtimestamp(value / 1000, UTC)
    elif isinstance(value, str):
        text = value.strip()
        if not text or text.startswith(_ZERO_DATES) or text.lower() == "null":
            return None
        if false_z and text[-1] in "Zz":
            text = text[:-1]
        try:
            compact = len(text) == 14 and text.isdigit()
            moment = _compact(text, zone) if compact else _naive_or_aware(text)
        except ValueError:
            raise NotAMoment("text in no form of a moment") from None
    else:
        raise NotAMoment(f"a {type(value).__name__}")
    if not EARLIEST <= moment.year <= LATEST:
        raise NotAMoment(f"a year outside {EARLIEST}–{LATEST}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(zone))
    return moment.astimezone(UTC)


def day_in_path(path: str, zone: str) -> datetime | None:
    """The end of the day that a daily file names itself after, in UTC; None where it names none or several.

    A re-sent dossier row says nothing about when it changed; the day of the daily file is the first moment the
    change can have been known. Both `2026-09-07` and `20260907` in the last two parts of the path are read.
    """
    parts = "/".join(path.replace("\\", "/").split("/")[-2:])
    days = {(int(y), int(m), int(d)) for y, m, d in re.findall(r"(?<!\d)(20\d{2})-?([01]\d)-?([0-3]\d)(?!\d)", parts)}
    if len(days) != 1:
        return None
    try:
        start = datetime(*days.pop(), tzinfo=_zone(zone))
    except ValueError:
        return None
    return (start + timedelta(days=1)).astimezone(UTC)

"""Numbers as they are written in Vietnam."""

from math import isfinite


def decimal(value: float | None, places: int = 1) -> str:
    """A number with a decimal comma and dots between thousands: 12345.67 → 12.345,7; – where unknown or endless."""
    if value is None or not isfinite(value):
        return "–"
    return f"{value:,.{places}f}".translate(str.maketrans(",.-", ".,−"))


def places_of(value: float, most: int = 2) -> int:
    """Digits after the comma that a number needs, `most` at most: 8.5 → 1, 8.0 and a count → 0."""
    return (
        0 if isinstance(value, int) or not isfinite(value) else len(f"{value:.{most}f}".rstrip("0").partition(".")[2])
    )

"""Numbers as they are written in Vietnam."""

from math import isfinite


def decimal(value: float | None, places: int = 1) -> str:
    """A number with a decimal comma and dots between thousands: 12345.67 → 12.345,7; – where unknown or endless."""
    if value is None or not isfinite(value):
        return "–"
    return f"{value:,.{places}f}".translate(str.maketrans(",.-", ".,−"))

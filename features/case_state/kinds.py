"""What kinds of event do to a dossier's clock: the one place that says so; those that end it are `schema.ENDS`."""

STOPS = ("papers_requested", "suspended")
"""Stop the lawful clock: the citizen must act, or processing stands still."""
RUNS = ("papers_supplied", "resumed", "assigned", "forwarded", "consulted", "returned")
"""Let it run again: an office that works on a dossier no longer waits."""
TURNED_AWAY = ("refused", "withdrawn")
"""End it without what was asked for."""
SUPPLIES = ("papers_supplied", "resumed")
"""Carry a due moment with which the source books the citizen's time."""
MOVES = ("extended", "apologised", "reset")
"""Carry a due moment to which the office moves its promise."""

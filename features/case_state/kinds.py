"""What kinds of event do to a dossier's clock: the one place that says so; those that end it are `schema.ENDS`."""

from features.record.schema import ALL_ENDS, ENDS

STOPS = ("papers_requested", "suspended")
"""Stop the lawful clock: the citizen must act, or processing stands still."""
RUNS = ("papers_supplied", "resumed", "assigned", "forwarded", "consulted", "returned")
"""Let it run again: an office that works on a dossier no longer waits."""
TURNED_AWAY = ("refused", "withdrawn")
"""End it without what was asked for."""
SUPPLIES = ("papers_supplied", "resumed")
"""Carry a due moment with which the source books the citizen's time."""
MOVES = ("extended", "apologised", "reset")
"""Carry a due moment to which the office moves its promise; they are no work on the dossier, no step of its way."""
PROLONGS = ("extended", "reset", "suspended")
"""Give the office more time, as it decides by itself."""
SENDS_BACK = ("returned", "refused")
"""Turn the applicant away, for now or for good."""
ASKS = ("papers_requested", "papers_supplied")
"""Name the papers that a dossier lacked, or that came."""
SETTLED = ("decided", "delivered")
"""What was asked for was granted, or handed out."""
ENTERED = ("papers_requested", "forwarded", "suspended", "reset", "extended", "returned")
"""Acts of whoever has a dossier in hand: under another's account they are in doubt."""


def claims_end(event_id: str) -> str:
    """SQL of whether a portal source calls an event an end, though the record may read it otherwise
    (`features.record.event_reconciliation`). event_id: SQL of its id."""
    return f"regexp_matches(coalesce({event_id}, ''), '^(state:)?({'|'.join(ENDS)})@')"


def ended_for_good(having: str = "true") -> str:
    """SQL of dossiers that have ended by every version of their events, so that none of them needs a replay:
    never reopened, and no end that a later version corrected. having: on `happened_at`."""
    return f"""
    SELECT dossier_id FROM event ANTI JOIN (
        SELECT o.dossier_id FROM event o JOIN event n USING (dossier_id, event_id)
        WHERE o.kind IN {ALL_ENDS} AND n.kind NOT IN {ALL_ENDS}
    ) told_anew USING (dossier_id)
    GROUP BY dossier_id HAVING {having} AND bool_or(kind IN {ALL_ENDS}) AND NOT bool_or(kind = 'reopened')"""

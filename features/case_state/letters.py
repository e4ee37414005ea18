"""Which events of a dossier are letters of apology, and for which promise they answer (docs/decisions/0023).

Mẫu 04 (domain.md 3.1) is apology and new appointment in one, so an `extended` event with a reason is a letter as an
`apologised` one is. The extension that set the lawful promise answers for the day that it gave up, not for its own;
what was written before a dossier began anew answers for nothing since.
"""


def is_letter(event: str) -> str:
    """SQL: whether the row `event` (kind, reason) is a letter."""
    return f"({event}.kind = 'apologised' OR ({event}.kind = 'extended' AND coalesce({event}.reason, '') <> ''))"


def answers(event: str, state: str) -> str:
    """SQL: whether it answers for the lawful promise of the row `state` (`features.case_state.relation`)."""
    return (
        f"({is_letter(event)} AND {event}.happened_at >= {state}.begun_at AND"
        f" ({event}.kind = 'apologised' OR {event}.happened_at IS DISTINCT FROM {state}.lawful_extension_at))"
    )

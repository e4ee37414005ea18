"""The national portal's status list, `TrangThaiHoSo` and `TrangThai` (domain.md 1.4), as event kinds.

Status 8 is an end in DOC766 and a pause where it is made; it is read as a pause, which an end may follow. Systems
send 5, 6 and 8 as 9 (T2): where the action's own words name the pause, the words are believed.
"""

from features.case_state.kinds import STOPS
from features.sources.actions import is_routine, kind_of

KINDS = {
    2: "received",
    3: "refused",
    5: "papers_requested",
    6: "suspended",
    7: "withdrawn",
    8: "suspended",
    9: "decided",
    10: "delivered",
}
_WORKING = frozenset({
    "papers_supplied", "resumed", "assigned", "forwarded", "returned", "consulted", "consultation_answered",
    "extended", "reset", "apologised", "reopened",
})  # fmt: skip
_PAUSES = frozenset(STOPS)


def status(value: object) -> int | None:
    """The status as a number 0–10, given as text or number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and int(text) <= 10 else None


def event_kind(code: int, action: str | None) -> str:
    """The kind of a progress event with this status and action.

    While status 4 runs, an action of unknown words still says that work goes on: `resumed`, which ends a pause
    and is nothing else.
    """
    kind = kind_of(action) if action else None
    if code == 4:
        return kind if kind in _WORKING else "resumed"
    if code == 2 and kind in ("papers_supplied", "apologised", "extended"):
        return kind
    if code in (9, 10) and kind in _PAUSES:
        assert kind is not None
        return kind
    if code in (9, 10) and kind in ("apologised", "extended", "reset"):
        return kind
    if code in (9, 10) and action and is_routine(action):
        return "note"
    return KINDS.get(code, "note")

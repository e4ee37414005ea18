"""What would help one dossier: the same rows with one more event, scored again by the same cells and model.

Handing it to another official, or to a person who is new, is an `assigned` event at the moment of asking. It is
compared with the same event to the present holder, so that merely writing something down is not counted as a saving.
How sure that is, is told by a second model learnt apart, the hazard of the time to the end (`models.remaining_time`):
the range is of both, and nothing is told where either sees no saving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scipy.special import expit

from features.matrix.online import Row
from models.logit import logit
from serving.scoring.online import OnlineScorer

NEW_PERSON = "\x00new"
"""Stands for an official whom the record has never seen."""
LEAST = 0.03
"""Savings of probability under this are not shown."""
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True)
class Help:
    """What handing the dossier on would change. official_id: to whom; None: to a person who is new in the unit.

    score: as it stands. after: by the model; low, high: the range of what both models say.
    """

    official_id: str | None
    score: float
    after: float
    low: float
    high: float


def helps(
    desk: OnlineScorer, dossier: Row, events: Sequence[Row], as_of: datetime, officials: Sequence[str | None]
) -> list[Help]:
    """What would help, most first: handing the dossier to each of `officials` (None: to a new person).

    Nothing for a dossier without a holder, one whose promise has passed, or where only one model speaks. Raises as
    `OnlineScorer.score`.
    """
    now = desk.score(dossier, events, as_of)
    holder = next((event["official_id"] for event in reversed(events) if event.get("official_id")), None)
    if holder is None or now.left_hours is None or now.left_hours <= 0:
        return []
    stays = _log_odds(desk, dossier, _handed(events, as_of, holder), as_of)
    found = []
    for official in officials:
        given = _log_odds(desk, dossier, _handed(events, as_of, official or NEW_PERSON), as_of)
        if official == holder or given is None or stays is None:
            continue
        after, second = (float(expit(now.log_odds + new - old)) for new, old in zip(given, stays, strict=True))
        if max(after, second) <= now.score - LEAST:
            found.append(Help(official, now.score, after, min(after, second), max(after, second)))
    return sorted(found, key=lambda one: one.after)


def _handed(events: Sequence[Row], as_of: datetime, official: str) -> list[Row]:
    """The events with one more: the dossier is assigned to an official, in the step that it is in."""
    at = as_of - _JUST_BEFORE
    step = next((event["step"] for event in reversed(events) if event.get("step")), None)
    assigned = {"kind": "assigned", "happened_at": at, "known_at": at, "official_id": official, "step": step}
    return [*events, assigned]


def _log_odds(desk: OnlineScorer, dossier: Row, events: Sequence[Row], as_of: datetime) -> tuple[float, float] | None:
    """What both models say, as log-odds; None where only one does."""
    second = desk.by_hazard(dossier, events, as_of)
    return None if second is None else (desk.score(dossier, events, as_of).log_odds, float(logit(second)))

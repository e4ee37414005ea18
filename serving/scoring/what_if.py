"""What handing work on would change: the same rows with one more event, scored again by the same cells and model.

Handing a dossier to another official, or to a person who is new, is an `assigned` event at the moment of asking. It is
compared with the same event to the present holder, so that merely writing something down is not counted as a saving;
whoever is handed a dossier holds one more. How sure that is, is told by a second model learnt apart, the hazard of the
time to the end (`models.remaining_time`): ranges are of both, and nothing helps where either sees no saving.

Both have learnt from offices as they worked, not from trials: what they tell is an estimate, never a promise.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.special import expit

from features.intervals import sum_of_chances
from features.matrix.online import Row, known_events
from serving.scoring.online import OnlineScorer, Variant

NEW_PERSON = "\x00new"
"""Stands for an official whom the record has never seen."""
LEAST = 0.03
"""Savings of probability under this are not shown."""
HELD = "official_open"
ARRIVED = ("official_arrived_7", "official_arrived_30", "official_arrived_90")
"""Cells of the matrix that count what an official holds, and what came to them lately."""
MOST_TRIED = 60
"""Dossiers of a unit, those of the highest scores, for which handing on is tried."""
MOST_TO_ONE = 5
"""Dossiers that one official is handed at most in one plan."""
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True)
class Help:
    """What handing one dossier on would change. official_id: to whom; None: to a person who is new in the unit.

    score: as it stands. after: by the model; low, high: the range of what both models say. hours: expected working
    hours late as it stands, those in time counted as 0; hours_after, hours_low, hours_high: the same of them.
    """

    official_id: str | None
    score: float
    after: float
    low: float
    high: float
    hours: float
    hours_after: float
    hours_low: float
    hours_high: float
    official_name: str | None = None

    @property
    def surely(self) -> float:
        """The saving of probability that both models see."""
        return self.score - self.high


@dataclass(frozen=True)
class OpenCase:
    """An open dossier, given by its row and its events known by then, in their order (`open_case`)."""

    dossier: Row
    events: Sequence[Row]

    @property
    def dossier_id(self) -> str:
        """Its code."""
        return str(self.dossier["dossier_id"])

    @property
    def holder(self) -> str | None:
        """Who holds it; None where nobody is named."""
        return next((event["official_id"] for event in reversed(self.events) if event.get("official_id")), None)


def open_case(dossier: Row, events: Sequence[Row], as_of: datetime) -> OpenCase:
    """A dossier as it stands at `as_of`; events in any order, those not known by then left out."""
    return OpenCase(dossier, known_events(events, as_of))


@dataclass(frozen=True)
class Move:
    """One dossier handed on from its holder, and what that alone would change."""

    dossier_id: str
    holder: str
    help: Help
    holder_name: str | None = None


@dataclass(frozen=True)
class Reassignment:
    """Moves, and what all of them together would change over all dossiers of a unit, whose holders' loads change too.

    late: expected late dossiers fewer; late_low, late_high: in 95 of 100 cases, and by either model. hours: expected
    working hours late fewer; hours_low, hours_high: the range of both models.
    """

    moves: list[Move]
    late: float = 0.0
    late_low: int = 0
    late_high: int = 0
    hours: float = 0.0
    hours_low: float = 0.0
    hours_high: float = 0.0


@dataclass(frozen=True)
class _Changed:
    """Cases as they stand and handed on, pair by pair. score, hours [pairs]: as they stand; after, hours_after
    [2 × pairs]: by the model and by the hazard."""

    score: np.ndarray
    hours: np.ndarray
    after: np.ndarray
    hours_after: np.ndarray


def helps(
    desk: OnlineScorer, dossier: Row, events: Sequence[Row], as_of: datetime, officials: Sequence[str | None]
) -> list[Help]:
    """What would help, most first: handing the dossier to each of `officials` (None: to a new person).

    As `handed_on`, without those of whom either model sees no saving worth telling.
    """
    found = handed_on(desk, dossier, events, as_of, officials)
    return sorted((one for one in found if one.surely >= LEAST), key=lambda one: one.after)


def handed_on(
    desk: OnlineScorer, dossier: Row, events: Sequence[Row], as_of: datetime, officials: Sequence[str | None]
) -> list[Help]:
    """What handing the dossier to each of `officials` (None: to a new person) would change, be it good or bad.

    Nothing for a dossier without a holder, one whose promise has passed, or where only one model speaks. Raises as
    `OnlineScorer.score`.
    """
    left, case = desk.hours_left(dossier, events, as_of), open_case(dossier, events, as_of)
    if case.holder is None or left is None or left <= 0:
        return []
    others = [one for one in officials if one != case.holder]
    return _helps(desk, [case], [(0, one) for one in others], as_of)


def promised(desk: OnlineScorer, cases: Sequence[OpenCase], as_of: datetime) -> tuple[list[OpenCase], np.ndarray]:
    """The cases with a holder and a promise that lies ahead, and their scores [n], the highest first."""
    held = [case for case in cases if case.holder is not None]
    found = desk.opinions([Variant(case.dossier, case.events) for case in held], as_of) if held else None
    if found is None:
        return [], np.zeros(0)
    scores = np.where(found.left > 0, expit(found.log_odds), -1.0)
    order = [at for at in np.argsort(-scores, kind="stable").tolist() if scores[at] >= 0]
    return [held[at] for at in order], scores[order]


def planned(
    desk: OnlineScorer, cases: Sequence[OpenCase], as_of: datetime, officials: Sequence[str | None], most_to_one: int
) -> Reassignment:
    """Which of the cases (`promised`) to hand to whom of `officials`: what saves most first, each once, and what all
    that together would change. No moves where both models do not see a saving over the whole."""
    tried = [
        (at, one) for at, case in enumerate(cases[:MOST_TRIED]) for one in officials if one != case.holder
    ]  # fmt: skip
    found = sorted(zip(tried, _helps(desk, cases, tried, as_of), strict=False), key=lambda pair: -pair[1].surely)
    chosen: dict[int, Move] = {}
    given: Counter[str | None] = Counter()
    for (at, official), one in found:
        if one.surely >= LEAST and at not in chosen and given[official] < most_to_one:
            chosen[at] = Move(cases[at].dossier_id, str(cases[at].holder), one)
            given[official] += 1
    if not chosen:
        return Reassignment([])
    taken = Counter(move.holder for move in chosen.values())
    pairs = [(at, chosen[at].help.official_id if at in chosen else case.holder) for at, case in enumerate(cases)]
    changed = _changed(desk, cases, pairs, as_of, [_more(given[to], taken[str(to)]) for _, to in pairs])
    if changed is None:
        return Reassignment([])
    fewer, hours = changed.score - changed.after, (changed.hours - changed.hours_after).sum(axis=1)
    if fewer.sum(axis=1).min() <= 0:
        return Reassignment([])
    spans = [sum_of_chances(one) for one in fewer]
    return Reassignment(
        list(chosen.values()),
        float(fewer[0].sum()), min(low for low, _ in spans), max(high for _, high in spans),
        float(hours[0]), float(hours.min()), float(hours.max()),
    )  # fmt: skip


def _more(given: int, taken: int) -> dict[str, float]:
    """By how much cells of an official change who is handed some dossiers and gives others away."""
    return {HELD: float(given - taken), **dict.fromkeys(ARRIVED, float(given))}


def _helps(
    desk: OnlineScorer, cases: Sequence[OpenCase], pairs: Sequence[tuple[int, str | None]], as_of: datetime
) -> list[Help]:
    """Of each pair of a case's place and an official what handing on alone would change."""
    changed = _changed(desk, cases, pairs, as_of, [_more(1, 0)] * len(pairs)) if pairs else None
    if changed is None:
        return []
    low, high = changed.after.min(axis=0), changed.after.max(axis=0)
    least, most = changed.hours_after.min(axis=0), changed.hours_after.max(axis=0)
    told = np.column_stack([
        changed.score, changed.after[0], low, high, changed.hours, changed.hours_after[0], least, most,
    ])  # fmt: skip
    return [Help(official, *row) for (_, official), row in zip(pairs, told.tolist(), strict=True)]


def _changed(
    desk: OnlineScorer,
    cases: Sequence[OpenCase],
    pairs: Sequence[tuple[int, str | None]],
    as_of: datetime,
    more: Sequence[Mapping[str, float]],
) -> _Changed | None:
    """What both models say of the cases of `pairs` with their official, against the same with their holder; None where
    only one speaks. more [pairs]: by how much the official's load is another."""
    used = sorted({at for at, _ in pairs})
    place, n = {at: number for number, at in enumerate(used)}, len(used)
    found = desk.opinions(
        [
            *(Variant(cases[at].dossier, cases[at].events) for at in used),
            *(_handed(cases[at], as_of, str(cases[at].holder)) for at in used),
            *(
                _handed(cases[at], as_of, official or NEW_PERSON, load)
                for (at, official), load in zip(pairs, more, strict=True)
            ),
        ],
        as_of,
    )
    if found is None:
        return None
    of = np.array([place[at] for at, _ in pairs])
    said = np.stack([found.log_odds, found.by_hazard()])
    now, stays, given = said[0, :n], said[:, n : 2 * n], said[:, 2 * n :]
    score, after = expit(now[of]), expit(now[of] + given - stays[:, of])
    hours = [found.hours_late(np.concatenate([expit(now), expit(now), one])) for one in after]
    return _Changed(score, hours[0][n : 2 * n][of], after, np.stack([one[2 * n :] for one in hours]))


def _handed(case: OpenCase, as_of: datetime, official: str, more: Mapping[str, float] | None = None) -> Variant:
    """The case with one more event: it is assigned to an official, in the step that it is in."""
    at = as_of - _JUST_BEFORE
    step = next((event["step"] for event in reversed(case.events) if event.get("step")), None)
    assigned = {"kind": "assigned", "happened_at": at, "known_at": at, "official_id": official, "step": step}
    return Variant(case.dossier, [*case.events, assigned], more or {})

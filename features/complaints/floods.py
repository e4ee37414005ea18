"""Floods: many complaints about one official or unit in a short time that come from few people.

People are told apart by the complainant's opaque id; complaints in the same words count as one voice, whoever sent
them. Only voices that speak again and again belong to a flood: who complains once meanwhile is not swept along. A
flood is answered together and counts as few voices; it is no reason to leave anything unread.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DAYS = 30.0
"""Length of the window."""
LEAST = 10
"""Complaints of such voices in a window under which nothing is called a flood."""
EACH = 3
"""Complaints in a window from which a voice belongs to a flood."""


@dataclass(frozen=True)
class Flood:
    """One flood: places of its complaints in order of filing, and the number of voices behind them."""

    places: tuple[int, ...]
    voices: int


def floods(about: Sequence[str], day: Sequence[float], who: Sequence[str | None], alike: Sequence[int]) -> list[Flood]:
    """The floods among complaints in order of filing.

    `about`: whom each is about, empty for nobody. `day` of filing. `who`: opaque id, None for anonymous. `alike`:
    place of the first complaint in the same words (`features.complaints.copies.first_alike`).
    """
    groups: dict[str, list[int]] = {}
    for place, key in enumerate(about):
        if key:
            groups.setdefault(key, []).append(place)
    found = []
    for members in groups.values():
        voice = _voices(members, who, alike)
        begin, until, run = 0, -1.0, set[int]()
        for end, place in enumerate(members):
            while day[place] - day[members[begin]] > DAYS:
                begin += 1
            window = members[begin : end + 1]
            count = Counter(voice[one] for one in window)
            loud = {one for one in window if count[voice[one]] >= EACH}
            if len(loud) < LEAST:
                continue
            if run and day[members[begin]] > until:
                found.append(_flood(run, voice))
                run = set()
            run |= loud
            until = day[place]
        if run:
            found.append(_flood(run, voice))
    return found


def _flood(run: set[int], voice: dict[int, int]) -> Flood:
    return Flood(tuple(sorted(run)), len({voice[place] for place in run}))


def _voices(members: list[int], who: Sequence[str | None], alike: Sequence[int]) -> dict[int, int]:
    """Of each complaint the first one of its voice: the same person, or the same words."""
    first: dict[str, int] = {}
    root = {place: place for place in members}

    def of(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for place in members:
        keys = [f"words {alike[place]}"] + ([f"person {who[place]}"] if who[place] else [])
        for key in keys:
            one, two = sorted((of(first.setdefault(key, place)), of(place)))
            root[two] = one
    return {place: of(place) for place in members}

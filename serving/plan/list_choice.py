"""From lines to a list: order with jitter inside bands, caps per unit and official, shares of teams, what is new.

Inside a band of like utility the order is drawn anew each week from a secret: who watches the lists cannot
learn where the threshold lies (service.md, abuse). Without a secret, ties go by age, then key.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from serving.plan.keyed_uniform import keyed_uniform
from serving.plan.list_entry import Entry
from serving.plan.rules import Team

BAND = 0.9
"""A band reaches down to this part of its best utility."""


@dataclass(frozen=True)
class Line:
    """One line of a list. rank from 1. new: not on the list before; null where there was none."""

    rank: int
    entry: Entry
    team_id: str | None = None
    new: bool | None = None


@dataclass(frozen=True)
class Caps:
    """At most so many lines of one unit and of one official; 0 for no cap."""

    per_unit: int = 0
    per_official: int = 0


def order(entries: Sequence[Entry], secret: str | None = None, week: str = "") -> list[Entry]:
    """The entries by falling utility; ties by age (oldest first), then key. With a secret, jittered in bands."""
    ranked = sorted(entries, key=_plain)
    if secret is None:
        return ranked
    placed: list[Entry] = []
    while len(placed) < len(ranked):
        best = ranked[len(placed)].utility
        band = [entry for entry in ranked[len(placed) :] if entry.utility >= best * BAND]
        placed += sorted(band, key=lambda entry: keyed_uniform(secret, f"list {week}", entry.key))
    return placed


def choose(ordered: Sequence[Entry], size: int, caps: Caps = Caps()) -> list[Line]:
    """The first `size` entries that the caps admit, ranked from 1."""
    units: dict[str, int] = {}
    officials: dict[str, int] = {}
    lines: list[Line] = []
    for entry in ordered:
        if len(lines) == size:
            break
        held = (
            (units, entry.unit_code, caps.per_unit),
            (officials, entry.official_id, caps.per_official),
        )
        if any(cap and name is not None and counts.get(name, 0) >= cap for counts, name, cap in held):
            continue
        for counts, name, _ in held:
            if name is not None:
                counts[name] = counts.get(name, 0) + 1
        lines.append(Line(len(lines) + 1, entry))
    return lines


def share_out(lines: Sequence[Line], teams: Sequence[Team], last: Mapping[str, str]) -> list[Line]:
    """Gives each line to a team, evenly: never to one with a member from the unit, nor to the unit's last team.

    last: team_id that had the unit on the list before. A line that no team may take stays without one.
    """
    load = {team.team_id: 0 for team in teams}
    given: list[Line] = []
    for line in lines:
        unit = line.entry.unit_code
        may = [t.team_id for t in teams if unit not in t.units and last.get(unit or "") != t.team_id]
        team = min(may, key=lambda name: (load[name], name), default=None)
        if team is not None:
            load[team] += 1
        given.append(replace(line, team_id=team))
    return given


def marked_new(lines: Sequence[Line], before: Set[str] | None) -> list[Line]:
    """The lines with `new` set by the keys of the list before; None where there was none."""
    return [replace(line, new=None if before is None else line.entry.key not in before) for line in lines]


def share_new(lines: Sequence[Line]) -> float | None:
    """The share of the list that is new since the last; None where there was none, or no line."""
    marked = [line.new for line in lines if line.new is not None]
    return sum(marked) / len(marked) if marked else None


def _plain(entry: Entry) -> tuple[float, float, str]:
    return (-entry.utility, entry.oldest.timestamp() if entry.oldest else float("inf"), entry.key)

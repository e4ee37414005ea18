"""Who harasses whom: the planted culprits, the honest officials with hard cases, and the falsely accused.

Five kinds of culprits, after domain.md section 4: papers outside the published list (H5), repeated requests
shortly before due (H1, H2), slow until an agent comes (queue jumping, H17), ping-pong (H14), and heads who
reset the clock of late dossiers (T1, H18).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from features.simulate.arrivals import Arrivals
from features.simulate.catalogue import OUTSIDE_PAPERS
from features.simulate.habits import ROUNDS, Flags, Habits
from features.simulate.worktime import DAY, Seconds
from features.simulate.world import HEAD, SPECIALIST, Floats, Ints, World

EXTRA_PAPERS, REPEATED, AGENT, PING_PONG, TAMPERING = range(5)
KINDS = ("extra_papers", "repeated_supplements", "agent", "ping_pong", "tampering")
SHARE = 0.03
"""Share of officials planted as culprits where nothing else is asked for."""


@dataclass(frozen=True)
class Conduct:
    """`kind` of each official (index of KINDS, −1 honest), `rate` of their dossiers they misuse, and who has
    `hard` cases or is `flooded` with false complaints (one entry an official).
    """

    kind: Ints
    rate: Floats
    hard: Flags
    flooded: Flags


@dataclass(frozen=True)
class Harm:
    """`kind` done to each dossier (index of KINDS, −1 none), and which supplement rounds `outside`[n, ROUNDS]
    asked for papers on no published list.
    """

    kind: Ints
    outside: Flags


def plant(
    rng: np.random.Generator,
    world: World,
    arrivals: Arrivals,
    culprits: int | Mapping[str, int] | None,
    hard: int | None,
    flooded: int | None,
) -> Conduct:
    """Choose the officials. `culprits`: how many in all (spread over the kinds), or how many of each kind.

    Without numbers a few are planted (3 % of the specialists and heads, at least five); with `culprits=0`
    nobody, and then neither hard cases nor floods unless they are asked for. Officials with few dossiers are
    not chosen: nothing could be learnt about them.
    """  # fmt: skip
    people = len(world.official_id)
    load = np.bincount(arrivals.specialist, minlength=people) + np.bincount(arrivals.head, minlength=people)
    able = np.flatnonzero((load >= min(60, np.median(load[load > 0]))) & (world.official_role == SPECIALIST))
    heads = np.flatnonzero((load >= min(60, np.median(load[load > 0]))) & (world.official_role == HEAD))
    wanted = _numbers(culprits, max(5, round(SHARE * (len(able) + len(heads)))))
    some = 0 if sum(wanted.values()) == 0 else max(2, round(0.02 * len(able)))
    kind = np.full(people, -1)
    free = rng.permutation(able)
    for name, count in wanted.items():
        source = rng.permutation(heads) if name == KINDS[TAMPERING] else free
        if count > len(source):
            raise ValueError(f"culprits: wanted at most {len(source)} of kind {name}, came {count}")
        kind[source[:count]] = KINDS.index(name)
        if name != KINDS[TAMPERING]:
            free = free[count:]
    n_hard = some if hard is None else hard
    n_flooded = some if flooded is None else flooded
    if n_hard + n_flooded > len(free):
        raise ValueError(f"hard + flooded: wanted at most {len(free)} officials, came {n_hard + n_flooded}")
    is_hard, is_flooded = np.zeros(people, bool), np.zeros(people, bool)
    is_hard[free[:n_hard]] = True
    is_flooded[free[n_hard : n_hard + n_flooded]] = True
    return Conduct(kind, np.where(kind >= 0, rng.uniform(0.2, 0.5, people), 0.0), is_hard, is_flooded)


def _numbers(culprits: int | Mapping[str, int] | None, usual: int) -> dict[str, int]:
    """How many culprits of each kind."""
    if isinstance(culprits, Mapping):
        unknown = set(culprits) - set(KINDS)
        if unknown:
            raise ValueError(f"culprits: wanted kinds of {KINDS}, came {sorted(unknown)}")
        return dict(culprits)
    total = usual if culprits is None else culprits
    return {name: total // len(KINDS) + (i < total % len(KINDS)) for i, name in enumerate(KINDS)}


def favour_agents(rng: np.random.Generator, arrivals: Arrivals, conduct: Conduct) -> Arrivals:
    """The word spreads: to an official who waits for an agent, more people come with one."""
    theirs = conduct.kind[arrivals.specialist] == AGENT
    brought = theirs & (rng.random(len(arrivals)) < 0.3)
    return replace(arrivals, agent=np.where(brought, arrivals.unit * 6, arrivals.agent))


def misuse(rng: np.random.Generator, arrivals: Arrivals, conduct: Conduct, honest: Habits) -> tuple[Habits, Harm]:
    """What culprits and hard cases make of the lawful habits, and to whom harm is done.

    Dossiers that come through an agent are left alone. Hard cases mean more requests for published papers and
    longer work, without any harm: the false friend of domain.md 4.4.
    """
    n = len(arrivals)
    alone = arrivals.agent < 0
    hit = alone & (rng.random(n) < conduct.rate[arrivals.specialist])
    by_desk = np.where(hit, conduct.kind[arrivals.specialist], -1)
    rounds, ask_late = honest.rounds.copy(), honest.ask_late.copy()
    dawdle, jump, push = honest.dawdle.copy(), honest.jump.copy(), honest.push.copy()
    papers = by_desk == EXTRA_PAPERS
    rounds = np.where(papers, np.maximum(rounds, 1 + (rng.random(n) < 0.3)), rounds)
    again = by_desk == REPEATED
    rounds = np.where(again, 2 + (rng.random(n) < 0.35), rounds)
    ask_late |= again & (rng.random(n) < 0.7)
    give_up = honest.give_up | (again & (rng.random(n) < 0.2))
    waiting = by_desk == AGENT
    dawdle = np.where(waiting, dawdle * rng.uniform(1.8, 3.5, n), dawdle)
    paid = (conduct.kind[arrivals.specialist] == AGENT) & ~alone
    dawdle, jump = np.where(paid, 0.08, dawdle), jump | paid
    ping = by_desk == PING_PONG
    push = np.where(ping, rng.integers(1, 4, n), push)
    dawdle = np.where(ping, dawdle * 1.3, dawdle)
    difficult = conduct.hard[arrivals.specialist]
    rounds = np.where(difficult & (rounds == 0) & (rng.random(n) < 0.3), 1, rounds)
    dawdle = np.where(difficult, dawdle * 1.7, dawdle)
    outside = np.zeros((n, ROUNDS), bool)
    outside[papers, 0] = True
    outside[papers & (rounds > 1), 1] = True
    outside |= (rng.random((n, ROUNDS)) < 0.006) & (by_desk < 0)[:, None]
    return Habits(rounds, ask_late, dawdle, jump, push, give_up, honest.consult), Harm(by_desk, outside)


def submit_again(arrivals: Arrivals, withdrawn_at: Seconds, gave_up: Flags) -> Arrivals:
    """Who was worn down and withdrew comes again: the next dossier of that procedure at that desk, within two weeks.

    `withdrawn_at`: wall-clock seconds, read where `gave_up`.
    """
    applicant = arrivals.applicant.copy()
    for k in np.flatnonzero(gave_up):
        begin, until = np.searchsorted(arrivals.submitted, [withdrawn_at[k] + 3600, withdrawn_at[k] + 14 * DAY])
        later = slice(int(begin), int(until))
        same = (arrivals.specialist[later] == arrivals.specialist[k]) & (
            arrivals.procedure[later] == arrivals.procedure[k]
        )
        if same.any():
            applicant[begin + int(np.argmax(same))] = applicant[k]
    return replace(arrivals, applicant=applicant)


def outside_papers(rng: np.random.Generator, papers: Ints, outside: Flags, sets: list[str]) -> tuple[Ints, list[str]]:
    """The papers asked for where a request leaves the published list; `sets` grows by those."""
    drawn = len(sets) + (rng.random(papers.shape) * len(OUTSIDE_PAPERS)).astype(np.int64)
    return np.where(outside, drawn, papers), [*sets, *OUTSIDE_PAPERS]

"""The province replay over several seeds in words: yield against greedy, bias of prevalence, what rules cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.replay.policy import Policy
from tests.bench.replay.province import Run, World, run

Say = Callable[[str], None]

SAFE = 1e-6
"""A least probability below this counts as none: no estimate can rest on it."""

HEAD = """# Replay: made-up province

{seeds} seeds, {dossiers} dossiers each, {cycles} monthly cycles, {share:.0f} % of the pool pulled, labels hidden
outside the list, model refitted each month. Found: any kind but plain lateness, which the record shows without a visit.
Mean over seeds with the 95 % interval of the mean. Prevalence: error of the estimated share of the pool where a
visit would find something. Guessable: an outsider ranks dossiers by how often their official was listed before.

| policy | found, of greedy | hit rate | prevalence: naive | Hájek | of any finding: naive | Hájek | guessable (AUC) \
| officials that repeat | never: units, officials | least probability |
|---|---|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Way:
    """One line of the table: a policy and by how much it weighs high-risk sectors up."""

    policy: Policy
    sector_weight: float = 0.0


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with the 95 % interval of that mean (Student's t), and the seeds' least and greatest."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least two values; of one, the value alone."""
        from scipy import stats

        x = np.array(values)
        if len(x) < 2:
            return cls(float(x.mean()), -np.inf, np.inf)
        error = float(stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
        return cls(float(x.mean()), float(x.mean()) - error, float(x.mean()) + error)

    def percent(self) -> str:
        """As signed per cent."""
        return f"{100 * self.mean:+.1f} % ({100 * self.low:+.1f} to {100 * self.high:+.1f})"

    def plain(self, digits: int = 2) -> str:
        """As a number."""
        return f"{self.mean:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def replay(
    worlds: Callable[[int], World], ways: Sequence[Way], seeds: Sequence[int], share: float, say: Say
) -> dict[str, list[Run]]:
    """Runs every way on the world of every seed; by name of the policy, one run a seed."""
    runs: dict[str, list[Run]] = {way.policy.name: [] for way in ways}
    for seed in seeds:
        world = worlds(seed)
        for way in ways:
            done = run(world, way.policy, share, seed, way.sector_weight)
            runs[way.policy.name].append(done)
            found = sum(cycle.found for cycle in done.cycles)
            say(f"seed {seed}: {way.policy.name} found {found} of {sum(c.looked for c in done.cycles)}")
    return runs


def bias(done: Run, of: str, figure: str) -> float:
    """Relative error of an estimate (`figure`) of a prevalence (`of`: counted, any), all cycles together."""
    told = [getattr(cycle, of) for cycle in done.cycles]
    values = np.array([getattr(one, figure) for one in told])
    return float(np.nanmean(values) / np.mean([one.truth for one in told]) - 1)


def report(runs: Mapping[str, list[Run]], share: float, dossiers: int, base: str = "greedy") -> list[str]:
    """The lines of the report, in Markdown."""
    seeds = len(runs[base])
    cycles = len(runs[base][0].cycles)
    lines = [HEAD.format(seeds=seeds, dossiers=f"{dossiers:,}", cycles=cycles, share=100 * share)]
    return [*lines, *(_line(name, own, runs[base]) for name, own in runs.items())]


def _line(name: str, own: Sequence[Run], base: Sequence[Run]) -> str:
    ratio = Spread.of([_found(a) / _found(b) for a, b in zip(own, base, strict=True)])
    cycles = [cycle for done in own for cycle in done.cycles]
    least = min(cycle.least_probability for cycle in cycles)
    cells = [
        name,
        f"{100 * ratio.mean:.1f} % ({100 * ratio.low:.1f} to {100 * ratio.high:.1f})",
        f"{100 * np.mean([_found(one) / sum(c.looked for c in one.cycles) for one in own]):.1f} %",
    ]
    for of, figure in (("counted", "naive"), ("counted", "weighted"), ("any", "naive"), ("any", "weighted")):
        told = figure == "naive" or least > SAFE
        cells.append(Spread.of([bias(one, of, figure) for one in own]).percent() if told else "–")
    guesses = [np.mean([c.guess for c in one.cycles if c.guess is not None]) for one in own]
    cells += [
        Spread.of([float(one) for one in guesses]).plain(),
        f"{100 * np.mean([c.repeats for one in own for c in one.cycles[1:]]):.0f} %",
        f"{np.mean([one.never_units for one in own]):.1f}, {np.mean([one.never_officials for one in own]):.1f}",
        f"{least:.4f}",
    ]
    return f"| {' | '.join(cells)} |"


def price_lines(runs: Mapping[str, list[Run]], prices: Mapping[str, tuple[str, str]]) -> list[str]:
    """What each rule costs in findings over all cycles: rule → (policy without it, policy with it)."""
    lines = [
        "",
        "Price of each rule, in findings over all cycles of one province:",
        "",
        "| rule | findings |",
        "|---|---|",
    ]
    for rule, (without, with_it) in prices.items():
        lost = [_found(a) - _found(b) for a, b in zip(runs[without], runs[with_it], strict=True)]
        lines.append(f"| {rule} | {Spread.of(lost).plain(1)} |")
    return lines


def _found(done: Run) -> int:
    return sum(cycle.found for cycle in done.cycles)

"""Splits in time that cannot leak: an embargo between what is learnt and what is judged.

Learnt rows have their horizon behind the origin (`due_at < origin`), judged rows their `as_of` at or after it. So
no label that is learnt depends on anything known later, and no judged case was open to hindsight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.sample import Sample


class LeakError(ValueError):
    """A split that would let the answer into the lesson; says how many rows and why."""


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to judge by (whole numbers, positions in the sample)."""

    origin: int
    learn: np.ndarray
    judge: np.ndarray

    def checked(self, sample: Sample) -> Split:
        """This split, or LeakError where it leaks: labels not ripe, judged too early, a dossier on both sides."""
        unripe = int((sample.due_at[self.learn] >= self.origin).sum())
        if unripe:
            raise LeakError(
                f"{unripe} learnt rows have their due moment at the origin or later: their label was not "
                "known yet; learn only from rows due before the origin"
            )
        early = int((sample.as_of[self.judge] < self.origin).sum())
        if early:
            raise LeakError(
                f"{early} judged rows lie before the origin: what was learnt may have seen them; judge "
                "only rows as of the origin or later"
            )
        both = np.intersect1d(sample.dossier[self.learn], sample.dossier[self.judge])
        if len(both):
            raise LeakError(
                f"{len(both)} dossiers are learnt and judged: the model may know them by heart; keep "
                "each dossier on one side"
            )
        return self


def at_origin(sample: Sample, origin: int, until: int) -> Split:
    """Learns from what was ripe at `origin`, judges dossiers received in `[origin, until)`, µs since 1970.

    Judged are all landmarks of those dossiers, from arrival on, as a test period would: rows taken by `as_of`
    alone would hold few fresh dossiers and many that have been lying for long.
    """
    judge = np.flatnonzero((sample.received_at >= origin) & (sample.as_of >= origin) & (sample.received_at < until))
    ripe = (sample.due_at < origin) & ~np.isin(sample.dossier, sample.dossier[judge])
    return Split(origin, np.flatnonzero(ripe), judge).checked(sample)


def rolling(sample: Sample, quantiles: tuple[float, ...] = (0.5, 0.65, 0.8)) -> list[Split]:
    """Splits at quantiles of the receipt of the sample's dossiers, oldest first; each judges up to the next.

    Judged are dossiers received so early that four terms in five have ended by the end of the sample: of those
    that came later only the short ones are ripe, and they would stand for all. Splits with too little of either
    class on either side (under 20) are left out; the list may be empty.
    """
    if not len(sample):
        return []
    one_each = np.unique(sample.dossier, return_index=True)[1]
    received, due = sample.received_at[one_each], sample.due_at[one_each]
    full = received[received <= due.max() - np.quantile(due - received, 0.8)]
    if not len(full):
        return []
    origins = sorted({int(np.quantile(full, q)) for q in quantiles})
    ends = [*origins[1:], int(full.max()) + 1]
    splits = [at_origin(sample, origin, end) for origin, end in zip(origins, ends, strict=True)]
    return [split for split in splits if _both_classes(sample, split.learn) and _both_classes(sample, split.judge)]


def _both_classes(sample: Sample, rows: np.ndarray, least: int = 20) -> bool:
    label = sample.label[rows]
    return bool(min((label == 1).sum(), (label == 0).sum()) >= least)

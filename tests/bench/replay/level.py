"""Five months without a training: what keeping the level (`training.level`) does to the scores of drawn provinces.

Each province: a model learnt at a cutoff, then every open dossier scored every night for five months, as it is and with
the level that the Monday before could know. Judged are calibration over the whole open list, how many of the late were
flagged days ahead (a score that is worth a warning by the standing costs), and the order two to four weeks ahead beside
the best simple rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import expit

from features.calendar.vietnam import VIETNAM
from features.intervals import bootstrap
from features.matrix.batch import build
from features.simulate.recorded import made_up_record
from models.cases import labels, landmarks
from models.targets import MAIN
from serving.warnings.policy import Costs
from training.evaluate import Metric, Ranked
from training.fit import SMALL, fit
from training.level import LEAST, WINDOW, level_of
from training.sample import Sample
from training.training_set import WEEK, gather

START, CUTOFF, END = date(2025, 1, 6), datetime(2026, 4, 6, tzinfo=UTC), date(2026, 11, 9)
MONTHS = timedelta(weeks=22)
DAY = timedelta(days=1)
DAY_US = 86_400_000_000
BINS = 10
AHEAD = (3, 7)
"""Days before the promise at which the late are asked whether they were flagged."""
EARLY = (14, 28)
WAYS = ("as learnt", "at its level")


@dataclass(frozen=True)
class Province:
    """The judged rows of one province: label, dossier, days to the promise, log-odds by way, and of the best rule."""

    seed: int
    label: np.ndarray
    dossier: np.ndarray
    days: np.ndarray
    said: dict[str, np.ndarray]
    rule: np.ndarray


def province(seed: int, dossiers: int) -> Province:
    """Draws a province of `dossiers` in 22 months, learns of its first 15, and scores the next five months nightly."""
    with TemporaryDirectory() as folder:
        record = made_up_record(Path(folder), dossiers, START, END, seed=seed, policy=None)
        model = fit(gather(record.connect(cutoff=CUTOFF), CUTOFF, VIETNAM), target=MAIN.name, recipes={"small": SMALL})
        end = datetime(END.year, END.month, END.day, tzinfo=UTC)
        con = record.connect(cutoff=end)
        nightly, weekly = (
            _rows(con, start, end, every)
            for start, every in ((CUTOFF, DAY), (CUTOFF - WINDOW, WEEK))
        )  # fmt: skip
    ahead = nightly.due_at > nightly.as_of
    nightly = nightly.take(ahead)
    leveled = np.zeros(len(nightly))
    for monday in (CUTOFF + n * WEEK for n in range(MONTHS // WEEK)):
        at = int(monday.timestamp() * 1e6)
        window = (weekly.as_of >= at - WINDOW // timedelta(microseconds=1)) & (weekly.as_of < at)
        known = weekly.take(window & (weekly.due_at < at))
        kept = level_of(model, known, "", monday).applied(model) if len(known) >= LEAST else model
        rows = np.flatnonzero((nightly.as_of >= at) & (nightly.as_of < at + 7 * DAY_US))
        if len(rows):
            some = nightly.take(rows).matrix
            leveled[rows] = kept.log_odds(kept.encoder.encode(some))
    x = model.encoder.encode(nightly.matrix)
    return Province(
        seed, nightly.label, nightly.dossier, (nightly.due_at - nightly.as_of) / DAY_US,
        dict(zip(WAYS, (model.log_odds(x), leveled), strict=True)), model.members[model.rule].log_odds(x),
    )  # fmt: skip


def _rows(con: object, start: datetime, end: datetime, every: timedelta) -> Sample:
    cases = landmarks(con, start, min(CUTOFF + MONTHS - DAY, end), every=every)  # type: ignore[arg-type]
    labelled = labels(con, cases, end)  # type: ignore[arg-type]
    ripe = labelled["label"].is_valid()
    cases, labelled = cases.filter(ripe), labelled.filter(ripe)
    return Sample.of(build(con, cases, calendar=VIETNAM), labelled)  # type: ignore[arg-type]


def provinces(seeds: Sequence[int], dossiers: int, say: Callable[[str], None]) -> Iterator[Province]:
    """The provinces of the seeds."""
    for seed in seeds:
        say(f"province {seed}")
        yield province(seed, dossiers)


def calibration_error(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """Expected calibration error: mean distance of score and late share over ten bands of equal width, by weight."""
    band = np.minimum((score * BINS).astype(int), BINS - 1)
    gap = np.bincount(band, weight * (label - score), BINS)
    return float(np.abs(gap).sum() / weight.sum())


def figures(found: Sequence[Province], draws: int = 200) -> dict[str, dict[str, Metric]]:
    """By way: means over provinces with 95 % intervals, dossiers drawn within each."""
    rng = np.random.default_rng(0)
    values: dict[str, dict[str, list[float]]] = {way: {} for way in WAYS}
    prepared = [_Prepared.of(one) for one in found]
    for number in range(draws + 1):
        each = [one.figures(rng if number else None) for one in prepared]
        for way in WAYS:
            for name in each[0][way]:
                values[way].setdefault(name, []).append(float(np.nanmean([one[way][name] for one in each])))
    return {
        way: {name: Metric(said[0], *bootstrap(np.array(said[1:]))) for name, said in told.items()}
        for way, told in values.items()
    }


@dataclass(frozen=True)
class _Prepared:
    """A province whose early rows are ranked once."""

    one: Province
    cluster: np.ndarray
    early: np.ndarray
    ranked: dict[str, Ranked]

    @classmethod
    def of(cls, one: Province) -> _Prepared:
        early = (one.days >= EARLY[0]) & (one.days < EARLY[1])
        ranked = {way: Ranked.of(one.label[early], z[early]) for way, z in {**one.said, "rule": one.rule}.items()}
        return cls(one, np.unique(one.dossier, return_inverse=True)[1], early, ranked)

    def figures(self, rng: np.random.Generator | None) -> dict[str, dict[str, float]]:
        """All figures of one draw of the dossiers (None: all as they are)."""
        one, n = self.one, int(self.cluster.max()) + 1
        drawn = np.ones(n) if rng is None else np.bincount(rng.integers(0, n, n), minlength=n).astype(float)
        weight = drawn[self.cluster]
        rule = self.ranked["rule"].auc_and_pairs(weight[self.early])[0]
        threshold, told = Costs().threshold, {}
        for way, z in one.said.items():
            score = expit(z)
            auc = self.ranked[way].auc_and_pairs(weight[self.early])[0]
            flagged = score >= threshold
            said = {
                "calibration error": calibration_error(one.label, score, weight),
                "score − late": float(np.average(score - one.label, weights=weight)),
                "Brier": float(np.average((score - one.label) ** 2, weights=weight)),
            }
            for days in AHEAD:
                look = (one.days >= days) & (one.days < days + 1)
                late, seen = look & (one.label == 1), look & flagged
                said[f"late flagged {days} days ahead"] = float(np.average(flagged[late], weights=weight[late]))
                said[f"of the flagged {days} days ahead late"] = float(
                    np.average(one.label[seen], weights=weight[seen])
                )
            told[way] = {**said, "AUC 14–28 days ahead": auc, "AUC less the rule's": auc - rule}
        return told


def card(found: Sequence[Province], told: dict[str, dict[str, Metric]], dossiers: int) -> str:
    """The card as committed in `models/cards/level.md`."""
    least = figures_each(found)
    rows = sum(len(one.label) for one in found)
    out = [
        "# Five months without a training: the level of scores",
        "",
        "Written by `python -m tests.bench replay level`. Drawn provinces, seeds "
        + ", ".join(str(one.seed) for one in found)
        + f", of {dossiers:,} dossiers in 22",
        f"months: learnt at {CUTOFF:%Y-%m-%d} (15 months, as the demo's), then all open dossiers scored every night",
        f"for five months without a training, {rows:,} rows whose promise lay ahead. `at its level`: offsets for all,",
        "stage, sector and unit, estimated every Monday on what was known by then (`training.level`). Window (26 weeks",
        "of landmarks), prior (60 dossiers) and that rows count alike were chosen on the provinces of seeds 1 to 7.",
        f"Flagged: a score of {Costs().threshold:.2f} or more, what is worth a warning by the standing costs, in the",
        "night so many days before the promise. Means over provinces; 95 % intervals, dossiers drawn (those of a",
        "calibration error lie above it: a draw adds noise, and all of it counts as error).",
        "",
        "| | as learnt | at its level | wanted |",
        "|---|---|---|---|",
    ]
    kept = told[WAYS[1]]
    wanted = {
        "calibration error": ("≤ .05", kept["calibration error"].value <= 0.05),
        "late flagged 3 days ahead": ("≥ .60", kept["late flagged 3 days ahead"].value >= 0.6),
        "AUC less the rule's": ("> 0 by its interval", kept["AUC less the rule's"].low > 0),
    }
    for name in kept:
        words, holds = wanted.get(name, ("", None))
        mark = "" if holds is None else " ✓" if holds else " ✗"
        out.append(f"| {name} | {told[WAYS[0]][name]} | **{kept[name]}** | {words}{mark} |")
    out += ["", "Calibration error of each province: " + "; ".join(least) + "."]
    return "\n".join([*out, ""])


def figures_each(found: Sequence[Province]) -> list[str]:
    """Calibration error of each province, as learnt and at its level."""
    told = []
    for one in found:
        errors = [calibration_error(one.label, expit(one.said[way]), np.ones(len(one.label))) for way in WAYS]
        told.append(f"{one.seed}: {errors[0]:.3f} → {errors[1]:.3f}")
    return told

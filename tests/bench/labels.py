"""`labels`: what it did to lateness that label 1 means late by the lawful clock, and no longer by the promise in force.

The same landmarks of one made-up province, told apart by both labels, learnt and judged by both: differences are of the
label alone. A landmark without one of the two labels is left out; both cohorts are that of the lawful promise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from tests.bench.group import bench

START, END = date(2025, 9, 1), date(2026, 8, 31)
CUTOFF, UNTIL = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 8, 25, tzinfo=UTC)
IN_FORCE = """CASE WHEN s.promised_at >= $cutoff THEN NULL WHEN coalesce(f.ended_at, $cutoff) > s.promised_at THEN 1
                   ELSE 0 END"""
"""The label until November 2026: the promise in force at the landmark passed before the end."""

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Judged:
    """Later landmarks: their dossiers, labels and scores by name."""

    learnt: int
    shares: Mapping[str, float]
    dossier: np.ndarray
    label: Scores
    score: Scores


@bench.command("labels")
def labels_card(
    out: Annotated[Path | None, typer.Option(help="Markdown file, such as models/cards/lateness_label.md.")] = None,
    seed: Annotated[int, typer.Option(help="Of the made-up province.")] = 3,
    dossiers: Annotated[int, typer.Option(help="Of the made-up province.")] = 4_000,
    draws: Annotated[int, typer.Option(help="Bootstrap draws behind each interval.")] = 500,
) -> None:
    """Compare lateness by the lawful clock with lateness by the promise in force, and with a promise that is moved."""
    with TemporaryDirectory() as scratch:
        found = judged(Path(scratch), seed, dossiers, lambda line: typer.echo(line, err=True))
    text = as_markdown(found, draws, seed, dossiers)
    typer.echo(text)
    if out is not None:
        out.write_text(text, encoding="utf-8")


def judged(scratch: Path, seed: int, dossiers: int, say: Callable[[str], None]) -> Judged:
    """Learns three targets on the landmarks before `CUTOFF`, and scores those after it."""
    from features.calendar.vietnam import VIETNAM
    from features.matrix import batch as matrix
    from features.record.record import Record
    from features.simulate import simulate
    from features.sources import SOURCES, FeedOptions
    from models.cases import labels, landmarks
    from models.targets import LATENESS, PROMISE_MOVED
    from training.fit import fit
    from training.sample import Sample
    from training.training_set import WEEK, training_cases

    asked = {"in_force": replace(LATENESS, label=IN_FORCE), "lawful": LATENESS, "moved": PROMISE_MOVED}
    simulate(seed=seed, dossiers=dossiers, start=START, end=END).write(scratch / "feed", format="canonical")
    record = Record(scratch / "record")
    feed = SOURCES["canonical"].read(scratch / "feed", FeedOptions())
    record.append(feed, source="canonical", arrived_at=datetime(2026, 9, 1, tzinfo=UTC))
    con = record.connect(cutoff=CUTOFF)
    cases = training_cases(con, CUTOFF)
    told = {name: labels(con, cases, CUTOFF, one) for name, one in asked.items()}
    ripe = np.logical_and.reduce([one["label"].is_valid().to_numpy() for one in told.values()])
    cells = matrix.build(con, cases.filter(ripe), calendar=VIETNAM)
    samples = {name: Sample.of(cells, one.filter(ripe)) for name, one in told.items()}
    models = {}
    for name, sample in samples.items():
        say(f"fit {name}: {len(sample):,} landmarks")
        models[name] = fit(sample, target=asked[name].name)
    con = record.connect(cutoff=UNTIL)
    later = landmarks(con, CUTOFF + timedelta(microseconds=1), UNTIL, every=WEEK, calendar=VIETNAM)
    said = {name: labels(con, later, UNTIL, one) for name, one in asked.items()}
    ripe = np.logical_and.reduce([one["label"].is_valid().to_numpy() for one in said.values()])
    say(f"judge on {int(ripe.sum()):,} landmarks")
    cells = matrix.build(con, later.filter(ripe), calendar=VIETNAM)
    dossier = np.unique(np.array(cells["dossier_id"].to_pylist()), return_inverse=True)[1]
    return Judged(
        len(samples["lawful"]),
        {name: float(np.mean(sample.label)) for name, sample in samples.items()},
        dossier,
        {name: np.asarray(one.filter(ripe)["label"].to_numpy(), dtype=float) for name, one in said.items()},
        {name: model.probability(cells) for name, model in models.items()}
        | {f"rule {name}": model.rule_probability(cells) for name, model in models.items()},
    )


def as_markdown(found: Judged, draws: int, seed: int, dossiers: int) -> str:
    """The card."""
    from training.evaluate import METRICS, with_intervals

    own = {name: with_intervals(found.label[name], {"model": found.score[name], "rule": found.score[f"rule {name}"]},
                                found.dossier, draws=draws) for name in found.label}  # fmt: skip
    both = {"new": found.score["lawful"], "old": found.score["in_force"]}
    _, crossed = with_intervals(found.label["lawful"], both, found.dossier, draws=draws)
    names = ("in_force", "lawful", "moved")
    rows = [
        ("landmarks learnt", *(f"{found.learnt:,}" for _ in names)),
        ("share of label 1, learnt", *(f"{found.shares[name]:.1%}" for name in names)),
        ("landmarks judged", *(f"{len(found.dossier):,}" for _ in names)),
        ("share of label 1, judged", *(_share(found, name, draws) for name in names)),
    ]
    for metric in METRICS:
        rows.append((metric.upper(), *(str(own[name][0]["model"][metric]) for name in names)))
    for metric in METRICS:
        rows.append((f"{metric.upper()} − that of the best simple rule",
                     *(str(own[name][1]["model", "rule"][metric]) for name in names)))  # fmt: skip
    changed = [(metric.upper(), *_changed(found, metric, draws), str(crossed["new", "old"][metric]))
               for metric in METRICS]  # fmt: skip
    return "\n".join([
        "# What the change of label did to lateness",
        "",
        "Written by `python -m tests.bench labels`. Until November 2026 label 1 meant: the promise in force at the",
        "landmark passed. It now means: late by the lawful clock (`features/case_state/state.py`). A made-up province",
        f"(`simulate(seed={seed}, dossiers={dossiers})`, {START} to {END}), learnt as of {CUTOFF:%Y-%m-%d}, weekly",
        f"landmarks judged until {UNTIL:%Y-%m-%d}; the same landmarks and features for all three, one fit each.",
        "95 % intervals, dossiers drawn.",
        "",
        "| | by the promise in force (before) | late by the lawful clock | promise will be moved |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "What the change did, paired: each model by its own label; then both by the lawful one, new − before.",
        "",
        "| | new label − label before | new model − model before, both judged by the lawful clock |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in changed),
        "",
        "A difference of the first kind is no gain: the two questions differ, and AP moves with the share of label 1.",
        "A list of promises that will be moved is worth making where its AP stands clear of the share of label 1.",
        "",
    ])  # fmt: skip


def _share(found: Judged, name: str, draws: int) -> str:
    from training.evaluate import interval

    values = [float(np.average(found.label[name], weights=weight)) for weight in _weights(found.dossier, draws)]
    low_high = interval(np.array(values))
    return str(low_high)


def _changed(found: Judged, metric: str, draws: int) -> tuple[str]:
    """A figure by the lawful label minus the same by the label before, each of its own model."""
    from training.evaluate import figures, interval

    values = [
        figures(found.label["lawful"], found.score["lawful"], weight)[metric]
        - figures(found.label["in_force"], found.score["in_force"], weight)[metric]
        for weight in _weights(found.dossier, draws)
    ]
    return (str(interval(np.array(values))),)


def _weights(dossier: np.ndarray, draws: int) -> list[np.ndarray]:
    """One weight a landmark: all alike, then of dossiers drawn with replacement."""
    number = int(dossier.max()) + 1
    chance = np.random.default_rng(0)
    drawn = (np.bincount(chance.integers(0, number, number), minlength=number)[dossier] for _ in range(draws))
    return [np.ones(len(dossier)), *(one.astype(float) for one in drawn)]

"""The benchmark of figures: the product beside the rules on the reference data, by the protocol of their README.

Cut at the 70 % quantile of receipt; train on what was received before the cut and due by it; test on what was received
after it and due by the end of the log, at arrival and at landmarks of open dossiers. `REFERENCES` holds the moments
that give the README's number of test cases and late share: exactly for the small sets (one case fewer, 340, for
bpic15_m3 at arrival) and for Boston at half the term, 12,493 cases for its 12,476 at arrival (its exact cut is not
told). What the product is held to is `BEST`, the best of each line of the README's table, metric by metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.special import expit

from features.calendar.working_time import PLAIN_WEEK
from features.matrix import batch as matrix
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from models import cases as target_cases
from models.risk_model import RiskModel
from models.targets import MAIN
from training.evaluate import METRICS, Metric, with_intervals
from training.fit import fit
from training.sample import Sample
from training.training_set import WEEK, gather

Say = Callable[[str], None]
WEEKLY = "weekly"
"""The moment of cases that are judged at every week from the cut on while they are open."""


@dataclass(frozen=True)
class Reference:
    """A reference data set: its cut and end, the landmarks of open dossiers, the group whose past rate is the rule."""

    name: str
    cutoff: datetime
    until: datetime
    history: str
    open_words: str
    ages: tuple[timedelta, ...] = ()
    shares: tuple[float, ...] = ()


def _days(*days: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(days=day, microseconds=1) for day in days)


REFERENCES = (
    Reference(
        "wabo_receipt",
        datetime(2011, 7, 17, 23, 6, 40, 20_000, UTC),
        datetime(2012, 1, 20, 12, tzinfo=UTC),
        "x_responsible",
        "day 3–42, open, pooled",
        ages=_days(3, 7, 14, 28, 42),
    ),
    Reference(
        "bpic15_m1_m2",
        datetime(2013, 8, 7, 7, 36, tzinfo=UTC),
        datetime(2015, 3, 1, 23, 0, 1, tzinfo=UTC),
        "procedure_code",
        "day 7–42, open, pooled",
        ages=_days(7, 14, 28, 42),
    ),
    Reference(
        "bpic15_m3",
        datetime(2013, 8, 20, 22, tzinfo=UTC),
        datetime(2015, 3, 4, 14, 28, 8, 1, tzinfo=UTC),
        "procedure_code",
        "day 7–42, open, pooled",
        ages=_days(7, 14, 28, 42),
    ),
    Reference(
        "boston311_2011h2",
        datetime(2011, 10, 27, 18, 6, tzinfo=UTC),
        datetime(2014, 4, 1, tzinfo=UTC),
        "official_id",
        "open at half the term",
        shares=(0.5,),
    ),
)

BEST: dict[tuple[str, str], tuple[float, float, float]] = {
    ("wabo_receipt", "arrival"): (0.800, 0.556, 0.149),
    ("wabo_receipt", "open"): (0.802, 0.663, 0.163),
    ("bpic15_m1_m2", "arrival"): (0.648, 0.447, 0.212),
    ("bpic15_m1_m2", "open"): (0.673, 0.591, 0.230),
    ("bpic15_m3", "arrival"): (0.678, 0.493, 0.210),
    ("bpic15_m3", "open"): (0.748, 0.704, 0.210),
    ("boston311_2011h2", "arrival"): (0.851, 0.704, 0.139),
    ("boston311_2011h2", "open"): (0.817, 0.900, 0.152),
}
"""Best AUC, AP and Brier of each line of the README's table, each metric by itself."""


@dataclass(frozen=True)
class Line:
    """One line of the table: a set at a moment, with the figures of the product and the rules, and the difference."""

    name: str
    moment: str
    words: str
    n: int
    late: float
    product: dict[str, Metric]
    rule_name: str
    rule: dict[str, Metric]
    history_name: str
    history: dict[str, Metric]
    over_rule: dict[str, Metric]
    over_history: dict[str, Metric]

    def beaten(self) -> list[str]:
        """Metrics in which the best row is better than the product by the product's whole interval."""
        best = dict(zip(METRICS, BEST[self.name, self.moment], strict=True))
        ends = {metric: (self.product[metric].low, self.product[metric].high) for metric in METRICS}
        return [one for one in METRICS if (ends[one][0] > best[one] if one == "brier" else ends[one][1] < best[one])]

    def misses(self) -> list[str]:
        """Metrics, rounded as in the README, in which the product is worse than the best row."""
        best = dict(zip(METRICS, BEST[self.name, self.moment], strict=True))
        worse = {"auc": -1, "ap": -1, "brier": 1}
        return [
            metric for metric in METRICS if worse[metric] * (round(self.product[metric].value, 3) - best[metric]) > 1e-9
        ]


def benchmark(data: Path, scratch: Path, say: Say = lambda line: None, draws: int = 500) -> Iterator[Line]:
    """The lines, two a set; records are made under `scratch`. OSError where a set is not under `data`."""
    for reference in REFERENCES:
        say(f"{reference.name}: ingest")
        record = Record(scratch / reference.name)
        feed = SOURCES["canonical"].read(data / reference.name, FeedOptions())
        record.append(feed, source="canonical", arrived_at=reference.until)
        sample = gather(record.connect(cutoff=reference.cutoff), reference.cutoff)
        model = fit(sample, target=MAIN.name, say=say)
        for moment in ("arrival", "open"):
            say(f"{reference.name}: judge {moment}")
            yield _line(reference, moment, record, model, draws)


def judged_sample(reference: Reference, moment: str, record: Record) -> Sample:
    """The test cases of a line: received after the cut, due by the end; `moment` arrival, open or `WEEKLY`."""
    con = record.connect(cutoff=reference.until)
    if moment == "arrival":
        cases = target_cases.landmarks(con, reference.cutoff, reference.until, at_arrival=True)
    elif moment == WEEKLY:
        cases = target_cases.landmarks(con, reference.cutoff, reference.until, every=WEEK)
    else:
        cases = target_cases.landmarks(
            con, reference.cutoff, reference.until, at_ages=reference.ages, at_shares=reference.shares
        )
    labelled = target_cases.labels(con, cases, reference.until)
    ripe = labelled["label"].is_valid()
    cases, labelled = cases.filter(ripe), labelled.filter(ripe)
    sample = Sample.of(matrix.build(con, cases, calendar=PLAIN_WEEK), labelled)
    return sample.take(
        sample.received_at >= int(reference.cutoff.timestamp()) * 1_000_000 + reference.cutoff.microsecond
    )


def _line(reference: Reference, moment: str, record: Record, model: RiskModel, draws: int) -> Line:
    sample = judged_sample(reference, moment, record)
    past = next(rate for rate in model.encoder.rates if rate.keys == (reference.history,))
    scores = {
        "product": model.probability(sample.matrix),
        "rule": model.rule_probability(sample.matrix),
        "history": expit(past.encode(sample.matrix)),
    }
    alone, pairs = with_intervals(sample.label, scores, sample.dossier, draws=draws)
    return Line(
        reference.name,
        moment,
        "arrival" if moment == "arrival" else reference.open_words,
        len(sample),
        float(np.mean(sample.label)),
        alone["product"],
        model.rule,
        alone["rule"],
        reference.history,
        alone["history"],
        pairs["product", "rule"],
        pairs["product", "history"],
    )


def as_markdown(lines: list[Line]) -> str:
    """The table as committed in `models/cards/lateness_figures.md`."""
    out = [
        "# Lateness: figures on the reference data",
        "",
        (
            "Written by `python -m tests.bench figures`. AUC, AP: higher is better; Brier: lower. 95 % intervals, "
            "dossiers drawn."
        ),
        "",
        "`history`: smoothed (m = 20) past late rate of the group named, learnt before the cut.",
        "`rule`: the best simple rule, chosen inside the training period.",
        "`best row`: the best value of each metric in the README's table.",
        "",
        "| set | moment | n | late | metric | product | best row | history | rule | over history | over rule |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        best = dict(zip(METRICS, BEST[line.name, line.moment], strict=True))
        for metric in METRICS:
            held = "✗" if metric in line.misses() else "✓"
            out.append(
                f"| {line.name} | {line.words} | {line.n:,} | {line.late:.3f} | {metric.upper()} | "
                f"**{line.product[metric]}** | {best[metric]:.3f} {held} | "
                f"{line.history_name} {line.history[metric]} | {line.rule_name} {line.rule[metric]} | "
                f"{_signed(line.over_history[metric])} | {_signed(line.over_rule[metric])} |"
            )
    missed = [f"{line.name} {line.moment} {metric}" for line in lines for metric in line.misses()]
    out += ["", f"Worse than the best row: {', '.join(missed) if missed else 'nowhere'}.", ""]
    return "\n".join(out)


def _signed(figure: Metric) -> str:
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"

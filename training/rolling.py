"""Rolling backtest: refit at each of several origins as production would, and judge what came after."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from features import matrix
from features.calendar import PLAIN_WEEK, Calendar
from features.record import Record
from models import lateness
from models.risk_model import RiskModel
from models.shrinkage import logit
from training.calibrate import platt
from training.evaluate import METRICS, Figure, with_intervals
from training.fit import fit
from training.gather import WEEK, gather
from training.listing import AtSize, at_size, lead_time, stability, within_week
from training.sample import Sample

Say = Callable[[str], None]
RULES_BESIDE = ("days_left", "time_used")
SHARE = 0.1
"""The list judged: this share of the landmarks."""
PRECISION = 0.5


@dataclass(frozen=True)
class Origin:
    """What one origin gave: figures of the product and the rules on `[cutoff, until]`, and paired differences."""

    cutoff: datetime
    until: datetime
    n: int
    dossiers: int
    late: float
    rule: str
    figures: dict[str, dict[str, Figure]]
    over_rule: dict[str, Figure]
    week_auc: float
    slope: float
    listed: AtSize
    rule_listed: AtSize
    lead_days: float
    stability: float


def monthly(last: datetime, n: int = 6, every: timedelta = timedelta(days=30)) -> list[datetime]:
    """`n` origins, `every` apart, oldest first, the latest `every` before `last`."""
    return [last - every * step for step in range(n, 0, -1)]


def rolling_backtest(
    record: Record,
    cutoffs: Sequence[datetime],
    *,
    span: timedelta = timedelta(days=30),
    ripen: timedelta | None = None,
    calendar: Calendar = PLAIN_WEEK,
    most: int = 60_000,
    say: Say = lambda line: None,
) -> list[Origin]:
    """For each cutoff: train on what was known then, score weekly landmarks of the next `span`, label them later.

    `ripen`: how long after the span labels are read (without it twice the span). `most`: rows judged at one origin at
    most, whole dossiers drawn. Origins without rows of both outcomes on either side are left out, and said so.
    """
    found = []
    for place, cutoff in enumerate(cutoffs, start=1):
        say(f"origin {place} of {len(cutoffs)}: {cutoff:%Y-%m-%d}")
        until = cutoff + span
        try:
            model = fit(gather(record.connect(cutoff=cutoff), cutoff, calendar), target=lateness.LATENESS.name)
            found.append(_judge(record, model, cutoff, until, until + (ripen or 2 * span), calendar, most))
        except ValueError as error:
            say(f"origin {cutoff:%Y-%m-%d} is left out: {error}")
    return found


def _judge(
    record: Record,
    model: RiskModel,
    cutoff: datetime,
    until: datetime,
    read_at: datetime,
    calendar: Calendar,
    most: int,
) -> Origin:
    con = record.connect(cutoff=read_at)
    cases = lateness.landmarks(con, cutoff, until, every=WEEK)
    labelled = lateness.labels(con, cases, read_at)
    ripe = labelled["label"].is_valid()
    sample = Sample.of(matrix.build(con, cases.filter(ripe), calendar=calendar), labelled.filter(ripe))
    if len(sample) > most:
        keep = np.random.default_rng(0).permutation(int(sample.dossier.max()) + 1)
        count = np.bincount(sample.dossier)[keep].cumsum()
        sample = sample.take(np.isin(sample.dossier, keep[count <= most]))
    if not len(sample) or sample.label.min() == sample.label.max():
        raise ValueError("no ripe landmarks of both outcomes after it")
    label, score = sample.label, model.probability(sample.matrix)
    rule = model.rule_probability(sample.matrix)
    scores = {"product": score, "rule": rule}
    for name in RULES_BESIDE:
        cell = sample.matrix[name].to_numpy(zero_copy_only=False).astype(float)
        filled = np.where(np.isnan(cell), np.nanmedian(cell) if (~np.isnan(cell)).any() else 0.0, cell)
        scores[name.replace("_", " ")] = _rank(-filled if name == "days_left" else filled)
    alone, pairs = with_intervals(label, scores, sample.dossier, draws=200)
    k = max(1, round(SHARE * len(label)))
    left = (sample.due_at - sample.as_of) / 8.64e10
    return Origin(
        cutoff,
        until,
        len(label),
        len(np.unique(sample.dossier)),
        float(label.mean()),
        model.rule,
        alone,
        pairs["product", "rule"],
        within_week(label, score, sample.as_of),
        platt(logit(score), label, np.ones(len(label)))[1],
        at_size(label, score, k),
        at_size(label, rule, k),
        lead_time(label, score, sample.dossier, left, PRECISION),
        stability(score, sample.dossier, sample.as_of),
    )


def _rank(cell: np.ndarray) -> np.ndarray:
    """Cells as ranks in (0, 1]: an order without a probability; its Brier score says nothing."""
    _, place = np.unique(cell, return_inverse=True)
    return np.asarray((place + 1) / (place.max() + 1))


def as_page(found: Sequence[Origin], title: str = "Backtest: lateness") -> str:
    """The report as one HTML page that needs nothing else."""
    head = ["origin", "landmarks", "dossiers", "late", *(f"{who} {metric}" for metric in METRICS
            for who in ("product", "rule", "product − rule")), "AUC within week", "AUC days left", "AUC time used",
            "calibration slope", f"precision at {SHARE:.0%} (worst–best)", "recall", "lift", "rule's precision",
            f"lead days at precision {PRECISION:.0%}", "change a week"]  # fmt: skip
    rows = []
    for one in found:
        cells = [f"{one.cutoff:%Y-%m-%d}", f"{one.n:,}", f"{one.dossiers:,}", f"{one.late:.3f}"]
        for metric in METRICS:
            cells += [str(one.figures["product"][metric]), str(one.figures["rule"][metric]), str(one.over_rule[metric])]
        listed = one.listed
        cells += [f"{one.week_auc:.3f}", str(one.figures["days left"]["auc"]), str(one.figures["time used"]["auc"]),
                  f"{one.slope:.2f}", f"{listed.precision:.3f} ({listed.worst:.3f}–{listed.best:.3f})",
                  f"{listed.recall:.3f}", f"{listed.lift:.2f}", f"{one.rule_listed.precision:.3f}",
                  f"{one.lead_days:.1f}", f"{one.stability:.3f}"]  # fmt: skip
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title>"
        "<style>body{font:14px sans-serif}td,th{padding:.2em .6em;text-align:right;white-space:nowrap}"
        "tr:nth-child(even){background:#eee}</style>"
        f"<h1>{html.escape(title)}</h1><p>Refitted at each origin; 95 % intervals by bootstrap over dossiers.</p>"
        f"<table><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr>{''.join(rows)}</table></html>"
    )


def log_report(found: Sequence[Origin], url: str, folder: Path) -> str:
    """Logs the page and the figures of every origin as one MLflow run and gives its id."""
    from training.tracking import connect

    mlflow = connect(url)
    page = folder / "backtest.html"
    page.write_text(as_page(found), encoding="utf-8")
    with mlflow.start_run(run_name="rolling backtest", tags={"kind": "backtest"}) as run:
        mlflow.log_artifact(str(page))
        for step, one in enumerate(found):
            for metric in METRICS:
                mlflow.log_metric(f"product_{metric}", one.figures["product"][metric].value, step=step)
                mlflow.log_metric(f"rule_{metric}", one.figures["rule"][metric].value, step=step)
        return str(run.info.run_id)

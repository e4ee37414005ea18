"""One origin of a rolling backtest: refit as production would, score what came after beside rules and champions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.special import expit

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.record.record import Record
from models import artefact
from models.cases import labels, landmarks
from models.clock_rule import clock_rule
from models.risk_model import RiskModel
from models.rule import RuleMember
from models.targets import MAIN
from training.calibrate import platt
from training.evaluate import curve
from training.fit import fit
from training.grains import GRAINS, group_figures, groups_of
from training.members import fit_rules
from training.rolling_figures import Figures, JudgedRows, Score, all_figures
from training.sample import Sample
from training.split import LeakError
from training.training_set import WEEK, gather, labelled_rows

Say = Callable[[str], None]
DAY = 86_400_000_000
PRODUCT, RULE, DAYS_LEFT, AGAINST_PEERS = "product", "best rule", "days left", "time against peers"
BEFORE, CHAMPION = "refit before", "champion"


@dataclass(frozen=True)
class Window:
    """What one origin learns and judges: learn from what was known at `cutoff`, judge weekly landmarks in
    `[cutoff + embargo, until]`, by labels as known at `read_at`.

    `most_learnt`, `most_judged`: landmarks at most, whole dossiers drawn by `seed`.
    """

    cutoff: datetime
    until: datetime
    read_at: datetime
    embargo: timedelta = timedelta(0)
    most_learnt: int = 300_000
    most_judged: int = 60_000
    seed: int = 0


@dataclass(frozen=True)
class Fitted:
    """A refit: the package of its model, and the two simple rules fitted on the same lesson."""

    folder: Path
    days_left: RuleMember
    against_peers: tuple[float, float]
    learnt: int


@dataclass(frozen=True)
class Origin:
    """What one origin gave. `figures` by score, `differences` from the product by score; `unripe`: landmarks whose
    label was not known at `read_at`; `curve`: mean score, late rate and n of ten bands of the product's score;
    `by_group`, `by_group_differences`: the same for officials and units (`training.grains`), by grain.
    """

    cutoff: datetime
    until: datetime
    learnt: int
    n: int
    dossiers: int
    late: float
    unripe: int
    rule: str
    champion: str | None
    figures: dict[str, Figures]
    differences: dict[str, Figures]
    curve: list[tuple[float, float, int]]
    by_group: dict[str, dict[str, Figures]]
    by_group_differences: dict[str, dict[str, Figures]]


def refit(
    record: Record, window: Window, folder: Path, calendar: Calendar = PLAIN_WEEK, say: Say = lambda line: None
) -> Fitted:
    """The model of this origin, stored in `folder`. ValueError where the record holds too little to learn from."""
    say("read")
    con = record.connect(cutoff=window.cutoff)
    sample = gather(con, window.cutoff, calendar, most=window.most_learnt, seed=window.seed)
    unripe = int((sample.due_at >= window.cutoff.timestamp() * 1e6).sum())
    if unripe:
        raise LeakError(f"{unripe} learnt rows are due at the origin or later: their label was not known yet")
    model = fit(sample, target=MAIN.name, say=say)
    cells = sample.matrix["days_left"].to_numpy(zero_copy_only=False).astype(float)[:, None]
    rule = fit_rules(cells, sample.label, sample.share, ["days_left"])["days_left"]
    against = platt(_against_peers(sample), sample.label, sample.share)
    artefact.save(model, folder)
    return Fitted(folder, rule, against, len(sample))


def judge(
    record: Record,
    window: Window,
    fitted: Fitted,
    others: Mapping[str, RiskModel],
    champion: str | None = None,
    calendar: Calendar = PLAIN_WEEK,
    draws: int = 200,
    say: Say = lambda line: None,
) -> Origin:
    """Figures of the refit, the rules and `others` (by name) on the landmarks of the window.

    ValueError where there are no ripe landmarks of both outcomes.
    """
    say("score what came after")
    con = record.connect(cutoff=window.read_at)
    cases = landmarks(con, window.cutoff + window.embargo, window.until, every=WEEK)
    unripe = int(labels(con, cases, window.read_at)["label"].null_count)
    sample = labelled_rows(con, cases, window.read_at, calendar, most=window.most_judged, seed=window.seed)
    if not len(sample) or sample.label.min() == sample.label.max():
        raise ValueError("no ripe landmarks of both outcomes after it")
    rows = JudgedRows(sample.label, sample.dossier, sample.as_of, (sample.due_at - sample.as_of) / DAY)
    days = sample.matrix["days_left"].to_numpy(zero_copy_only=False).astype(float)[:, None]
    intercept, slope = fitted.against_peers
    model = artefact.load(fitted.folder)
    probabilities = {
        PRODUCT: model.probability(sample.matrix),
        RULE: model.rule_probability(sample.matrix),
        DAYS_LEFT: expit(fitted.days_left.log_odds(days)),
        AGAINST_PEERS: expit(intercept + slope * _against_peers(sample)),
        **{name: other.probability(sample.matrix) for name, other in others.items()},
    }
    say("figures and intervals")
    scores = {name: Score(rows, score) for name, score in probabilities.items()}
    pairs = [(PRODUCT, name) for name in probabilities if name != PRODUCT]
    figures, differences = all_figures(scores, pairs, draws=draws, seed=window.seed)
    grouped = {
        grain: group_figures(rows, groups_of(con, sample.matrix, grain), probabilities, draws=draws, seed=window.seed)
        for grain in GRAINS
    }
    return Origin(
        window.cutoff,
        window.until,
        fitted.learnt,
        len(sample),
        int(sample.dossier.max()) + 1,
        float(sample.label.mean()),
        unripe,
        model.rule,
        champion if CHAMPION in others else None,
        figures,
        {name: differences[PRODUCT, name] for _, name in pairs},
        curve(sample.label, probabilities[PRODUCT]),
        {grain: alone for grain, (alone, _) in grouped.items()},
        {grain: apart for grain, (_, apart) in grouped.items()},
    )


def champion_at(folder: Path, origin: datetime, versions: list[str]) -> tuple[str, RiskModel] | None:
    """The latest learnt of the champions so far (`versions`, folders under `folder`) that had not seen the origin."""
    found: dict[datetime, tuple[str, RiskModel]] = {}
    for version in versions:
        try:
            model = artefact.load(folder / Path(version).name)
            learnt_until = datetime.fromisoformat(str(model.about["cutoff"]))
        except (artefact.ArtefactError, KeyError, ValueError):
            continue  # a damaged or foreign package has no say in a comparison
        if learnt_until <= origin:
            found[learnt_until] = (version, model)
    return found[max(found)] if found else None


def _against_peers(sample: Sample) -> np.ndarray:
    """Log of the time that peers usually still need over the time that is left [n]; the rule needs no lesson."""
    return clock_rule(MAIN.name).log_odds(
        np.column_stack([
            sample.matrix[name].to_numpy(zero_copy_only=False).astype(float)
            for name in ("hours_left", "procedure_step_left_hours")
        ])
    )  # fmt: skip

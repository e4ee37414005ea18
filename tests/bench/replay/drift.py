"""Proof of the watch on made-up provinces: a planted change of process is told in time, and nothing else is.

With the change: the champion learns until the day of the change; every week the watch looks; a candidate is trained
again when labels from after the change have ripened, and both are judged on what came later. Without it: a year of
weekly watches, the champion trained again at half-time; every alarm is false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.calendar.vietnam import VIETNAM
from features.matrix.batch import build
from features.record.record import Record
from features.simulate.recorded import made_up_record
from features.simulate.simulation import CHANGED_SECTORS
from models.cases import landmarks
from models.risk_model import RiskModel
from tests.bench.replay.province_report import Spread
from training.evaluate import METRICS, Metric, with_intervals
from training.fit import SMALL
from training.monitoring import QUIET, news, watch
from training.run import train
from training.training_set import WEEK, labelled_rows

Say = Callable[[str], None]
START, CHANGE, END = date(2024, 9, 2), date(2025, 12, 1), date(2026, 12, 31)
DATA = timedelta(days=14)
"""How much data after the change the watch may need."""
RIPE = timedelta(days=120)
"""How long after the change the candidate is trained."""
JUDGED = timedelta(days=84)
LEARNT = 60_000
"""Landmarks learnt at most: all of a small province; of a draw too few would be from after the change."""
RECIPES = {"small": SMALL}
YEAR_WEEKS = 52
HALF_YEAR_WEEKS = 26
LOOKED = range(-3, 5)
"""Weeks around the change in which the watch looks; what it tells before is no news after."""


@dataclass(frozen=True)
class Changed:
    """A province with a change: days until the first alarm about a changed sector (None: none within four weeks), its
    words, and the candidate's figures minus the champion's on what came after it was trained."""

    seed: int
    days: int | None
    words: str
    difference: dict[str, Metric]

    @property
    def wins(self) -> bool:
        """Whether the candidate is better beyond chance, in probability or in order, and worse in neither."""
        brier, auc = self.difference["brier"], self.difference["auc"]
        return (brier.high < 0 or auc.low > 0) and not brier.low > 0 and not auc.high < 0


@dataclass(frozen=True)
class Still:
    """A province without a change: weeks watched and the alarms told, each a week's news."""

    seed: int
    weeks: int
    alarms: tuple[str, ...]

    @property
    def a_month(self) -> float:
        """False alarms in thirty days."""
        return len(self.alarms) / (self.weeks * 7 / 30)


def run(
    seeds: Sequence[int], dossiers: int, workers: int = 1, say: Say = lambda line: None
) -> Iterator[tuple[Changed, Still]]:
    """Both provinces of every seed, `dossiers` of each over 28 months; told as they are done, in order of seeds."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for changed, still in pool.map(trial, seeds, repeat(dossiers)):
            say(f"seed {changed.seed}: {changed.days} days, Brier {changed.difference['brier']}; no change: "
                f"{len(still.alarms)} alarms in {still.weeks} weeks")  # fmt: skip
            yield changed, still


def trial(seed: int, dossiers: int, weeks: int = YEAR_WEEKS) -> tuple[Changed, Still]:
    """Everything of one seed; `weeks`: watched without a change."""
    with TemporaryDirectory() as folder:
        return (
            _changed(seed, dossiers, Path(folder) / "changed"),
            _still(seed, dossiers, weeks, Path(folder) / "still"),
        )


def _record(seed: int, dossiers: int, folder: Path, change: date | None) -> Record:
    return made_up_record(folder, dossiers, START, END, seed=seed, change=change, policy=None)


def _day(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _changed(seed: int, dossiers: int, folder: Path) -> Changed:
    record, at = _record(seed, dossiers, folder, CHANGE), _day(CHANGE)
    champion = _trained(record, at, folder)
    told = _alarms(record, {0: champion}, at, LOOKED)
    ours = [(week, words) for week, name, words in told if week > 0 and name.endswith(CHANGED_SECTORS)]
    days, words = (ours[0][0] * 7, ours[0][1]) if ours else (None, "")
    candidate = _trained(record, at + RIPE, folder)
    return Changed(seed, days, words, _difference(record, candidate, champion, at + RIPE))


def _still(seed: int, dossiers: int, weeks: int, folder: Path) -> Still:
    record, at = _record(seed, dossiers, folder, None), _day(CHANGE)
    champions = {week: _trained(record, at + week * WEEK, folder) for week in range(0, weeks, HALF_YEAR_WEEKS)}
    alarms: dict[int, list[str]] = {}
    for week, _, words in _alarms(record, champions, at, range(1, weeks + 1)):
        alarms.setdefault(week, []).append(words)
    return Still(seed, weeks, tuple(f"week {week}: {'; '.join(words)}" for week, words in alarms.items()))


def _trained(record: Record, cutoff: datetime, folder: Path) -> RiskModel:
    return train(record, cutoff, folder / "models", calendar=VIETNAM, most=LEARNT, recipes=RECIPES).model


def _alarms(record: Record, champions: dict[int, RiskModel], at: datetime, weeks: range) -> list[tuple[int, str, str]]:
    """What was news: week, name and words of each warning; the champion of a week is the last one before it."""
    told: list[tuple[datetime, set[str]]] = []
    alarms = []
    matrix = _open_rows(record, at, weeks)
    for week in weeks:
        now = at + week * WEEK
        champion = champions[max([one for one in champions if one < week], default=min(champions))]
        mine = matrix.filter(pc.equal(matrix["as_of"], pa.scalar(now, matrix.schema.field("as_of").type)))
        found = watch(record, champion, now, calendar=VIETNAM, matrix=mine).warnings()
        alarms += [(week, name, words) for name, words in news(found, told, now).items()]
        told.append((now, set(found)))
    return alarms


def _open_rows(record: Record, at: datetime, weeks: range) -> pa.Table:
    """What is open at each of the weeks, in one matrix: no cell looks ahead, so that these are the rows of then."""
    con = record.connect(cutoff=at + weeks[-1] * WEEK)
    cases = landmarks(con, at + weeks[0] * WEEK, at + weeks[-1] * WEEK, every=WEEK)
    return build(con, cases, calendar=VIETNAM)


def _difference(record: Record, candidate: RiskModel, champion: RiskModel, since: datetime) -> dict[str, Metric]:
    con = record.connect(cutoff=since + 2 * JUDGED)
    cases = landmarks(con, since, since + JUDGED, every=WEEK)
    sample = labelled_rows(con, cases, since + 2 * JUDGED, VIETNAM)
    scores = {name: model.probability(sample.matrix) for name, model in (("new", candidate), ("old", champion))}
    _, pairs = with_intervals(sample.label, scores, sample.dossier, draws=300)
    return pairs["new", "old"]


def card(found: Sequence[tuple[Changed, Still]], dossiers: int) -> str:
    """The card as committed under `models/cards/drift.md`."""
    changed, still = [one for one, _ in found], [one for _, one in found]
    in_time = sum(one.days is not None and one.days <= DATA.days for one in changed)
    wins = sum(one.wins for one in changed)
    monthly = [one.a_month for one in still]
    lines = [
        "# The watch: a change of process is told in time",
        "",
        (
            f"Written by `python -m tests.bench replay drift`. {len(found)} made-up provinces of {dossiers:,} dossiers "
            "in 28 months, each"
        ),
        "with and without a planted change of process: from one day on every dossier of land and construction that",
        "comes in must be shown to another office (three in ten were before) and takes about twice the time at the",
        "desk. No step is new, no field tells of it, and dossiers received before that day go the old way.",
        "",
        "The champion learns until that day and the watch looks every week; the candidate is trained",
        f"{RIPE.days} days later and both are judged on the {JUDGED.days // 7} weeks after, with 95 % intervals by",
        "bootstrap over dossiers. An alarm",
        "counts as told in time if it names a changed sector; in the provinces without a change every alarm is false:",
        "a year of weekly watches, a new champion at half-time. A week's alarms are one; what warned in the",
        f"{QUIET.days} days before is not told again.",
        "",
        f"- told within {DATA.days} days of data: {in_time} of {len(changed)}",
        f"- the retrained candidate wins by an interval: {wins} of {len(changed)}",
        f"- false alarms a month without a change: {np.mean(monthly):.2f}, most {max(monthly):.2f}; wanted at most 1",
        "",
        "| province | told after | candidate − champion: Brier | AUC | AP | false alarms without a change |",
        "|---|---|---|---|---|---|",
    ]
    told = ("brier", *METRICS[:2])
    for one, other in found:
        cells = [_signed(one.difference[metric]) for metric in told]
        when = f"{one.days} days" if one.days is not None else "not within 4 weeks"
        lines.append(f"| {one.seed} | {when} | {' | '.join(cells)} | {len(other.alarms)} in {other.weeks} weeks |")
    over = [Spread.of([one.difference[metric].value for one in changed]) for metric in told]
    cells = [_signed(Metric(one.mean, one.low, one.high)) for one in over]
    lines.append(f"| mean, interval over provinces | | {' | '.join(cells)} | |")
    lines += ["", "What was told first after the change, and every false alarm:", ""]
    lines += [f"- province {one.seed}: {one.words}" for one in changed if one.words]
    lines += [f"- province {other.seed}, no change, {words}" for other in still for words in other.alarms]
    return "\n".join([*lines, ""])


def _signed(figure: Metric) -> str:
    return f"{figure.value:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}]"

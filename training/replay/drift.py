"""Proof of the watch on made-up provinces: a planted change of process is told in time, and nothing else is.

With the change: the champion learns until the day of the change; every week the watch looks; a candidate is trained
again when labels from after the change have ripened, and both are judged on what came later. Without it: a year of
weekly watches, the champion trained again every quarter; every alarm is false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from features.record import Record
from features.simulate.recorded import made_up_record
from features.vietnam_calendar import VIETNAM
from models.lateness import landmarks
from models.risk_model import RiskModel
from training.evaluate import METRICS, Figure, with_intervals
from training.gather import WEEK, labelled_rows
from training.pace import Progress, moments, progress
from training.run import train
from training.watch import news, watch

Say = Callable[[str], None]
START, CHANGE, END = date(2024, 9, 2), date(2025, 12, 1), date(2026, 12, 31)
DATA = timedelta(days=14)
"""How much data after the change the watch may need."""
RIPE = timedelta(days=90)
"""How long after the change the candidate is trained."""
JUDGED = timedelta(days=56)
LEARNT = 40_000
"""Landmarks that a champion learns from at most: enough to compare, and a year of them stays affordable."""
YEAR_WEEKS = 52
QUARTER_WEEKS = 13


@dataclass(frozen=True)
class Changed:
    """A province with a change: days until the first alarm (None: none within four weeks) and what it was, and the
    candidate's figures minus the champion's on what came after it was trained."""

    seed: int
    days: int | None
    words: str
    difference: dict[str, Figure]

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
    seeds: Sequence[int], dossiers: int, weeks: int = YEAR_WEEKS, say: Say = lambda line: None
) -> Iterator[tuple[Changed, Still]]:
    """Both provinces of every seed; `dossiers` of each over 28 months."""
    for seed in seeds:
        with TemporaryDirectory() as folder:
            yield (
                _changed(seed, dossiers, Path(folder) / "changed", say),
                _still(seed, dossiers, weeks, Path(folder) / "still", say),
            )


def _record(seed: int, dossiers: int, folder: Path, change: date | None) -> Record:
    return made_up_record(folder, dossiers, START, END, seed=seed, change=change, policy=None)


def _day(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _changed(seed: int, dossiers: int, folder: Path, say: Say) -> Changed:
    record, at = _record(seed, dossiers, folder, CHANGE), _day(CHANGE)
    champion = train(record, at, folder / "models", calendar=VIETNAM, most=LEARNT).model
    told = _alarms(record, {0: champion}, at, range(-3, 5))
    days, words = next(((week * 7, words) for week, words in told if week > 0), (None, ""))
    later = at + RIPE
    candidate = train(record, later, folder / "models", calendar=VIETNAM, most=LEARNT).model
    found = Changed(seed, days, words, _difference(record, candidate, champion, later))
    say(f"seed {seed}, change: {found.days} days, {words[:80]}; Brier {found.difference['brier']}")
    return found


def _still(seed: int, dossiers: int, weeks: int, folder: Path, say: Say) -> Still:
    record, at = _record(seed, dossiers, folder, None), _day(CHANGE)
    champions: dict[int, RiskModel] = {}
    for week in range(0, weeks, QUARTER_WEEKS):
        champions[week] = train(record, at + week * WEEK, folder / "models", calendar=VIETNAM, most=LEARNT).model
    told = _alarms(record, champions, at, range(1, weeks + 1))
    found = Still(seed, weeks, tuple(f"week {week}: {words}" for week, words in told))
    say(f"seed {seed}, no change: {len(found.alarms)} alarms in {weeks} weeks: {'; '.join(found.alarms)[:300]}")
    return found


def _alarms(record: Record, champions: dict[int, RiskModel], at: datetime, weeks: range) -> list[tuple[int, str]]:
    """The weeks in which something new warned, and its words; the champion of a week is the last one before it."""
    past: dict[datetime, Progress] = {}
    told: list[tuple[datetime, set[str]]] = []
    alarms = []
    for week in weeks:
        now = at + week * WEEK
        con = record.connect(cutoff=now)
        past |= {before: progress(con, before, VIETNAM) for before in moments(now) if before not in past}
        champion = champions[max([one for one in champions if one < week], default=min(champions))]
        found = watch(record, champion, now, calendar=VIETNAM, past=past).warnings()
        new = news(found, told, now)
        told.append((now, set(found)))
        if new:
            alarms.append((week, "; ".join(new.values())))
    return alarms


def _difference(record: Record, candidate: RiskModel, champion: RiskModel, since: datetime) -> dict[str, Figure]:
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
        f"Written by `risk replay drift`. {len(found)} made-up provinces of {dossiers:,} dossiers in 28 months, with",
        "and without a planted change: land and construction take twice the desk time and more from one day on. The",
        "champion learns until that day and the watch looks every week; the candidate is trained 90 days later and",
        "both are judged on the eight weeks after. 95 % intervals by bootstrap over dossiers.",
        "",
        f"- told within {DATA.days} days of data: {in_time} of {len(changed)}",
        f"- the retrained candidate wins by an interval: {wins} of {len(changed)}",
        f"- false alarms a month without a change: {np.mean(monthly):.2f}, most {max(monthly):.2f}; wanted at most 1",
        "",
        "| province | told after | candidate − champion: Brier | AUC | AP | false alarms without a change |",
        "|---|---|---|---|---|---|",
    ]
    for one, other in found:
        cells = [_signed(one.difference[metric]) for metric in ("brier", *METRICS[:2])]
        when = f"{one.days} days" if one.days is not None else "not within 4 weeks"
        lines.append(f"| {one.seed} | {when} | {' | '.join(cells)} | {len(other.alarms)} in {other.weeks} weeks |")
    lines += ["", "What was told first after the change, and every false alarm:", ""]
    lines += [f"- province {one.seed}: {one.words}" for one in changed if one.words]
    lines += [f"- province {other.seed}, no change, {words}" for other in still for words in other.alarms]
    return "\n".join([*lines, ""])


def _signed(figure: Figure) -> str:
    return f"{figure.value:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}]"

"""Rolling backtest: refit at each of several origins as production would, judge what came after, side by side.

Two passes over the origins, each on as many processes as asked: all are refitted, then all are judged, each refit
also beside the refit of the origin before it (what a month of standing still would have cost) and beside the latest
champion that had not seen the origin.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.record.record import Record
from models import artefact, pointers
from models.targets import MAIN
from training.fit import RECIPES
from training.origin import BEFORE, CHAMPION, Fitted, Origin, Window, champion_at, judge, refit
from training.plots import curves_plot, over_time_plot
from training.provenance import git_commit
from training.tracking import connect, metric_name

Say = Callable[[str], None]
STEPS = len(RECIPES) + 4
"""Steps reported of one origin: read, judge each recipe, fit all, score what came after, figures."""


@dataclass(frozen=True)
class BacktestData:
    """Where a backtest reads: the record by URL, its calendar, the folder of packaged models (None: no champion)."""

    record_url: str
    calendar: Calendar = PLAIN_WEEK
    champions: Path | None = None


def windows(
    last: datetime,
    n: int = 6,
    span: timedelta = timedelta(days=30),
    *,
    ripen: timedelta | None = None,
    embargo: timedelta = timedelta(0),
    most_learnt: int = 300_000,
    most_judged: int = 60_000,
    seed: int = 0,
) -> list[Window]:
    """`n` windows of `span`, oldest first, the last one ending at `last`; labels are read `ripen` after each ends
    (without it: twice the span). ValueError for less than one origin or an embargo that eats the span."""
    if n < 1 or embargo >= span:
        raise ValueError(f"wanted at least one origin and an embargo shorter than {span}, came {n} and {embargo}")
    wait = 2 * span if ripen is None else ripen
    ends = [last - span * back for back in range(n - 1, -1, -1)]
    return [Window(end - span, end, end + wait, embargo, most_learnt, most_judged, seed) for end in ends]


def rolling_backtest(
    place: BacktestData, asked: Sequence[Window], *, jobs: int = 1, draws: int = 200, say: Say = lambda line: None
) -> list[Origin]:
    """What each window gave, oldest first; `say` hears every step, `STEPS` an origin. Windows without rows of both
    outcomes on either side are left out, and reported.
    """
    with TemporaryDirectory() as scratch, _hands(jobs, say) as hands:
        fitted = hands.all(
            (window, _refit, (place, window, Path(scratch) / f"{number:02}")) for number, window in enumerate(asked)
        )
        beside = {now.cutoff: fitted.get(before.cutoff) for before, now in pairwise(asked)}
        found = hands.all(
            (window, _judge, (place, window, fitted[window.cutoff], beside.get(window.cutoff), draws))
            for window in asked
            if window.cutoff in fitted
        )
    return [found[window.cutoff] for window in asked if window.cutoff in found]


def _refit(place: BacktestData, window: Window, folder: Path) -> Fitted:
    return refit(Record(place.record_url), window, folder, place.calendar, _say_here)


def _judge(place: BacktestData, window: Window, fitted: Fitted, before: Fitted | None, draws: int) -> Origin:
    others = {} if before is None else {BEFORE: artefact.load(before.folder)}
    name = None
    if place.champions is not None:
        promoted = [str(move["version"]) for move in pointers.history(place.champions)]
        champion = champion_at(place.champions, window.cutoff, promoted)
        if champion is not None:
            name, others[CHAMPION] = champion
    record = Record(place.record_url)
    return judge(record, window, fitted, others, name, place.calendar, draws, _say_here)


_told: Any = None
"""Where this process reports its steps: a queue to the first process, or its function itself."""


def _say_here(line: str) -> None:
    if _told is not None:
        _told(line)


def _listen(lines: Any) -> None:
    global _told
    _told = lines.put


class _Hands:
    """One or more processes that work off tasks; what they say comes out in the first."""

    def __init__(self, pool: ProcessPoolExecutor | None, lines: Any, say: Say) -> None:
        self._pool, self._lines, self._say = pool, lines, say

    def all(self, tasks: Iterable[tuple[Window, Callable[..., Any], tuple[Any, ...]]]) -> dict[datetime, Any]:
        """The results by cutoff; a task that ends in ValueError is left out, and reported."""
        found: dict[datetime, Any] = {}
        if self._pool is None:
            for window, work, words in tasks:
                self._take(found, window, partial(work, *words))
            return found
        running = {self._pool.submit(work, *words): window for window, work, words in tasks}
        self._hear(list(running))
        for future, window in running.items():
            self._take(found, window, future.result)
        return found

    def _take(self, found: dict[datetime, Any], window: Window, result: Callable[[], Any]) -> None:
        try:
            found[window.cutoff] = result()
        except ValueError as error:
            self._say(f"origin {window.cutoff:%Y-%m-%d} is left out: {error}")

    def _hear(self, running: list[Future[Any]]) -> None:
        while True:
            done = all(future.done() for future in running)
            try:
                self._say(self._lines.get(timeout=0.2))
            except queue.Empty:
                if done:
                    return


@contextmanager
def _hands(jobs: int, say: Say) -> Iterator[_Hands]:
    global _told
    if jobs <= 1:
        _told = say
        try:
            yield _Hands(None, None, say)
        finally:
            _told = None
        return
    context = multiprocessing.get_context("spawn")  # threads of DuckDB and LightGBM do not survive a fork
    lines = context.Queue()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_listen, initargs=(lines,)) as pool:
        yield _Hands(pool, lines, say)


def log_report(found: Sequence[Origin], asked: Sequence[Window], url: str, page: Path) -> str:
    """Logs the report and gives the run's id; metrics have the number of the origin as step."""
    mlflow = connect(url)
    tags = {"kind": "backtest", "target": MAIN.name, "git_commit": git_commit(), "origins": str(len(found))}
    with mlflow.start_run(run_name=f"rolling backtest until {asked[-1].until:%Y-%m-%d}", tags=tags) as run:
        first = asked[0]
        mlflow.log_params(
            {
                "most_learnt": first.most_learnt,
                "most_judged": first.most_judged,
                "seed": first.seed,
                "embargo_days": first.embargo.days,
                "span_days": (first.until - first.cutoff).days,
                "ripen_days": (first.read_at - first.until).days,
            }
        )
        mlflow.log_artifact(str(page))
        mlflow.log_dict({"origins": [as_json(one) for one in found]}, "origins.json")
        with TemporaryDirectory() as folder:
            curves_plot({f"{one.cutoff:%Y-%m-%d}": one.curve for one in found}, Path(folder) / "calibration.png")
            for metric in ("auc", "brier", "precision_at_10"):
                over_time_plot(found, metric, Path(folder) / f"{metric}.png")
            mlflow.log_artifacts(folder, "plots")
        for step, one in enumerate(found):
            mlflow.log_metrics(_metrics(one), step=step)
        return str(run.info.run_id)


def as_json(origin: Origin) -> dict[str, Any]:
    """An origin as plain JSON: figures as [value, low, high], undefined numbers null, moments ISO 8601."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        if dataclasses.is_dataclass(value):
            return [plain(getattr(value, name)) for name in ("value", "low", "high")]
        if isinstance(value, float):
            return value if np.isfinite(value) else None
        return value.isoformat() if hasattr(value, "isoformat") else value

    return {each.name: plain(getattr(origin, each.name)) for each in dataclasses.fields(origin)}


def _metrics(origin: Origin) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for kind, scores in (("", origin.figures), ("product_minus_", origin.differences)):
        for name, figures in scores.items():
            for metric, figure in figures.items():
                for ending, number in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
                    if np.isfinite(number):
                        metrics[metric_name(f"{kind}{name}_{metric}{ending}")] = number
    return metrics

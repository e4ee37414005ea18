"""`rolling`: the backtest of lateness at rolling origins on a made-up province, by the clock."""

import resource
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.bench.group import Card, bench, tell
from tests.bench.section import Figure, Section

START, END = date(2024, 7, 1), date(2026, 10, 1)
LAST = datetime(2026, 8, 1, tzinfo=UTC)
"""End of the last period judged: two months before the record ends, for labels to ripen."""
DAYS = timedelta(days=30)
MOST_MINUTES = 30
"""Of 200,000 dossiers at eight origins on two cores (issue 8, must hold 6)."""


@bench.command("rolling")
def rolling(
    card: Card = None,
    dossiers: Annotated[int, typer.Option(help="Dossiers of the province in 27 months.", min=1_000)] = 200_000,
    origins: Annotated[int, typer.Option(help="Each refitted and judged.", min=1)] = 8,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Refit and judge lateness at rolling origins as `risk rolling` does, with its bar; tells minutes and memory."""
    tell([rolling_section(dossiers, origins, jobs)], card)


def rolling_section(dossiers: int, origins: int, jobs: int) -> Section:
    """Wall and processor minutes of the whole backtest, refits to page; making the province up is not counted."""
    from features.calendar.vietnam import VIETNAM
    from features.simulate.recorded import made_up_record
    from serving.cli.rolling import bar
    from training.origin import PRODUCT, RULE
    from training.rolling import STEPS, BacktestData, rolling_backtest, windows
    from training.rolling_page import as_page

    with TemporaryDirectory(prefix="risk-rolling-") as folder:
        typer.echo(f"make up a province of {dossiers:,} dossiers", err=True)
        made_up_record(Path(folder), dossiers, START, END, policy=None)
        before, begun = _processor(), time.perf_counter()
        asked = windows(LAST, origins, DAYS)
        with bar(STEPS * origins) as step:
            found = rolling_backtest(BacktestData(f"{folder}/record", VIETNAM), asked, jobs=jobs, say=step)
        as_page(found)
        minutes, worked = (time.perf_counter() - begun) / 60, (_processor() - before) / 60
    differences = [one.differences[RULE] for one in found]
    figures = [
        Figure("origins judged", "", [len(found)], None, f"{origins}", len(found) == origins),
        Figure("landmarks learnt at an origin", "rows", [one.learnt for one in found]),
        Figure("landmarks judged at an origin", "rows", [one.n for one in found]),
        Figure("wall", "min", [minutes], None, f"at most {MOST_MINUTES} min", minutes <= MOST_MINUTES),
        Figure("processor, all processes", "min", [worked]),
        Figure("greatest memory of a process", "MB", [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]),
        Figure("AUC of the product", "", [one.figures[PRODUCT]["auc"].value for one in found]),
        Figure("AUC, product − best rule", "", [one["auc"].value for one in differences]),
        Figure("origins where that is above 0 by its interval", "", [sum(one["auc"].low > 0 for one in differences)]),
    ]  # fmt: skip
    words = (
        f"{dossiers:,} dossiers of a made-up province in 27 months, {origins} origins {DAYS.days} days apart, "
        f"{jobs} processes: refit, score, every figure with 200 bootstrap draws over dossiers. Spread: over origins."
    )
    return Section("Rolling backtest", words, figures)


def _processor() -> float:
    """Seconds of user and system, of this process and of those that ended under it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)

"""`conduct`: what scoring the target conduct costs beside lateness, and what its statements cost to plan."""

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from serving.settings import Settings
from tests.bench.contender import Spent, spend
from tests.bench.group import Card, Runs, bench, tell
from tests.bench.section import Figure, Section

_HERE = "tests.bench.conduct"
LONG = 0.02
"""Seconds of processor time from which a statement's share of planning is told by itself."""


@bench.command("conduct")
def conduct(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option(help="Moment of the lists, such as the home's latest.")],
    card: Card = None,
    runs: Runs = 3,
) -> None:
    """Conduct scored beside lateness on a copy of the home, and EXPLAIN beside the run of each statement of conduct."""
    folder = Path(mkdtemp(prefix="bench-conduct-"))
    try:
        home = folder / "home"
        shutil.copytree(ctx.obj.home, home, ignore=shutil.ignore_patterns("mlartifacts", "demo", "*.turn"))
        spent: dict[str, list[Spent]] = {"lateness": [], "conduct": []}
        for target in [*spent] * runs:
            spent[target].append(spend(f"{_HERE}:score", home=str(home), target=target, as_of=as_of))
        plans = [spend(f"{_HERE}:plans", home=str(home), as_of=as_of).answer for _ in range(runs)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell([_section(spent, plans)], card)


def _section(spent: dict[str, list[Spent]], plans: list[list[tuple[str, float, float]]]) -> Section:
    ratios = [b.answer[0] / a.answer[0] for a, b in zip(spent["lateness"], spent["conduct"], strict=True)]
    ratio = Figure("", "", ratios).median
    shares = [sum(one[1] for one in run) / sum(one[2] for one in run) for run in plans]
    each: dict[str, list[tuple[float, float]]] = {}
    for run in plans:
        for name, plan, whole in run:
            each.setdefault(name, []).append((plan, whole))
    long = {name: both for name, both in each.items() if Figure("", "", [whole for _, whole in both]).median >= LONG}
    figures = [
        Figure("lateness", "CPU s", [one.answer[0] for one in spent["lateness"]], 1.0),
        Figure("conduct", "CPU s", [one.answer[0] for one in spent["conduct"]], ratio, "at most 1.5 ×", ratio <= 1.5),
        Figure(f"EXPLAIN ÷ run, all {len(plans[0])} statements", "", shares, None, "under .2", max(shares) < 0.2),
        *(
            Figure(f"EXPLAIN ÷ run of {name}", "", shares := [plan / whole for plan, whole in both], None, "under .2",
                   Figure("", "", shares).median < 0.2)
            for name, both in sorted(long.items(), key=lambda one: -max(whole for _, whole in one[1]))
        ),
    ]  # fmt: skip
    words = (
        "`risk score` of both targets on a copy of the home, imports left out, interleaved; "
        f"{spent['conduct'][0].answer[1]} open dossiers. Of each statement that conduct runs, the processor time of "
        f"EXPLAIN beside that of the run (its own planning in it); those under {1000 * LONG:.0f} ms are told together "
        "with the others alone."
    )
    return Section("Conduct", words, figures)


def score(home: str, target: str, as_of: str) -> tuple[float, int]:
    """Scores one target twice as the command does; gives the processor seconds of the second time, for which all is
    imported, and how many open dossiers the list holds."""
    import json
    import time
    from datetime import datetime

    from serving.cli.targets import steps

    for _ in range(2):
        begun = time.process_time()
        steps(target).score(_settings(home), datetime.fromisoformat(as_of), lambda line: None)
    cpu = time.process_time() - begun
    folder = Path(home) / "scores" / target
    return cpu, int(json.loads((folder / _latest(folder) / "meta.json").read_text("utf-8"))["n"])


def plans(home: str, as_of: str) -> list[tuple[str, float, float]]:
    """Of each relation that scoring conduct makes: name, processor seconds of its EXPLAIN and of its run."""
    import time
    from datetime import datetime
    from typing import Any

    from features.record import temp_tables
    from serving.cli.targets import steps

    found: dict[str, list[float]] = {}
    made = temp_tables.TempTablePipeline.make

    def make(self: Any, name: str, sql: str, **how: Any) -> None:
        begun = time.process_time()
        self.con.execute(f"EXPLAIN {sql}").fetchall()
        planned = time.process_time()
        made(self, name, sql, **how)
        both = found.setdefault(name, [0.0, 0.0])
        both[0] += planned - begun
        both[1] += time.process_time() - planned

    temp_tables.TempTablePipeline.make = make  # type: ignore[method-assign]
    steps("conduct").score(_settings(home), datetime.fromisoformat(as_of), lambda line: None)
    return [(name, plan, whole) for name, (plan, whole) in found.items()]


def _latest(folder: Path) -> str:
    import json

    return str(json.loads((folder / "latest.json").read_text("utf-8"))["folder"])


def _settings(home: str) -> Settings:
    place = Path(home)
    return replace(
        Settings.from_env(place), record_url=str(place / "record"), database_url=f"sqlite:///{place / 'state.db'}"
    )

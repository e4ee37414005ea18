"""`python -m tests.bench`: the benchmarks and replays of this repository; nothing of it ships."""

import os
from pathlib import Path
from typing import Annotated

import typer

from serving.settings import Settings
from tests.bench import bench


@bench.callback()
def top(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Folder of all data (RISK_HOME, else ./var).")] = None,
) -> None:
    """Measures this machine, each figure beside a reference of the same run; replays policies."""
    ctx.obj = Settings.from_env(home)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the command line `risk` does
    bench(prog_name="python -m tests.bench")

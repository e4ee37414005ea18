"""`kill-models`: trainings, promotions and ways back killed at random moments; models stay whole."""

import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.bench.group import bench

TARGET = "lateness"
STAGES = ("read the record", "judge recipe", "package the candidate", "log the run", "canary", "move", "moved")
"""Words of progress that a kill waits for; then it strikes within `WAIT` seconds."""
WAIT = {"move": 0.004, "moved": 0.004}
USUAL_WAIT = 1.0
SECONDS = 240


@dataclass(frozen=True)
class Round:
    """One kill: at which word, whether the process was still alive, and what was found broken afterwards."""

    stage: str
    killed: bool
    broken: tuple[str, ...]


@bench.command("kill-models")
def kill_models(
    rounds: Annotated[int, typer.Option(help="How many kills.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 1,
    mlflow: Annotated[bool, typer.Option(help="Trainings also log to a MLflow database.")] = True,
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Kill -9 during training, promotion and rollback on a made-up province; then check pointers, models, aliases."""
    with TemporaryDirectory() as folder:
        found, works = campaign(Path(folder), rounds, seed, mlflow=mlflow, say=lambda line: typer.echo(line, err=True))
    text = report(found, works, mlflow)
    typer.echo(text)
    if card is not None:
        card.write_text(text, "utf-8")
    if not works or any(one.broken for one in found):
        raise typer.Exit(1)


def campaign(
    home: Path, rounds: int, seed: int, *, mlflow: bool, dossiers: int = 800, say: Callable[[str], None]
) -> tuple[list[Round], bool]:
    """Kills `rounds` runs at random stages; gives what each left, and whether the run after the last one works."""
    from features.simulate.recorded import made_up_record

    made_up_record(home, dossiers, date(2025, 1, 1), date(2026, 1, 1), seed=3, policy=None)
    url = f"sqlite:///{home / 'mlflow.db'}" if mlflow else ""
    _run(home, url, 0, None, 0.0)  # a champion to lose
    dice = random.Random(seed)
    found = []
    for number in range(1, rounds + 1):
        stage = dice.choice([name for name in STAGES if mlflow or name != "log the run"])
        killed = _run(home, url, number, stage, dice.uniform(0.0, WAIT.get(stage, USUAL_WAIT)))
        found.append(Round(stage, killed, tuple(broken(home, url))))
        say(f"{number} of {rounds}: {found[-1]}")
    works = not _run(home, url, rounds + 1, None, 0.0) and not broken(home, url)
    return found, works


def work(home: Path, url: str, number: int) -> None:
    """What a killed process was doing: train on another cutoff, promote, every third time go back."""
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from training.fit import SMALL
    from training.promote import promote, rollback
    from training.run import train

    def say(line: str) -> None:
        print(line, flush=True)

    cutoff = datetime(2025, 11, 1, tzinfo=UTC) + timedelta(days=number % 5)
    at = datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=number)
    models = home / "models"
    plain = {"small": SMALL}  # a kill does not care how good the model is
    train(Record(home / "record"), cutoff, models, mlflow_url=url or None, calendar=VIETNAM, recipes=plain, say=say)
    promote(models, TARGET, at=at, because="campaign", mlflow_url=url or None, say=say)
    say("moved")
    if number % 3 == 2:
        say("move back")
        rollback(models, TARGET, at=at, because="campaign", mlflow_url=url or None)


def broken(home: Path, url: str) -> list[str]:
    """What does not hold: a pointer to what cannot be loaded, a history cut off, an alias of an unfinished run."""
    from models import pointers
    from models.artefact import ArtefactError
    from serving.scoring.champion import champion, pointed_at

    folder, wrong = home / "models" / TARGET, []
    for name in ("champion", "candidate", "previous"):
        if (folder / f"{name}.json").exists():
            try:
                pointed_at(folder, name)
            except (ArtefactError, ValueError, OSError) as error:
                wrong.append(f"{name}: {error}")
    if champion(home / "models", TARGET).rule:
        wrong.append("the rule stands in for a champion")
    try:
        pointers.history(folder)
    except ValueError as error:
        wrong.append(f"history: {error}")
    return wrong + (_aliases(url) if url else [])


def _aliases(url: str) -> list[str]:
    from serving.cli.dossier_targets import quiet_mlflow

    wrong = []
    with quiet_mlflow():
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=url, registry_uri=url)
        for alias, version in client.get_registered_model(TARGET).aliases.items():
            run = client.get_run(client.get_model_version(TARGET, version).run_id)
            if run.info.status != "FINISHED":
                wrong.append(f"alias {alias} points to a run that is {run.info.status}")
            elif not any(one.path == "package" for one in client.list_artifacts(run.info.run_id)):
                wrong.append(f"alias {alias} points to a run without its package")
    return wrong


def _run(home: Path, url: str, number: int, stage: str | None, wait: float) -> bool:
    """Runs `work` in a process of its own and kills it `wait` seconds after it told `stage`; whether it was killed.

    RuntimeError where a run that nobody kills fails.
    """
    code = f"import tests.bench.model_kills as m; m.work(m.Path({str(home)!r}), {url!r}, {number})"
    with (home / "said.txt").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        if stage is not None and _heard(process, stage):
            time.sleep(wait)
            alive = process.poll() is None
            if alive:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return alive
        process.communicate(timeout=SECONDS)
    if process.returncode:
        raise RuntimeError(f"run {number} failed: {(home / 'said.txt').read_text('utf-8', 'replace')[-800:]}")
    return False


def _heard(process: subprocess.Popen[bytes], stage: str) -> bool:
    """Whether the process told a line that begins with `stage` before it ended."""
    assert process.stdout is not None
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if selector.select(timeout=1.0):
            line = process.stdout.readline()
            if not line:
                return False
            if line.decode().startswith(stage):
                return True
    return False


def report(found: list[Round], works: bool, mlflow: bool) -> str:
    """The card."""
    killed, beside = sum(one.killed for one in found), " with MLflow" if mlflow else ""
    lines = [
        "# Models under kill -9",
        "",
        (
            f"Written by `python -m tests.bench kill-models`. {len(found)} runs of train, promote, rollback{beside}; "
            f"{killed} killed."
        ),
        "",
        "| killed at | kills | pointer, model, history or alias broken |",
        "|---|---|---|",
    ]
    for stage in STAGES:
        mine = [one for one in found if one.stage == stage and one.killed]
        if mine:
            lines.append(f"| {stage} | {len(mine)} | {sum(bool(one.broken) for one in mine)} |")
    lines += ["", f"The run after the last kill {'works' if works else '**fails**'}.", ""]
    return "\n".join(lines)

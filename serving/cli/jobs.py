"""`risk run` and `risk jobs`: what the service does by itself, and how it went."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of, state_of
from serving.cli.moments import moment, moment_or_now
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.jobs.schedule import Job

log = logging.getLogger("risk.jobs")
commands = typer.Typer()
jobs = typer.Typer(invoke_without_command=True)
commands.add_typer(jobs, name="jobs", help="What runs by itself: last, next, result; run one now.")

EVERY = 10.0
"""Seconds between two looks at what is due."""

AT = Annotated[str | None, typer.Option(help="As if it were this moment; now where left out.")]


@commands.command()
def run(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then stop: for a timer.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.05, max=600)] = EVERY,
) -> None:
    """Do by itself what is due, until stopped: intake, scores, watch, lists, warnings, drafts, heads, backup.

    Several may run, on one machine or on many with one PostgreSQL: each run is done by one of them.
    """
    from sqlalchemy.exc import OperationalError

    from serving.jobs.run_log import RunLog
    from serving.jobs.schedule import JobRules
    from serving.jobs.supervisor import Supervisor
    from serving.log_lines import log_as_json

    log_as_json()
    settings = settings_of(ctx)
    rules = JobRules.of(settings.home, settings.zone)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    state, supervisor = None, None
    while not stop.is_set():
        try:
            if state is None:
                state = state_of(settings)
                supervisor = Supervisor(rules, RunLog(state), lambda job, slot: _child(settings, job, slot), _say)
            assert supervisor is not None
            begun = supervisor.look(datetime.now(UTC), time.monotonic())
            if once and not begun and not supervisor.busy:
                break
        except OperationalError as error:
            _say("database away", {"error": type(error).__name__})
        stop.wait(0.2 if once else every)
    if supervisor is not None:
        supervisor.stop()
    if state is not None:
        state.close()


@jobs.callback()
def show(ctx: typer.Context, as_of: AT = None) -> None:
    """Show each job: last and next run, how long it took, what came of it."""
    if ctx.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table

    from serving.jobs.job_status import job_statuses
    from serving.jobs.run_log import RunLog
    from serving.jobs.schedule import JobRules

    settings = settings_of(ctx)
    with state_of(settings) as state:
        rules = JobRules.of(settings.home, settings.zone)
        found = job_statuses(rules, RunLog(state), moment_or_now(as_of, settings.zone))
    table = Table(title="Việc tự chạy · jobs")
    for name in ("job", "cron", "last", "outcome", "took", "next", "result"):
        table.add_column(name, overflow="fold")
    for one in found:
        last, following = (
            at.astimezone(settings.zone).strftime("%d/%m %H:%M") if at else "–"
            for at in (one.started_at, one.next_slot)
        )
        took = "–" if one.seconds is None else f"{one.seconds:.1f} s"
        outcome = f"{one.outcome or '–'}{' (late)' if one.late else ''}"
        table.add_row(one.job, one.cron, last, outcome, took, following, one.told)
    Console(width=160).print(table)
    if any(one.late for one in found):
        raise typer.Exit(1)


@jobs.command("run")
def run_one(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the job, as in risk jobs.")],
    slot: Annotated[str | None, typer.Option(help="The moment it was due; the last one where left out.")] = None,
    as_of: AT = None,
) -> None:
    """Run one job now, unless that slot is done or another process runs it; exits 1 where it failed."""
    from serving.cli.job_actions import action_of
    from serving.jobs.runner import run_slot
    from serving.jobs.schedule import JobRules

    settings = settings_of(ctx)
    rules = JobRules.of(settings.home, settings.zone)
    job = rules.job(name)
    now = moment_or_now(as_of, settings.zone)
    when = moment(slot, settings.zone) if slot else rules.last_slot(job, now)
    if when is None:
        raise ValueError(f"{name} was never due up to now; give --slot")
    with state_of(settings) as state:
        done = run_slot(
            settings, state, rules, job, when, action_of(name),
            _clock_at(now),
        )  # fmt: skip
    typer.echo(f"{name} {when.astimezone(settings.zone):%Y-%m-%d %H:%M}: {done.outcome or 'left'}: {done.result}")
    if done.outcome == "failed":
        raise typer.Exit(1)


def _clock_at(now: datetime) -> Callable[[], datetime]:
    """A clock that stood at `now` and goes on from there."""
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def _child(settings: Settings, job: "Job", slot: datetime) -> "subprocess.Popen[bytes]":
    """Starts the run of a slot in a process of its own, with our settings."""
    command = [sys.executable, "-m", "serving.cli", "--home", str(settings.home), "jobs", "run", job.name]
    return subprocess.Popen([*command, "--slot", slot.isoformat()], stdin=subprocess.DEVNULL, start_new_session=True)


def _say(event: str, fields: Mapping[str, object]) -> None:
    log.info(event, extra={"fields": fields})

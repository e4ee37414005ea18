"""The command line `risk`: one command a step, one module a group of commands.

Modules import what is heavy inside their functions, so that `risk --help` answers at once. A new group of
commands joins by a module with a typer app `commands` and its name in `GROUPS`.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from serving.cli import (
    accounts,
    analyst,
    answers,
    backup,
    complaints,
    delivery,
    demo,
    doctor,
    findings,
    jobs,
    learning,
    lists,
    matrix,
    plan,
    receipts,
    reports,
    rolling,
    serve,
    signals,
    tuning,
    warn,
    watching,
)
from serving.cli.group import RiskGroup
from serving.extras import advice, missing_extra
from serving.settings import STORE_PATIENCE, Settings

app = typer.Typer(
    cls=RiskGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Risk that something goes wrong in public-service dossiers: scores with reasons, lists, plans.",
)

GROUPS = {
    "The service": (demo, serve, jobs, accounts, receipts, doctor, backup),
    "What we know": (delivery, complaints, matrix),
    "How we learn and judge": (learning, analyst, watching, rolling, tuning),
    "Scores, lists and signals": (lists, signals),
    "Plans, findings, warnings, answers, reports": (plan, findings, warn, answers, reports),
}
"""Modules of commands by the heading that `risk --help` lists them under."""

for _heading, _modules in GROUPS.items():
    for _module in _modules:
        for _command in (*_module.commands.registered_commands, *_module.commands.registered_groups):
            _command.rich_help_panel = _heading
        app.add_typer(_module.commands)


ENGINES = ("duckdb", "_duckdb", "deltalake", "pyarrow", "sqlalchemy")
"""Packages whose errors mean a damaged file, a full disk or a database that is away, not of our mistakes."""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"dossier-risk {version('dossier-risk')}")
        raise typer.Exit


@app.callback()
def top(
    ctx: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Folder of all data (RISK_HOME, else ./var).")] = None,
    _shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Risk that something goes wrong in public-service dossiers."""
    try:
        ctx.obj = Settings.from_env(home)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if ctx.invoked_subcommand != "restore":
        from serving.jobs.restore_journal import insist_on_whole

        insist_on_whole(ctx.obj.home)


def main() -> None:
    """Runs the command line; expected errors become one clear line (RISK_DEBUG=1 shows their origin)."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # many small matrices: more threads only wait for each other
    for name, value in STORE_PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        app()
    except ModuleNotFoundError as error:
        extra = missing_extra(error)
        if os.environ.get("RISK_DEBUG") or not extra:
            raise
        typer.echo(f"risk: {advice(extra)}", err=True)
        sys.exit(1)
    except Exception as error:
        engine = type(error).__module__.split(".")[0] in ENGINES
        if os.environ.get("RISK_DEBUG") or not (engine or isinstance(error, (ValueError, LookupError, OSError))):
            raise
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        typer.echo(f"risk: {_engine_words(error) if engine else text}", err=True)
        sys.exit(1)


def _engine_words(error: Exception) -> str:
    """An engine's message in a line, without values of rows: those of conversions and statements may show persons."""
    kind, origin = type(error).__name__, getattr(error, "orig", None) or error
    message = "" if "Conversion" in kind else " ".join(str(origin).splitlines()[:1])[:300]
    return f"{kind}: {message}" if message else f"{kind}; RISK_DEBUG=1 shows more"

"""`risk warn`: fire early warnings, look at them, measure what they do."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of, state_of
from serving.cli.moments import moment, moment_or_now, span

if TYPE_CHECKING:
    from serving.warnings.turn import TurnResult

commands = typer.Typer()
warn = typer.Typer(no_args_is_help=True)
commands.add_typer(warn, name="warn", help="Early warnings to heads: fire, digest, escalate, send; their effect.")

AS_OF = Annotated[str | None, typer.Option(help="As of this moment; now where left out.")]


@warn.command()
def run(ctx: typer.Context, as_of: AS_OF = None) -> None:
    """One turn: fire the newest list, tell digests and inspectors, escalate, send. Safe to run twice at once."""
    from serving.jobs.conduct_digest import take_turn
    from serving.warnings.rule_sets import rules_in_force

    settings = settings_of(ctx)
    with state_of(settings) as state:
        now = moment_or_now(as_of, settings.zone)
        typer.echo(_told(*take_turn(settings, state, rules_in_force(state, settings.warnings), now=now)))


@warn.command()
def watch(
    ctx: typer.Context,
    every: Annotated[str, typer.Option(help="Time between turns, such as 60s or 5m.")] = "5m",
) -> None:
    """Turn after turn until stopped; a second one beside it changes nothing and takes over when this one dies."""
    from serving.jobs.conduct_digest import take_turn
    from serving.warnings.rule_sets import rules_in_force

    settings = settings_of(ctx)
    pause = span(every).total_seconds()
    with suppress(KeyboardInterrupt), state_of(settings) as state:
        while True:
            try:
                done = take_turn(settings, state, rules_in_force(state, settings.warnings), now=datetime.now(UTC))
            except Exception as error:  # a database or record that is away must not end the watch
                typer.echo(f"turn failed: {type(error).__name__}", err=True)
            else:
                typer.echo(_told(*done))
            time.sleep(pause)


@warn.command()
def show(
    ctx: typer.Context,
    unit: Annotated[str | None, typer.Option(help="Of the head of this unit alone.")] = None,
    most: Annotated[int, typer.Option(help="Lines at most.", min=1, max=10_000)] = 50,
) -> None:
    """Warnings told and not answered, most urgent first, and messages that were given up on."""
    from features.sources.vietnamese_number import decimal
    from serving.warnings.acknowledgement import WarningStatus, warnings_of
    from serving.warnings.outbox import dead

    settings = settings_of(ctx)
    with state_of(settings) as state, state.reading() as session:
        found = warnings_of(session, None if unit is None else {unit}, WarningStatus.OPEN, most=most)
        lost = list(dead(session))
    for one in found:
        level = f"  chuyển cấp {one.level}" if one.level else ""
        typer.echo(
            f"{one.id:6d}  {one.head_unit}  {one.dossier_id}  "
            f"{decimal(one.score, 2)}  hạn {one.due_at.astimezone(settings.zone):%d/%m/%Y %H:%M}{level}"
        )
    for message in lost:
        typer.echo(f"không gửi được / given up: {message.kind} {message.channel} {message.to_unit}: {message.trouble}")
    typer.echo(f"chờ xác nhận / waiting: {len(found)}; không gửi được / given up: {len(lost)}")


@warn.command()
def effect(
    ctx: typer.Context,
    as_of: AS_OF = None,
    since: Annotated[str | None, typer.Option(help="Only warnings fired from this moment on.")] = None,
) -> None:
    """Late rate of dossiers told against those held out by the draw, with an interval."""
    from features.record.record import Record
    from serving.warnings.outcome import effect_of_warnings

    settings = settings_of(ctx)
    until = moment_or_now(as_of, settings.zone)
    with (
        state_of(settings) as state,
        state.reading() as session,
        Record(settings.record_url).connect(cutoff=until) as con,
    ):
        found = effect_of_warnings(session, con, until, moment(since, settings.zone) if since else None)
    typer.echo(
        f"told={found.told} late={found.rate_told:.3f}  held_out={found.held_out} late={found.rate_held_out:.3f}"
    )
    if found.value != found.value:
        typer.echo("chưa đủ dữ liệu / not enough data: an arm holds fewer than 10 dossiers")
        return
    typer.echo(
        f"effect={found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}] (adjusted by the score; 95 %)  "
        f"plain={found.plain:+.3f}  p={found.p_value:.3f}"
    )


def _told(done: "TurnResult", conduct: int) -> str:
    fired = done.fired
    nothing = f"fired: nothing, the record knows until {done.behind:%Y-%m-%d %H:%M}Z only" if done.behind else (
        "fired: no new list"
    )  # fmt: skip
    first = nothing if fired is None else (
        f"fired: {fired.single} single, {fired.digest} for the digest, {fired.held_out} held out"
    )  # fmt: skip
    return (
        f"{first}; digests: {done.digests}; escalated: {done.escalated}; "
        f"conduct: {conduct}; "
        f"sent: {done.sent.sent}; failed: {done.sent.failed}"
    )

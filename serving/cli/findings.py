"""`risk findings`: record what a visit concluded, correct it, hand it to the record, follow what must be put right."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of, state_of
from serving.cli.moments import day, moment, moment_or_now
from serving.cli.receipts import receipted
from serving.read.finding_words import KIND_WORDS
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.state import State

commands = typer.Typer()
findings = typer.Typer(no_args_is_help=True)
commands.add_typer(findings, name="findings", help="What visits found: immutable, corrected by new versions.")

At = Annotated[str | None, typer.Option(help="Act as of this moment; the present one where left out.")]
Kind = Annotated[str, typer.Option(help=f"{', '.join(KIND_WORDS)}.")]
Severity = Annotated[int | None, typer.Option(help="1 to 3; left out for kind none.")]
Confirmed = Annotated[bool | None, typer.Option("--confirmed/--unconfirmed", help="Confirmed by the one entitled.")]
Evidence = Annotated[str, typer.Option(help="What was seen and where it is kept.")]
Cause = Annotated[str | None, typer.Option(help="citizen, consultation, system, law, workload, official.")]
Step = Annotated[str | None, typer.Option(help="The step where it arose.")]


@findings.command()
def add(
    ctx: typer.Context,
    visit: Annotated[str, typer.Argument(help="The visit, such as 2026-12/U001/team.")],
    dossier: Annotated[str, typer.Argument(help="The dossier that was pulled.")],
    kind: Kind,
    severity: Severity = None,
    confirmed: Confirmed = None,
    evidence: Evidence = "",
    cause: Cause = None,
    step: Step = None,
    official: Annotated[str | None, typer.Option(help="The official concerned, where it is not the holder.")] = None,
    visited_at: Annotated[
        str | None, typer.Option(help="When the visit took place; as planned where left out.")
    ] = None,
    at: At = None,
) -> None:
    """Record the conclusion on one dossier ("nothing wrong" too: --kind none) and hand it to the record."""
    from serving.cli.plan import plan_store
    from serving.plan.sampled_dossiers import pulled
    from serving.work.findings import Conclusion
    from serving.work.findings import add as enter

    settings = settings_of(ctx)
    now = moment_or_now(at, settings.zone)
    visited = moment(visited_at, settings.zone) if visited_at else None
    chosen = pulled(plan_store(settings), visit, dossier, now, visited_at=visited, official_id=official)
    found = Conclusion(kind, severity, confirmed, evidence, cause, step)
    detail, subjects = {"visit": visit, "dossier": dossier, "kind": kind}, [f"dossier:{dossier}", f"visit:{visit}"]
    with receipted(settings, "finding.write", detail, now=now, subjects=subjects) as session:
        row = enter(session, chosen, found, now=now)
        typer.echo(f"finding={row.finding_id} version={row.version}")
    with state_of(settings) as state:
        _deliver(settings, state, now)


@findings.command()
def correct(
    ctx: typer.Context,
    finding_id: Annotated[str, typer.Argument(help="The finding, as `add` printed it.")],
    kind: Kind,
    because: Annotated[str, typer.Option(help="Why the conclusion differs from the one before.")],
    severity: Severity = None,
    confirmed: Confirmed = None,
    evidence: Evidence = "",
    cause: Cause = None,
    step: Step = None,
    at: At = None,
) -> None:
    """Add a corrected version; the one before stays as it was said."""
    from serving.work.findings import Conclusion
    from serving.work.findings import correct as enter

    settings = settings_of(ctx)
    now = moment_or_now(at, settings.zone)
    detail = {"finding": finding_id, "kind": kind, "reason": because}
    with receipted(settings, "finding.write", detail, now=now, subjects=[f"finding:{finding_id}"]) as session:
        found = Conclusion(kind, severity, confirmed, evidence, cause, step)
        row = enter(session, finding_id, found, because, now=now)
        typer.echo(f"finding={row.finding_id} version={row.version}")
    with state_of(settings) as state:
        _deliver(settings, state, now)


@findings.command("list")
def show(ctx: typer.Context, visit: Annotated[str | None, typer.Option(help="Only this visit.")] = None) -> None:
    """List the findings that hold."""
    from serving.work.findings import standing

    with state_of(settings_of(ctx)) as state, state.reading() as session:
        for row in standing(session, visit):
            sure = {True: "đã xác nhận", False: "không được xác nhận", None: "chờ xác nhận"}[row.confirmed]
            typer.echo(f"{row.finding_id}  v{row.version}  {row.kind}  {row.severity or '–'}  {sure}")


@findings.command()
def deliver(ctx: typer.Context, at: At = None) -> None:
    """Hand to the record what an interrupted command left behind."""
    settings = settings_of(ctx)
    with state_of(settings) as state:
        _deliver(settings, state, moment_or_now(at, settings.zone))


@findings.command()
def remedy(
    ctx: typer.Context,
    finding_id: Annotated[str, typer.Argument(help="The finding, as `add` printed it.")],
    what: Annotated[str, typer.Option(help="What must be put right.")],
    due: Annotated[str, typer.Option(help="Until which day, such as 2027-01-31.")],
    at: At = None,
) -> None:
    """Demand that something be put right until a day."""
    from serving.work.remediation import demand

    settings = settings_of(ctx)
    now = moment_or_now(at, settings.zone)
    with receipted(settings, "remedy.write", {"finding": finding_id, "until": due}, now=now) as session:
        row = demand(session, finding_id, what, day(due), now=now)
        typer.echo(f"remediation={row.id} due={row.due_on}")


@findings.command()
def act(
    ctx: typer.Context,
    remediation: Annotated[int, typer.Argument(help="The remediation's number.")],
    kind: Annotated[str, typer.Argument(help="reported, accepted, refused or extended.")],
    note: Annotated[str, typer.Option(help="What was done or said.")] = "",
    due: Annotated[str | None, typer.Option(help="The new day, for extended.")] = None,
    at: At = None,
) -> None:
    """Add what happened to a remediation."""
    from serving.work.remediation import act as enter

    settings = settings_of(ctx)
    now = moment_or_now(at, settings.zone)
    with receipted(settings, "remedy.write", {"remediation": remediation, "kind": kind}, now=now) as session:
        enter(session, remediation, kind, note, now=now, due_on=day(due) if due else None)


@findings.command()
def remedies(ctx: typer.Context, at: At = None) -> None:
    """List what must be put right, the most urgent first."""
    from serving.work.remediation import STATES, standing

    settings = settings_of(ctx)
    on = moment_or_now(at, settings.zone).astimezone(settings.zone).date()
    with state_of(settings) as state, state.reading() as session:
        for one in standing(session, on):
            typer.echo(f"{one.remediation_id}  {one.unit_code}  {one.due_on:%d/%m/%Y}  {STATES[one.state]}  {one.what}")


def _deliver(settings: Settings, state: "State", now: datetime) -> None:
    from features.record.record import Record
    from serving.work.findings import deliver as hand_over

    receipt = hand_over(state, Record(settings.record_url), now=now)
    typer.echo(str(receipt) if receipt else "nothing waits")

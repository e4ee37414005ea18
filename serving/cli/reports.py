"""`risk report`: make a report of a month as known at a moment; list those made."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of, state_of
from serving.cli.moments import moment

commands = typer.Typer()
reports = typer.Typer(no_args_is_help=True)
commands.add_typer(reports, name="report", help="Reports of a month, reproducible as it was known then.")


@reports.command()
def month(
    ctx: typer.Context,
    kind: Annotated[
        str, typer.Option(help="centre, unit, mission, official, head, half-year, year, progress, publication.")
    ],
    month: Annotated[str, typer.Option(help="The month, such as 2026-10; of longer periods the last one.")],
    as_of: Annotated[str, typer.Option(help="As known before this moment.")],
    out: Annotated[Path, typer.Option(help="File to write: .docx or .xlsx.")],
    unit: Annotated[str, typer.Option(help="The unit, with all below it; left out: the province.")] = "",
) -> None:
    """Write one report; the same kind, month, unit and moment give the same file again."""
    from rich.console import Console

    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from serving.reports.files import issuer_of, report_file
    from serving.reports.make import make_again

    settings = settings_of(ctx)
    when = moment(as_of, settings.zone)
    record = Record(settings.record_url)
    with Console(stderr=True).status("lập báo cáo") as status:
        with state_of(settings) as state:
            made = make_again(
                record, state, kind, month, when, VIETNAM, now=datetime.now(UTC), unit_code=unit, say=status.update
            )
        status.update("ghi tệp")
        content = report_file(made, out.suffix, settings.zone, issuer_of(made, record, settings.home))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    typer.echo(f"report={kind} month={month} record_version={made.record_version} sha256={made.sha256} out={out}")


@reports.command("list")
def show(ctx: typer.Context) -> None:
    """List the reports made, the latest first."""
    from sqlalchemy import select

    from serving.state import ReportMade

    settings = settings_of(ctx)
    with state_of(settings) as state, state.reading() as session:
        for one in session.scalars(select(ReportMade).order_by(ReportMade.id.desc())):
            typer.echo(
                f"{one.kind}  {one.month}  {one.unit_code or '–'}  as_of={one.as_of.isoformat()}  "
                f"record_version={one.record_version}  sha256={one.sha256[:16]}"
            )

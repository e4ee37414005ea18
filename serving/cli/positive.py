"""`risk positive`: the positive list of early, clean, well-rated work by officials or units."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment_or_now

commands = typer.Typer()


@commands.command("positive")
def positive(
    ctx: typer.Context,
    grain: Annotated[str, typer.Option(help="official or unit.")] = "official",
    as_of: Annotated[str | None, typer.Option(help="What was known before this moment; now where left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .parquet or .xlsx.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="Also those who don't stand out.")] = False,
) -> None:
    """Show who does early, clean, well-rated work more often than peers, with n and interval."""
    import pyarrow.compute as pc

    from features.record.record import Record
    from features.signals.good_work import good_work
    from features.sources.vietnamese_number import decimal
    from serving.documents.table_file import write_table

    if grain not in ("official", "unit"):
        raise typer.BadParameter(f"wanted official or unit, got {grain[:20]!r}", param_hint="--grain")
    settings = settings_of(ctx)
    at = moment_or_now(as_of, settings.zone)
    found = good_work(Record(settings.record_url).connect(), at, "official" if grain == "official" else "unit")
    chosen = found if everybody else found.filter(pc.field("stands_out"))
    if out is not None:
        write_table(chosen, out, settings.zone, title=f"positive {grain}")
    for row in chosen.slice(0, 20).to_pylist() if out is None else ():
        if row["share"] is None:
            typer.echo(f"{row['key']}  chưa đủ dữ liệu / not enough data (n = {row['n']})")
            continue
        low, high, usual = (decimal(100 * row[name], 0) for name in ("low", "high", "usual"))
        typer.echo(
            f"{row['key']}  {row['unit_code'] or '–'}  {decimal(100 * row['share'], 0)} % ({low}–{high}), "
            f"n = {row['n']}; thường lệ / usual {usual} %"
        )
    typer.echo(f"grain={grain} stand_out={sum(found['stands_out'].to_pylist())} of={found.num_rows}")

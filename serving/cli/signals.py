"""`risk signals` and `risk positive`: who shows a declared signal, the rules themselves; who does early, clean work."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment_or_now

commands = typer.Typer()

_SHOWN = 20


@commands.command("signals")
def signals(
    ctx: typer.Context,
    grain: Annotated[str, typer.Option(help="official, unit, head or agent.")] = "official",
    as_of: Annotated[str | None, typer.Option(help="What was known before this moment; now where left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .parquet or .xlsx.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Show the declared rules instead.")] = False,
) -> None:
    """Show signals against peers with value, n, what peers have, interval, words and source. Never a verdict."""
    import pyarrow as pa

    from features.record.record import Record
    from features.signals import DOSSIER_SIGNALS, HELD_SIGNALS, evaluate_held
    from features.signals.sentences import held_sentence
    from serving.documents.table_file import write_table
    from serving.state import State
    from serving.warnings.outcome import alerts

    if rules:
        for one in (*DOSSIER_SIGNALS, *HELD_SIGNALS):
            until = one.valid_to or "–"
            typer.echo(f"{one.name}  {one.grain}  {one.words_vi} / {one.words_en}  {one.source}  {one.owner}"
                       f"  {one.valid_from}..{until}  threshold={one.threshold or '–'}")  # fmt: skip
        return
    of_grain = next((one.grain for one in HELD_SIGNALS if one.grain == grain), None)
    if of_grain is None:
        raise typer.BadParameter(f"wanted official, unit, head or agent, got {grain[:20]!r}", param_hint="--grain")
    settings = settings_of(ctx)
    at = moment_or_now(as_of, settings.zone)
    with State(settings.database_url) as state:
        sent = alerts(state, at)
    found = evaluate_held(Record(settings.record_url).connect(), at, of_grain, alerts=sent)
    words = [held_sentence(row) for row in found.to_pylist()]
    if out is not None:
        found = found.append_column("reasons_vi", pa.array([vi for vi, _ in words], pa.string()))
        found = found.append_column("reasons_en", pa.array([en for _, en in words], pa.string()))
        write_table(found, out, settings.zone, title=f"signals {grain}")
    for row, (vi, _) in zip(found.slice(0, _SHOWN).to_pylist(), words, strict=False) if out is None else ():
        typer.echo(f"{row['key']}  {row['unit_code'] or '–'}  {row['signal']}  {vi}")
    typer.echo(f"grain={grain} signals={found.num_rows} shown_by={len(set(found['key'].to_pylist()))}")


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

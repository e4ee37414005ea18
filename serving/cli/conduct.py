"""The steps of the target `conduct` for the commands train, backtest, promote, score and export."""

from datetime import timedelta

import typer

from serving.cli.targets import Backtest, Say
from serving.settings import Settings

HORIZON = timedelta(days=365)


def backtest(settings: Settings, asked: Backtest, say: Say) -> str:
    """Scores everybody in post at the cutoff for a tier of events in the horizon, beside what came."""
    import pyarrow.parquet as pq

    from features.record import Record
    from models.official_events import TIERS
    from training import official_forecast

    if asked.grain not in (None, "official"):
        raise typer.BadParameter(f"wanted official, got {asked.grain[:40]!r}", param_hint="--grain")
    if asked.tier not in TIERS:
        raise typer.BadParameter(f"wanted one of {', '.join(TIERS)}, got {asked.tier!r}", param_hint="--tier")
    con = Record(settings.record_url).connect()
    say("learning from what was known at the cutoff")
    table, forecast = official_forecast.backtest(
        con, asked.cutoff, TIERS[asked.tier], asked.horizon or HORIZON
    )
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, asked.out)
    return f"officials={table.num_rows} ships={forecast.ships} rule={forecast.rule.name!r} out={asked.out}"

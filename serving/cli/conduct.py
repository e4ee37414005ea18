"""The steps of the target `conduct` for the commands train, backtest, promote, score and export."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from serving.cli.target_steps import Backtest, Say
from serving.jobs.mlflow_paths import relocate
from serving.settings import Settings

TARGET = "conduct"
HORIZON = timedelta(days=365)


def train(settings: Settings, cutoff: datetime, say: Say, by: str | None = None) -> str:
    """Learns the forecasts for officials and the finding model for dossiers; they stand as candidate."""
    from features.record.record import Record
    from serving.cli.dossier_targets import quiet_mlflow
    from training.conduct import train as learn
    from training.conduct_tracking import log_run
    from training.tracking_check import insist_on_tracking

    relocate(settings.home)
    insist_on_tracking(settings.mlflow_url, TARGET)
    record = Record(settings.record_url)
    say("learning from what was known at the cutoff")
    learnt = learn(record.connect(copied=True), record.version(), cutoff, settings.models, by)
    try:
        with quiet_mlflow():
            run = f"MLflow run {log_run(learnt, settings.mlflow_url)}"
    except Exception as error:  # MLflow's errors and those of its libraries have no kind in common
        run = f"MLflow could not be told ({type(error).__name__}); later: risk log {TARGET}"
    parts = [f"{tier} ships={one.ships}" for tier, one in learnt.forecasts.items()]
    parts += [f"{learnt.about[key]} {words} name a dossier and nobody: shared out among its holders, labels weighted"
              for key, words in (("complaints_shared_out", "complaints"), ("findings_shared_out", "findings"))
              if key in learnt.about]  # fmt: skip
    parts += [f"{tier}: {why}" for tier, why in learnt.without.items()]
    parts.append(f"dossier ships={learnt.dossier.ships} ({learnt.dossier.why})")
    parts += [f"team {one.team}: labels to be checked, {one.low} of {one.findings} findings where no other team"
              f" finds any" for one in learnt.dossier.suspects]  # fmt: skip
    return f"candidate {TARGET} {learnt.version}: {'; '.join(parts)}; {run}"


def promote(settings: Settings, because: str | None, say: Say, by: str | None = None) -> str:
    """Makes the candidate champion."""
    from serving.cli.dossier_targets import quiet_mlflow
    from training.conduct import promote as run

    with quiet_mlflow():
        version = run(
            settings.models, at=datetime.now(UTC), because=because, by=by, mlflow_url=settings.mlflow_url, say=say
        )
    return f"champion {TARGET} {version}"


def rollback(settings: Settings, because: str | None, say: Say, by: str | None = None, mlflow: bool = True) -> str:
    """Makes the previous champion champion again."""
    from serving.cli.dossier_targets import quiet_mlflow
    from training.conduct import check
    from training.promote import rollback as run

    url = settings.mlflow_url if mlflow else None
    with quiet_mlflow():
        version = run(
            settings.models, TARGET, at=datetime.now(UTC), because=because, by=by, mlflow_url=url, check=check, say=say
        )
    return f"champion {TARGET} {version}"


def log_later(settings: Settings) -> list[str]:
    """Tells MLflow of the trainings that it could not be told of; the ids of their runs."""
    from serving.cli.dossier_targets import quiet_mlflow
    from training.conduct_tracking import log_package
    from training.tracking import resume

    relocate(settings.home)
    with quiet_mlflow():
        return resume(settings.models, settings.mlflow_url, TARGET, log_package)


def ready(settings: Settings) -> bool:
    """Whether conduct was ever trained here: `risk score` then makes its lists too."""
    return (settings.models / TARGET / "candidate.json").exists()


def score(settings: Settings, as_of: datetime, say: Say) -> str:
    """Writes the lists of officials, units and dossiers as of `as_of`."""
    from features.record.positions import positions
    from features.record.record import Record
    from features.signals.conduct_year import conduct_year
    from models.finding_matrix import SHOWN
    from models.sector_risk import sector_risks
    from serving.scoring import conduct_evidence, conduct_lists
    from serving.scoring.score_files import write_scores
    from serving.state import State
    from serving.warnings.outcome import alerts
    from serving.work.witnessed_files import digests, tell

    say("conduct: signals against peers")
    with State(settings.database_url) as state:
        sent = alerts(state, as_of)
    record = Record(settings.record_url)
    version = record.version()
    con = record.connect(version=version, copied=True)
    year = conduct_year(con, as_of, SHOWN, sent)
    found = conduct_lists.lines(con, settings.models, as_of, year)
    folder = conduct_lists.write(found, settings.scores, as_of)
    if year.handled.num_rows:
        say("conduct: chance of a finding for every open dossier")
        table, meta = conduct_lists.scored(con, settings.models, as_of, found["dossier"], year, version)
        write_scores(settings.scores, table, meta)
        position = {who: post.position for who, post in positions(con, as_of).items()}
        conduct_evidence.write(
            settings.scores, as_of, year.acts, year.handled, position, sector_risks(con, as_of, year.handled)
        )
    tell(settings, digests(settings.home, folder.glob("*.parquet")), now=datetime.now(UTC))
    return f"{folder}: " + ", ".join(f"{len(lines)} {grain}s" for grain, lines in found.items())


def export(settings: Settings, as_of: datetime, grain: str, out: Path) -> str:
    """Writes the list of a grain as of `as_of`; scores first where that has not been done."""
    from models.conduct import GRAINS
    from serving.documents.table_file import write_table
    from serving.scoring import conduct_lists

    if grain not in GRAINS:
        raise ValueError(f"conduct is scored by {', '.join(GRAINS)}, not by {grain[:40]}")
    table = conduct_lists.read(settings.scores, as_of, grain)
    if table is None:
        score(settings, as_of, lambda line: None)
        table = conduct_lists.read(settings.scores, as_of, grain)
    assert table is not None
    write_table(table, out, settings.zone, title=f"{TARGET} {grain} {as_of:%Y-%m-%d}")
    return f"{out}: {table.num_rows} rows"


def backtest(settings: Settings, asked: Backtest, say: Say) -> str:
    """Scores everybody in post at the cutoff for a tier of events in the horizon, beside what came."""
    import pyarrow.parquet as pq

    from features.record.record import Record
    from models.official_events import TIERS
    from training import official_forecast

    if asked.grain not in (None, "official"):
        raise typer.BadParameter(f"wanted official, got {asked.grain[:40]!r}", param_hint="--grain")
    if asked.tier not in TIERS:
        raise typer.BadParameter(f"wanted one of {', '.join(TIERS)}, got {asked.tier!r}", param_hint="--tier")
    con = Record(settings.record_url).connect(copied=True)
    say("learning from what was known at the cutoff")
    table, forecast = official_forecast.backtest(con, asked.cutoff, TIERS[asked.tier], asked.horizon or HORIZON)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, asked.out)
    return f"officials={table.num_rows} ships={forecast.ships} rule={forecast.rule.name!r} out={asked.out}"

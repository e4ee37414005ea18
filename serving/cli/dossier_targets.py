"""The steps of the targets of dossiers (`models.targets`), as the commands take them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from models.target import Target
from serving.cli.target_steps import Backtest, Say
from serving.settings import Settings

if TYPE_CHECKING:
    from training.packaging import Trained

CALENDAR = VIETNAM


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Keeps what MLflow says of its own doings off the terminal; its errors are raised all the same."""
    from mlflow.utils.logging_utils import MLFLOW_LOGGING_STREAM

    # not `disable_logging`: the first model that is logged would switch it on again
    with warnings.catch_warnings(), patch.object(MLFLOW_LOGGING_STREAM, "write"):
        warnings.simplefilter("ignore")
        yield


def summary(made: "Trained") -> str:
    """What a training gave, in a line."""
    parts = ", ".join(f"{name} {weight:.2f}" for name, weight in made.model.weights.items())
    return f"candidate {made.model.target} {made.version}: {len(made.sample)} cases; blend: {parts}"


@dataclass(frozen=True)
class DossierSteps:
    """What commands do for one target of dossiers (`TargetSteps`), and the parts of a training."""

    target: Target

    def train(self, settings: Settings, cutoff: datetime, say: Say, by: str | None = None) -> str:
        """Learns from what was known before `cutoff` and logs it in MLflow; the result stands as candidate."""
        from serving.jobs.mlflow_paths import relocate
        from training.run import train as run

        relocate(settings.home)
        settings.home.mkdir(parents=True, exist_ok=True)
        with quiet_mlflow():
            made = run(
                Record(settings.record_url),
                cutoff,
                settings.models,
                mlflow_url=settings.mlflow_url,
                calendar=CALENDAR,
                by=by,
                target=self.target,
                say=say,
            )
        return summary(made)

    def backtest(self, settings: Settings, asked: Backtest, say: Say) -> str:
        """Writes `cutoff, as_of, dossier_id, score, rule_score, label` to Parquet, one row a landmark.

        By the grain official or unit `official_id` or `unit_code` and `n` stand in place of the dossier.
        """
        import pyarrow.parquet as pq

        from training.backtest import backtest as run

        if asked.until is None or (asked.every is None) != asked.at_arrival:
            raise ValueError("wanted --until and either --every SPAN or --at-arrival")
        if asked.until <= asked.cutoff:
            raise ValueError("wanted --until after --cutoff")
        if asked.tier or asked.horizon:
            raise ValueError("--tier and --horizon are for conduct: a dossier is late or not")
        if asked.grain not in (None, "dossier", "official", "unit"):
            raise ValueError(f"wanted --grain dossier, official or unit, came {asked.grain!r:.40}")
        table = run(
            Record(settings.record_url),
            asked.cutoff,
            asked.until,
            every=asked.every,
            at_arrival=asked.at_arrival,
            grain=asked.grain or "dossier",
            calendar=CALENDAR,
            target=self.target,
            say=say,
        )
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, asked.out)
        labelled = table.num_rows - table["label"].null_count
        return f"{asked.out}: {table.num_rows} rows, {labelled} with a label"

    def promote(self, settings: Settings, because: str | None, say: Say, by: str | None = None) -> str:
        """Makes the candidate champion when its gates hold, or `because` a person says so."""
        from training.promote import promote as run

        with quiet_mlflow():
            version = run(
                settings.models,
                self.target.name,
                at=datetime.now(UTC),
                because=because,
                by=by,
                mlflow_url=settings.mlflow_url,
                say=say,
            )
        return f"champion {self.target.name} {version}"

    def rollback(
        self, settings: Settings, because: str | None, say: Say, by: str | None = None, mlflow: bool = True
    ) -> str:
        """Makes the previous champion champion again."""
        from training.promote import rollback as run

        url = settings.mlflow_url if mlflow else None
        with quiet_mlflow():
            version = run(
                settings.models, self.target.name, at=datetime.now(UTC), because=because, by=by, mlflow_url=url, say=say
            )
        return f"champion {self.target.name} {version}"

    def ready(self, settings: Settings) -> bool:
        """Whether a champion was ever promoted."""
        return (settings.models / self.target.name / "champion.json").exists()

    def score(self, settings: Settings, as_of: datetime, say: Say) -> str:
        """Scores all open dossiers as of `as_of` and makes them the latest list."""
        from serving.scoring.batch import score_record
        from serving.work.witnessed_files import digests, tell

        meta, path = score_record(settings, as_of, CALENDAR, target=self.target)
        tell(settings, digests(settings.home, [path]), now=datetime.now(UTC))
        maker = "quy tắc · the rule" if meta.rule else meta.model_version
        for column, count in sorted(meta.misfits.items()):
            words = f"no number in {count} dossiers where the model wants one; unknown for these, all others as ever"
            say(f"{column}: {words}")
        return f"{path}: {meta.n} open dossiers scored by {maker}"

    def export(self, settings: Settings, as_of: datetime, grain: str, out: Path) -> str:
        """Writes the scores of `as_of`; scores first where that has not been done."""
        from serving.documents.table_file import scores_table, write_table
        from serving.scoring.batch import score_record
        from serving.scoring.score_files import read_scores, scores_path
        from serving.work.witnessed_files import digests, tell

        if grain != "dossier":
            raise ValueError(f"{self.target.name} is scored by dossier, not by {grain}")
        path = scores_path(settings.scores, self.target.name, as_of)
        if not path.exists():
            _, path = score_record(settings, as_of, CALENDAR, latest=False, target=self.target)
            tell(settings, digests(settings.home, [path]), now=datetime.now(UTC))
        table, meta = read_scores(path)
        write_table(scores_table(table), out, settings.zone, title=f"{self.target.name} {meta.as_of:%Y-%m-%d}")
        return f"{out}: {table.num_rows} rows"

    def learn(self, settings: Settings, cutoff: datetime, say: Say) -> "Trained":
        """Learns from what was known before `cutoff`; the result stands as candidate, logged nowhere yet."""
        from training.run import train as run

        return run(Record(settings.record_url), cutoff, settings.models, calendar=CALENDAR, target=self.target, say=say)

    def log(self, settings: Settings, made: "Trained", cutoff: datetime) -> str:
        """Logs a training in MLflow: one run with data, code, figures and model; aliases as the pointers stand."""
        from serving.jobs.mlflow_paths import relocate
        from training.tracking import log_run, note_run

        settings.home.mkdir(parents=True, exist_ok=True)
        relocate(settings.home)
        with quiet_mlflow():
            run = log_run(made, settings.mlflow_url)
            assert run.run_id is not None, "log_run gives one"
            note_run(settings.models / self.target.name, made.version, run.run_id, settings.mlflow_url)
        return f"MLflow run {run.run_id}"

    def log_later(self, settings: Settings) -> list[str]:
        """Logs the trainings that MLflow has not got yet; gives the ids of their runs."""
        from serving.jobs.mlflow_paths import relocate
        from training.tracking import resume

        relocate(settings.home)
        with quiet_mlflow():
            return resume(settings.models, settings.mlflow_url, self.target.name)


def train_on_cluster(settings: Settings, cutoff: datetime, address: str, say: Say, by: str | None = None) -> str:
    """`train` of the main target, with the trees learnt by the workers of the Dask scheduler at `address` from all
    landmarks on disk.
    """
    from training.dask_trees import connected, refit
    from training.run import train as run

    record = Record(settings.record_url)
    version = record.version()
    con = record.connect(version=version, cutoff=cutoff)
    with quiet_mlflow(), connected(address) as client:
        made = run(
            record,
            cutoff,
            settings.models,
            mlflow_url=settings.mlflow_url,
            version=version,
            calendar=CALENDAR,
            by=by,
            refit=lambda model, recipe: refit(client, con, settings.home / "matrix", cutoff, model, recipe, say),
            say=say,
        )
    return summary(made)

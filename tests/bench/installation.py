"""A made-up installation with a record, a champion and a list, for benchmarks that need one."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from serving.settings import Settings


def install(settings: Settings, home: Path, dossiers: int) -> Settings:
    """Makes up a province under `home`, learns, promotes and scores; gives the settings of that home."""
    from features.simulate import simulate
    from models.targets import MAIN
    from serving.cli.dossier_targets import DossierSteps
    from serving.cli.periods import telling_moment
    from serving.work.intake import take_in

    steps = DossierSteps(MAIN)
    there = replace(
        settings, home=home, record_url=str(home / "record"), database_url=f"sqlite:///{home / 'state.db'}",
        mlflow_url=f"sqlite:///{home / 'mlflow.db'}",
    )  # fmt: skip
    simulate(seed=1, dossiers=dossiers).write(home / "demo" / "feed")
    take_in(there, home / "demo" / "feed", "canonical", arrived_at=datetime.now(UTC))
    as_of = telling_moment(there)
    steps.learn(there, as_of, _quiet)
    steps.promote(there, "benchmark", _quiet)
    steps.score(there, as_of, _quiet)
    return there


def _quiet(line: str) -> None:
    """Progress of a benchmark's preparation is nobody's news."""

"""Which targets the commands know: those of dossiers (`models.targets`, one entry each) and conduct."""

import typer

from models.targets import MAIN, TARGETS
from serving.cli.target_steps import TargetSteps
from serving.settings import Settings

CONDUCT = "conduct"
NAMES = (*TARGETS, CONDUCT)
"""Names of all targets; which officials, units and dossiers signals name is a target with steps of its own."""


def steps(target: str) -> TargetSteps:
    """The steps of `target`; typer.BadParameter names the known ones."""
    if target in TARGETS:
        from serving.cli.dossier_targets import DossierSteps

        return DossierSteps(TARGETS[target])
    if target == CONDUCT:
        from serving.cli import conduct

        return conduct
    raise typer.BadParameter(f"wanted one of {', '.join(NAMES)}, got {target[:40]!r}", param_hint="target")


def main_alone(target: str) -> None:
    """ValueError for another target than the main one, where a command knows that alone."""
    if target != MAIN.name:
        raise ValueError(f"wanted the target {MAIN.name}, came {target!r:.40}")


def ready_targets(settings: Settings) -> list[str]:
    """The targets that have something to score with."""
    return [name for name in NAMES if steps(name).ready(settings)]

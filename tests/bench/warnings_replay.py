"""`replay warnings`: a simulated year of early warnings beside "warn when 20 % of the time is left"."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.replay_commands import replay

USED = 0.8
"""The simple rule: warn when so much of the promised working time is gone."""


@replay.command("warnings")
def warnings(
    seeds: Annotated[int, typer.Option(help="How many made-up provinces.", min=1)] = 5,
    dossiers: Annotated[int, typer.Option(help="Dossiers of each in two years.", min=1_500)] = 12_000,
    a_week: Annotated[int, typer.Option(help="Single warnings a head gets in a week at most.", min=1)] = 3,
    eff: Annotated[float, typer.Option(help="Planted share of late dossiers that being told saves.")] = 0.4,
    times: Annotated[int, typer.Option(help="Draws of the held out for each province.", min=1)] = 100,
    card: Annotated[
        Path | None, typer.Option(help="Also write the report to this file, such as models/cards/warnings.md.")
    ] = None,
) -> None:
    """Alerts within budget; precision, recall, lead time at the same number of alerts; recovery of a planted effect."""
    from serving.warnings.firing import OpenDossier
    from serving.warnings.held_out import draw
    from serving.warnings.policy import Costs, Policy
    from tests.bench.firing import Firing
    from tests.bench.replay.warnings import at_same_number, run, year
    from tests.bench.replay.warnings_report import Trial, recovered
    from tests.bench.replay.warnings_report import card as report

    policy = Policy(a_week=a_week)

    def above(threshold: float, stay: int = policy.stay) -> Firing:
        costs = Costs(c_in=threshold, c_out=1.0, c_com=0.0, eff=1.0)  # costs whose threshold this is
        return Firing(replace(policy, costs=costs, stay=stay))

    trials = []
    for seed in range(1, seeds + 1):
        whole = year(seed, dossiers, lambda line: typer.echo(line, err=True))
        ours = run(whole, Firing(policy), OpenDossier, whole.score)
        rule = run(whole, above(USED, stay=1), OpenDossier, whole.used)
        threshold, matched = at_same_number(whole, len(rule.case), lambda at: above(min(at, 0.999)), OpenDossier)
        typer.echo(f"seed {seed}: {len(rule.case)} alerts of the rule, {len(matched.case)} of the score", err=True)
        trials.append(Trial(seed, whole, threshold, ours, rule, matched))
    covered = recovered(trials, lambda seed, name: draw(seed, "lateness", name), eff, 0.2, times)
    text = report(trials, dossiers, a_week, covered, eff)
    typer.echo(text)
    if card is not None:
        card.write_text(text, "utf-8")
    if max(trial.ours.most_a_week() for trial in trials) > a_week:
        raise typer.Exit(1)

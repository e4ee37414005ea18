"""`replay`: what a way of choosing visits would have found, where the outcomes are known."""

from pathlib import Path
from typing import Annotated

import typer

from tests.bench.group import bench

replay = typer.Typer(no_args_is_help=True)
bench.add_typer(replay, name="replay", help="Replay list policies over histories with known outcomes.")


@replay.command()
def chicago(
    data: Annotated[Path, typer.Option(help="Folder chicago_food with its three Parquet files.")],
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Chicago's food inspections: AUC and days earlier, over all slots and inside groups."""
    from tests.bench.replay.chicago import replay as run
    from tests.bench.replay.chicago_report import report

    lines = report(run(data, say=lambda line: typer.echo(line, err=True)))
    typer.echo("\n".join(lines))
    if card is not None:
        card.write_text("\n".join(lines) + "\n", "utf-8")


@replay.command()
def province(
    seeds: Annotated[int, typer.Option(help="How many made-up provinces.", min=2)] = 4,
    dossiers: Annotated[int, typer.Option(help="Dossiers of each.", min=2_000)] = 60_000,
    share: Annotated[float, typer.Option(help="Share of the pool that is pulled.", min=0.01, max=0.5)] = 0.05,
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Made-up provinces, 24 monthly cycles: yield, bias of prevalence, guessability, price of each rule."""
    from datetime import date

    from features.simulate import simulate
    from tests.bench.replay.policies import FlooredPower, Greedy, Practice
    from tests.bench.replay.province import World
    from tests.bench.replay.province_report import Way, price_lines, replay, report

    def world(seed: int) -> World:
        made = simulate(seed, dossiers, date(2024, 9, 1), date(2026, 11, 1), policy=None)
        return World.of(made.tables, made.inspectorate)

    drawn = "20 % random, tempered p⁴"
    ways = [
        Way(Greedy()),
        Way(FlooredPower("random", random_share=1.0, power=0.0)),
        Way(Practice()),
        Way(FlooredPower("10 % random, rest greedy", random_share=0.1, power=200.0)),
        Way(FlooredPower("20 % random, rest greedy", random_share=0.2, power=200.0)),
        Way(FlooredPower(drawn, random_share=0.2, power=4.0)),
        Way(FlooredPower("no random share, tempered p⁴", random_share=0.0, power=4.0)),
        Way(FlooredPower(f"{drawn}, cap of 12 a unit", random_share=0.2, power=4.0, cap=12)),
        Way(FlooredPower(f"{drawn}, sector weight", random_share=0.2, power=4.0), sector_weight=0.5),
    ]
    runs = replay(world, ways, range(1, seeds + 1), share, lambda line: typer.echo(line, err=True))
    lines = report(runs, share, dossiers)
    prices = {
        "drawing by tempered probabilities instead of the top": ("20 % random, rest greedy", drawn),
        "random share of 20 %": ("no random share, tempered p⁴", drawn),
        "cap of 12 dossiers a unit and cycle": (drawn, f"{drawn}, cap of 12 a unit"),
        "weight of high-risk sectors (1.5)": (drawn, f"{drawn}, sector weight"),
    }
    lines += price_lines(runs, prices)
    typer.echo("\n".join(lines))
    if card is not None:
        card.write_text("\n".join(lines) + "\n", "utf-8")


@replay.command()
def conduct(
    seeds: Annotated[int, typer.Option(help="How many made-up provinces, each with and without culprits.", min=2)] = 10,
    first: Annotated[int, typer.Option(help="The first seed; from 100 on to choose, 0 to prove.", min=0)] = 0,
    dossiers: Annotated[int, typer.Option(help="Dossiers of each.", min=2_000)] = 45_000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Made-up provinces: what must hold for conduct, from planted officials to turned-over labels."""
    from tests.bench.replay import conduct as proof
    from tests.bench.replay.conduct_card import card as told
    from tests.bench.replay.conduct_floods import floods

    trials = list(proof.run(range(first, first + seeds), dossiers, workers, lambda line: typer.echo(line, err=True)))
    lines = told(trials, list(floods(first, 10)), dossiers)
    typer.echo("\n".join(lines))
    if card is not None:
        card.write_text("\n".join(lines) + "\n", "utf-8")


@replay.command()
def evasion(
    seeds: Annotated[int, typer.Option(help="How many made-up provinces, each in three worlds.", min=1)] = 6,
    first: Annotated[int, typer.Option(help="The first seed; 1 is what rules were chosen on.", min=2)] = 201,
    dossiers: Annotated[int, typer.Option(help="Dossiers of each.", min=2_000)] = 45_000,
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Planted culprits who hide behind colleagues, honest acts that look alike; exit 1 where a limit is missed."""
    from tests.bench.replay import evasion as proof
    from tests.bench.replay.plan_yield import plan_yield

    say = lambda line: typer.echo(line, err=True)  # noqa: E731
    trials = proof.run(range(first, first + seeds), dossiers, say)
    yields = [plan_yield(seed, dossiers, say) for seed in range(first, first + seeds)]
    lines = proof.card(trials, yields, dossiers)
    typer.echo("\n".join(lines))
    if card is not None:
        card.write_text("\n".join(lines) + "\n", "utf-8")
    if not all(one.holds for one in trials):
        raise typer.Exit(1)


@replay.command()
def drift(
    seeds: Annotated[int, typer.Option(help="How many made-up provinces, each with and without a change.", min=1)] = 6,
    first: Annotated[int, typer.Option(help="The first seed; from 100 on to choose, 0 to prove.", min=0)] = 0,
    dossiers: Annotated[int, typer.Option(help="Dossiers of each in 28 months.", min=5_000)] = 12_000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    card: Annotated[
        Path | None, typer.Option(help="Also write the report to this file, such as models/cards/drift.md.")
    ] = None,
) -> None:
    """Made-up provinces with and without a change of process: how soon the watch tells it, how often it is wrong."""
    from tests.bench.replay import drift as proof

    found = list(proof.run(range(first, first + seeds), dossiers, workers, lambda line: typer.echo(line, err=True)))
    text = proof.card(found, dossiers)
    typer.echo(text)
    if card is not None:
        card.write_text(text, "utf-8")


@replay.command("level")
def level(
    seeds: Annotated[str, typer.Option(help="Seeds of the provinces, with commas.")] = "21,22,23,24,25,26",
    dossiers: Annotated[int, typer.Option(help="Dossiers of each.", min=2_000)] = 4_400,
    card: Annotated[Path | None, typer.Option(help="Markdown file, such as models/cards/level.md.")] = None,
) -> None:
    """Five months without a training: scores as learnt, and kept at the level of known outcomes."""
    from tests.bench.replay import level as replayed

    numbers = [int(one) for one in seeds.split(",")]
    found = list(replayed.provinces(numbers, dossiers, lambda line: typer.echo(line, err=True)))
    text = replayed.card(found, replayed.figures(found), dossiers)
    typer.echo(text)
    if card is not None:
        card.write_text(text, encoding="utf-8")

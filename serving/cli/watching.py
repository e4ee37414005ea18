"""`risk watch`, `risk level`, `risk models`: what warns, the level of scores, which model was live with which lists."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from features.atomic_file import add_line, whole_lines
from models import pointers
from models.targets import MAIN
from serving.cli.group import settings_of
from serving.cli.learning import TargetName
from serving.cli.moments import moment
from serving.cli.targets import main_alone
from serving.settings import Settings

commands = typer.Typer()
TARGET = MAIN.name
"""The target that is watched: labels of conduct take months."""
WATCH_LOG = "watch.jsonl"
LIVE_DAYS = timedelta(days=120)
"""Lists of this time before the watch are asked how they turned out."""


@commands.command()
def watch(
    ctx: typer.Context,
    target: TargetName,
    as_of: Annotated[str, typer.Option(help="Look at what was open at this moment.")],
) -> None:
    """Warn where scoring drifted from what the champion learnt, units fell silent, or past lists were off.

    Proposes a retrain, never makes one; what warned in the weeks before is not told as new. Each scoring is watched
    by itself (`risk score`); this looks at any other moment.
    """
    settings = settings_of(ctx)
    main_alone(target)
    for line in watched(settings, moment(as_of, settings.zone)):
        typer.echo(line)


@commands.command()
def level(
    ctx: typer.Context,
    target: TargetName,
    as_of: Annotated[str, typer.Option(help="Take the outcomes known at this moment.")],
) -> None:
    """Take the champion's scores to the level of the outcomes known since its training.

    Offsets for all, stage of the term, sector and unit, shrunk; kept beside the champion, used by the next scoring.
    """
    settings = settings_of(ctx)
    main_alone(target)
    typer.echo(leveled(settings, moment(as_of, settings.zone)))


def leveled(settings: Settings, at: datetime) -> str:
    """Estimates the champion's level as known at `at` and keeps it beside it; gives what was done.

    FileNotFoundError without a champion; ValueError for one that has no room for offsets.
    """
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from models import level
    from models.artefact import load
    from serving.work.witnessed_files import digests, tell
    from training.level import estimate

    folder = settings.models / TARGET
    said = pointers.read(folder, "champion")
    if said is None:
        raise FileNotFoundError(f"no champion of {TARGET}; run: risk train, risk promote")
    model = load(folder / said["version"], sha256=said["sha256"])
    found = estimate(Record(settings.record_url), model, said["sha256"], at, VIETNAM)
    if found is None:
        return "level: too few promises have passed to say anything"
    tell(settings, digests(settings.home, [level.write(folder, found)]), now=datetime.now(UTC))
    return (
        f"level: {found.dossiers} dossiers, mean score {found.score:.3f}, late {found.late:.3f}; "
        f"offsets of {sum(len(one) for one in found.offsets.values())} groups kept"
    )


def watched(settings: Settings, at: datetime) -> Iterator[str]:
    """Checks the open dossiers at `at`, stores the result beside the models, and yields it line by line.

    FileNotFoundError without a champion; ValueError for one that does not know its training window.
    """
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from serving.scoring.champion import champion
    from training.monitoring import as_json, news
    from training.monitoring import watch as look

    model = champion(settings.models, TARGET).model
    found = look(Record(settings.record_url), model, at, calendar=VIETNAM, scored=_scored(settings, at))
    warnings = found.warnings()
    log = settings.models / TARGET / WATCH_LOG
    fresh = news(warnings, _warned_before(log), at)
    for name, words in warnings.items():
        yield f"{'warning' if name in fresh else 'still'}: {words}"
    if found.live is None:
        yield "live: no lists have matured yet"
    else:
        live = found.live
        yield (
            f"live: AUC {live.auc}, Brier {live.brier}, mean score minus late rate {live.gap} on {live.n} matured "
            f"landmarks, {live.age_days:.0f} days old; {live.waiting} wait for their promise"
        )
    yield from _loop(settings)
    add_line(log, json.dumps(as_json(found), ensure_ascii=False, sort_keys=True).encode())
    propose = f"; consider: risk train {TARGET} --cutoff {at.astimezone(settings.zone):%Y-%m-%d}" if fresh else ""
    yield f"watch: {len(warnings)} warn, {len(fresh)} of them new, {found.open} dossiers open{propose}"


@commands.command()
def models(ctx: typer.Context, target: TargetName) -> None:
    """Show which model of TARGET was live when, who trained and promoted it, and which lists it produced."""
    from rich.console import Console
    from rich.table import Table

    from models import pointers

    settings = settings_of(ctx)
    moves = pointers.history(settings.models / target)
    if not moves:
        raise ValueError(f"no model of {target} was ever promoted")
    lists = _lists(settings, target)
    table = Table(title=f"Models of {target}")
    for name in ("live from", "until", "version", "move", "trained by", "moved by", "because", "lists"):
        table.add_column(name, overflow="fold")
    ends = [move["at"][:16] for move in moves[1:]] + ["now"]
    for move, end in zip(moves, ends, strict=True):
        made = [as_of[:10] for as_of, sha256 in lists if sha256 == move["sha256"]]
        shown = f"{len(made)}: {made[0]} … {made[-1]}" if made else "0"
        cells = [move.get(name) or "–" for name in ("version", "move", "trained_by", "by", "because")]
        table.add_row(move["at"][:16], end, *cells, shown)
    Console(width=160).print(table)


def _lists(settings: Settings, target: str) -> list[tuple[str, str]]:
    """Moment and model identity of every list on disk, oldest first."""
    found = []
    for path in (settings.scores / target).glob("*/meta.json"):
        meta = json.loads(path.read_text("utf-8"))
        found.append((str(meta["as_of"]), str(meta["model_sha256"])))
    return sorted(found)


def _scored(settings: Settings, at: datetime) -> Any:
    """Scores of the lists of the last `LIVE_DAYS` before `at`, as the watch takes them; None without lists.

    Those overdue at scoring are left out: their score is certain by rule.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from serving.scoring.score_files import read_scores

    parts = []
    for path in sorted((settings.scores / TARGET).glob("*/scores.parquet")):
        table, meta = read_scores(path)
        if at - LIVE_DAYS <= meta.as_of < at:
            ahead = pc.greater_equal(table["left_hours"], 0.0)
            parts.append(table.filter(pc.fill_null(ahead, False)).select(["dossier_id", "as_of", "score"]))
    return pa.concat_tables(parts) if parts else None


def _warned_before(log: Path) -> list[tuple[datetime, set[str]]]:
    """Moments and names of the warnings of earlier checks."""
    lines = [json.loads(line) for line in whole_lines(log)]
    return [(datetime.fromisoformat(line["as_of"]), set(line["warnings"])) for line in lines]


def _loop(settings: Settings) -> list[str]:
    """What the loop of lists shows of itself: how much the top repeats, which units were never on it, how guessable."""
    from models.loop import monitor
    from serving.scoring.score_files import read_scores

    lists, everyone = [], set()
    for path in sorted((settings.scores / TARGET).glob("*/scores.parquet")):
        units = read_scores(path)[0]["unit_code"].to_pylist()
        everyone |= {unit for unit in units if unit}
        lists.append({unit for unit in units[: max(1, len(units) // 10)] if unit})
    if len(lists) < 2:
        return []
    found = monitor(lists, sorted(everyone), (0, 0), (0, 0))
    repeats = f"loop: {found.repeats or 0:.0%} of the units on the top tenth stood on the list before"
    never = f"{len(found.never)} of {len(everyone)} units never"
    guess = "" if found.guessable is None else f"; an outsider guesses the next with AUC {found.guessable:.2f}"
    return [f"{repeats}, {never}{guess}"]

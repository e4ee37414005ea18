"""`reasons`: do sentences hold? Lists of a made-up province by a model months old: each told cell is put back to what
is usual, and scored again; counted are wrong signs, sentences that say nothing, and dossiers to act on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer

from tests.bench.group import bench

START, END = date(2025, 9, 1), date(2026, 8, 31)
CUTOFF = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = tuple(datetime(2026, 5, 29, 1, tzinfo=UTC) + timedelta(days=7 * week) for week in range(10))
"""Of the lists: ten weeks, three to five months after the cutoff."""
FIRST = 20
"""Dossiers at the head of each list that are looked at beside all of it."""


@dataclass(frozen=True)
class ReasonFigures:
    """Of the sentences of some lines. lines: dossiers not overdue; told: their sentences; wrong: those whose told cell,
    put back, moves the score the other way; usual: sentences that say "as usual"; lowering: sentences of what lowers;
    actionable: lines with something that a head can act on."""

    words: str
    lines: int
    told: int
    wrong: int
    usual: int
    lowering: int
    actionable: int


@bench.command("reasons")
def reasons_card(
    out: Annotated[Path | None, typer.Option(help="Markdown file, such as models/cards/reasons.md.")] = None,
    seed: Annotated[int, typer.Option(help="Of the made-up province.")] = 3,
    dossiers: Annotated[int, typer.Option(help="Of the made-up province.")] = 3_000,
) -> None:
    """Put every told cell of a list back to the usual, and score again."""
    with TemporaryDirectory() as scratch:
        found = judged(Path(scratch), seed, dossiers, lambda line: typer.echo(line, err=True))
    text = as_markdown(found, seed, dossiers)
    typer.echo(text)
    if out is not None:
        out.write_text(text, encoding="utf-8")


def judged(scratch: Path, seed: int, dossiers: int, say: Callable[[str], None]) -> list[ReasonFigures]:
    """The figures of the head of the list and of all of it."""
    from features.calendar.vietnam import VIETNAM
    from features.matrix import batch as matrix
    from features.record.record import Record
    from features.simulate import simulate
    from features.sources import SOURCES, FeedOptions
    from models.targets import MAIN
    from serving.scoring.batch import score_open
    from training.fit import fit
    from training.training_set import gather

    simulate(seed=seed, dossiers=dossiers, start=START, end=END).write(scratch / "feed", format="canonical")
    record = Record(scratch / "record")
    feed = SOURCES["canonical"].read(scratch / "feed", FeedOptions())
    record.append(feed, source="canonical", arrived_at=datetime(2026, 9, 1, tzinfo=UTC))
    say("learn")
    model = fit(gather(record.connect(cutoff=CUTOFF), CUTOFF, VIETNAM), target=MAIN.name)
    first, every = [], []
    for moment in MOMENTS:
        con = record.connect(cutoff=moment)
        rows = [row for row in score_open(con, moment, model, VIETNAM).to_pylist() if (row["left_hours"] or 0) > 0]
        say(f"judge {len(rows)} lines of {moment:%d %B %Y}")
        ids = pa.array([row["dossier_id"] for row in rows])
        cases = pa.table({"dossier_id": ids, "as_of": pa.array([moment] * len(rows), pa.timestamp("us", "UTC"))})
        cells = matrix.build(con, cases, calendar=VIETNAM)
        place = {key: at for at, key in enumerate(cells["dossier_id"].to_pylist())}
        signs = _signs(model, cells, [(place[row["dossier_id"]], reason) for row in rows for reason in row["reasons"]])
        first.append(_figures(f"the first {FIRST} of each list", rows[:FIRST], signs))
        every.append(_figures("all", rows, signs))
    return [_sum(first), _sum(every)]


def _sum(parts: list[ReasonFigures]) -> ReasonFigures:
    names = ("lines", "told", "wrong", "usual", "lowering", "actionable")
    return ReasonFigures(parts[0].words, **{name: sum(getattr(one, name) for one in parts) for name in names})


def _signs(model: Any, cells: pa.Table, told: list[tuple[int, dict[str, Any]]]) -> dict[tuple[str, str], bool]:
    """By dossier and code: whether the score falls where the sentence says that the cell raises it, and rises else."""
    from models.encoding import column_of_numbers, column_of_text
    from models.peer_medians import usual_of
    from models.reasons import LEFT, NEEDS

    if not told:
        return {}
    rates = {rate.keys[0]: rate for rate in model.encoder.rates if len(rate.keys) == 1}
    peers = {name: column_of_text(cells, name) for name in ("unit_code", "procedure_code")}
    rows = pa.array([row for row, _ in told])
    x = model.encoder.encode(cells.take(rows))
    now = model.log_odds(x)
    for at, (row, reason) in enumerate(told):
        pair = reason["vi"].startswith("Từ bước này thường cần")
        needs = [one for one in NEEDS if f"{column_of_numbers(cells, one)[row]:.6g}" == reason["usual"]]
        names = (LEFT, *needs[:1]) if pair else (reason["code"],)
        for name in names:
            for column in np.flatnonzero(np.array(model.encoder.features)[model.encoder.sources] == name):
                if column < len(model.encoder.numbers):
                    mine = {key: str(text[row]) for key, text in peers.items()}
                    usual = usual_of(model.usual, name, mine)[0]
                    x[at, column] = np.nan if usual is None else usual
                elif name in rates and column < len(model.encoder.numbers) + len(model.encoder.rates):
                    x[at, column] = rates[name].prior
                elif model.encoder.stages is None or column < x.shape[1] - 1:
                    x[at, column] = 0.0
    lost = now - model.log_odds(x)
    names_of = cells["dossier_id"].to_pylist()
    return {
        (names_of[row], reason["code"]): bool(np.sign(lost[at]) == np.sign(reason["effect"]))
        for at, (row, reason) in enumerate(told)
    }


def _figures(words: str, rows: list[dict[str, Any]], signs: dict[tuple[str, str], bool]) -> ReasonFigures:
    from models.reasons import ACTIONABLE, group_of

    told = [(row["dossier_id"], reason) for row in rows for reason in row["reasons"]]
    return ReasonFigures(
        words,
        len(rows),
        len(told),
        sum(not signs[key, reason["code"]] for key, reason in told),
        sum("ngang mức" in reason["vi"] for _, reason in told),
        sum(reason["effect"] < 0 for _, reason in told),
        sum(any(one["effect"] > 0 and _acts(one, group_of, ACTIONABLE) for one in row["reasons"]) for row in rows),
    )


def _acts(reason: dict[str, Any], group_of: Callable[[str], str], actionable: frozenset[str]) -> bool:
    return group_of(reason["code"]) in actionable or reason["vi"].startswith("Từ bước này thường cần")


def as_markdown(found: list[ReasonFigures], seed: int, dossiers: int) -> str:
    """The card."""
    out = [
        "# Reasons: do the sentences hold?",
        "",
        f"Written by `python -m tests.bench reasons`: a made-up province (seed {seed}, {dossiers:,} dossiers), learnt",
        f"as known on {CUTOFF:%d %B %Y}, scored in {len(MOMENTS)} weeks from {MOMENTS[0]:%d %B %Y} without a refit;",
        "overdue dossiers left out.",
        "Each told cell is put back to what is usual of its peers, and scored again. What a head can act on are the",
        "groups of `models.reasons.ACTIONABLE`, and more time needed than is left.",
        "",
        "| lines | dossiers | sentences | wrong sign (≤ 2 %) | as usual (0) | of what lowers | to act on (≥ 80 %) |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        n = max(one.told, 1)
        out.append(
            f"| {one.words} | {one.lines:,} | {one.told:,} | {one.wrong / n:.1%} | {one.usual} | "
            f"{one.lowering / n:.1%} | {one.actionable / max(one.lines, 1):.1%} |"
        )
    return "\n".join([*out, ""])

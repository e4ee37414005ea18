"""`candidates`: what columns that the matrix does not have would bring, on the reference data and on drawn provinces.

Each is made of the record's rows known before the moment (`known_at < as_of`) and put beside the matrix's columns;
members are learnt and blended as a recipe is chosen (`training.ablate`), on later slices inside the training period.
Beside stands a column of noise: trees draw the columns that each sees, so any column more changes them a little. The
test period is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from tests.bench.group import bench

if TYPE_CHECKING:
    import duckdb

    from features.calendar.working_time import Calendar
    from training.evaluate import Metric
    from training.sample import Sample

TITLE = "Columns that the matrix does not have"
PROVINCES = (31, 32)
DOSSIERS, START, CUTOFF = 3_000, date(2025, 1, 6), datetime(2026, 4, 6, tzinfo=UTC)
NOISE = "noise"
LEAST = 50
"""Cases that must have a value of a column, else it is not tried."""

RELATIONS = """
    CREATE OR REPLACE TEMP TABLE seen AS
        SELECT dossier_id, kind, official_id, to_unit_code, step_due_at, happened_at, row_id,
               greatest(known_at, happened_at) AS known FROM event;
    CREATE OR REPLACE TEMP TABLE head AS
        SELECT * FROM dossier QUALIFY row_number() OVER (PARTITION BY dossier_id ORDER BY known_at, row_id) = 1;
    CREATE OR REPLACE TEMP TABLE ending AS
        SELECT dossier_id, min(known) AS ended FROM seen WHERE kind IN $ends GROUP BY ALL;
    CREATE OR REPLACE TEMP TABLE result AS
        SELECT d.*, coalesce(e.ended > d.due_at, true) AS late,
               greatest(d.known_at, least(coalesce(e.ended, d.due_at), d.due_at)) AS result_at
        FROM head d LEFT JOIN ending e USING (dossier_id) WHERE d.due_at IS NOT NULL;
    CREATE OR REPLACE TEMP TABLE spell AS
        WITH named AS (
            SELECT *, lag(official_id) OVER (PARTITION BY dossier_id ORDER BY happened_at, known, row_id) AS before
            FROM seen WHERE official_id IS NOT NULL)
        SELECT n.dossier_id, n.official_id, greatest(n.known, d.known_at) AS begins, d.due_at,
               coalesce(lead(n.known) OVER (PARTITION BY n.dossier_id ORDER BY n.known), e.ended) AS ends
        FROM named n JOIN head d USING (dossier_id) LEFT JOIN ending e USING (dossier_id)
        WHERE n.before IS DISTINCT FROM n.official_id;
    CREATE OR REPLACE TEMP TABLE asked AS
        SELECT c.nth, c.as_of, d.*, (
            SELECT arg_max(official_id, (happened_at, known, row_id)) FROM seen s
            WHERE s.dossier_id = c.dossier_id AND s.known < c.as_of AND s.official_id IS NOT NULL) AS holder
        FROM given c JOIN head d USING (dossier_id);
    CREATE OR REPLACE TEMP TABLE question AS
        SELECT q.dossier_id, q.to_unit_code AS office, q.step_due_at, q.happened_at, q.known, (
            SELECT min(a.known) FROM seen a WHERE a.dossier_id = q.dossier_id AND a.kind = 'consultation_answered'
            AND a.happened_at >= q.happened_at) AS answered
        FROM seen q WHERE q.kind = 'consulted' AND q.to_unit_code IS NOT NULL;
    CREATE OR REPLACE TEMP TABLE pending AS
        SELECT c.nth, c.as_of, arg_max(q.office, q.known) AS office, arg_max(q.step_due_at, q.known) AS step_due_at
        FROM given c JOIN question q USING (dossier_id)
        WHERE q.known < c.as_of AND coalesce(q.answered >= c.as_of, true) GROUP BY ALL;
"""
"""What the columns are made of, of the rows (nth, dossier_id, as_of) in `given`."""

COUNTS: Mapping[str, str] = {
    "queue ahead by due date at the holder": """
        SELECT a.nth, count(s.dossier_id) FROM asked a LEFT JOIN spell s ON s.official_id = a.holder
        AND s.begins < a.as_of AND coalesce(s.ends >= a.as_of, true) AND s.due_at < a.due_at
        AND s.dossier_id <> a.dossier_id WHERE a.holder IS NOT NULL GROUP BY ALL""",
    "days the holder was seen in 30": """
        SELECT a.nth, count(DISTINCT CAST(s.known AS DATE)) FROM asked a JOIN seen s ON s.official_id = a.holder
        AND s.known < a.as_of AND s.known >= a.as_of - INTERVAL 30 DAY GROUP BY ALL""",
    "backlog of the consulted office": """
        SELECT p.nth, count(*) FROM pending p JOIN question q ON q.office = p.office AND q.known < p.as_of
        AND coalesce(q.answered >= p.as_of, true) GROUP BY ALL""",
    "pace of the consulted office": """
        SELECT p.nth, avg(epoch(q.answered - q.happened_at)) FROM pending p JOIN question q ON q.office = p.office
        AND q.answered < p.as_of AND q.answered >= p.as_of - INTERVAL 90 DAY GROUP BY ALL""",
    "weekday and hour of receipt": """
        SELECT nth, (isodow(received_at) - 1) * 24 + hour(received_at) FROM asked""",
}
MOMENTS: Mapping[str, str] = {
    "hours to the step's due (step_due_at)": """
        SELECT a.nth, arg_max(s.step_due_at, (s.happened_at, s.known, s.row_id)) FROM asked a JOIN seen s
        ON s.dossier_id = a.dossier_id AND s.known < a.as_of AND s.step_due_at IS NOT NULL GROUP BY ALL""",
    "hours to the answer's due": "SELECT nth, step_due_at FROM pending",
    "working hours since the holder was seen": """
        SELECT a.nth, max(s.known) FROM asked a JOIN seen s ON s.official_id = a.holder AND s.known < a.as_of
        GROUP BY ALL""",
}
"""Moments, told as working hours from `as_of`."""
PASTS: Mapping[str, str] = {
    "past late rate of the applicant": "applicant_id",
    "past late rate of the agent": "agent_id",
    "past late rate of unit and procedure": "unit_code || procedure_code",
}
TOKENS = "past late rate of the procedure's tokens"


def columns(con: duckdb.DuckDBPyConnection, sample: Sample, calendar: Calendar) -> dict[str, np.ndarray]:
    """The candidates [n] of the sample's rows, NaN where nothing is known; those of which little is known left out."""
    import pyarrow as pa

    from features.record.schema import ENDS

    n = len(sample)
    rows = {"nth": np.arange(n), "dossier_id": sample.matrix["dossier_id"], "as_of": sample.matrix["as_of"]}
    con.register("given", pa.table(rows))
    con.execute(RELATIONS.replace("$ends", str(tuple(ENDS))))

    def placed(sql: str) -> np.ndarray:
        cells = np.full(n, np.nan)
        for at, value in con.execute(sql).fetchall():
            cells[at] = np.nan if value is None else float(value)
        return cells

    found = {name: placed(sql) for name, sql in COUNTS.items()}
    now = calendar.worked_each(sample.as_of)
    for name, sql in MOMENTS.items():
        moments = placed(f"SELECT nth, epoch_us(moment) FROM ({sql}) m (nth, moment)")
        known = np.flatnonzero(np.isfinite(moments))
        found[name] = np.full(n, np.nan)
        found[name][known] = (calendar.worked_each(moments[known].astype(np.int64)) - now[known]) / 3.6e9
    base = float(np.average(sample.label, weights=sample.share))
    past = f"""SELECT a.nth, (count(*) FILTER (r.late) + 20 * {base}) / (count(r.dossier_id) + 20)
               FROM (SELECT nth, as_of, dossier_id, $key AS name FROM asked) a
               LEFT JOIN (SELECT *, $key AS name FROM result) r ON r.name = a.name AND r.result_at < a.as_of
               AND r.dossier_id <> a.dossier_id WHERE a.name IS NOT NULL GROUP BY ALL"""
    found |= {name: placed(past.replace("$key", key)) for name, key in PASTS.items()}
    tokens = past.replace("a.nth,", "a.nth, a.name,").replace("$key", "trim(unnest(string_split(procedure_code, ',')))")
    found[TOKENS] = placed(f"SELECT nth, avg(rate) FROM ({tokens}) t (nth, name, rate) GROUP BY ALL")
    con.unregister("given")
    found[NOISE] = np.random.default_rng(0).normal(size=n)
    return {name: cells for name, cells in found.items() if np.isfinite(cells).sum() >= LEAST}


@dataclass(frozen=True)
class Tried:
    """A candidate on one record: `known` rows, log-loss saved and AUC gained (above zero: it helps)."""

    record: str
    name: str
    known: int
    loss: Metric
    auc: Metric


def tried(record: str, con: Any, sample: Sample, calendar: Calendar, say: Callable[[str], None]) -> Iterator[Tried]:
    """Each candidate alone beside the matrix, against the matrix as it is."""
    import pyarrow as pa
    from scipy.special import expit

    from training.ablate import auc_apart, draws_of
    from training.evaluate import interval
    from training.fit import SMALL, stable_columns
    from training.model_selection import best_blend_losses, blend, judge
    from training.split import rolling

    splits = rolling(sample)
    made = columns(con, sample, calendar)
    sample = replace(sample, matrix=sample.matrix.select(stable_columns(sample, splits)))
    whole = judge(sample, splits, SMALL)
    loss, weight = best_blend_losses(whole)
    score = expit(blend(whole).log_odds)
    clusters, counts = draws_of(whole, 300)
    for name, cells in made.items():
        say(f"{record}: {name}")
        matrix = sample.matrix.append_column(f"candidate {name}", pa.array(cells, from_pandas=True))
        more = judge(replace(sample, matrix=matrix), splits, SMALL)
        saved = loss - best_blend_losses(more)[0]
        means = np.array([np.average(saved, weights=weight * count[clusters]) for count in counts])
        gained = auc_apart(whole, expit(blend(more).log_odds), score, 300)
        yield Tried(record, name, int(np.isfinite(cells).sum()), interval(means), gained)


@bench.command("candidates")
def candidates(
    data: Annotated[Path, typer.Option(help="Folder of the reference sets.")] = Path("../shared/data"),
    only: Annotated[str, typer.Option(help="Names of records, with commas; the small ones if left out.")] = "",
    card: Annotated[Path | None, typer.Option(help="Card to put the table on: models/cards/ablation.md.")] = None,
) -> None:
    """Judge columns that the matrix does not have, inside the training period."""
    from training.ablate import put_on_card

    with TemporaryDirectory() as scratch:
        lines = list(judged(data, Path(scratch), only, lambda line: typer.echo(line, err=True)))
    text = as_markdown(lines)
    typer.echo(text)
    if card is not None:
        put_on_card(card, text)


def judged(data: Path, scratch: Path, only: str, say: Callable[[str], None]) -> Iterator[Tried]:
    """All candidates on every record asked for."""
    from features.calendar.vietnam import VIETNAM
    from features.calendar.working_time import PLAIN_WEEK
    from features.record.record import Record
    from features.simulate.recorded import made_up_record
    from features.sources import SOURCES, FeedOptions
    from tests.bench.reference import REFERENCES
    from training.training_set import gather

    names = only.split(",") if only else [one.name for one in REFERENCES[:3]] + [f"province {n}" for n in PROVINCES]
    for reference in (one for one in REFERENCES if one.name in names):
        record = Record(scratch / reference.name)
        feed = SOURCES["canonical"].read(data / reference.name, FeedOptions())
        record.append(feed, source="canonical", arrived_at=reference.until)
        con = record.connect(cutoff=reference.cutoff)
        yield from tried(reference.name, con, gather(con, reference.cutoff), PLAIN_WEEK, say)
    for name in (one for one in names if one.startswith("province ")):
        folder, seed = scratch / name.replace(" ", "_"), int(name.removeprefix("province "))
        con = made_up_record(folder, DOSSIERS, START, CUTOFF.date(), seed=seed, policy=None).connect(cutoff=CUTOFF)
        yield from tried(name, con, gather(con, CUTOFF, VIETNAM), VIETNAM, say)


def as_markdown(lines: list[Tried]) -> str:
    """The section as it stands on the card."""
    out = [
        f"## {TITLE}",
        "",
        "Written by `python -m tests.bench candidates --card`. One column more, made of what was known before the",
        "moment; log-loss saved and AUC gained on later slices inside the training period (above zero: it helps),",
        "95 % intervals, dossiers drawn. `noise`: a column of drawn numbers, for trees draw which columns they",
        "see. A column that is not in a table is not told by that record: no public set tells steps' due dates,",
        "consulted offices, applicants or agents, so these stand on drawn provinces alone. Weekday and hour of",
        "receipt and the next long break are in the matrix apart from each other. What saves no more than noise",
        "is not built.",
        "",
        "| record | column | rows that know it | log-loss saved | AUC gained | pays |",
        "|---|---|---|---|---|---|",
    ]
    for one in lines:
        cells = [f"{f.value:+.4f} [{f.low:+.4f}, {f.high:+.4f}]" for f in (one.loss, one.auc)]
        pays = "yes" if one.loss.low > 0 or one.auc.low > 0 else "no"
        out.append(f"| {one.record} | {one.name} | {one.known:,} | {cells[0]} | {cells[1]} | {pays} |")
    return "\n".join([*out, ""])

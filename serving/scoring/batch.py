"""Scores every open dossier as of a moment: the same matrix code as in training.

Score and reasons in one call.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import expit, logit

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.case_state.relation import case_states
from features.case_state.state import WAITING
from features.matrix.batch import build_batches
from features.record.record import Record
from features.record.utc import aware_table
from models.cases import cohort
from models.encoding import column_of_numbers
from models.reasons import Reason, ReasonColumns, reason_columns
from models.remaining_time import LEFT
from models.risk_model import RiskModel, Scores
from models.target import Target
from models.targets import MAIN, TARGETS
from serving.scoring.champion import champion
from serving.scoring.score_files import REASON, REMAINING, SCHEMA, ListMeta, write_scores
from serving.scoring.time_left import hours_left
from serving.settings import Settings

CERTAIN = 0.999
"""Score of a dossier whose promise has passed already."""
CERTAIN_ODDS = float(logit(CERTAIN))
REASONS = 3
"""Reasons stored with a score."""
BATCH = 50_000  # dossiers whose matrix and contributions are held at once


def score_open(
    con: duckdb.DuckDBPyConnection, as_of: datetime, model: RiskModel, calendar: Calendar,
    misfits: Counter[str] | None = None,
) -> pa.Table:  # fmt: skip
    """Every open dossier at `as_of`, overdue ones too where these are certain: rows of `score_files.SCHEMA`, highest
    risk first, then those whose clock stands.

    `con`: the record restricted to what was known at `as_of` (`Record.connect(cutoff=as_of)`). Ties stand by
    age, then id. A dossier that has missed its lawful promise, be it waiting since, is certain to be late: what lifts
    its score to `CERTAIN` is given as a reason of its own, `overdue`, so that contributions still add up to the score.
    `misfits` takes up how many cells of each column don't fit the model's type: they are unknown for their dossier
    alone.
    """
    calendar = as_delivered(con, calendar)
    standing = open_standing(con, as_of, calendar)
    target = TARGETS[model.target]
    if not target.overdue_is_certain:
        asked = cohort(con, as_of, target, calendar=calendar)["dossier_id"]
        standing = standing.filter(pc.is_in(standing["dossier_id"], asked.combine_chunks()))
    if not standing.num_rows:
        return SCHEMA.empty_table()
    moments = pa.array([as_of] * standing.num_rows, pa.timestamp("us", "UTC"))
    cases = standing.select(["dossier_id"]).append_column("as_of", moments)
    parts: list[pa.Table] = []
    for matrix in build_batches(con, cases, calendar=calendar, rows=BATCH):
        if misfits is not None:
            misfits.update(model.encoder.misfits(matrix))
        parts.append(_rows(matrix, standing.slice(len(parts) * BATCH, BATCH), model, calendar))
    return _ranked(pa.concat_tables(parts))


def _rows(matrix: pa.Table, standing: pa.Table, model: RiskModel, calendar: Calendar) -> pa.Table:
    x = model.encoder.encode(matrix)
    scores = model.score_encoded(x)
    as_of = matrix["as_of"][0].as_py()
    left = hours_left(standing["due_at"], standing["overdue"], as_of, calendar)
    found = reason_columns(scores, matrix, top=REASONS)
    log_odds = scores.log_odds.copy()
    certain = TARGETS[model.target].overdue_is_certain
    late = standing["late"].to_numpy() & certain
    places = np.flatnonzero(late & (log_odds < CERTAIN_ODDS))
    certain_of = {place: overdue(CERTAIN_ODDS - log_odds[place], left[place]) for place in places.tolist()}
    log_odds[places] = CERTAIN_ODDS
    row_reasons = _reasons_column(found, scores.features, certain_of, len(x))
    remaining = pa.nulls(len(x), REMAINING)
    if model.remaining is not None:
        late_score = np.where(late, np.nan, scores.probability)
        times = model.remaining.tell(x, column_of_numbers(matrix, LEFT), late_score, model.encoder.stage(x))
        remaining = _structs(times, REMAINING)
    told_range = scores.range() or (np.full(len(x), np.nan), np.full(len(x), np.nan))
    ends = [pa.array(np.where(late, np.nan, end), from_pandas=True) for end in told_range]
    return _table(matrix, standing, scores, log_odds, left, row_reasons, remaining, ends)


def _table(
    matrix: pa.Table,
    standing: pa.Table,
    scores: Scores,
    log_odds: np.ndarray,
    left: np.ndarray,
    row_reasons: pa.ListArray,
    remaining: pa.Array,
    ends: list[pa.Array],
) -> pa.Table:
    columns = {
        **{name: matrix[name] for name in ("dossier_id", "unit_code", "official_id", "procedure_code")},
        "sector_code": matrix["sector_code"],
        "as_of": matrix["as_of"],
        "score": expit(log_odds),
        "log_odds": log_odds,
        "base": np.full(len(log_odds), scores.base),
        "rank": np.zeros(len(log_odds), np.int64),
        "left_hours": pa.array(left, from_pandas=True),
        "due_at": standing["due_at"],
        "received_at": standing["received_at"],
        "step": matrix["step"],
        "phase": standing["phase"],
        "reasons": row_reasons,
        "remaining": remaining,
        "score_low": ends[0],
        "score_high": ends[1],
    }
    return pa.table(columns).select(SCHEMA.names).cast(SCHEMA)


def _reasons_column(
    found: ReasonColumns, features: Sequence[str], certain: Mapping[int, Reason], rows: int
) -> pa.ListArray:
    """`REASONS` reasons of each of so many rows as a list column: before those found, those of rows that are certain.

    By column, and each wording once: a row of its own for every reason costs more than what it is made of.
    """
    first = list(certain.values())
    row = np.concatenate([np.array(list(certain), np.int64), found.row])
    order = np.argsort(row, kind="stable")
    row = row[order]
    stay = np.arange(len(row)) - np.searchsorted(row, row) < REASONS
    order = order[stay]
    feature = np.concatenate([len(features) + np.arange(len(first)), found.feature])[order]
    sentence = np.concatenate([np.arange(len(first)), len(first) + found.sentence])[order]
    sentences = [*((one.value, one.usual, one.n, one.vi, one.en) for one in first), *found.sentences]
    fields = {
        "code": pa.array([*features, *(one.code for one in first)], pa.string()).take(pa.array(feature)),
        "effect": pa.array(np.concatenate([[one.effect for one in first], found.effect])[order], pa.float64()),
        **{name: pa.array([one[at] for one in sentences], REASON.field(name).type).take(pa.array(sentence))
           for at, name in enumerate(("value", "usual", "n", "vi", "en"))},
    }  # fmt: skip
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row[stay], minlength=rows))]).astype(np.int32)
    structs = pa.StructArray.from_arrays([fields[field.name] for field in REASON], fields=list(REASON))
    return pa.ListArray.from_arrays(pa.array(offsets), structs)


def _structs(rows: Sequence[object], kind: pa.StructType) -> pa.StructArray:
    """Dataclasses as a struct column, field by field: a dict of each costs more than what it is made of."""
    fields = [pa.array([getattr(one, field.name) for one in rows], field.type) for field in kind]
    return pa.StructArray.from_arrays(fields, fields=list(kind))


def _ranked(table: pa.Table) -> pa.Table:
    waits = pc.is_in(table["phase"], pa.array(WAITING, pa.string()))
    keys = [("waits", "ascending"), ("score", "descending"), ("received_at", "ascending"), ("dossier_id", "ascending")]
    ordered = table.append_column("waits", waits).sort_by(keys).drop_columns(["waits"])
    rank = pa.array(np.arange(1, table.num_rows + 1), pa.int64())
    return ordered.set_column(SCHEMA.get_field_index("rank"), SCHEMA.field("rank"), rank)


def overdue(effect: float, left_hours: float) -> Reason:
    """The reason that the promise has passed, by `-left_hours` working hours."""
    hours = f"{max(-left_hours, 0.0):.1f}"
    return Reason(
        code="overdue",
        effect=float(effect),
        value=hours,
        usual="0",
        n=0,
        vi=f"Đã quá hạn {hours.replace('.', ',')} giờ làm việc",
        en=f"Overdue by {hours} working hours",
    )


def open_standing(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> pa.Table:
    """Every open dossier at `as_of` by id: dossier_id, due_at (the lawful promise), received_at, phase, overdue, late.

    One whose receipt lies in the future is open once it was received, here as in every count.
    """
    with case_states(con, as_of, calendar) as states:
        columns = "dossier_id, lawful_due_at AS due_at, received_at, phase, overdue, late"
        return aware_table(
            states.filter("is_open AND received_at < read_at").project(columns).order("dossier_id").to_arrow_table()
        )


def score_record(
    settings: Settings, as_of: datetime, calendar: Calendar, latest: bool = True, target: Target = MAIN
) -> tuple[ListMeta, Path]:
    """Scores the record's open dossiers with the present champion and stores the list.

    Gives its description and file. FileNotFoundError where nothing was promoted. latest: make it the list
    that is served.
    """
    record = Record(settings.record_url)
    version = record.version()
    model = champion(settings.models, target.name, threads=os.cpu_count() or 1)
    misfits: Counter[str] = Counter()
    con = record.connect(version=version, cutoff=as_of, copied=True)
    table = score_open(con, as_of, model.model, calendar, misfits)
    meta = ListMeta(
        target=target.name,
        as_of=as_of,
        model_version=model.version,
        model_sha256=model.sha256,
        record_version=version,
        features_hash=features_hash(model.model),
        n=table.num_rows,
        rule=model.rule,
        misfits=dict(misfits),
        level=None if model.level is None else model.level.as_of.isoformat(),
    )
    return meta, write_scores(settings.scores, table, meta, latest)


def features_hash(model: RiskModel) -> str:
    """Names the columns that a model reads: sha256 of their names in order."""
    return hashlib.sha256("\n".join(model.encoder.columns).encode()).hexdigest()

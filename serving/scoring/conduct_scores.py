"""The scored list of the target conduct: every open dossier with its chance of a finding if a visit pulled it.

The same columns as the daily list, so that plans, weekly lists and exports read one form. Where a finding model
ships the chance is its probability. Where none does, the signals rank and the chance is the rate of findings among
inspected dossiers as unusual as this one, shrunk to `models.finding` where few were inspected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
from scipy.special import logit

from features.calendar.holiday import as_delivered
from features.calendar.vietnam import VIETNAM
from features.matrix import batch as matrix
from features.signals.conduct_year import ConductYear
from features.signals.sentences import dossier_sentence
from models.conduct import ConductLine
from models.finding import FindingChance
from models.rarity import Usual
from serving.scoring.batch import open_standing
from serving.scoring.score_files import REASON, SCHEMA, in_schema
from serving.scoring.time_left import hours_left

REASONS = 5
"""Signals stored with a dossier, the rarest first."""

_STEP = next(feature for feature in matrix.FEATURES if feature.name == "step")
"""All that the list takes from the matrix beside its keys."""

LEAST, MOST = 1e-6, 1 - 1e-6


def table(
    con: duckdb.DuckDBPyConnection,
    as_of: datetime,
    lines: Sequence[ConductLine],
    year: ConductYear,
    chance: FindingChance,
) -> pa.Table:
    """Every open dossier at `as_of`: rows of `score_files.SCHEMA`, the highest chance first.

    `lines`: the conduct list of dossiers; those of tier `discovered` carry the model's probability, others how unusual
    their signals are. `year`: whose dossiers a signal counts as usual against. `con`: the record.
    """
    calendar = as_delivered(con, VIETNAM)
    standing = open_standing(con, as_of, calendar)
    if not standing.num_rows:
        return SCHEMA.empty_table()
    moments = pa.array([as_of] * standing.num_rows, pa.timestamp("us", "UTC"))
    cases = standing.select(["dossier_id"]).append_column("as_of", moments)
    course = matrix.build(con, cases, [_STEP], calendar)
    ids = course["dossier_id"].to_pylist()
    scored = {line.dossier_id: line for line in lines}
    p = np.array([_chance(scored.get(key), chance) for key in ids])
    left = hours_left(standing["due_at"], standing["overdue"], as_of, calendar)
    reasons_of = _reasons(con, ids, course["procedure_code"].to_pylist(), year)
    columns = {
        **{name: course[name] for name in ("dossier_id", "unit_code", "official_id", "procedure_code", "sector_code")},
        "as_of": course["as_of"],
        "score": p,
        "log_odds": logit(p),
        "base": np.full(len(p), logit(chance.usual)),
        "rank": np.zeros(len(p), np.int64),
        "left_hours": pa.array(left, from_pandas=True),
        "due_at": standing["due_at"],
        "received_at": standing["received_at"],
        "step": course["step"],
        "reasons": pa.array([reasons_of.get(key, []) for key in ids], pa.list_(REASON)),
        "phase": standing["phase"],
    }
    found = in_schema(pa.table(columns))
    ordered = found.sort_by([("score", "descending"), ("received_at", "ascending"), ("dossier_id", "ascending")])
    rank = pa.array(np.arange(1, ordered.num_rows + 1), pa.int64())
    return ordered.set_column(SCHEMA.get_field_index("rank"), SCHEMA.field("rank"), rank)


def _chance(line: ConductLine | None, chance: FindingChance) -> float:
    if line is None or line.score is None:
        return chance.of(0.0)
    p = line.score if line.tier == "discovered" else chance.of(line.score)
    return min(max(p, LEAST), MOST)


def _reasons(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], procedure: Sequence[str | None], year: ConductYear
) -> Mapping[str, list[dict[str, object]]]:
    """The rarest signals of each case, as reasons: code, effect (−log of the peers' rate), sentence."""
    shown = year.of_dossiers(con, pa.array(ids, pa.string()))
    theirs = dict(zip(*(year.handled[name].to_pylist() for name in ("dossier_id", "procedure_code")), strict=True))
    among = year.of_dossiers(con, pa.array(list(theirs), pa.string()))
    number = {key: nth for nth, key in enumerate(theirs)}
    rows = [number[key] for key in among["dossier_id"].to_pylist()]
    usual = Usual.of([one or "" for one in theirs.values()], rows, among["signal"].to_pylist())
    of = dict(zip(ids, procedure, strict=True))
    by_dossier: dict[str, list[dict[str, object]]] = {}
    for key, name, value in zip(*(shown[column].to_pylist() for column in ("dossier_id", "signal", "value")),
                                strict=True):  # fmt: skip
        rate = usual.rate(of[key] or "", name)
        n = usual.sizes.get(of[key] or "", 0)
        vi, en = dossier_sentence(name, value, rate, n)
        by_dossier.setdefault(key, []).append(
            {"code": name, "effect": -float(np.log(rate)), "value": f"{value:g}", "usual": f"{100 * rate:.1f} %",
             "n": n, "vi": vi, "en": en}
        )  # fmt: skip
    return {key: sorted(some, key=lambda one: (-one["effect"], one["code"]))[:REASONS]  # type: ignore[operator]
            for key, some in by_dossier.items()}  # fmt: skip

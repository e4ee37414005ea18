"""Conduct lists on disk: one file a grain under `scores/conduct/<as_of>`, written whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.record.positions import positions
from features.record.succession import levels
from features.signals.conduct_year import ConductYear, conduct_year
from features.signals.sentences import held_sentence
from models import pointers
from models.artefact import ArtefactError
from models.artefact import load as load_model
from models.cases import cohort
from models.conduct import GRAINS, ConductLine, against_peers, dossiers, forecast
from models.conduct_peers import officials, units
from models.finding import FindingChance, by_model, without_probability
from models.finding_matrix import SHOWN
from models.official_artefact import load
from serving.scoring import conduct_scores
from serving.scoring.score_files import ListMeta, list_folder, replace_table

COLUMNS = [field.name for field in fields(ConductLine)]
_SCHEMA = pa.schema([
    ("official_id", pa.string()), ("unit_code", pa.string()), ("dossier_id", pa.string()), ("score", pa.float64()),
    ("flag", pa.bool_()), ("n", pa.int64()), ("low", pa.float64()), ("high", pa.float64()), ("rank", pa.int64()),
    ("reasons_vi", pa.string()), ("reasons_en", pa.string()), ("tier", pa.string()), ("family", pa.string()),
    ("observed", pa.int64()), ("expected", pa.float64()),
])  # fmt: skip


def lines(
    con: duckdb.DuckDBPyConnection, models: Path, as_of: datetime, year: ConductYear | None = None
) -> dict[str, list[ConductLine]]:
    """The lists of every grain as of `as_of`. `year`: what signals say at that moment, where it is at hand.

    Where the record holds dossiers, signals against peers rank; where it holds complaints alone, the champion's
    forecast of complaints does. Placeholders are no officials: the feeds never let them in.
    """
    year = conduct_year(con, as_of, SHOWN) if year is None else year
    acted = year.handled
    if not acted.num_rows:
        of_officials = with_signals(_forecast(con, models, as_of), year.held["official"])
        return {grain: of_officials if grain == "official" else [] for grain in GRAINS}
    in_post = positions(con, as_of)
    position = {who: post.position for who, post in in_post.items()}
    level = levels(con, as_of)
    heads = year.held["head"]
    ids = cohort(con, as_of, overdue=True)["dossier_id"].to_pylist()
    return {
        "official": with_signals(
            # history follows the official: the line stands with the unit where they are now
            [
                replace(line, unit_code=in_post[line.official_id].unit_code) if line.official_id in in_post else line
                for line in against_peers(officials(acted, position), "official")
            ],
            [*year.held["official"], *heads],
        ),
        "unit": with_signals(
            against_peers(units(acted, position, level), "unit"),
            [*year.held["unit"], *({**row, "key": row["unit_code"]} for row in heads)],
        ),
        "dossier": _dossiers(con, models, ids, dossiers(con, ids, year), as_of),
    }


def with_signals(lines: Sequence[ConductLine], shown: Sequence[Mapping[str, Any]]) -> list[ConductLine]:
    """The lines with the sentences of the signals `shown` (rows of `evaluate_held`) behind their own.

    What a head let stand is shown for the unit and for the head. A line without enough data stays without any figure.
    """
    sentences: dict[str, list[tuple[str, str]]] = {}
    for row in shown:
        sentences.setdefault(row["key"], []).append(held_sentence(row))
    more = {key: tuple(map(". ".join, zip(*pairs, strict=True))) for key, pairs in sentences.items()}
    return [
        replace(line, reasons_vi=f"{line.reasons_vi} {more[key][0]}.", reasons_en=f"{line.reasons_en} {more[key][1]}.")
        if line.score is not None and (key := line.official_id or line.unit_code or "") in more
        else line
        for line in lines
    ]


def scored(
    con: duckdb.DuckDBPyConnection, models: Path, as_of: datetime, lines: Sequence[ConductLine], year: ConductYear,
    record_version: int,
) -> tuple[pa.Table, ListMeta]:  # fmt: skip
    """The scored list of open dossiers for plans and weekly lists, and what it is. `lines`: the list of dossiers."""
    pointer = _pointer(models) or {}
    dossier = pointer.get("dossier", {})
    rates = dossier.get("chance")
    chance = FindingChance(tuple(rates["rates"]), rates["visited"]) if rates else FindingChance()
    rows = conduct_scores.table(con, as_of, lines, year, chance)
    names = [signal.name for signal in SHOWN]
    meta = ListMeta(
        "conduct", as_of, pointer.get("version", "signals"), dossier.get("sha256", pointer.get("sha256", "")),
        record_version, hashlib.sha256("\n".join(names).encode()).hexdigest(), rows.num_rows, "sha256" not in dossier,
    )  # fmt: skip
    return rows, meta


def write(found: dict[str, list[ConductLine]], scores: Path, as_of: datetime) -> Path:
    """Writes the lists of one moment; gives their folder. A reader sees the old files or the new ones."""
    folder = list_folder(scores, "conduct", as_of)
    for grain, ranked in found.items():
        replace_table(folder / f"{grain}.parquet", pa.Table.from_pylist([asdict(line) for line in ranked], _SCHEMA))
    return folder


def read(scores: Path, as_of: datetime, grain: str) -> pa.Table | None:
    """The list of a grain as it was written for `as_of`; None where it never was."""
    path = list_folder(scores, "conduct", as_of) / f"{grain}.parquet"
    return pq.read_table(path) if path.exists() else None


def _dossiers(
    con: duckdb.DuckDBPyConnection, models: Path, ids: Sequence[str], lines: Sequence[ConductLine], as_of: datetime
) -> list[ConductLine]:
    """By the finding model where one ships; else by signals, each line saying why there is no probability."""
    pointer = _pointer(models)
    finding = pointer.get("dossier", {}) if pointer else {}
    if "sha256" not in finding:
        return without_probability(lines, finding.get("ships", "signals"))
    assert pointer is not None
    model = load_model(models / "conduct" / pointer["version"] / "dossier", sha256=finding["sha256"])
    return by_model(con, ids, lines, model, as_of)


def _pointer(models: Path) -> dict[str, Any] | None:
    """What the champion's pointer says, else the candidate's; None where conduct was never trained."""
    for name in ("champion", "candidate"):
        pointer = pointers.read(models / "conduct", name)
        if pointer is not None:
            return pointer
    return None


def _forecast(con: duckdb.DuckDBPyConnection, models: Path, as_of: datetime) -> list[ConductLine]:
    pointer = _pointer(models)
    if pointer is None:
        raise FileNotFoundError("no forecast of conduct; run: risk train conduct --cutoff T")
    forecasts = load(models / "conduct" / pointer["version"], sha256=pointer["sha256"])
    if "reported" not in forecasts:
        raise ArtefactError("conduct: the record held no complaint to learn from; bring complaints or dossiers")
    return forecast(con, forecasts["reported"], as_of)

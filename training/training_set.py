"""The labelled sample of a training period: landmarks, matrix and ripe labels, as known at the cutoff."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.matrix import batch as matrix
from features.record.utc import aware_utc
from models.cases import labels, landmarks
from models.target import Target
from models.targets import MAIN
from training.sample import Sample, microseconds

WEEK = timedelta(days=7)
SHARES = (0.25, 0.5, 0.75)
"""Quarters of the first term: dossiers of two days are looked at as often as those of two months."""
MOST = 300_000
"""Ripe landmarks to learn from at most; beyond it whole dossiers are drawn. That bounds time and memory."""


def drawn(dossier_id: pa.ChunkedArray, share: float, seed: int = 0) -> pa.Array:
    """Which rows belong to a drawn `share` of dossiers: by a hash of id and seed, so every run draws the same."""
    coded = dossier_id.combine_chunks().dictionary_encode()
    chosen = [zlib.crc32(name.encode(), seed) < share * 2**32 for name in coded.dictionary.to_pylist()]
    return pa.array(chosen, pa.bool_()).take(coded.indices)


def first_receipt(con: duckdb.DuckDBPyConnection) -> datetime:
    """When the first dossier was received. ValueError for a record without dossiers."""
    found: datetime | None = con.execute("SELECT MIN(received_at) FROM dossier").fetchall()[0][0]
    if found is None:
        raise ValueError(
            "wanted a record with dossiers known before the cutoff, came none; ingest a delivery or take a later cutoff"
        )
    return aware_utc(found)


def training_cases(con: duckdb.DuckDBPyConnection, cutoff: datetime, target: Target = MAIN) -> pa.Table:
    """The landmarks to learn from: arrival, quarters of the term, and every week, before the cutoff."""
    return landmarks(con, first_receipt(con), cutoff, target, every=WEEK, at_arrival=True, at_shares=SHARES)


def gather(
    con: duckdb.DuckDBPyConnection,
    cutoff: datetime,
    calendar: Calendar = PLAIN_WEEK,
    *,
    most: int = MOST,
    seed: int = 0,
    target: Target = MAIN,
) -> Sample:
    """The ripe cases of the training period; `con` shows what was known at `cutoff` (`Record.connect(cutoff=…)`).

    Beyond `most` landmarks whole dossiers are drawn, by `seed`.
    """
    cases = training_cases(con, cutoff, target)
    return labelled_rows(con, cases, cutoff, calendar, most=most, seed=seed, target=target)


def labelled_rows(
    con: duckdb.DuckDBPyConnection,
    cases: pa.Table,
    known_at: datetime,
    calendar: Calendar = PLAIN_WEEK,
    *,
    most: int = MOST,
    seed: int = 0,
    target: Target = MAIN,
) -> Sample:
    """The cases whose label is ripe at `known_at`, with their matrix rows; whole dossiers are drawn beyond `most`."""
    cases, labelled = ripe_cases(con, cases, known_at, most=most, seed=seed, target=target)
    return Sample.of(matrix.build(con, cases, calendar=calendar), labelled)


def ripe_cases(
    con: duckdb.DuckDBPyConnection,
    cases: pa.Table,
    known_at: datetime,
    *,
    most: int = MOST,
    seed: int = 0,
    target: Target = MAIN,
) -> tuple[pa.Table, pa.Table]:
    """The cases whose label is ripe at `known_at`, and their labels; whole dossiers are drawn beyond `most`."""
    labelled = labels(con, cases, known_at, target)
    ripe = labelled["label"].is_valid()
    cases, labelled = cases.filter(ripe), labelled.filter(ripe)
    if cases.num_rows > most:
        sampled = drawn(cases["dossier_id"], most / cases.num_rows, seed)
        cases, labelled = cases.filter(sampled), labelled.filter(sampled)
    return cases, labelled


def built_together(
    con: duckdb.DuckDBPyConnection, parts: Sequence[pa.Table], calendar: Calendar = PLAIN_WEEK
) -> list[pa.Table]:
    """The matrix of each table of cases (dossier_id, as_of), all worked off at once.

    A matrix costs by the record more than by its cases, and these share most of them.
    """
    asked = pa.concat_tables([part.select(["dossier_id", "as_of"]) for part in parts])
    who = asked["dossier_id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    when = np.unique(microseconds(asked["as_of"]), return_inverse=True)[1]
    _, first, nth = np.unique(who * (when.max(initial=0) + 1) + when, return_index=True, return_inverse=True)
    cells = matrix.build(con, asked.take(pa.array(first)), calendar=calendar)
    ends = np.cumsum([0, *(part.num_rows for part in parts)]).tolist()
    return [cells.take(pa.array(nth[begin:end])) for begin, end in pairwise(ends)]

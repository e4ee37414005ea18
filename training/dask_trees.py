"""Trees learnt on a Dask cluster from all landmarks on disk, where one machine would have to draw a sample.

Recipe, blend, encoding and calibration are chosen on a machine's sample as ever (`training.fit`); then the trees
alone, which need every row in memory, are fitted again by LightGBM's data-parallel learner (`lightgbm.dask`), each
worker holding its share of the rows. What comes back is text like any other model's and goes the same way to the
checked artefact. Needs the extra `cluster`; the workers must reach the folder of parts by the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.booster import TreeMember
from models.cases import labels
from models.encoding import Encoder
from models.risk_model import RiskModel
from training.bagging import mean_of
from training.members import Recipe, directions, hidden
from training.part_manifest import parts

Say = Callable[[str], None]
CASES_AT_ONCE = 1_000_000
ROWS_OF_A_PIECE = 200_000


@dataclass(frozen=True)
class Piece:
    """Rows that one task loads: the files of some landmarks, each with its ripe labels, and how many rows."""

    files: tuple[tuple[Path, Path], ...]
    rows: int


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at `address`; `local`: two worker processes of one thread on this machine."""
    from distributed import Client, LocalCluster

    if address != "local":
        with Client(address) as client:
            yield client
        return
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def refit(
    client: Any, con: duckdb.DuckDBPyConnection, folder: Path, cutoff: datetime, model: RiskModel, recipe: Recipe,
    say: Say = lambda line: None,
) -> RiskModel:  # fmt: skip
    """`model` with trees learnt by the workers of `client` from every ripe landmark before `cutoff` in `folder`.

    `con`: the record as known at the cutoff. ValueError where the folder holds no ripe landmark of both outcomes.
    """
    if "trees" not in model.members:
        say("the blend has no trees: nothing to learn on the cluster")
        return model
    with TemporaryDirectory(dir=folder, prefix="lesson-") as there:
        pieces, mean = lesson(con, folder, cutoff, Path(there), recipe.evenness)
        rows = sum(piece.rows for piece in pieces)
        say(f"fit trees on {rows} rows in {len(pieces)} pieces by {len(client.scheduler_info()['workers'])} workers")
        texts = [_fit(client, pieces, mean, model.encoder, recipe, recipe.seed + bag) for bag in range(recipe.bags)]
    about = {**model.about, "cluster": {"rows": rows, "workers": len(client.scheduler_info()["workers"])}}
    return replace(model, members={**model.members, "trees": TreeMember(mean_of(texts))}, about=about)


def lesson(
    con: duckdb.DuckDBPyConnection, folder: Path, cutoff: datetime, out: Path, evenness: float
) -> tuple[list[Piece], float]:
    """Writes the ripe labels of each part to `out`, with each row's weight; gives the pieces and the mean weight.

    A row counts its share of its dossier to the power `evenness`, over all landmarks (`training.members.row_weight`).
    """
    found = parts(folder, before=cutoff)
    ripe = duckdb.connect(str(out / "ripe.db"))  # on disk: a country's labels need not fit into memory
    ripe.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    ripe.execute("CREATE TABLE ripe (landmark TIMESTAMP, dossier_id VARCHAR, label DOUBLE)")
    for cases in _cases(list(found.values())):
        ripe_labels = labels(con, cases, cutoff).select(["as_of", "dossier_id", "label"])
        ripe_labels = ripe_labels.filter(ripe_labels["label"].is_valid())
        ripe.register("ripe_labels", ripe_labels.set_column(0, "as_of", ripe_labels["as_of"].cast(pa.timestamp("us"))))
        ripe.execute("INSERT INTO ripe SELECT * FROM ripe_labels")
    outcomes = [one for (one,) in ripe.execute("SELECT DISTINCT label FROM ripe").fetchall()]
    if len(outcomes) < 2:
        raise ValueError(f"{folder}: wanted ripe landmarks of both outcomes before the cutoff; run: risk matrix build")
    ripe.execute("CREATE TABLE share AS SELECT dossier_id, 1.0 / COUNT(*) AS share FROM ripe GROUP BY dossier_id")
    power = f"POWER(share, {evenness})"
    (mean,) = ripe.execute(f"SELECT AVG({power}) FROM ripe JOIN share USING (dossier_id)").fetchall()[0]
    pieces: list[Piece] = []
    held: list[tuple[Path, Path]] = []
    rows = 0
    for at, path in found.items():
        ripe.register(
            "asked", pa.table({"landmark": pa.array([at], pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))})
        )
        table = ripe.sql(
            f"SELECT dossier_id, label, {power} AS weight FROM ripe JOIN share USING (dossier_id)"
            " WHERE landmark = (SELECT landmark FROM asked) ORDER BY dossier_id"
        ).to_arrow_table()
        if table.num_rows:
            pq.write_table(table, out / path.name)
            held.append((path, out / path.name))
            rows += table.num_rows
        if rows >= ROWS_OF_A_PIECE:
            pieces.append(Piece(tuple(held), rows))
            held, rows = [], 0
    ripe.close()
    return [*pieces, *([Piece(tuple(held), rows)] if held else [])], float(mean)


def load(piece: Piece, encoder: Encoder, seen: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Encoded rows [n × columns] as float32, labels [n] and weights [n] of a piece; runs on a worker.

    `seen`: how many columns the trees may use. Rates were learnt on a drawn sample, of which a country's rows are few.
    """
    rows, truth, weight = [], [], []
    for path, labels_path in piece.files:
        matrix, labelled = pq.read_table(path), pq.read_table(labels_path)
        matrix = matrix.filter(pc.is_in(matrix["dossier_id"], value_set=labelled["dossier_id"].combine_chunks()))
        matrix = matrix.sort_by("dossier_id")
        if not matrix["dossier_id"].equals(labelled["dossier_id"]):
            raise ValueError(f"{path.name}: wanted the part that was labelled, came another")
        rows.append(hidden(encoder.encode(matrix), seen).astype(np.float32))
        truth.append(labelled["label"].to_numpy())
        weight.append(labelled["weight"].to_numpy())
    return np.concatenate(rows), np.concatenate(truth), np.concatenate(weight)


def _fit(client: Any, pieces: Sequence[Piece], mean: float, encoder: Encoder, recipe: Recipe, seed: int) -> str:
    """The text of trees that the workers learnt together."""
    import dask
    import dask.array as da
    from lightgbm import DaskLGBMClassifier

    width = len(encoder.columns)
    singles = sum(len(rate.keys) == 1 for rate in encoder.rates)
    seen = len(encoder.numbers) + (singles if recipe.identities is not None else 0)
    x, label, weight = [], [], []
    for piece in pieces:
        loaded = dask.delayed(load, pure=True)(piece, encoder, seen)
        x.append(da.from_delayed(loaded[0], (piece.rows, width), np.float32))
        label.append(da.from_delayed(loaded[1], (piece.rows,), np.float64))
        weight.append(da.from_delayed(loaded[2], (piece.rows,), np.float64))
    learner = DaskLGBMClassifier(
        client=client, n_estimators=recipe.rounds, tree_learner="data", seed=seed, deterministic=True,
        force_col_wise=True, verbosity=-1, **directions(recipe, encoder.columns), **recipe.trees,
    )  # fmt: skip
    learner.fit(
        da.concatenate(x),
        da.concatenate(label),
        sample_weight=da.concatenate(weight) / mean,
        feature_name=[f"c{at}" for at in range(width)],
    )
    return str(learner.booster_.model_to_string())


def _cases(files: Sequence[Path]) -> Iterator[pa.Table]:
    """The cases of the parts, some landmarks at a time."""
    held: list[pa.Table] = []
    for path in files:
        held.append(pq.read_table(path, columns=["dossier_id", "as_of"]))
        if sum(table.num_rows for table in held) >= CASES_AT_ONCE:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)

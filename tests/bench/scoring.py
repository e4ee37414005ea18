"""`scoring`: all open dossiers scored with reasons in one batch, beside LightGBM's and shap's own ways."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.contender import spend
from tests.bench.group import Card, Dossiers, Runs, bench, tell
from tests.bench.matrix import drawn
from tests.bench.section import Figure, Section

DOSSIERS = 470_000
"""Received in a month, so that 200,000 are open at its end."""
PLAIN_ROWS, SHAP_ROWS, WIDE_ROWS = 4_000, 500, 400
"""Rows that `pred_contrib`, shap, and `pred_contrib` of wide trees are given: their cost goes by the row."""
SHAP_SIZES = (100, 10_000, 100_000)
WIDE = {"num_leaves": 63, "max_depth": 7, "learning_rate": 0.03, "objective": "binary", "verbosity": -1}
WIDE_TREES = 500
DAYS = 30
THREADS = 2
_HERE = "tests.bench.scoring"
_AT = datetime(2023, 2, 1, 5, tzinfo=UTC)


Kept = Annotated[Path | None, typer.Option(help="Folder of a drawn record and its model, made where it is not there.")]


@bench.command("scoring")
def scoring(card: Card = None, runs: Runs = 1, dossiers: Dossiers = DOSSIERS, kept: Kept = None) -> None:
    """Matrix, scores and reasons of all open dossiers in one batch, beside the same with pred_contrib."""
    with prepared(dossiers, kept) as (folder, model):
        tell([scoring_section(folder, model, runs)], card)


@bench.command("shap")
def shap(card: Card = None, runs: Runs = 1, dossiers: Dossiers = DOSSIERS, kept: Kept = None) -> None:
    """SHAP values by our tables beside pred_contrib and shap.TreeExplainer, cold and warm, by the number of rows."""
    with prepared(dossiers, kept) as (folder, model):
        tell([shap_section(folder, model, runs)], card)


@contextmanager
def prepared(dossiers: int, kept: Path | None = None) -> Iterator[tuple[str, str]]:
    """A folder with a drawn record, of a month so that most are open at its end, and one with a model of it."""
    if kept is None:
        with drawn(dossiers, DAYS) as folder:
            spend(f"{_HERE}:train", folder=str(folder), model=str(folder / "model"))
            yield str(folder), str(folder / "model")
        return
    if not (kept / "model" / "manifest.json").exists():
        spend("tests.bench.drawn_record:draw", folder=str(kept), dossiers=dossiers, days=DAYS)
        spend(f"{_HERE}:train", folder=str(kept), model=str(kept / "model"))
    yield str(kept), str(kept / "model")


def scoring_section(folder: str, model: str, runs: int) -> Section:
    """Seconds of the whole batch with our contributions and with LightGBM's, and the share of the text."""
    both = [[spend(f"{_HERE}:batch", folder=folder, model=model, way=way) for way in ("ours", "pred_contrib")]
            for _ in range(runs)]  # fmt: skip
    batch, plainly = ([one[at] for one in both] for at in (0, 1))
    shares = [one.answer["text"] / one.answer["cpu"] for one in batch]
    contributed = [other.answer["cpu"] / one.answer["cpu"] for one, other in zip(batch, plainly, strict=True)]
    whole = statistics.median(one.wall for one in batch)
    figures = [
        Figure("open dossiers", "rows", [batch[0].answer["rows"]]),
        Figure("scored with reasons, wall", "s", [one.wall for one in batch], None, "under 120 s", whole < 120),
        Figure("scored with reasons, processor", "s", [one.answer["cpu"] for one in batch], 1.0),
        Figure("of it text: reasons chosen, rescored, worded", "", shares, None, "at most .2",
               statistics.median(shares) <= 0.2),
        Figure("the same by pred_contrib, run, processor", "s", [one.answer["cpu"] for one in plainly],
               statistics.median(contributed)),
        Figure("greatest memory", "MB", [one.peak for one in batch]),
    ]  # fmt: skip
    words = (
        f"Matrix, score, time to the end and three reasons of every open dossier on {THREADS} threads, all that is "
        "compiled for it counted (kept on disk: by the first process of an installation alone); trees as shipped for "
        "large records (300 × 15 leaves, depth 6). Ratio: the same batch with LightGBM's pred_contrib in place of our "
        "tables, really run, to ours."
    )
    return Section("Scoring with reasons", words, figures)


def shap_section(folder: str, model: str, runs: int) -> Section:
    """Rows a second of contributions by each way on the same trees and rows, and what a process pays for them."""
    spend(f"{_HERE}:cells", folder=folder, model=model)
    sized = {
        (way, rows): [
            spend(f"{_HERE}:shap_of", folder=folder, model=model, way=way, rows=rows).answer for _ in range(runs)
        ]
        for rows in SHAP_SIZES
        for way in ("as shipped", "by tables", "pred_contrib")
    }
    ways = [spend(f"{_HERE}:ways", folder=folder, model=model).answer for _ in range(runs)]
    rates = {name: [way[name] for way in ways] for name in ways[0]}

    def ratio(one: str, other: str) -> float:
        return float(statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True)))

    ours, wide = ratio("tables", "pred_contrib"), ratio("wide tables", "wide pred_contrib")
    figures = [
        *(Figure(f"{n:,} rows {way}, {name}", "CPU s", [one[at] for one in told],
                 statistics.median(a[at] / b[at] for a, b in zip(told, sized["pred_contrib", n], strict=True)))
          for (way, n), told in sized.items() for at, name in enumerate(("cold", "warm"))),
        Figure("ours, warm", "rows/s", rates["tables"], ours, "≥ 8 × pred_contrib", ours >= 8),
        Figure("pred_contrib", "rows/s", rates["pred_contrib"], 1.0),
        Figure(f"{WIDE_TREES} trees × 63 leaves, ours, warm", "rows/s", rates["wide tables"], wide,
               "≥ 8 × pred_contrib", wide >= 8),
        Figure(f"{WIDE_TREES} trees × 63 leaves, pred_contrib", "rows/s", rates["wide pred_contrib"], 1.0),
        Figure("shap.TreeExplainer", "rows/s", rates["shap"], ratio("shap", "pred_contrib")),
        Figure("plain predict", "rows/s", rates["predict"], ratio("predict", "pred_contrib")),
        Figure("greatest difference from pred_contrib", "log-odds", rates["difference"], None, "at most 1e-6",
               max(rates["difference"]) <= 1e-6),
    ]  # fmt: skip
    words = (
        "The same trees and rows by each way; processor seconds by the number of rows, cold: the first call of a "
        "process, tables made and loop compiled; warm: the second; as shipped: whichever is quicker by size. Then wall "
        f"rates on {THREADS} threads. Ratio: to pred_contrib of the same rows (time: below 1 is quicker)."
    )
    return Section("SHAP values", words, figures)


def train(folder: str, model: str) -> int:
    """Learns trees of the shipped shape from the drawn record and saves them; gives the number of cases."""
    import numpy as np

    from features.calendar.vietnam import VIETNAM
    from features.matrix.batch import FEATURES
    from features.matrix.batch import build as build_matrix
    from models.artefact import save
    from models.encoding import column_of_numbers
    from models.peer_medians import usual_values
    from models.remaining_time import LEFT
    from models.risk_model import RiskModel
    from tests.bench.drawn_record import cases, views
    from training.fit import LARGE
    from training.members import fit_encoder, fit_trees
    from training.remaining_time import fit_hazard, gather_open
    from training.sample import Sample, microseconds

    con = views(Path(folder))
    asked = cases(con, Path(folder))
    asked = asked.take(np.random.default_rng(3).permutation(asked.num_rows)[:40_000])
    matrix = build_matrix(con, asked, calendar=VIETNAM)
    con.register("asked_cases", asked.append_column("nth", [list(range(asked.num_rows))]))
    label = (
        con.sql("""
        SELECT CAST(max(e.happened_at) > any_value(d.due_at) AS DOUBLE) AS late, any_value(nth) AS nth
        FROM asked_cases a JOIN dossier d USING (dossier_id) JOIN event e USING (dossier_id)
        GROUP BY a.nth ORDER BY a.nth""")
        .to_arrow_table()["late"]
        .to_numpy()
    )
    at = microseconds(asked["as_of"])
    sample = Sample(matrix, label, np.arange(len(label)), at, at, at)
    encoder = fit_encoder(sample, 20.0)
    trees = fit_trees(encoder.encode(matrix), label, np.ones(len(label)), LARGE)
    usual = usual_values(matrix, encoder.numbers, {feature.name: feature for feature in FEATURES})
    opened = gather_open(con, _AT + timedelta(days=60), VIETNAM)
    numbers = encoder.encode(opened.matrix)[:, : len(encoder.numbers)]
    remaining = fit_hazard(numbers, column_of_numbers(opened.matrix, LEFT), opened.endings, np.ones(len(numbers)))
    made = RiskModel(
        "lateness", encoder, {"trees": trees}, {"trees": 1.0}, 0.0, 1.0, "trees", usual, remaining=remaining
    )
    save(made, Path(model))
    return len(label)


def batch(folder: str, model: str, way: str) -> dict[str, float]:
    """Scores every open dossier with reasons, as `risk score` does; gives their number, the processor seconds and how
    many of them go to reasons. way: `pred_contrib` takes LightGBM's own contributions."""
    from typing import Any

    from features.calendar.vietnam import VIETNAM
    from models.artefact import load
    from models.booster import TreeMember
    from serving.scoring import batch as scoring
    from tests.bench.drawn_record import views

    if way == "pred_contrib":
        TreeMember._tables = lambda self: None  # type: ignore[method-assign]
    text = 0.0

    def timed(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*asked: Any, **how: Any) -> Any:
            nonlocal text
            begun = time.process_time()
            try:
                return call(*asked, **how)
            finally:
                text += time.process_time() - begun

        return run

    for name in ("reason_columns", "_reasons_column"):
        setattr(scoring, name, timed(getattr(scoring, name)))
    con = views(Path(folder), cutoff=_AT)
    loaded = load(Path(model), threads=THREADS)
    begun = time.process_time()
    rows = scoring.score_open(con, _AT, loaded, VIETNAM).num_rows
    return {"rows": rows, "cpu": time.process_time() - begun, "text": text}


def cells(folder: str, model: str) -> int:
    """Puts the encoded rows of open dossiers aside, again and again until they are as many as the greatest size."""
    import numpy as np

    from features.calendar.vietnam import VIETNAM
    from features.matrix.batch import build as build_matrix
    from models.artefact import load
    from models.cases import cohort
    from tests.bench.drawn_record import views

    con = views(Path(folder), cutoff=_AT)
    asked = cohort(con, _AT, overdue=True).slice(0, 20_000)
    x = load(Path(model)).encoder.encode(build_matrix(con, asked, calendar=VIETNAM))
    np.save(Path(folder) / "cells.npy", np.resize(x, (SHAP_SIZES[-1], x.shape[1])))
    return len(x)


def shap_of(folder: str, model: str, way: str, rows: int) -> list[float]:
    """Processor seconds of the SHAP values of some rows, the first and the second time in a process."""
    import lightgbm  # noqa: F401 -- its import is no part of them
    import numpy as np

    from models import booster

    if way != "as shipped":
        limit = 0 if way == "by tables" else 2**60
        booster.TABLES_FROM = booster.WARM_FROM = limit
    x = np.load(Path(folder) / "cells.npy")[:rows]
    member = booster.TreeMember((Path(model) / "trees.txt").read_text("utf-8"), THREADS)
    told = []
    for _ in range(2):
        begun = time.process_time()
        member.contributions(x)
        told.append(time.process_time() - begun)
    return told


def ways(folder: str, model: str) -> dict[str, float]:
    """Rows a second of contributions by each way, and the greatest difference between two of them."""
    import lightgbm
    import numpy as np
    import shap

    from features.calendar.vietnam import VIETNAM
    from features.matrix.batch import build as build_matrix
    from models.artefact import load
    from models.cases import cohort
    from models.tree_shap import TreeShap
    from tests.bench.drawn_record import views

    loaded = load(Path(model), threads=THREADS)
    con = views(Path(folder), cutoff=_AT)
    asked = cohort(con, _AT, overdue=True).slice(0, 20_000)
    x = loaded.encoder.encode(build_matrix(con, asked, calendar=VIETNAM))
    text = (Path(model) / "trees.txt").read_text("utf-8")
    booster = lightgbm.Booster(model_str=text)
    tables = TreeShap(text, x.shape[1], THREADS)
    explainer = shap.TreeExplainer(booster)
    few = x[:PLAIN_ROWS]
    tables.rows(x)  # compiles
    rates = {
        "tables": _rate(lambda: tables.rows(x), len(x)),
        "pred_contrib": _rate(lambda: booster.predict(few, pred_contrib=True, num_threads=THREADS), len(few)),
        "shap": _rate(lambda: explainer.shap_values(x[:SHAP_ROWS]), SHAP_ROWS),
        "predict": _rate(lambda: booster.predict(x, num_threads=THREADS), len(x)),
    }
    risk = np.asarray(booster.predict(x, raw_score=True))
    late = (risk > np.median(risk)).astype(float)  # what they learn has no part in how long they take
    wide = lightgbm.train(WIDE | {"num_threads": THREADS}, lightgbm.Dataset(x[::3], late[::3]), WIDE_TREES)
    wide_tables = TreeShap(wide.model_to_string(), x.shape[1], THREADS)
    rates |= {
        "wide tables": _rate(lambda: wide_tables.rows(x), len(x)),
        "wide pred_contrib": _rate(
            lambda: wide.predict(x[:WIDE_ROWS], pred_contrib=True, num_threads=THREADS), WIDE_ROWS
        ),
    }
    told = np.asarray(booster.predict(few[:1000], pred_contrib=True))[:, :-1]
    return {**rates, "difference": float(np.abs(tables.rows(few[:1000]) - told).max())}


def _rate(call: Callable[[], object], rows: int) -> float:
    begun = time.perf_counter()
    call()
    return rows / (time.perf_counter() - begun)

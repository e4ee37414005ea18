"""`learners`: the product beside well-known learners on the reference data: same matrix, same rows, same split.

Protocol of `tests.bench.reference`, at arrival and, in place of fixed ages, at every week that a dossier is open. Each
learner sees the columns that the product learns from (`training.fit.stable_columns`: with counts that only grow all
others were far off in level), names as its own categories, and has two settings, its library's
own and a shy one for few rows; the loss on later slices of the training period chooses (`training.split.rolling`, the
product's own folds). Nothing is chosen on the test rows. CatBoost and XGBoost stand in the dependency group `learners`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from tests.bench.group import bench

if TYPE_CHECKING:
    import pandas as pd

    from tests.bench.reference import Reference
    from training.evaluate import Metric
    from training.sample import Sample

TITLE = "Beside other learners"
PRODUCT, RULE, NAMES = "product", "best rule", "ridge of names"
MOST_VALUES = 250
"""Values of a category that histogram boosting takes; rarer ones are one value."""
ROUNDS, SEED = 300, 7
MOST_ROWS = 12_000
"""Rows that choose a learner's setting, about."""

Fitted = Callable[["pd.DataFrame"], np.ndarray]
"""Probabilities [n] of rows."""
Learner = Callable[["pd.DataFrame", np.ndarray, np.ndarray, bool], Fitted]
"""Learns rows with labels [n] and weights [n]; the flag asks for the shy setting."""


@dataclass(frozen=True)
class Judged:
    """One set at one moment: figures of each learner, and the product's less each of theirs, paired."""

    name: str
    moment: str
    n: int
    late: float
    figures: Mapping[str, Mapping[str, Metric]]
    product_over: Mapping[str, Mapping[str, Metric]]


@bench.command("learners")
def learners(
    data: Annotated[Path, typer.Option(help="Folder of the reference sets.")] = Path("../shared/data"),
    only: Annotated[str, typer.Option(help="Names of sets, with commas; all where left out.")] = "",
    card: Annotated[Path | None, typer.Option(help="Card to put the table on: models/cards/lateness.md.")] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap draws behind each interval.")] = 500,
) -> None:
    """Judge LightGBM, CatBoost, XGBoost, HistGradientBoosting and ridge regressions beside the product."""
    from tests.bench.section import put_sections

    with TemporaryDirectory() as scratch:
        lines = list(judged(data, Path(scratch), only, draws, lambda line: typer.echo(line, err=True)))
    text = as_markdown(lines)
    typer.echo(text)
    if card is not None:
        put_sections(card, card.read_text("utf-8").split("\n## ", 1)[0].rstrip() + "\n", {TITLE: text})


def judged(data: Path, scratch: Path, only: str, draws: int, say: Callable[[str], None]) -> Iterator[Judged]:
    """The lines, two a set."""
    from features.record.record import Record
    from features.sources import SOURCES, FeedOptions
    from models.targets import MAIN
    from tests.bench.reference import REFERENCES
    from training.evaluate import with_intervals
    from training.fit import fit, stable_columns
    from training.split import rolling
    from training.training_set import gather

    for reference in (one for one in REFERENCES if not only or one.name in only.split(",")):
        say(reference.name)
        record = Record(scratch / reference.name)
        feed = SOURCES["canonical"].read(data / reference.name, FeedOptions())
        record.append(feed, source="canonical", arrived_at=reference.until)
        sample = gather(record.connect(cutoff=reference.cutoff), reference.cutoff)
        model = fit(sample, target=MAIN.name, say=say)
        kept = stable_columns(sample, rolling(sample))
        sample = replace(sample, matrix=sample.matrix.select(kept))
        fitted = {}
        for name, learner in LEARNERS.items():
            say(f"{reference.name}: {name}")
            fitted[name] = _chosen(sample, learner)
        at_arrival = sample.take(_arrivals(sample))
        for moment in ("arrival", "open weekly"):
            tested = test_rows(reference, moment, record)
            say(f"{reference.name}: judge {moment}, {len(tested):,} rows")
            scores = {PRODUCT: model.probability(tested.matrix), RULE: model.rule_probability(tested.matrix)}
            rows = frame(replace(tested, matrix=tested.matrix.select(kept)))
            scores |= {name: said(rows) for name, said in fitted.items()}
            scores[NAMES] = _chosen(at_arrival if moment == "arrival" else sample, ridge_of_names)(rows)
            alone, pairs = with_intervals(tested.label, scores, tested.dossier, draws=draws)
            over = {name: pairs[PRODUCT, name] for name in scores if name != PRODUCT}
            yield Judged(reference.name, moment, len(tested), float(tested.label.mean()), alone, over)


def test_rows(reference: Reference, moment: str, record: Any) -> Sample:
    """The test cases at arrival, or at every week from the cut on while they are open."""
    from tests.bench.reference import WEEKLY, judged_sample

    return judged_sample(reference, "arrival" if moment == "arrival" else WEEKLY, record)


def frame(sample: Sample) -> pd.DataFrame:
    """The matrix without its keys: numbers as floats, names as text."""
    import pandas as pd

    from models.encoding import column_of_numbers, column_of_text
    from training.members import KEYS, is_category

    matrix = sample.matrix
    return pd.DataFrame(
        {
            name: column_of_text(matrix, name).astype(str)
            if is_category(matrix[name])
            else column_of_numbers(matrix, name)
            for name in matrix.column_names
            if name not in KEYS
        }
    )


def _arrivals(sample: Sample) -> np.ndarray:
    """The first row of each dossier."""
    order = np.lexsort((sample.as_of, sample.dossier))
    first = np.unique(sample.dossier[order], return_index=True)[1]
    return np.sort(order[first])


def _chosen(sample: Sample, learner: Learner) -> Fitted:
    """The learner fitted on the sample by the setting of least log-loss on its later slices, every dossier counted
    once; its library's own where there is no slice. Beyond `MOST_ROWS` drawn dossiers choose, all are learnt."""
    from training.split import rolling
    from training.training_set import drawn

    rows, weight = frame(sample), sample.share
    chosen = np.asarray(drawn(sample.matrix["dossier_id"], MOST_ROWS / len(sample)))
    lost = {False: 0.0, True: 0.0}
    for split in rolling(sample):
        learn, judge = (part[chosen[part]] for part in (split.learn, split.judge))
        for shy in lost:
            said = learner(rows.iloc[learn], sample.label[learn], weight[learn], shy)(rows.iloc[judge])
            kept = np.clip(np.where(sample.label[judge] == 1, said, 1 - said), 1e-6, 1.0)
            lost[shy] -= float(weight[judge] @ np.log(kept))
    return learner(rows, sample.label, weight, lost[True] < lost[False])


@dataclass(frozen=True)
class Categories:
    """Values of each text column that were learnt, the most frequent first; others are missing."""

    values: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, rows: pd.DataFrame, most: int = MOST_VALUES) -> Categories:
        """Of the learnt rows, `most` a column."""
        texts = [name for name in rows if rows[name].dtype.kind not in "fi"]
        return cls({str(name): rows[name].value_counts().index[:most].tolist() for name in texts})

    def typed(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with pandas' categories."""
        import pandas as pd

        return rows.assign(
            **{
                name: pd.Categorical(rows[name].where(rows[name].isin(values)), categories=pd.Index(values))
                for name, values in self.values.items()
            }
        )


def lightgbm(rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool) -> Fitted:
    """LightGBM's classifier with its categories."""
    from lightgbm import LGBMClassifier

    asked: dict[str, Any] = {"num_leaves": 7, "learning_rate": 0.03, "min_child_samples": 40} if shy else {}
    known = Categories.of(rows)
    model = LGBMClassifier(
        n_estimators=ROUNDS if shy else 100, random_state=SEED, n_jobs=1, verbosity=-1, deterministic=True, **asked
    ).fit(known.typed(rows), label, sample_weight=weight)
    return lambda others: np.asarray(model.predict_proba(known.typed(others)))[:, 1]


def catboost(rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool) -> Fitted:
    """CatBoost's classifier, ordered target statistics of its categories."""
    from catboost import CatBoostClassifier

    asked: dict[str, Any] = {"depth": 4, "learning_rate": 0.03, "l2_leaf_reg": 10} if shy else {}
    texts = list(Categories.of(rows).values)
    model = CatBoostClassifier(
        iterations=ROUNDS, random_seed=SEED, thread_count=1, verbose=False, allow_writing_files=False, **asked
    ).fit(rows, label, cat_features=texts, sample_weight=weight)
    return lambda others: np.asarray(model.predict_proba(others))[:, 1]


def xgboost(rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool) -> Fitted:
    """XGBoost's classifier with its categories."""
    from xgboost import XGBClassifier

    asked: dict[str, Any] = {"max_depth": 3, "learning_rate": 0.03, "min_child_weight": 10} if shy else {}
    known = Categories.of(rows)
    model = XGBClassifier(
        n_estimators=ROUNDS if shy else 100, random_state=SEED, n_jobs=1, enable_categorical=True, **asked
    ).fit(known.typed(rows), label, sample_weight=weight)
    return lambda others: np.asarray(model.predict_proba(known.typed(others)))[:, 1]


def histogram(rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool) -> Fitted:
    """scikit-learn's histogram boosting with its categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    asked: dict[str, Any] = {"max_leaf_nodes": 7, "learning_rate": 0.03, "min_samples_leaf": 40} if shy else {}
    some = [str(name) for name in rows if rows[name].notna().any()]  # its bins want a value in every column
    known = Categories.of(rows[some])
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS if shy else 100, random_state=SEED, categorical_features="from_dtype", **asked
    ).fit(known.typed(rows[some]), label, sample_weight=weight)
    return lambda others: np.asarray(model.predict_proba(known.typed(others[some])))[:, 1]


def ridge(rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool) -> Fitted:
    """Ridge logistic regression on every column: names one-hot, numbers standardised, missing ones at the median."""
    return _ridge(rows, label, weight, shy, list(Categories.of(rows).values), numbers=True)


def ridge_of_names(rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool) -> Fitted:
    """Ridge logistic regression on names alone."""
    return _ridge(rows, label, weight, shy, list(Categories.of(rows).values), numbers=False)


def _ridge(
    rows: pd.DataFrame, label: np.ndarray, weight: np.ndarray, shy: bool, texts: list[str], *, numbers: bool
) -> Fitted:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    parts: list[Any] = [(OneHotEncoder(min_frequency=2, handle_unknown="ignore"), texts)]
    if numbers:
        seen = [str(name) for name in rows if str(name) not in texts and rows[name].notna().any()]
        parts.append((make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), seen))
    model = make_pipeline(make_column_transformer(*parts), LogisticRegression(C=0.1 if shy else 1.0, max_iter=2_000))
    model.fit(rows, label, logisticregression__sample_weight=weight * len(weight) / weight.sum())
    return lambda others: np.asarray(model.predict_proba(others))[:, 1]


LEARNERS: Mapping[str, Learner] = {
    "LightGBM": lightgbm,
    "CatBoost": catboost,
    "XGBoost": xgboost,
    "HistGradientBoosting": histogram,
    "ridge": ridge,
}


def as_markdown(lines: Sequence[Judged]) -> str:
    """The section as it stands on the card."""
    from training.evaluate import METRICS

    out = [
        f"## {TITLE}",
        "",
        "Written by `python -m tests.bench learners --card`. Public sets, cut at 70 % of receipt; learnt from what was",
        "received and due before it, judged on what was received after it, at arrival and at every week while open.",
        "Every learner sees the columns that the product learns from, names as its own categories; of its library's",
        "setting and a shy one the loss on later slices of the training period chose. `ridge of names`: one-hot, at",
        "arrival learnt of arrival rows alone. 95 % intervals, dossiers drawn; last column: product less learner, AUC,",
        "paired. The test slices have been looked at several times (the card of identities counts them).",
        "",
        "| set | moment | n | late | learner | AUC | AP | Brier | product − it, AUC |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        for name, figures in line.figures.items():
            over = line.product_over[name]["auc"] if name in line.product_over else None
            less = "" if over is None else f"{over.value:+.3f} [{over.low:+.3f}, {over.high:+.3f}]"
            shown = f"**{name}**" if name == PRODUCT else name
            cells = " | ".join(str(figures[metric]) for metric in METRICS)
            out.append(f"| {line.name} | {line.moment} | {line.n:,} | {line.late:.3f} | {shown} | {cells} | {less} |")
    return "\n".join([*out, ""])

"""Fitting what identities say: a sparse one-hot ridge logistic regression for each stage of the term.

Every dossier counts once in a stage. Values and the tokens of comma lists are one level of the hierarchy, a value in
its unit the next: it has fewer dossiers and is penalised harder for that, so what few dossiers of one unit show is
drawn to what the value shows in all. Nothing of the calendar is learnt: a month seen once is a trend, not a season (on
four public sets months cost up to .03 AUC on later time).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.encoding import LIST_MARK, Encoder, IdentityTerms, Stages, column_of_text, levels_of
from models.linear import LinearMember
from models.logit import logit

STAGES = Stages("promise_used", (0.05, 0.5))
"""Arrival, early and late in the term: the first twentieth, the rest of the first half, the second half."""
M = 20.0
"""Dossiers of a level at which half of its evidence counts."""
LEAST = 2.0
"""Dossiers that a level must have: a coefficient of one dossier is that dossier's name."""
LEAST_OF_STAGE = 40
UNIT = "unit_code"


def fit_identities(
    matrix: pa.Table, label: np.ndarray, dossier: np.ndarray, categories: Sequence[str], stages: Stages, c: float
) -> tuple[IdentityTerms, ...]:
    """What each category adds by stage, and the stage itself (key ""); labels 0/1 [n], `dossier` [n] numbers dossiers.

    `c`: inverse strength of the penalty (scikit-learn's C), in dossiers.
    """
    texts = {name: column_of_text(matrix, name).astype(str) for name in categories}
    varied = [name for name in categories if (texts[name] != texts[name][:1]).any()]
    crossed = UNIT if UNIT in varied else ""
    lists = {name for name in varied if any(LIST_MARK in value for value in np.unique(texts[name]))}
    stage = stages.encode(matrix).astype(int)
    tables: dict[str, list[dict[str, float]]] = {name: [] for name in ("", *varied)}
    for number in range(len(stages)):
        rows = np.flatnonzero(stage == number)
        fitted = _fit_stage({name: texts[name][rows] for name in varied}, label[rows], dossier[rows], crossed, lists, c)
        for name in tables:
            tables[name].append(fitted[name])
    return tuple(
        IdentityTerms(name, "" if name in ("", UNIT) else crossed, name in lists, tuple(tables[name]))
        for name in (*varied, "")
    )


def identity_member(encoder: Encoder, x: np.ndarray, weight: np.ndarray) -> LinearMember:
    """The sum of the encoder's terms as a member, each centred on its mean over rows x [n × columns]."""
    first, n = len(encoder.numbers) + len(encoder.rates), len(encoder.columns)
    terms = slice(first, first + len(encoder.terms))
    coefficient, center = np.zeros(n), np.zeros(n)
    coefficient[terms] = 1.0
    center[terms] = np.average(x[:, terms], axis=0, weights=weight)
    none, edge = np.zeros(n), np.full(n, 1e9)
    return LinearMember(float(center.sum()), coefficient, center, np.ones(n), -edge, edge, none)


def _fit_stage(
    texts: dict[str, np.ndarray], label: np.ndarray, dossier: np.ndarray, crossed: str, lists: set[str], c: float
) -> dict[str, dict[str, float]]:
    """Tables of one stage; all but the intercept (key "") empty where the stage holds too little to learn from."""
    found: dict[str, dict[str, float]] = {name: {} for name in texts}
    if not len(label):
        return found | {"": {"": 0.0}}
    own = np.unique(dossier, return_inverse=True)[1]
    weight = 1.0 / np.bincount(own)[own]
    late = float((weight * label).sum())
    prior = float(logit((late + 1.0) / (weight.sum() + 2.0)))
    if min(late, weight.sum() - late) < 5 or weight.sum() < LEAST_OF_STAGE or not texts:
        return found | {"": {"": prior}}
    blocks, names, scales = [], [], []
    for name, text in texts.items():
        unit = texts[crossed] if crossed and name != crossed else None
        block, levels, scale = _one_hot(text, unit, weight, tokens=name in lists)
        blocks.append(block)
        scales.append(scale)
        names += [(name, level) for level in levels]
    design = sparse.hstack(blocks, format="csr")
    with threadpool_limits(1):
        model = LogisticRegression(C=c, max_iter=200, tol=1e-4).fit(design, label, sample_weight=weight)
    for (name, level), value in zip(names, model.coef_[0] * np.concatenate(scales), strict=True):
        found[name][level] = float(value)
    return found | {"": {"": float(model.intercept_[0])}}


def _one_hot(
    text: np.ndarray, unit: np.ndarray | None, weight: np.ndarray, *, tokens: bool
) -> tuple[sparse.csr_matrix, list[str], np.ndarray]:
    """Rows by levels [n × levels] at the scale of each, the levels' names and scales; rare ones left out.

    The scale of a level seen in n dossiers is √(n / (n + M)): rarer is penalised harder.
    """
    both = text if unit is None else np.char.add(np.char.add(text, "\x1f"), unit)
    values, inverse = np.unique(both, return_inverse=True)
    position: dict[str, int] = {}
    row, column, entry = [], [], []
    for at, joint in enumerate(values.tolist()):
        value, _, of = joint.partition("\x1f")
        for level in levels_of(value, of, crossed=unit is not None, tokens=tokens):
            row.append(at)
            column.append(position.setdefault(level, len(position)))
            entry.append(1.0)
    small = sparse.csr_matrix((entry, (row, column)), shape=(len(values), len(position)))
    counted = np.asarray(small.T @ np.bincount(inverse, weights=weight, minlength=len(values)))
    frequent = np.flatnonzero(counted >= LEAST)
    levels = [name for at, name in enumerate(position) if counted[at] >= LEAST]
    scale = np.sqrt(counted[frequent] / (counted[frequent] + M))
    return (small[inverse][:, frequent] @ sparse.diags(scale)).tocsr(), levels, scale

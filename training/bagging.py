"""Seed bagging: several boosters of one lesson as one LightGBM text whose sum is their mean.

One text keeps one member, one file and exact SHAP values; its check (`models.booster`) is that of any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TREE = re.compile(r"^(?=Tree=\d+$)", re.MULTILINE)
_VALUES = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.MULTILINE)
_END = "end of trees"


def mean_of(texts: Sequence[str]) -> str:
    """The text of a model that says the mean of what the models of `texts` say. ValueError without any."""
    if not texts:
        raise ValueError("wanted at least one model to take the mean of, came none")
    if len(texts) == 1:
        return texts[0]
    trees: list[str] = []
    for text in texts:
        body = text[: text.index(_END)]
        for tree in _TREE.split(body)[1:]:
            scaled = _VALUES.sub(lambda line: f"{line[1]}={_shared(line[2], len(texts))}", tree)
            trees.append(re.sub(r"^Tree=\d+", f"Tree={len(trees)}", scaled))
    head = _TREE.split(texts[0], maxsplit=1)[0]
    sizes = " ".join(str(len(tree.encode())) for tree in trees)
    head = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", head, flags=re.MULTILINE)
    return head + "".join(trees) + texts[0][texts[0].index(_END) :]


def _shared(values: str, among: int) -> str:
    return " ".join(repr(float(value) / among) for value in values.split())

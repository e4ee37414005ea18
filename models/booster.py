"""A LightGBM model behind one door: the Booster is loaded from text, owned here and never handed out.

Calls from several threads with differing thread counts end the process (measured, service.md). So one lock
guards every call, the number of threads is fixed when the model is loaded, and no call takes arguments of its own.
"""

from __future__ import annotations

import math
import threading
from contextlib import suppress

import numpy as np

from models.tree_shap import TreeShap
from models.tree_walk import WALKED_FROM, TreeWalk, Variants

TABLES_FROM = 750
"""Rows from which making the tables of SHAP values costs less than LightGBM's own walk of as many (processor time)."""
WARM_FROM = 250
"""The same where the tables are there already."""


class TreeMember:
    """Gradient boosted trees on encoded columns; log-odds and exact SHAP values (Lundberg 2020).

    `text` is LightGBM's model text; it must have passed `models.booster.check` where it comes from
    outside the process. `threads` is fixed for the life of the model.
    """

    kind = "trees"

    def __init__(self, text: str, threads: int = 1) -> None:
        import lightgbm  # with what it brings a second of a server's start, which loads models behind its first answers

        self.text = text
        self._threads = threads
        self._lock = threading.Lock()
        self._booster = lightgbm.Booster(model_str=text)
        self._shap: TreeShap | None = None
        self._wide = False  # trees too wide for tables: LightGBM's own walk serves
        self._walk: TreeWalk | None = None

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""
        with self._lock:
            raw = self._booster.predict(x, raw_score=True, num_threads=self._threads)
        return np.asarray(raw, float)

    def log_odds_of_variants(self, variants: Variants) -> np.ndarray:
        """Log-odds [m] of the variants, the same to the last bit as `log_odds` of them written out."""
        walk = self._walk or (self._walked() if len(variants.of) >= WALKED_FROM else None)
        if walk is None:
            return np.concatenate([self.log_odds(rows) for rows in variants.rows()])
        return walk.log_odds(variants)

    def contributions(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Base log-odds and the SHAP value of every cell [n × columns]; they add up to `log_odds`."""
        shap = self._tables() if len(x) == 1 or len(x) >= (WARM_FROM if self._shap else TABLES_FROM) else None
        if shap is not None:
            return shap.base, shap.row(x[0])[None] if len(x) == 1 else shap.rows(x)
        with self._lock:  # the base of no rows at all is that of any row
            asked = x if len(x) else np.zeros((1, self._booster.num_feature()))
            raw = np.asarray(self._booster.predict(asked, pred_contrib=True, num_threads=self._threads), float)
        return float(raw[0, -1]), raw[: len(x), :-1]

    def _tables(self) -> TreeShap | None:
        """Tables of SHAP values, made when they are first asked for; None where the trees are too wide."""
        with self._lock:
            if self._shap is None and not self._wide:
                try:
                    self._shap = TreeShap(self.text, self._booster.num_feature(), self._threads)
                except ValueError:
                    self._wide = True
            return self._shap

    def _walked(self) -> TreeWalk | None:
        """The trees as arrays, made when many variants first come; None where they are of another kind."""
        with self._lock:
            if self._walk is None:
                with suppress(ValueError):
                    self._walk = TreeWalk(self.text, self._threads)
            return self._walk


_HEAD = (
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "feature_names",
    "feature_infos",
    "tree_sizes",
)
_SPLIT = (
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "split_gain",
    "internal_value",
    "internal_weight",
    "internal_count",
)
_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
_REAL = ("threshold", "split_gain", "internal_value", "internal_weight", "leaf_value", "leaf_weight")
MAX_LEAVES = 4096


class Malformed(ValueError):
    """The text is not a model that may be loaded; says where and why."""


def check(data: bytes, columns: int) -> int:
    """The number of trees of a sound binary model over `columns` columns. Malformed for anything else.

    Looked at before the library sees it, whose reader kills the process on most damaged texts (measured, service.md).
    The format is that of `gbdt_model_text.cpp`: a head, one block a tree, `end of trees`, importances and parameters.
    Checked is what reading and predicting rely on: every count, index and number, and that each tree is a tree.
    """
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed(f"wanted ASCII, came byte {data[error.start]:#x} at {error.start}") from error
    if "\r" in text or "\0" in text:
        raise Malformed("wanted lines that end in a newline alone")
    head_text, found, rest = text.partition("\nTree=0\n")
    if not found:
        raise Malformed("wanted a first tree, came none")
    lines = head_text.split("\n")
    if lines[:2] != ["tree", "version=v4"]:
        raise Malformed("wanted a LightGBM text of version v4")
    head = _pairs(lines[2:], "head")
    if set(_HEAD) - set(head):
        raise Malformed(f"head: wanted {sorted(set(_HEAD) - set(head))}")
    if head["num_class"] != "1" or head["num_tree_per_iteration"] != "1" or head["label_index"] != "0":
        raise Malformed("head: wanted one class and one tree an iteration")
    if head["objective"].split(" ")[0] != "binary" or head["max_feature_idx"] != str(columns - 1):
        raise Malformed(f"head: wanted a binary objective over {columns} columns")
    for name in ("feature_names", "feature_infos"):
        if len(head[name].split(" ")) != columns:
            raise Malformed(f"head: wanted {columns} entries in {name}")
    body, found, tail = (found[1:] + rest).partition("end of trees\n")
    if not found or not tail.rstrip("\n").endswith("pandas_categorical:null"):
        raise Malformed("wanted the end of the trees and of the text, came a truncated one")
    sizes = [_whole(size, "tree_sizes") for size in head["tree_sizes"].split(" ")]
    if sum(sizes) != len(body):
        raise Malformed(f"wanted {sum(sizes)} characters of trees, came {len(body)}")
    at = 0
    for number, size in enumerate(sizes):
        _tree(body[at : at + size], number, columns)
        at += size
    return len(sizes)


def _tree(block: str, number: int, columns: int) -> None:
    where = f"tree {number}"
    lines = block.rstrip("\n").split("\n")
    if lines[0] != f"Tree={number}" or not block.endswith("\n\n"):
        raise Malformed(f"{where}: wanted its block, came another")
    fields = _pairs(lines[1:], where)
    leaves = _whole(fields.get("num_leaves", ""), where)
    if not 1 <= leaves <= MAX_LEAVES:
        raise Malformed(f"{where}: wanted 1 to {MAX_LEAVES} leaves, came {leaves}")
    if fields.get("num_cat") != "0" or fields.get("is_linear") != "0":
        raise Malformed(f"{where}: wanted splits by number and constant leaves")
    shrinkage = _real(fields.get("shrinkage", ""), where)
    if not math.isfinite(shrinkage):
        raise Malformed(f"{where}: wanted a finite shrinkage")
    if leaves == 1:
        if not math.isfinite(_real(fields.get("leaf_value", ""), where)):
            raise Malformed(f"{where}: wanted one finite leaf")
        return
    numbers = {name: _numbers(fields, name, leaves - 1, where) for name in _SPLIT}
    numbers |= {name: _numbers(fields, name, leaves, where) for name in _LEAF}
    if (numbers["split_feature"] < 0).any() or (numbers["split_feature"] >= columns).any():
        raise Malformed(f"{where}: a split asks for a column that is not there")
    if not np.isin(numbers["decision_type"], (0, 2, 4, 6, 8, 10)).all():
        raise Malformed(f"{where}: a split is of an unknown type")
    _is_a_tree(numbers["left_child"], numbers["right_child"], leaves, where)


def _is_a_tree(left: np.ndarray, right: np.ndarray, leaves: int, where: str) -> None:
    """Every split but the first and every leaf has one parent, which stands before it."""
    children = np.concatenate([left, right]).astype(np.int64)
    parents = np.concatenate([np.arange(leaves - 1)] * 2)
    wanted = np.concatenate([np.arange(1, leaves - 1), -1 - np.arange(leaves)])
    if not np.array_equal(np.sort(children), np.sort(wanted)):
        raise Malformed(f"{where}: wanted every split and leaf to have one parent")
    if (children[children >= 0] <= parents[children >= 0]).any():
        raise Malformed(f"{where}: a split stands before its parent")


def _pairs(lines: list[str], where: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            continue
        name, found, value = line.partition("=")
        if name in fields:
            raise Malformed(f"{where}: {name:.40} is said twice")
        fields[name] = value
        if not found and name != "average_output":
            raise Malformed(f"{where}: wanted name=value, came {len(line)} characters without '='")
    if "average_output" in fields:
        raise Malformed(f"{where}: wanted summed trees, came averaged ones")
    return fields


def _numbers(fields: dict[str, str], name: str, n: int, where: str) -> np.ndarray:
    if name not in fields:
        raise Malformed(f"{where}: wanted {name}")
    parts = fields[name].split(" ")
    if len(parts) != n:
        raise Malformed(f"{where}: wanted {n} numbers in {name}, came {len(parts)}")
    if name in _REAL:
        array = np.array([_real(part, where) for part in parts])
        if not np.isfinite(array).all() and name != "threshold":
            raise Malformed(f"{where}: wanted finite numbers in {name}")
        if np.isnan(array).any():
            raise Malformed(f"{where}: wanted numbers in {name}")
        return array
    return np.array([_whole(part, where) for part in parts])


def _whole(text: str, where: str) -> int:
    digits = text[1:] if text.startswith("-") else text
    if not digits.isdigit() or len(digits) > 12:
        raise Malformed(f"{where}: wanted a whole number, came {len(text)} characters that are none")
    return int(text)


def _real(text: str, where: str) -> float:
    if len(text) > 40 or not text or set(text) - set("0123456789+-.einfa"):
        raise Malformed(f"{where}: wanted a number, came {len(text)} characters that are none")
    try:
        return float(text)
    except ValueError:
        raise Malformed(f"{where}: wanted a number, came {len(text)} characters that are none") from None

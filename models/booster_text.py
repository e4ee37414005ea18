"""Is a text a sound LightGBM model? Checked before the library sees it, which trusts what it reads.

LightGBM's reader kills the process on most damaged texts (measured, service.md). The format is that of
`gbdt_model_text.cpp` of LightGBM: a head, one block a tree, `end of trees`, importances and parameters.
This checks what reading and predicting rely on: every count, every index, every number, and that each tree is a
tree (every node reached once).
"""

from __future__ import annotations

import math

import numpy as np

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
    """The number of trees of a sound binary model over `columns` columns. Malformed for anything else."""
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

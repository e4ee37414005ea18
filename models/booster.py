"""A LightGBM model behind one door: the Booster is loaded from text, owned here and never handed out.

Calls from several threads with differing thread counts end the process (measured, service.md). So one lock
guards every call, the number of threads is fixed when the model is loaded, and no call takes arguments of its own.
"""

from __future__ import annotations

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

    `text` is LightGBM's model text; it must have passed `models.booster_text.check` where it comes from
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

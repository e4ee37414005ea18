"""A LightGBM model behind one door: the Booster is loaded from text, owned here and never handed out.

Calls from several threads with differing thread counts end the process (measured, service.md). So one lock
guards every call, the number of threads is fixed when the model is loaded, and no call takes arguments of its own.
"""

from __future__ import annotations

import threading

import lightgbm
import numpy as np


class TreeMember:
    """Gradient boosted trees on encoded columns; log-odds and exact SHAP values (Lundberg 2020).

    `text` is LightGBM's model text; it must have passed `models.booster_text.check` where it comes from
    outside the process. `threads` is fixed for the life of the model.
    """

    kind = "trees"

    def __init__(self, text: str, threads: int = 1) -> None:
        self.text = text
        self._threads = threads
        self._lock = threading.Lock()
        self._booster = lightgbm.Booster(model_str=text, params={"num_threads": threads, "verbosity": -1})
        ordinary = np.full((1, self._booster.num_feature()), np.nan)
        self._base = float(np.asarray(self._booster.predict(ordinary, pred_contrib=True, num_threads=threads))[0, -1])

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""
        with self._lock:
            raw = self._booster.predict(x, raw_score=True, num_threads=self._threads)
        return np.asarray(raw, float)

    def contributions(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Base log-odds and the SHAP value of every cell [n × columns]; they add up to `log_odds`."""
        with self._lock:
            raw = self._booster.predict(x, pred_contrib=True, num_threads=self._threads)
        shap = np.asarray(raw, float)
        return self._base, shap[:, :-1]

"""Forecasts for officials as `mlflow models serve` runs them: rows of histories in, each tier's score out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow as pa

from models import official_artefact
from models.artefact import MANIFEST


class ServedConduct(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # mlflow is not typed
    """The packaged forecasts of a training of conduct behind MLflow's pyfunc door."""

    def load_context(self, context: Any) -> None:
        """Loads the package with all its checks; MLflow's copy of it is what says which it is."""
        folder = Path(context.artifacts["package"])
        self._forecasts = official_artefact.load(
            folder, sha256=hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        )

    # MLflow warns about a `predict` without hints, and about any hint but a frame's that is not a list
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """A pandas frame of history columns in; a column of scores for each tier out, of what ships there."""
        history = pa.Table.from_pandas(model_input.astype(float), preserve_index=False)
        return pd.DataFrame({tier: one.score(history) for tier, one in self._forecasts.items()})


mlflow.models.set_model(ServedConduct())

"""The model as `mlflow models serve` runs it: rows of a matrix in, score and reasons out. Not used by the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow as pa

from models import artefact
from models.reasons import reasons


class ServedRisk(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # mlflow is not typed
    """A packaged risk model behind MLflow's pyfunc door."""

    def load_context(self, context: Any) -> None:
        """Loads the package with all its checks."""
        self._model = artefact.load(Path(context.artifacts["package"]))

    # MLflow warns about a `predict` without hints, and about any hint but a frame's that is not a list
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """A pandas frame of matrix columns in; `score`, `log_odds`, `reasons_vi`, `reasons_en` out."""
        frame = model_input.copy()
        for name in self._model.encoder.numbers:
            frame[name] = pd.to_numeric(frame[name]).astype(float) if name in frame else float("nan")
        for name in (*(rate.keys[0] for rate in self._model.encoder.rates), "unit_code", "procedure_code"):
            if name not in frame:
                frame[name] = ""
            frame[name] = [str(cell) if cell else None for cell in frame[name]]
        matrix = pa.Table.from_pandas(frame, preserve_index=False)
        for at, field in enumerate(matrix.schema):
            if pa.types.is_null(field.type):
                matrix = matrix.set_column(at, field.name, matrix[field.name].cast(pa.string()))
        scores = self._model.score(matrix)
        reasons_by_row = reasons(scores, matrix)
        return pd.DataFrame(
            {
                "score": scores.probability,
                "log_odds": scores.log_odds,
                "reasons_vi": ["; ".join(one.vi for one in row) for row in reasons_by_row],
                "reasons_en": ["; ".join(one.en for one in row) for row in reasons_by_row],
            }
        )


mlflow.models.set_model(ServedRisk())

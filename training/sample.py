"""A labelled sample: matrix rows with what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Sample:
    """n labelled cases.

    `matrix`: rows of `features.matrix.batch.build`; `label` [n] 0 or 1; `dossier` [n] whole numbers, one a dossier;
    `as_of`, `received_at`, `due_at` [n] microseconds since 1970; `due_at` is when the label became known.
    """

    matrix: pa.Table
    label: np.ndarray
    dossier: np.ndarray
    as_of: np.ndarray
    received_at: np.ndarray
    due_at: np.ndarray

    @classmethod
    def of(cls, matrix: pa.Table, labelled: pa.Table) -> Sample:
        """The rows whose label is known; `labelled` as `models.cases.labels` gives it, rows as in `matrix`."""
        label = labelled["label"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        ripe = np.flatnonzero(~np.isnan(label))
        taken = labelled.take(pa.array(ripe))
        ids = np.array(taken["dossier_id"].to_pylist(), dtype=object).astype(str)
        dossier = np.unique(ids, return_inverse=True)[1] if len(ids) else np.zeros(0, np.int64)
        as_of, received, due = (microseconds(taken[name]) for name in ("as_of", "received_at", "due_at"))
        return cls(matrix.take(pa.array(ripe)), label[ripe], dossier, as_of, received, due)

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: np.ndarray) -> Sample:
        """The rows at the given positions (whole numbers) or where a mask is true."""
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Sample(
            self.matrix.take(pa.array(at)),
            self.label[at],
            self.dossier[at],
            self.as_of[at],
            self.received_at[at],
            self.due_at[at],
        )

    @property
    def share(self) -> np.ndarray:
        """What each row counts [n] so that every dossier counts once."""
        return np.asarray(1.0 / np.bincount(self.dossier)[self.dossier])


def microseconds(column: pa.ChunkedArray) -> np.ndarray:
    """Moments as whole microseconds since 1970 [n]; null is the smallest int64."""
    whole = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(np.iinfo(np.int64).min)
    return np.asarray(whole.to_numpy())

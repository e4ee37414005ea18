"""What a dossier's identities say: procedure, sector, unit, official, each by its name, learnt jointly.

A sparse one-hot ridge logistic regression (Hoerl & Kennard 1970; for many small groups the ridge is a random effect,
Robinson 1991), fitted per **stage** of the term: at arrival identities are all that is known, later the clock tells
more. Each category column adds the coefficient of its value, of every token of a comma list, and of the value in its
unit; crosses are penalised harder, so a value that is rare in one unit leans on the value at large. All that ships is a
table of numbers a column and a stage; the sum over columns is the regression's log-odds, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.encoding import UNKNOWN, Cells, column_of_numbers, column_of_text

LIST_MARK = ","


@dataclass(frozen=True)
class Stages:
    """Where in its term a case stands: by the number in `column`, 0 below the first of `edges`, and so on.

    A case without that number stands in the second stage: it is no arrival, and no clock says that it is late in term.
    """

    column: str
    edges: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.edges) + 1

    def encode(self, matrix: pa.Table) -> np.ndarray:
        """The stage of every row, whole numbers as float64 [n]."""
        share = column_of_numbers(matrix, self.column)
        stage = np.searchsorted(np.array(self.edges), np.nan_to_num(share), side="right").astype(float)
        return np.where(np.isnan(share), float(min(1, len(self.edges))), stage)

    def encode_cell(self, cells: Cells) -> float:
        """The stage of one row given as cells."""
        share = cells[self.column]
        if share is None or share != share:
            return float(min(1, len(self.edges)))
        return float(sum(float(share) >= edge for edge in self.edges))


@dataclass(frozen=True)
class IdentityTerms:
    """What one category column adds, by stage: log-odds of its levels (`levels_of`) in `tables[stage]`.

    `key`: the matrix column; "" stands for the stage itself, whose only level is "". `unit`: the column that a value is
    crossed with, "" for none. `lists`: values are comma lists, whose tokens count too. A level never seen adds nothing.
    """

    key: str
    unit: str
    lists: bool
    tables: tuple[Mapping[str, float], ...]

    @property
    def name(self) -> str:
        """Name of the encoded column."""
        return f"identity:{self.key}" if self.key else "identity"

    def encode(self, matrix: pa.Table, stage: np.ndarray) -> np.ndarray:
        """Log-odds [n] of each row; `stage` [n]."""
        if not self.key:
            return np.asarray([table.get("", 0.0) for table in self.tables], float).take(stage.astype(int))
        value, inverse = np.unique(column_of_text(matrix, self.key).astype(str), return_inverse=True)
        unit, place = np.unique(
            column_of_text(matrix, self.unit).astype(str) if self.unit else np.full(len(stage), ""), return_inverse=True
        )
        both, rows = np.unique(
            (stage.astype(np.int64) * max(len(value), 1) + inverse) * max(len(unit), 1) + place, return_inverse=True
        )
        said = []
        for code in both:
            rest, at_unit = divmod(int(code), max(len(unit), 1))
            at_stage, at_value = divmod(rest, max(len(value), 1))
            said.append(self._said(str(value[at_value]), str(unit[at_unit]), at_stage))
        return np.array(said, float)[rows] if len(said) else np.zeros(0)

    def encode_cell(self, cells: Cells, stage: float) -> float:
        """The same for one row given as cells."""
        if not self.key:
            return self.tables[int(stage)].get("", 0.0)
        value, unit = (UNKNOWN if not key or cells[key] is None else str(cells[key]) for key in (self.key, self.unit))
        return self._said(value, unit, int(stage))

    def _levels(self, value: str, unit: str) -> Iterator[tuple[str, int]]:
        return levels_of(value, unit, crossed=bool(self.unit), tokens=self.lists)

    def _said(self, value: str, unit: str, stage: int) -> float:
        table = self.tables[stage]
        return sum(table.get(level, 0.0) for level, _ in self._levels(value, unit))


def levels_of(value: str, unit: str, *, crossed: bool, tokens: bool) -> Iterator[tuple[str, int]]:
    """The levels that a value has a coefficient for, each with its depth: 0 the value and its tokens, 1 its cross."""
    yield f"={value}", 0
    if tokens:
        for token in sorted({token.strip() for token in value.split(LIST_MARK)}):
            yield f"~{token}", 0
    if crossed:
        yield f"|{value}\x1f{unit}", 1

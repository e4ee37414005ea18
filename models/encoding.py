"""From cells to numbers: the columns that a member of the blend reads.

A number stays what it is (missing: NaN). A category becomes the log-odds of the **past late rate** of its value,
learnt when the model was trained and shrunk towards its parent's (Efron & Morris 1975; m-estimate, Cestnik 1990):
`(positives + m · parent rate) / (dossiers + m)`. A value never seen has its parent's rate. Each column keeps the
matrix columns it comes from, so that what it contributes to a score goes back to a cell. What identities say jointly
(`IdentityTerms`) stands in columns of its own, and the last column is the stage of the term.

Identities: a sparse one-hot ridge logistic regression (Hoerl & Kennard 1970; for many small groups the ridge is a
random effect, Robinson 1991), fitted per **stage** of the term: at arrival they are all that is known, later the clock
tells more. Each category column adds the coefficient of its value, of every token of a comma list, and of the value in
its unit; what is rarer is penalised harder, so a value that is rare in one unit leans on the value at large. All that
ships is a table of numbers a column and a stage; the sum over columns is the regression's log-odds, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from features.record.cell_numbers import number, numbers
from models.logit import logit

LIST_MARK = ","
STAGE = "stage"
"""Name of the encoded column of the stage."""

Cells = Mapping[str, float | str | None]
"""A matrix of one row, given as its cells."""

UNKNOWN = ""
"""Stands for a missing category: not known is a value of its own."""


@dataclass(frozen=True)
class CategoryRates:
    """Shrunk past rates of the values of one or more category columns, as log-odds.

    `keys`: the matrix columns that name a value together, the first of which the contribution goes to.
    `log_odds`: value (parts joined by U+001F) to log-odds of its rate. `parent`: what an unseen value falls
    back to; None falls back to `prior`.
    """

    keys: tuple[str, ...]
    log_odds: Mapping[str, float]
    prior: float
    parent: CategoryRates | None = None

    @property
    def name(self) -> str:
        """Name of the encoded column."""
        return "rate:" + "+".join(self.keys)

    def encode(self, matrix: pa.Table) -> np.ndarray:
        """Log-odds [n] of the past rate of each row's value."""
        column = np.array([self.log_odds.get(value, np.nan) for value in joined(matrix, self.keys)], float)
        if self.parent is None:
            return np.where(np.isnan(column), self.prior, column)
        return np.where(np.isnan(column), self.parent.encode(matrix), column)

    def encode_cell(self, cells: Cells) -> float:
        """The same for one row given as cells."""
        parts = (cells[key] for key in self.keys)
        value = "\x1f".join(UNKNOWN if cell is None else str(cell) for cell in parts)
        if value in self.log_odds:
            return self.log_odds[value]
        return self.prior if self.parent is None else self.parent.encode_cell(cells)


def joined(matrix: pa.Table, keys: tuple[str, ...]) -> np.ndarray:
    """The values [n] of category columns as one text a row; missing is `UNKNOWN`."""
    parts = [column_of_text(matrix, key) for key in keys]
    if len(parts) == 1:
        return parts[0]
    return np.array(["\x1f".join(row) for row in zip(*parts, strict=True)], dtype=object)


def column_of_text(matrix: pa.Table | Cells, name: str) -> np.ndarray:
    """A category column as an object array [n]; missing is `UNKNOWN`. KeyError names an absent column."""
    if isinstance(matrix, Mapping):
        return np.array([UNKNOWN if matrix[name] is None else str(matrix[name])], dtype=object)
    if name not in matrix.column_names and name.startswith("x_"):
        return np.full(matrix.num_rows, UNKNOWN, dtype=object)
    if name not in matrix.column_names:
        raise KeyError(f"wanted a matrix with the category column {name!r}, came one without it")
    coded = pc.fill_null(matrix[name].cast(pa.string()), UNKNOWN).combine_chunks().dictionary_encode()
    words = np.array(coded.dictionary.to_pylist(), dtype=object)
    return words[coded.indices.to_numpy()] if len(words) else np.zeros(0, dtype=object)


def column_of_numbers(matrix: pa.Table | Cells, name: str) -> np.ndarray:
    """A number column as float64 [n]; missing is NaN, as is a cell that is no number. KeyError names an absent column.

    The record's column may be text by now where the model learnt numbers: one such cell never stops the others.
    """
    if isinstance(matrix, Mapping):
        return np.array([_number(matrix[name])], float)
    if name not in matrix.column_names and name.startswith("x_"):
        return np.full(matrix.num_rows, np.nan)  # an attribute that no delivery tells any more
    if name not in matrix.column_names:
        raise KeyError(f"wanted a matrix with the number column {name!r}, came one without it")
    column = numbers(matrix[name])
    array: np.ndarray = column.to_numpy(zero_copy_only=False)
    return array


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
        return self.of(column_of_numbers(matrix, self.column))

    def of(self, share: np.ndarray) -> np.ndarray:
        """The stage of every number [n] of `column`."""
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
        terms = []
        for code in both:
            rest, at_unit = divmod(int(code), max(len(unit), 1))
            at_stage, at_value = divmod(rest, max(len(value), 1))
            terms.append(self._term(str(value[at_value]), str(unit[at_unit]), at_stage))
        return np.array(terms, float)[rows] if len(terms) else np.zeros(0)

    def encode_cell(self, cells: Cells, stage: float) -> float:
        """The same for one row given as cells."""
        if not self.key:
            return self.tables[int(stage)].get("", 0.0)
        value, unit = (UNKNOWN if not key or cells[key] is None else str(cells[key]) for key in (self.key, self.unit))
        return self._term(value, unit, int(stage))

    def _term(self, value: str, unit: str, stage: int) -> float:
        table = self.tables[stage]
        levels = levels_of(value, unit, crossed=bool(self.unit), tokens=self.lists)
        return sum(table.get(level, 0.0) for level in levels)


def levels_of(value: str, unit: str, *, crossed: bool, tokens: bool) -> Iterator[str]:
    """The levels that a value has a coefficient for: the value, its tokens, and its cross with the unit."""
    yield f"={value}"
    if tokens:
        for token in sorted({token.strip() for token in value.split(LIST_MARK)}):
            yield f"~{token}"
    if crossed:
        yield f"|{value}\x1f{unit}"


@dataclass(frozen=True)
class LevelOffsets:
    """Log-odds that are added for each value of a category column, as estimated since the training (`models.level`).

    `key`: the matrix column; "" for the stage of the term, whose values are the stages' numbers. Empty at training.
    """

    key: str
    log_odds: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the encoded column."""
        return f"level:{self.key or STAGE}"

    def encode(self, matrix: pa.Table | Cells, stage: np.ndarray) -> np.ndarray:
        """The offset [n] of each row; `stage` [n]."""
        if not self.log_odds:
            return np.zeros(len(stage))
        values = column_of_text(matrix, self.key) if self.key else stage.astype(np.int64).astype(str)
        return np.array([self.log_odds.get(str(value), 0.0) for value in values], float)


@dataclass(frozen=True)
class Encoder:
    """Which matrix columns are read, in order, and the columns that the members see.

    `numbers`, `rates`, `terms`, `levels` and the stage (where there are `stages`) together give the encoded columns, in
    this order. `features` are the matrix columns of the contributions: `numbers`, the first key of each rate, the key
    of each term and level and the column that tells the stage, without repetition.
    """

    numbers: tuple[str, ...]
    rates: tuple[CategoryRates, ...]
    terms: tuple[IdentityTerms, ...] = ()
    stages: Stages | None = None
    levels: tuple[LevelOffsets, ...] = ()
    features: tuple[str, ...] = field(init=False)
    columns: tuple[str, ...] = field(init=False)
    sources: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if (self.terms or self.levels) and self.stages is None:
            raise ValueError("wanted stages for what identities and levels say by stage, came none")
        staged: list[str] = [] if self.stages is None else [self.stages.column]
        origin = [
            *self.numbers,
            *(rate.keys[0] for rate in self.rates),
            *(one.key or "".join(staged) for one in self.added),
            *staged,
        ]
        position = {name: at for at, name in enumerate(dict.fromkeys(origin))}
        columns = [
            *self.numbers,
            *(rate.name for rate in self.rates),
            *(one.name for one in self.added),
            *(STAGE for _ in staged),
        ]
        object.__setattr__(self, "features", tuple(position))
        object.__setattr__(self, "columns", tuple(columns))
        object.__setattr__(self, "sources", np.array([position[name] for name in origin], dtype=np.int64))

    def encode(self, matrix: pa.Table) -> np.ndarray:
        """The encoded columns, float64 [n × columns]."""
        x = np.empty((matrix.num_rows, len(self.columns)))
        for at, name in enumerate(self.numbers):
            x[:, at] = column_of_numbers(matrix, name)
        for at, rate in enumerate(self.rates, start=len(self.numbers)):
            x[:, at] = rate.encode(matrix)
        if self.stages is not None:
            x[:, -1] = stage = self.stages.encode(matrix)
            for at, one in enumerate(self.added, start=len(self.numbers) + len(self.rates)):
                x[:, at] = one.encode(matrix, stage)
        return x

    def encode_cells(self, cells: Cells) -> np.ndarray:
        """The encoded columns [1 × columns] of one row given as cells; KeyError names an absent one."""
        row = [_number(cells[name]) for name in self.numbers]
        row += [rate.encode_cell(cells) for rate in self.rates]
        if self.stages is not None:
            stage = self.stages.encode_cell(cells)
            row += [term.encode_cell(cells, stage) for term in self.terms]
            row += [float(level.encode(cells, np.full(1, stage))[0]) for level in self.levels]
            row.append(stage)
        return np.array([row], float)

    def stage(self, x: np.ndarray) -> np.ndarray:
        """The stage [n], whole numbers, of encoded rows; 0 throughout without stages."""
        return np.zeros(len(x), np.int64) if self.stages is None else x[:, -1].astype(np.int64)

    @property
    def added(self) -> tuple[IdentityTerms | LevelOffsets, ...]:
        """What says something by value and stage, in the order of its columns."""
        return (*self.terms, *self.levels)

    @property
    def leveled(self) -> slice:
        """Where the columns of `levels` stand."""
        first = len(self.numbers) + len(self.rates) + len(self.terms)
        return slice(first, first + len(self.levels))

    def misfits(self, matrix: pa.Table) -> dict[str, int]:
        """Of every number column how many cells of the matrix are no number, which the model takes as unknown."""
        here = [name for name in self.numbers if name in matrix.column_names]
        texts = {name: matrix[name] for name in here if not is_number(matrix[name].type)}
        lost = {name: numbers(column).null_count - column.null_count for name, column in texts.items()}
        return {name: count for name, count in lost.items() if count}

    def by_feature(self, contributions: np.ndarray) -> np.ndarray:
        """Contributions of the encoded columns [n × columns] summed to matrix columns [n × features]."""
        if len(contributions) == 1:  # one call instead of one a column: a posted dossier waits for it
            return np.bincount(self.sources, contributions[0], len(self.features))[None]
        summed = np.zeros((contributions.shape[0], len(self.features)))
        for at, source in enumerate(self.sources):
            summed[:, source] += contributions[:, at]
        return summed


def _number(cell: float | str | None) -> float:
    value = number(cell)
    return np.nan if value is None else value


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold nothing but numbers."""
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_boolean(kind) or pt.is_null(kind))


def shrunk_rates(
    matrix: pa.Table,
    label: np.ndarray,
    weight: np.ndarray,
    keys: tuple[str, ...],
    *,
    m: float,
    prior: float,
    parent: CategoryRates | None = None,
) -> CategoryRates:
    """Rates of the values of `keys` from labelled rows; `weight` [n] is a row's share of its dossier.

    `prior`: log-odds of the base rate. `m`: dossiers that the parent's rate counts for.
    """
    values = joined(matrix, keys)
    uniques, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    positives = np.bincount(inverse, weights=weight * label, minlength=len(uniques))
    total = np.bincount(inverse, weights=weight, minlength=len(uniques))
    above = np.full(len(uniques), prior) if parent is None else parent.encode(matrix.take(pa.array(first)))
    rate = (positives + m / (1.0 + np.exp(-above))) / (total + m)
    return CategoryRates(keys, dict(zip(uniques.tolist(), logit(rate).tolist(), strict=True)), prior, parent)

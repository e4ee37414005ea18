"""What a feature is: one SQL expression with its words, its law and what it means when there is no history.

A feature never sees the cutoff: `known_at < as_of` lives in the relations of `features.case_state.history` and
`features.matrix.group`. So a new feature can't look into the future, and one test of the relations covers them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from features.shrinkage import shrunk_sql


class Grain(StrEnum):
    """The relation whose columns a feature's expression may name.

    `HISTORY`: the known events of one dossier, in order; the expression is made of aggregates (`SUM`, `MAX`,
    `COUNT`) over them. Every other grain has one row a case, and the expression is scalar: `DOSSIER` how the
    dossier stands (`case_state.history.CASE_STATE`), the rest the totals of a group of dossiers as known at the
    start of the local day of `as_of` (`features.matrix.group.GROUPS`).
    """

    HISTORY = "history"
    DOSSIER = "dossier"
    OFFICIAL = "official"
    OFFICIAL_PROCEDURE = "official_procedure"
    UNIT = "unit"
    PROCEDURE = "procedure"
    STEP = "step"
    PROCEDURE_STEP = "procedure_step"
    RECORD = "record"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True)
class Feature:
    """One column of the matrix.

    `sql` is in the dialect of DuckDB, within what sqlglot carries to Spark. `no_history` says what a missing
    value means to a reader. `group` names the reason that the feature belongs to (reasons are told per group).
    `monotone` is +1 where more must never lower the score, -1 the other way. `trust` in (0, 1]: how far the
    value can be relied on, 1 = read from the record, less = depends on how well a source keeps it.
    `category`: the value is text, else a double. `empty`: what an aggregate over the history is before the first
    event. `about`: the attribute whose groups a feature of the grain `attribute` describes.
    """

    name: str
    grain: Grain
    sql: str
    words_vi: str
    words_en: str
    group: str
    law: str = ""
    no_history: str = "unknown"
    monotone: int = 0
    trust: float = 1.0
    category: bool = False
    empty: float | None = None
    about: str = ""


HOURS = "3.6e9"
"""Microseconds in an hour, as SQL."""


def smoothed(late: str, outcomes: str) -> str:
    """SQL of a late rate pulled towards the rate of the whole record as known on that day."""
    return shrunk_sql(late, outcomes, "record_late / NULLIF(record_known, 0)")

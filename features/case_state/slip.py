"""The receipt slip: which of the due moments in a dossier's rows is the first promise."""

from collections.abc import Iterable
from datetime import datetime, timedelta

A_DAY = timedelta(days=1)
"""Within so long of the first row another corrects it."""
_DAY = A_DAY // timedelta(microseconds=1)


def first_of(promises: Iterable[tuple[datetime, datetime | None]]) -> datetime | None:
    """The first promise of one dossier among its rows, each as (when it was known, the due moment it gives)."""
    giving = sorted((known_at, due) for known_at, due in promises if due is not None)
    near = [(known_at, due) for known_at, due in giving if known_at <= giving[0][0] + A_DAY]
    return min((due for known_at, due in near if known_at == near[-1][0]), default=None)


def slip_of(versions: str) -> str:
    """SQL of the rows of `versions` with `slip_us`, the first promise as known with each: `first_promise` for the
    matrix, whose moments are microseconds (`dossier_no`, `known_us`, `due_us`, `row_id`)."""
    return f"""
        SELECT *, LAST_VALUE(written_us IGNORE NULLS) OVER (PARTITION BY dossier_no ORDER BY known_us, row_id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS slip_us
        FROM (SELECT *, MIN(CASE WHEN known_us <= first_us + {_DAY} THEN due_us END)
                            OVER (PARTITION BY dossier_no, known_us) AS written_us
              FROM (SELECT *, MIN(CASE WHEN due_us IS NOT NULL THEN known_us END)
                                  OVER (PARTITION BY dossier_no) AS first_us
                    FROM ({versions}) v) v) v"""


def first_promise(rows: str) -> str:
    """A subquery of the first promise by dossier (`features.case_state.state`) among the dossier rows `rows`."""
    return f"""(
        SELECT dossier_id, min(due_at) AS due_at
        FROM (SELECT *, max(known_at) OVER (PARTITION BY dossier_id) AS written_at
              FROM (SELECT dossier_id, due_at, known_at, min(known_at) OVER (PARTITION BY dossier_id) AS first_at
                    FROM {rows} WHERE due_at IS NOT NULL)
              WHERE known_at <= first_at + INTERVAL 1 DAY)
        WHERE known_at = written_at GROUP BY dossier_id)"""

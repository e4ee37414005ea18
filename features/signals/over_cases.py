"""A SELECT over the relations of cases, run: the one place where cases and calendar meet the record's views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import duckdb
import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.working_time import Calendar
from features.case_state.relation import states_of_cases
from features.record.temp_tables import TempTablePipeline
from features.record.utc import naive_column
from features.signals.relations import relations

_ATTRIBUTES = ("x_identity_placeholder", "x_submitted_copied")
"""Attributes that signals name; unknown where no delivery ever gave them."""

ANSWER = "answer_over_cases"

More = Callable[[int], Mapping[str, str]]
"""Further relations by name, for a calendar of so many stretches of work in one UTC day."""


class CaseRelations:
    """The relations of `features.signals.relations` over some cases, made when a question first names them.

    A context: what was made stands on the connection until it ends, so that one evaluation answers many questions.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, cases: pa.Table, calendar: Calendar, *more: More) -> None:
        """`con`: a connection of `Record.connect`. `cases`: dossier_id and as_of (timestamp[us, UTC]); `case_no`
        counts them from 0. `more` relations rest on those and on each other, in order.
        """
        self.con = con
        self.cases = cases
        self._calendar = as_delivered(con, calendar)
        spans = sum(name.startswith("end_") for name in self._calendar.relation().column_names)
        self._sql = {"cases_in": "SELECT * FROM numbered_case", **relations(spans)}
        self._sql["version"] = _with_attributes(con, self._sql["version"])
        for made in more:
            self._sql |= made(spans)
        self._tables = TempTablePipeline(con)
        self._context = ExitStack()

    def __enter__(self) -> CaseRelations:
        """Puts the cases, their states and the calendar on the connection; all of them, or none where that fails."""
        cases = self.cases
        registered = {
            "numbered_case": pa.table({
                "case_no": pa.array(range(cases.num_rows), pa.int64()),
                "dossier_id": cases["dossier_id"].cast(pa.string()),
                "as_of": naive_column(cases["as_of"]),
            }),
            "working_day": self._calendar.relation(),
        }  # fmt: skip
        with ExitStack() as context:
            context.callback(self._tables.clear)
            for name, table in registered.items():
                self.con.register(name, table)
                context.callback(self.con.unregister, name)
            context.enter_context(states_of_cases(self.con, cases, self._calendar))
            self._context = context.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Takes them all away."""
        self._context.close()

    def select(self, sql: str, *, last: bool = False) -> pa.Table:
        """The rows of a SELECT over the relations. `last`: no question follows; what is done with is dropped at once.

        What it names is made where that has not been done.
        """
        missing = {name: text for name, text in self._sql.items() if name not in self._tables}
        self._tables.make_all({**missing, ANSWER: sql}, keep=[ANSWER], inline=False, drop=last)
        answer = self.con.sql(f"FROM {ANSWER}").to_arrow_table()
        self._tables.drop(ANSWER)
        return answer


def over_cases(
    con: duckdb.DuckDBPyConnection, cases: pa.Table, calendar: Calendar, select: str, *more: More
) -> pa.Table:
    """The rows of `select`, which may name every relation of `features.signals.relations` and `cases_in`.

    Arguments as `CaseRelations`.
    """
    with CaseRelations(con, cases, calendar, *more) as relations:
        return relations.select(select, last=True)


def _with_attributes(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    present = {row[0] for row in con.execute("SELECT column_name FROM (DESCRIBE dossier)").fetchall()}
    missing = "".join(f", NULL::DOUBLE AS {name}" for name in _ATTRIBUTES if name not in present)
    return sql.replace("d.*", f"d.*{missing}", 1)

"""A SELECT over the relations of cases, run: the one place where cases and calendar meet the record's views."""

from collections.abc import Callable, Mapping

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


def over_cases(
    con: duckdb.DuckDBPyConnection, cases: pa.Table, calendar: Calendar, select: str, *more: More
) -> pa.Table:
    """The rows of `select`, which may name every relation of `features.signals.relations` and `cases_in`.

    `con`: a connection of `Record.connect`. `cases`: dossier_id and as_of (timestamp[us, UTC]); `case_no` counts
    them from 0. `more` relations rest on those and on each other, in order.
    """
    numbered = pa.table({
        "case_no": pa.array(range(cases.num_rows), pa.int64()),
        "dossier_id": cases["dossier_id"].cast(pa.string()),
        "as_of": naive_column(cases["as_of"]),
    })  # fmt: skip
    calendar = as_delivered(con, calendar)
    spans = sum(name.startswith("end_") for name in calendar.relation().column_names)
    parts = {"cases_in": "SELECT * FROM cases_told", **relations(spans)}
    parts["version"] = _with_attributes(con, parts["version"])
    for made in more:
        parts |= made(spans)
    tables = TempTablePipeline(con)
    con.register("cases_told", numbered)
    con.register("working_day", calendar.relation())
    try:
        with states_of_cases(con, cases, calendar):
            tables.make_all({**parts, ANSWER: select}, keep=[ANSWER], inline=False)
        return con.sql(f"FROM {ANSWER}").to_arrow_table()
    finally:
        tables.clear()
        con.unregister("cases_told")
        con.unregister("working_day")


def _with_attributes(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    present = {row[0] for row in con.execute("SELECT column_name FROM (DESCRIBE dossier)").fetchall()}
    missing = "".join(f", NULL::DOUBLE AS {name}" for name in _ATTRIBUTES if name not in present)
    return sql.replace("d.*", f"d.*{missing}", 1)

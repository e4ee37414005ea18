"""The matrix: one row a case, one column a feature, from the record as known at each case's `as_of`.

The same relations serve any number of cases at any number of moments. They are worked off on DuckDB as temporary
tables, dropped as soon as nothing needs them; a large record in parts of dossiers, whose changes to the totals
of groups are gathered before the totals are made. Parts change no cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.calendar.holiday import as_delivered
from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.case_state.history import STRANDS
from features.matrix import dossier, official, procedure, unit
from features.matrix.declaration import Feature, Grain, smoothed
from features.matrix.group import ASKED_DAY, Group
from features.matrix.incremental import IncrementalState
from features.matrix.lawful_promise import COURSE, ORDER, lawful_rows
from features.matrix.matrix_sql import KEYS as KEYS
from features.matrix.matrix_sql import dossier_relations, groups_of, matrix_relations, timed
from features.matrix.source_relations import ASKED, codes, record_relations
from features.record.temp_tables import TempTablePipeline, names_in

FEATURES: list[Feature] = [*dossier.FEATURES, *official.FEATURES, *unit.FEATURES, *procedure.FEATURES]
"""Every feature that does not depend on the attributes of a record, in the order of the matrix."""

PART = 3_000_000  # events worked off at once: about 2 GB


def attributes(con: duckdb.DuckDBPyConnection) -> list[Feature]:
    """Features of the attributes (`x_…`) that the dossiers of a record carry."""
    return features_of_attributes(_attributes(con))


def features_of_attributes(named: Mapping[str, bool]) -> list[Feature]:
    """Features of attributes, given by name and whether they are text: their value, for texts also the past.

    A text attribute `x_a` also gives `x_a_late_rate` and `x_a_known`: how past dossiers of that text went.
    """
    found: list[Feature] = []
    for name, text in named.items():
        words = name.removeprefix("x_").replace("_", " ")
        found.append(
            Feature(name, Grain.DOSSIER, name, f"Thuộc tính {words}", f"attribute {words}", name, category=text)
        )
        if text:
            found.append(
                Feature(
                    f"{name}_late_rate",
                    Grain.ATTRIBUTE,
                    smoothed("late", "known"),
                    f"Tỷ lệ trễ hạn trước đây theo {words}",
                    f"past late rate by {words}",
                    name,
                    no_history="the rate of the whole record",
                    about=name,
                )
            )
            found.append(
                Feature(
                    f"{name}_known",
                    Grain.ATTRIBUTE,
                    "known",
                    f"Số hồ sơ đã rõ kết quả theo {words}",
                    f"past dossiers with outcome known, by {words}",
                    name,
                    about=name,
                )
            )
    return found  # fmt: skip


def build(
    con: duckdb.DuckDBPyConnection,
    cases: pa.Table,
    features: Sequence[Feature] | None = None,
    calendar: Calendar = PLAIN_WEEK,
    unit_calendars: Mapping[str, Calendar] | None = None,
) -> pa.Table:
    """The matrix of `cases` (dossier_id: string, as_of: timestamp[us, UTC]), in their order.

    `con` has the record's tables as views (`Record.connect`). Columns: dossier_id, as_of, the keys unit_code,
    official_id (the holder), procedure_code, sector_code as known, then one a feature: double, or string for
    categories. Without `features`: `FEATURES` and those of the attributes that the record carries. A case whose
    dossier was not known at its `as_of` has nulls. `calendar`: its days give way to the record's `holiday` rows.
    `unit_calendars`: offices with working hours of their own;
    ValueError when they don't lie in the zone of `calendar`.
    """
    batches = list(build_batches(con, cases, features, calendar, unit_calendars))
    return pa.concat_tables(batches)


def build_batches(
    con: duckdb.DuckDBPyConnection,
    cases: pa.Table,
    features: Sequence[Feature] | None = None,
    calendar: Calendar = PLAIN_WEEK,
    unit_calendars: Mapping[str, Calendar] | None = None,
    *,
    part: int = PART,
    rows: int = 1_000_000,
    incremental: IncrementalState | None = None,
) -> Iterator[pa.Table]:
    """`build` for a matrix larger than memory: the same rows in tables of at most `rows` cases.

    `part`: about how many events are worked off at once. `incremental`: the changes before a day, of an earlier build;
    then `con` needs only the dossiers of the cases and those with news since.
    """
    calendar = as_delivered(con, calendar)
    for other in (unit_calendars or {}).values():
        if other.zone != calendar.zone:
            raise ValueError(f"wanted calendars of one time zone, came {calendar.zone} and {other.zone}")
    wanted = [*FEATURES, *attributes(con)] if features is None else list(features)
    bench = TempTablePipeline(con)
    try:
        groups = groups_of(wanted)
        _gather(
            bench, cases, wanted, groups, [calendar, *(unit_calendars or {}).values()], list(unit_calendars or {}), part
        )
        if incremental is not None:
            incremental.join(bench, groups)
        relations = matrix_relations(wanted, groups)
        answer = relations.pop("matrix")
        bench.make_all(relations, keep=names_in(answer))
        for start in range(0, max(cases.num_rows, 1), rows):
            chunk = con.sql(
                f"SELECT * EXCLUDE (case_no) FROM ({answer}"
                f" WHERE a.case_no >= {start} AND a.case_no < {start + rows}) m ORDER BY m.case_no"
            )
            table = chunk.to_arrow_table()
            yield pa.table(
                {name: cases[name].slice(start, rows) for name in ("dossier_id", "as_of")}
                | {name: table[name] for name in table.column_names}
            )
    finally:
        bench.clear()  # fmt: skip


def _gather(
    bench: TempTablePipeline,
    cases: pa.Table,
    features: Sequence[Feature],
    groups: Sequence[Group],
    calendars: Sequence[Calendar],
    own: Sequence[str],
    part: int,
) -> None:
    """Makes `asked`, `asked_day`, `standing`, `version` and the daily changes of the groups, part by part."""
    con = bench.con
    named = _attributes(con)
    texts = [name for name, text in named.items() if text]
    working = working_days(calendars)
    spans = sum(name.startswith("end_") for name in working.column_names)
    bench.put("working_day", working)
    bench.put(
        "unit_calendar",
        pa.table(
            {"unit_code": pa.array(own, pa.string()), "calendar_no": pa.array(range(1, len(own) + 1), pa.int64())}
        ),
    )
    bench.put(
        "asked_in",
        pa.table(
            {
                "case_no": pa.array(range(cases.num_rows), pa.int64()),
                "dossier_id": cases["dossier_id"],
                "as_of_us": pc.cast(cases["as_of"].cast(pa.timestamp("us", "UTC")), pa.int64()),
            }
        ),
    )
    bench.make("asked", timed("asked", ASKED, spans))
    bench.drop("asked_in")
    bench.make("asked_day", ASKED_DAY)
    bench.make_all(codes(texts), keep=codes(texts))
    events = con.execute("SELECT COUNT(*) FROM event").fetchall()[0][0]
    # a smaller record is cut too, into at most four: a tenth more work, and little more than half the memory
    parts = max(1, -(-events // part), min(4, -(-3 * events // part)))
    additive = ["version", "standing", *(f"{group.name}_daily" for group in groups)]
    for number in range(parts):
        here = "TRUE" if parts == 1 else f"HASH(dossier_id) % {parts} = {number}"
        relations = {name: timed(name, sql, spans) for name, sql in
                     record_relations(list(named), texts, here, number * 10**12).items()}  # fmt: skip
        relations |= {name: timed(name, sql, spans) for name, sql in STRANDS.items()}
        after = dossier_relations(features, groups, spans)
        read = {name for sql in after.values() for name in names_in(sql) if name in relations}
        bench.make_all(relations, keep=["procedure_version", "version", *read])
        course = con.sql(f"{COURSE} ORDER BY {', '.join(ORDER)}").to_arrow_table()
        bench.put("lawful", lawful_rows(course, calendars))
        del course
        bench.make_all(after, keep=additive, given=["lawful", *(read - {"version"})])
        if parts > 1:
            bench.gather(*additive)
    if parts > 1:
        bench.gathered(*additive)


def _attributes(con: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """The attributes of the record's dossiers, in order, and whether each is text."""
    rows = con.execute("SELECT column_name, column_type FROM (DESCRIBE dossier)").fetchall()
    return {name: kind == "VARCHAR" for name, kind in rows if name.startswith("x_")}


def working_days(calendars: Sequence[Calendar]) -> pa.Table:
    """The calendars' relations under one another, numbered from 0."""
    tables = [calendar.relation().append_column(
        "calendar_no", pa.array([number] * calendar.relation().num_rows, pa.int64()))
        for number, calendar in enumerate(calendars)]  # fmt: skip
    table = pa.concat_tables(tables, promote_options="default")
    stretches = [name for name in table.column_names if name.startswith(("start_", "end_"))]
    return pa.table(
        {name: pc.fill_null(table[name], 0) if name in stretches else table[name] for name in table.column_names}
    )

"""The matrix: one row a case, one column a feature, from the record as known at each case's `as_of`.

One statement serves many cases at many moments. `build` is the only door; the relations of which the statement
is made stand in `features.history`, `features.movement` and `features.group`, the expressions in the modules
of the grains.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from features import dossier, official, procedure, unit
from features.calendar import DAY, EPOCH, FIRST, LAST, PLAIN_WEEK, Calendar
from features.declaration import Feature, Grain, smoothed
from features.group import Group, history, queue
from features.history import HISTORY, SPELL, SPELLS, STANDING, VERSIONED
from features.movement import TURNS

FEATURES: list[Feature] = [*dossier.FEATURES, *official.FEATURES, *unit.FEATURES, *procedure.FEATURES]
KEYS = ("unit_code", "official_id", "procedure_code", "sector_code")

_EARLIEST = (FIRST - EPOCH.date()).days * DAY
_LATEST = (LAST - EPOCH.date()).days * DAY - 1

GROUPS: dict[Grain, tuple[Group, ...]] = {
    Grain.OFFICIAL: (queue("official_queue", ("official_id",), "official_new"),
                     history("official_past", ("official_id",), "official_outcome")),
    Grain.OFFICIAL_PROCEDURE: (
        history("official_procedure_past", ("official_id", "procedure_code"), "official_outcome"),),
    Grain.UNIT: (queue("unit_queue", ("unit_code",), "unit_new"), history("unit_past", ("unit_code",), "outcome")),
    Grain.PROCEDURE: (queue("procedure_queue", ("procedure_code",), "procedure_new"),
                      history("procedure_past", ("procedure_code",), "outcome")),
    Grain.STEP: (Group("step_past", ("step",), "step_outcome",
                       (("known", "known"), ("late", "late")),
                       (("ended_365", "ended", 365), ("left_w_365", "left_w", 365))),),
    Grain.PROCEDURE_STEP: (Group("procedure_step_past", ("procedure_code", "step"), "step_outcome",
                                 (("known", "known"), ("late", "late")),
                                 (("ended_365", "ended", 365), ("left_w_365", "left_w", 365))),),
}


def clock(instant: str, alias: str, spans: int) -> dict[str, str]:
    """SQL of an instant's working time, local day and clock time, and the join that they need."""
    offset = f"({instant} - {alias}.day * {DAY})"
    worked = " + ".join([f"{alias}.worked_before"] + [
        f"GREATEST(0, LEAST({offset}, {alias}.end_{k}) - {alias}.start_{k})" for k in range(spans)])
    return {
        "worked": f"({worked})",
        "day": f"({alias}.local_day + CASE WHEN {offset} >= {alias}.midnight THEN 1 ELSE 0 END)",
        "clock": f"({offset} - {alias}.midnight + CASE WHEN {offset} >= {alias}.midnight THEN 0 ELSE {DAY} END)",
        "join": f"LEFT JOIN working_day {alias} ON {alias}.day = {instant} // {DAY}",
    }


def attributes(con: duckdb.DuckDBPyConnection) -> list[Feature]:
    """Features of the attributes (`x_…`) that the record's dossiers carry: the value, and for text its past late rate."""
    found: list[Feature] = []
    for name, kind in con.execute("SELECT column_name, column_type FROM (DESCRIBE dossier)").fetchall():
        if not name.startswith("x_"):
            continue
        text = kind == "VARCHAR"
        words = name.removeprefix("x_").replace("_", " ")
        found.append(Feature(name, Grain.DOSSIER, name if text else f"CAST({name} AS DOUBLE)",
                             f"Thuộc tính {words}", f"attribute {words}", name, category=text))
        if text:
            found.append(Feature(f"{name}_late_rate", Grain.ATTRIBUTE, smoothed("late", "known"),
                                 f"Tỷ lệ trễ hạn trước đây theo {words}", f"past late rate by {words}",
                                 name, no_history="the rate of the whole record"))
            found.append(Feature(f"{name}_known", Grain.ATTRIBUTE, "known",
                                 f"Số hồ sơ đã rõ kết quả theo {words}", f"past dossiers with outcome known, by {words}",
                                 name))
    return found


def _instant(column: str) -> str:
    return f"CASE WHEN {column} IS NOT NULL THEN GREATEST(LEAST(EPOCH_US({column}), {_LATEST}), {_EARLIEST}) END"


def _running(feature: Feature) -> str:
    """The feature's aggregates as running aggregates over the dossier's known events."""
    tree = sqlglot.parse_one(feature.sql, dialect="duckdb")
    window = ("OVER (PARTITION BY dossier_id, strand ORDER BY seq"
              " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)")
    return _over(tree, window) + f" AS {feature.name}"


def _over(tree: exp.Expression, window: str) -> str:
    holes = {}
    def mark(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.AggFunc):
            name = f"aggregate_{len(holes)}"
            holes[name] = f"{node.sql(dialect='duckdb')} {window}"
            return exp.column(name)
        return node
    text = tree.transform(mark).sql(dialect="duckdb")
    for name, sql in holes.items():
        text = text.replace(name, sql)
    return text


def relations(features: Sequence[Feature], columns: Sequence[str], calendar: Calendar) -> dict[str, str]:
    """Every relation of the statement by name, in order; the last, `matrix`, is the answer."""
    spans = sum(name.startswith("end_") for name in calendar.relation().column_names)

    def timed(sql: str, **instants: str) -> str:
        """`sql` with `$<name>_w`, `_day`, `_clock` of each instant, and `$clocks`, their joins."""
        parts: dict[str, str] = {}
        joins = []
        for name, instant in instants.items():
            made = clock(instant, f"k_{name}", spans)
            parts |= {f"{name}_w": made["worked"], f"{name}_day": made["day"], f"{name}_clock": made["clock"]}
            joins.append(made["join"])
        return Template(sql).safe_substitute(parts, clocks=" ".join(joins))

    extra = [name for name in columns if name.startswith("x_")]
    listed = "".join(f", {name}" for name in extra)
    found = {
        "dossier_in": f"""
            SELECT dossier_id, row_id, {_instant('known_at')} AS known_us, {_instant('received_at')} AS received_us,
                   {_instant('due_at')} AS due_us, COALESCE(procedure_code, '') AS procedure_code,
                   COALESCE(unit_code, '') AS unit_code, channel, applicant_kind{listed}
            FROM dossier""",
        "procedure_in": """
            SELECT procedure_code, MAX(sector_code) AS sector_code,
                   MAX(CAST(legal_working_days AS DOUBLE)) AS legal_working_days, MAX(max_supplements) AS max_supplements
            FROM procedure GROUP BY procedure_code""",
        "event_in": timed(f"""
            SELECT e.*, $happened_w AS happened_w
            FROM (SELECT dossier_id, row_id, kind, COALESCE(step, kind) AS step, official_id,
                         {_instant('known_at')} AS known_us, {_instant('happened_at')} AS happened_us,
                         {_instant('due_at')} AS due_us
                  FROM event) e $clocks""", happened="e.happened_us"),
        **VERSIONED,
        **HISTORY,
        "running": Template(SPELL).substitute(
            features="".join(", " + _running(f) for f in features if f.grain is Grain.HISTORY)),
        **SPELLS,
        "stood": timed(STANDING, as_of="c.as_of_us", received="v.received_us", first_due="v.due_us",
                       due="COALESCE(s.new_due_us, v.due_us)"),
        "standing": """
            SELECT *, COALESCE(paused_w, 0) + CASE WHEN stopped = 1 THEN as_of_w - last_w ELSE 0 END AS paused_now_w
            FROM stood""",
        **{name: timed(sql, at="m.at_us", **({"end": "m.end_us", "received": "m.received_us"} if name == "movement" else
                                             {"end": "m.end_us"} if name == "closing" else {}))
           for name, sql in TURNS.items()},
    }
    record = Group("record_past", ("everything",), "record_outcome",
                   (("record_known", "known"), ("record_late", "late")),
                   (("record_known_90", "known", 90), ("record_late_90", "late", 90)))
    found["record_outcome"] = """
        SELECT 1 AS everything, day, known, late FROM outcome
        UNION ALL SELECT 1, day, 0, 0 FROM movement"""
    made = record.relations()
    made["record_past_asked"] = "SELECT DISTINCT 1 AS everything, day FROM standing"
    made["record_past"] = """SELECT day, record_known, record_late, record_known_90, record_late_90,
                             days_seen AS record_days_seen FROM record_past_totals WHERE asked = 1"""
    found |= made
    groups = dict(GROUPS)
    if extra:
        wanted = ", ".join(f"v.{name}" for name in extra)
        found["attribute_outcome"] = f"""
            SELECT o.day, o.known, o.late, {wanted} FROM outcome o JOIN version v ON v.dossier_id = o.dossier_id
             AND v.known_us <= o.at_us AND (v.until_us IS NULL OR o.at_us < v.until_us)"""
    joins, selected = [], []
    for grain, members in groups.items():
        wanted_features = [f for f in features if f.grain is grain]
        if wanted_features:
            found |= _grain(grain.value, members, wanted_features)
            joins.append(_join(grain.value, members[0].keys))
    for feature in features:
        if feature.grain is Grain.ATTRIBUTE and feature.name.endswith("_late_rate"):
            name = feature.name.removesuffix("_late_rate")
            group = history(f"{name}_past", (name,), "attribute_outcome")
            found |= _grain(f"{name}_grain", (group,),
                            [f for f in features if f.grain is Grain.ATTRIBUTE and f.name.startswith(name + "_")
                             and f.name in (f"{name}_late_rate", f"{name}_known")])
            joins.append(_join(f"{name}_grain", (name,)))
    for feature in features:
        if feature.name in KEYS:
            continue
        if feature.grain is Grain.DOSSIER:
            sql = _qualified(feature.sql, "s")
        elif feature.grain is Grain.RECORD:
            sql = _qualified(feature.sql, "r")
        elif feature.grain is Grain.HISTORY:
            sql = f"s.{feature.name}"
        elif feature.grain is Grain.ATTRIBUTE:
            sql = feature.name
        else:
            sql = f"{feature.grain.value}.{feature.name}"
        if feature.grain is Grain.HISTORY and not feature.sql.startswith("MAX"):
            sql = f"COALESCE({sql}, 0)"
        selected.append(f"{sql if feature.category else f'CAST({sql} AS DOUBLE)'} AS {feature.name}")
    keys = ", ".join(f"s.{key}" for key in KEYS)
    found["matrix"] = f"""
        SELECT s.case_no, {', '.join([keys, *selected])}
        FROM standing s LEFT JOIN record_past r ON r.day = s.day {' '.join(joins)}"""
    return found


def _qualified(sql: str, alias: str) -> str:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    for column in tree.find_all(exp.Column):
        column.set("table", exp.to_identifier(alias))
    return tree.sql(dialect="duckdb")


def _join(name: str, keys: tuple[str, ...]) -> str:
    return f"LEFT JOIN {name} ON {name}.day = s.day AND " + " AND ".join(f"{name}.{k} = s.{k}" for k in keys)


def _grain(name: str, members: tuple[Group, ...], features: list[Feature]) -> dict[str, str]:
    """Relations of one grain: the totals of its groups beside those of the record, then the features."""
    found: dict[str, str] = {}
    for group in members:
        found |= group.relations()
    first, *others = members
    keys = ", ".join(f"a.{k}" for k in first.keys)
    columns = [f"a.{c}" for c in first.columns]
    joins = ""
    for n, group in enumerate(others):
        columns += [f"b{n}.{c}" for c in group.columns if c != "days_seen"]
        joins += f" LEFT JOIN {group.name} b{n} ON b{n}.day = a.day AND " + " AND ".join(
            f"b{n}.{k} = a.{k}" for k in first.keys)
    found[f"{name}_all"] = (f"SELECT {keys}, a.day, {', '.join(columns)}, r.* EXCLUDE (day) FROM {first.name} a{joins}"
                            f" LEFT JOIN record_past r ON r.day = a.day")
    found[name] = (f"SELECT {', '.join(first.keys)}, day, "
                   + ", ".join(f"{f.sql} AS {f.name}" for f in features) + f" FROM {name}_all")
    return found


def build(con: duckdb.DuckDBPyConnection, cases: pa.Table, features: Sequence[Feature] | None = None,
          calendar: Calendar = PLAIN_WEEK) -> pa.Table:
    """The matrix of `cases` (dossier_id: string, as_of: timestamp[us, UTC]), in their order.

    `con` has the record's tables as views (`Record.connect`). Columns: dossier_id, as_of, the keys unit_code,
    official_id (the holder), procedure_code, sector_code as known, then one a feature: double, or string for
    categories. Without `features`: `FEATURES` and those of the attributes that the record carries. A case whose
    dossier was not known at its `as_of` has nulls.
    """
    columns = [row[0] for row in con.execute("SELECT column_name FROM (DESCRIBE dossier)").fetchall()]
    wanted = [*FEATURES, *attributes(con)] if features is None else list(features)
    asked = pa.table({
        "case_no": pa.array(range(cases.num_rows), pa.int64()),
        "dossier_id": cases["dossier_id"],
        "as_of_us": pc.cast(cases["as_of"].cast(pa.timestamp("us", "UTC")), pa.int64()),
    })
    found = relations(wanted, columns, calendar)
    statement = "WITH " + ",\n".join(f"{name} AS ({sql})" for name, sql in found.items())
    con.register("cases_in", asked)
    con.register("working_day", calendar.relation())
    try:
        table = con.sql(f"{statement} SELECT * EXCLUDE (case_no) FROM matrix ORDER BY case_no").to_arrow_table()
    finally:
        con.unregister("cases_in")
        con.unregister("working_day")
    return pa.table({"dossier_id": cases["dossier_id"], "as_of": cases["as_of"]} | {
        name: table[name] for name in table.column_names})

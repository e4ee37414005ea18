"""The reference in DuckDB's SQL as one writes it by hand for the drawn record: the features of `matrix_polars`.

Same engine as the matrix, so the difference is what generality costs: no late news, no corrections, no lawful clock.
"""

import duckdb

from features.calendar.working_time import PLAIN_WEEK
from features.matrix.source_relations import clock
from tests.bench.part_of_matrix import HOUR, NAMES, QUEUE, STEP
from tests.bench.worked_time import DAY

_DAYS = PLAIN_WEEK.relation()
_SPANS = sum(name.startswith("end_") for name in _DAYS.column_names)
_CODES = (("unit", "unit_code", "dossier"), ("procedure", "procedure_code", "dossier"),
          ("official", "official_id", "event"), ("step", "step", "event"))  # fmt: skip
_OUTCOME = "SELECT {key}, outcome_day AS day, {zeros}, 1 AS known, late FROM dossiers"

_TOLD = """
    SELECT d.dossier_id, ROW_NUMBER() OVER () AS d, epoch_us(received_at) AS received, epoch_us(due_at) AS due, u.unit,
           p.procedure
    FROM read_parquet('{folder}/dossier.parquet') d JOIN unit_codes u USING (unit_code)
    JOIN procedure_codes p USING (procedure_code)"""
_EVENTS = """
    SELECT e.*, {happened_w} AS w, {happened_day} AS day FROM (
        SELECT d.d, d.due, epoch_us(e.happened_at) AS happened, e.kind = 'decided' AS decided,
               e.kind = 'returned' AS returned, o.official, s.step
        FROM read_parquet('{folder}/event.parquet') e JOIN told d USING (dossier_id)
        JOIN official_codes o USING (official_id) JOIN step_codes s USING (step)) e {clocks}"""
_ORDERED = """
    SELECT *, ROW_NUMBER() in_order AS events, LAG(official) in_order AS last_official, w - LAG(w) in_order AS gap,
           ROW_NUMBER() OVER (PARTITION BY d, step ORDER BY happened) = 1 AS step_new,
           ROW_NUMBER() OVER (PARTITION BY d, official ORDER BY happened) = 1 AS official_new,
           LEAD(happened) in_order AS until
    FROM told_events""".replace("in_order", "OVER (PARTITION BY d ORDER BY happened)")
_RUNNING = """
    SELECT *, CAST(SUM(CAST(returned AS INTEGER)) running AS INTEGER) AS returns,
           CAST(SUM(CAST(step_new AS INTEGER)) running AS INTEGER) AS steps,
           CAST(SUM(CAST(official_new AS INTEGER)) running AS INTEGER) AS officials,
           CAST(SUM(CAST(handover AS INTEGER)) running AS INTEGER) AS handovers, MAX(gap) running AS longest_gap,
           MAX(CASE WHEN handover OR last_official IS NULL THEN w END) running AS held_w
    FROM (SELECT *, COALESCE(official <> last_official, false) AS handover FROM ordered)""".replace(
    "running", "OVER (PARTITION BY d ORDER BY events ROWS UNBOUNDED PRECEDING)"
)
_DOSSIERS = """
    SELECT m.*, {received_w} AS received_w, {received_day} AS received_day, {due_w} AS due_w, {due_day} AS due_day,
           {outcome_day} AS outcome_day
    FROM (SELECT t.* EXCLUDE (dossier_id), e.happened AS "end", e.w AS end_w, e.day AS end_day,
                 CAST(e.happened > t.due AS INTEGER) AS late, LEAST(e.happened, t.due) AS outcome
          FROM told t JOIN told_events e ON e.d = t.d AND e.decided) m {clocks}"""
_CASES = """
    SELECT c.*, {as_of_w} AS as_of_w, {as_of_day} AS day, d.* EXCLUDE (d),
           e.* EXCLUDE (d, due, day, happened, until, decided, returned), 1 AS record
    FROM (SELECT c.file_row_number AS case_no, t.d, epoch_us(as_of) AS as_of
          FROM read_parquet('{folder}/cases.parquet', file_row_number = true) c JOIN told t USING (dossier_id)) c
    JOIN dossiers d ON d.d = c.d
    JOIN running e ON e.d = c.d AND e.happened < c.as_of AND (e.until IS NULL OR e.until >= c.as_of) {clocks}"""
_GROUP = """
    SELECT {key}, received_day AS day, 1 AS open, 1 AS arrived, 0 AS overdue, 0 AS closed, 0 AS closed_w, 0 AS known,
           0 AS late FROM dossiers
    UNION ALL
    SELECT {key}, end_day, -1, 0, -late, 1, GREATEST(end_w - received_w, 0), 0, 0 FROM dossiers
    UNION ALL SELECT {key}, outcome_day, 0, 0, 0, 0, 0, 1, late FROM dossiers
    UNION ALL SELECT {key}, due_day, 0, 0, 1, 0, 0, 0, 0 FROM dossiers WHERE late = 1"""
_OFFICIAL = """
    SELECT official, day, CAST(NOT decided AS INTEGER) AS open, 1 AS arrived,
           CAST(NOT decided AND happened > due AS INTEGER) AS overdue, 0 AS closed, 0 AS known, 0 AS late
    FROM running WHERE handover OR last_official IS NULL
    UNION ALL
    SELECT last_official, day, -1, 0, -CAST(happened > due AS INTEGER), 0, 0, 0
    FROM running WHERE last_official IS NOT NULL AND (handover OR decided)
    UNION ALL SELECT official, day, 0, 0, 0, 1, 0, 0 FROM running WHERE decided
    UNION ALL
    SELECT r.official, d.due_day, 0, 0, 1, 0, 0, 0
    FROM dossiers d JOIN running r ON r.d = d.d AND r.happened <= d.due AND r.until > d.due WHERE d.late = 1
    UNION ALL SELECT m.official, {moment_day}, 0, 0, 0, 0, 1, m.late
    FROM (SELECT r.official, d.late, GREATEST(d.outcome, r.happened) AS moment
          FROM running r JOIN dossiers d ON d.d = r.d WHERE r.official_new) m {clocks}"""
_STEP = """
    SELECT m.step, {moment_day} AS day, 1 AS known, m.late, 0 AS ended, 0 AS left_w
    FROM (SELECT r.step, d.late, GREATEST(d.outcome, r.happened) AS moment
          FROM running r JOIN dossiers d ON d.d = r.d WHERE r.step_new) m {clocks}
    UNION ALL SELECT r.step, d.end_day, 0, 0, 1, GREATEST(d.end_w - r.w, 0)
    FROM running r JOIN dossiers d ON d.d = r.d WHERE r.step_new"""
_STOCKS = {"official": ("open", "overdue", "known", "late"), "step": ("known", "late")}


def build(folder: str, out: str) -> int:
    """Writes the reference's cells of the cases in `folder` to the Parquet file `out`; gives the number of rows."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 2; SET enable_progress_bar = false")
    con.register("days", _DAYS)
    con.execute("CREATE TABLE working_day AS SELECT *, 0 AS calendar_no FROM days")
    for name, column, table in _CODES:
        con.execute(f"CREATE TABLE {name}_codes AS SELECT {column}, ROW_NUMBER() OVER () AS {name}"
                    f" FROM (SELECT DISTINCT {column} FROM read_parquet('{folder}/{table}.parquet'))")  # fmt: skip
    moments: dict[str, tuple[str, ...]] = {
        "told_events": ("e.happened",), "dossiers": ("m.received", "m.due", "m.outcome"), "cases": ("c.as_of",)
    }  # fmt: skip
    for name, sql in (
        ("told", _TOLD), ("told_events", _EVENTS), ("ordered", _ORDERED), ("running", _RUNNING),
        ("dossiers", _DOSSIERS), ("cases", _CASES),
    ):  # fmt: skip
        con.execute(f"CREATE TABLE {name} AS {_timed(sql, *moments.get(name, ()), folder=folder)}")
        if name == "running":
            con.execute("DROP TABLE ordered")
    grains = {
        "record": ("SELECT 1 AS record, outcome_day AS day, 1 AS known, late FROM dossiers", ("known", "late"), {}),
        "official": (_timed(_OFFICIAL, "m.moment"), _STOCKS["official"], QUEUE),
        **{key: (_GROUP.format(key=key), _STOCKS["official"], QUEUE) for key in ("unit", "procedure")},
        "step": (_timed(_STEP, "m.moment"), _STOCKS["step"], STEP),
    }  # fmt: skip
    for key, (changes, stocks, flows) in grains.items():
        _totals(con, key, changes, stocks, flows)
    cells = _own() | {name: sql for key in grains if key != "record" for name, sql in _of_totals(key).items()}
    listed = ", ".join(f"CAST({cells[name]} AS DOUBLE) AS {name}" for name in NAMES)
    joins = " ".join(f"LEFT JOIN {key}_totals {key} ON {key}.{key} = c.{key} AND {key}.day = c.day" for key in grains)
    con.execute(f"COPY (SELECT {listed} FROM cases c {joins} ORDER BY c.case_no) TO '{out}'")
    return int(con.execute("SELECT COUNT(*) FROM cases").fetchall()[0][0])


def _timed(sql: str, *moments: str, **parts: str) -> str:
    """`sql` with working time and local day of its moments put in."""
    named = [(moment.split(".")[1], moment) for moment in moments]
    made = {name: clock(moment, f"k_{name}", "0", _SPANS) for name, moment in named}
    parts |= {f"{name}_{part}": one[part] for name, one in made.items() for part in ("w", "day")}
    return sql.format(**parts, clocks=" ".join(one["join"] for one in made.values()))


def _totals(
    con: duckdb.DuckDBPyConnection, key: str, changes: str, stocks: tuple[str, ...], flows: dict[str, tuple[str, int]]
) -> None:
    """Makes `<key>_totals`: of each group and day that a case asks for, the sums before that day."""
    columns = con.sql(changes).columns
    flows = {name: flow for name, flow in flows.items() if flow[0] in columns}
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in columns[2:])
    con.execute(f"CREATE OR REPLACE TABLE daily AS SELECT {key}, day, {sums} FROM ({changes}) GROUP BY ALL")
    booked = [", ".join([key, "day", *stocks, *(source for source, _ in flows.values())])]
    for days in sorted({days for _, days in flows.values()}):
        gone = [f"-{source}" if after == days else "0" for source, after in flows.values()]
        booked.append(", ".join([key, f"day + {days}", *("0" for _ in stocks), *gone]))
    totals = [*stocks, *flows]
    named = ", ".join([key, "day", *(f"CAST(SUM({n}) AS BIGINT) AS {n}" for n in totals)])
    over = f"OVER (PARTITION BY {key} ORDER BY day ROWS UNBOUNDED PRECEDING)"
    book = " UNION ALL ".join(f"SELECT {one} FROM daily" for one in booked)
    con.execute(f"""
        CREATE TABLE {key}_totals AS
        WITH book({", ".join([key, "day", *totals])}) AS ({book}),
             summed AS (SELECT {named} FROM book GROUP BY {key}, day),
             grown AS (SELECT {key}, day, {", ".join(f"CAST(SUM({n}) {over} AS BIGINT) AS {n}" for n in totals)}
                       FROM summed)
        SELECT a.{key}, a.day, {", ".join(f"COALESCE(g.{n}, 0) AS {n}" for n in totals)}
        FROM (SELECT DISTINCT {key}, day FROM cases) a ASOF LEFT JOIN grown g ON g.{key} = a.{key} AND g.day < a.day""")


def _own() -> dict[str, str]:
    return {
        **{name: f"c.{name}" for name in ("events", "returns", "steps", "officials", "handovers")},
        "longest_gap_hours": f"c.longest_gap / {HOUR}",
        "hours_left": f"(c.due_w - c.as_of_w) / {HOUR}",
        "promise_used": "(c.as_of_w - c.received_w) / NULLIF(c.due_w - c.received_w, 0)",
        "days_left": f"(c.due - c.as_of) / {DAY}",
        "silent_hours": f"(c.as_of_w - c.w) / {HOUR}",
        "held_hours": f"(c.as_of_w - c.held_w) / {HOUR}",
        "received_weekday": "(c.received_day + 3) % 7",
        "overall_late_rate": "record.late / record.known",
    }


def _of_totals(key: str) -> dict[str, str]:
    rate = f"({key}.{{late}} + 20 * record.late / record.known) / ({key}.{{known}} + 20)"
    made = {"late_rate": rate.format(late="late", known="known")}
    if key == "step":
        made["left_hours"] = f"step.left_w_365 / {HOUR} / NULLIF(step.ended_365, 0)"
    else:
        made |= {
            name: f"{key}.{name}" for name in ("open", "known", "arrived_7", "arrived_30", "arrived_90", "closed_90")
        }
        made["overdue"] = f"{key}.overdue / NULLIF({key}.open, 0)"
        made["late_rate_90"] = rate.format(late="late_90", known="known_90")
        if key == "procedure":
            made["hours"] = f"procedure.closed_w_90 / {HOUR} / NULLIF(procedure.closed_90, 0)"
    return {f"{key}_{name}": sql for name, sql in made.items()}

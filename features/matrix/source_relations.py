"""What the relations of the matrix rest on: the record's views with times as integers and codes for texts.

DuckDB's side of the work. Everything above is plain SQL for any engine; an engine brings the relations
`case_in`, `event_in`, `version`, `procedure_version`, `working_day` and the names behind the codes.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.calendar.working_time import DAY, EPOCH, FIRST, LAST
from features.case_state.slip import slip_of
from features.record.schema import EVENT_KINDS

EARLIEST = (FIRST - EPOCH.date()).days * DAY
LATEST = (LAST - EPOCH.date()).days * DAY - 1


MICROS = "EPOCH_US"
"""DuckDB's name for microseconds since 1970 of a moment; other engines have another."""
KIND = "ENUM (" + ", ".join(f"'{kind}'" for kind in EVENT_KINDS) + ")"
"""DuckDB's type for kinds of event; for other engines they are texts."""


def instant(column: str) -> str:
    """Microseconds since 1970 of a TIMESTAMP, within the years of the calendar; null stays null."""
    return f"CASE WHEN {column} IS NOT NULL THEN GREATEST(LEAST({MICROS}({column}), {LATEST}), {EARLIEST}) END"


def clock(moment: str, alias: str, calendar_no: str, spans: int) -> dict[str, str]:
    """SQL of a moment's working time (`w`), local day (`day`), time of day (`clock`), and the join they need.

    `spans`: how many stretches of work a UTC day has at most (`Calendar.relation`).
    """
    offset = f"({moment} - {alias}.day * {DAY})"
    worked = [f"GREATEST(0, LEAST({offset}, {alias}.end_{k}) - {alias}.start_{k})" for k in range(spans)]
    evening = f"CASE WHEN {offset} >= {alias}.midnight THEN 1 ELSE 0 END"
    return {
        "w": f"({' + '.join([f'{alias}.worked_before', *worked])})",
        "day": f"({alias}.local_day + {evening})",
        "clock": f"({offset} - {alias}.midnight + (1 - {evening}) * {DAY})",
        "join": f"LEFT JOIN working_day {alias} ON {alias}.day = {moment} // {DAY}"
                f" AND {alias}.calendar_no = {calendar_no}",
    }  # fmt: skip


def _code(name: str, column: str, table: str) -> str:
    return (
        f"SELECT {column}, CAST(ROW_NUMBER() OVER (ORDER BY {column}) AS INTEGER) AS {name}_no"
        f" FROM (SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL) d"
    )


ASKED = "SELECT a.case_no, a.dossier_id, a.as_of_us, $as_of_day AS day FROM asked_in a $clocks"
"""The cases with the local day of their `as_of`."""

# Codes from 1 for texts; 0 stands for none. Which number a text gets has no influence on any cell.
CODES = {
    "official_code": _code("official", "official_id", "event"),
    "unit_code_of": _code("unit", "unit_code", "dossier"),
    "procedure_code_of": _code("procedure", "procedure_code", "dossier"),
    "step_code": _code("step", "step", "(SELECT DISTINCT COALESCE(step, kind) AS step FROM event)"),
}


def codes(texts: Sequence[str]) -> dict[str, str]:
    """Relations that number the texts the record holds; `texts`: the attributes that are text."""
    return CODES | {f"{name}_code": _code(name, name, "dossier") for name in texts}


def record_relations(
    attributes: Sequence[str], texts: Sequence[str], part: str = "TRUE", first: int = 0
) -> dict[str, str]:
    """Relations over the record's views of the dossiers for which `part`, a condition on `dossier_id`, holds.

    Versions are numbered from `first` + 1. `attributes`: the columns `x_…` of `dossier`, `texts` those of them
    that are text. `$…_w`, `$…_day`, `$…_clock`, `$clocks` are for `features.matrix.matrix_sql.timed` to fill.
    """
    listed = "".join(f", d.{name}" for name in attributes)
    listed += "".join(f", COALESCE({name}_code.{name}_no, 0) AS {name}_no" for name in texts)
    coded = " ".join(f"LEFT JOIN {name}_code ON {name}_code.{name} = d.{name}" for name in texts)
    versions = f"""
        SELECT {first} + ROW_NUMBER() OVER (ORDER BY c.dossier_no, d.known_at, d.row_id) AS version_no,
               c.dossier_no, c.calendar_no, d.row_id,
               {instant("d.known_at")} AS known_us, {instant("d.received_at")} AS received_us,
               {instant("d.due_at")} AS due_us, COALESCE(u.unit_no, 0) AS unit_no,
               COALESCE(p.procedure_no, 0) AS procedure_no, d.channel, d.applicant_kind{listed}
        FROM dossier d JOIN dossier_code c ON c.dossier_id = d.dossier_id
        LEFT JOIN unit_code_of u ON u.unit_code = d.unit_code
        LEFT JOIN procedure_code_of p ON p.procedure_code = d.procedure_code {coded}"""
    return {
        "dossier_code": f"""
            SELECT d.dossier_id, CAST(ROW_NUMBER() OVER (ORDER BY d.dossier_id) AS INTEGER) AS dossier_no,
                   CAST(COALESCE(u.calendar_no, 0) AS INTEGER) AS calendar_no
            FROM (SELECT dossier_id, ARG_MIN(unit_code, (known_at, row_id)) AS unit_code
                  FROM dossier WHERE {part} GROUP BY dossier_id) d
            LEFT JOIN unit_calendar u ON u.unit_code = d.unit_code""",
        "case_in": """
            SELECT a.case_no, c.dossier_no, c.calendar_no, a.as_of_us, a.day, $as_of_w AS as_of_w, b.break_w
            FROM asked a JOIN dossier_code c ON c.dossier_id = a.dossier_id $clocks
            LEFT JOIN working_day b ON b.local_day = a.day AND b.calendar_no = c.calendar_no""",
        "version": f"""
            SELECT m.* EXCLUDE (written_us, first_us), $received_w AS received_w, $received_day AS received_day,
                   $received_clock AS received_clock_us, $slip_w AS slip_w,
                   MIN(version_no) OVER (PARTITION BY dossier_no, received_us, slip_us) AS header_no,
                   LEAD(known_us) OVER (PARTITION BY dossier_no ORDER BY known_us, row_id) AS until_us
            FROM ({slip_of(versions)}) m
            $clocks""",
        "event_in": f"""
            SELECT m.*, $happened_w AS happened_w
            FROM (SELECT c.dossier_no, c.calendar_no, CAST(e.kind AS {KIND}) AS kind,
                         s.step_no, o.official_no, e.row_id, e.event_id,
                         GREATEST({instant("e.known_at")}, {instant("e.happened_at")}) AS known_us,
                         {instant("e.happened_at")} AS happened_us, {instant("e.due_at")} AS due_us,
                         CASE WHEN e.reason IS NOT NULL AND e.reason <> '' THEN 1 ELSE 0 END AS reasoned
                  FROM event e JOIN dossier_code c ON c.dossier_id = e.dossier_id
                  JOIN step_code s ON s.step = COALESCE(e.step, e.kind)
                  LEFT JOIN official_code o ON o.official_id = e.official_id
                  WHERE {part.replace("dossier_id", "e.dossier_id")}) m $clocks
            WHERE m.known_us < (SELECT MAX(as_of_us) FROM asked)""",
        "procedure_version": f"""
            SELECT c.procedure_no, p.sector_code, CAST(p.legal_working_days AS DOUBLE) AS legal_working_days,
                   COALESCE({instant("p.known_at")}, 0) AS known_us,
                   COALESCE({instant("p.valid_from")}, 0) AS valid_from_us,
                   COALESCE({instant("p.valid_to")}, {LATEST}) AS valid_to_us, p.row_id
            FROM procedure p JOIN procedure_code_of c ON c.procedure_code = p.procedure_code""",
    }

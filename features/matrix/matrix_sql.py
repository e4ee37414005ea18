"""All relations of the matrix, from cases and record to the features asked for, as SQL by name.

What comes out is engine-neutral (DuckDB's dialect, within what sqlglot carries to Spark): `dossier_relations`
need a dossier's own rows only and so may be worked off part by part; `matrix_relations` bring the parts together.
Between the strands of events and them an engine brings `lawful` (`features.matrix.lawful_promise`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from string import Template

import sqlglot
from sqlglot import exp

from features.case_state.history import CASE_STATE, FIRSTS, HISTORY, RUNNING, SPELL, STATE
from features.matrix.declaration import Feature, Grain
from features.matrix.group import Group, past, queue, steps
from features.matrix.group_deltas import SHARED, STATE_CHANGES
from features.matrix.source_relations import clock

KEYS = ("unit_code", "official_id", "procedure_code", "sector_code")
"""The matrix's columns of a case beside its features."""

RECORD = Group(
    "record_past", ("record_no",), "record_outcome",
    stocks=(("record_known", "known"), ("record_late", "late")),
    flows=(("record_known_90", "known", 90), ("record_late_90", "late", 90)),
)  # fmt: skip

GROUPS: dict[Grain, tuple[Group, ...]] = {
    Grain.OFFICIAL: (queue("official_queue", "official_no", "official_new"),
                     past("official_past", ("official_no",), "official_outcome")),
    Grain.OFFICIAL_PROCEDURE: (past("official_procedure_past", ("official_no", "procedure_no"), "official_outcome"),),
    Grain.UNIT: (queue("unit_queue", "unit_no", "unit_new"), past("unit_past", ("unit_no",), "outcome")),
    Grain.PROCEDURE: (queue("procedure_queue", "procedure_no", "procedure_new"),
                      past("procedure_past", ("procedure_no",), "outcome")),
    Grain.STEP: (steps("step_past", ("step_no",)),),
    Grain.PROCEDURE_STEP: (steps("procedure_step_past", ("procedure_no", "step_no")),),
}  # fmt: skip

_MOMENTS = {
    "asked": {"as_of": "a.as_of_us"}, "case_in": {"as_of": "a.as_of_us"},
    "version": {"received": "m.received_us", "slip": "m.slip_us"},
    "event_in": {"happened": "m.happened_us"},
    "standing": {"due": "COALESCE(s.new_due_us, v.due_us)",
                 "first": "CASE WHEN l.seq IS NULL THEN v.slip_us ELSE l.first_us END"},
    "closing": {"end": "m.end_us"},
    "change": {"at": "m.at_us"}, "outcome": {"at": "m.at_us"},
    "official_outcome": {"at": "m.at_us"}, "step_outcome": {"at": "m.at_us"},
}  # fmt: skip
_CALENDAR = {"case_in": "c.calendar_no", "version": "m.calendar_no", "event_in": "m.calendar_no",
             "standing": "c.calendar_no", "closing": "m.calendar_no"}  # fmt: skip


def timed(name: str, sql: str, spans: int) -> str:
    """The relation's SQL with working times and local days of its moments put in.

    Local days are the same for every calendar, so where only they are asked for, the first calendar serves.
    """
    parts: dict[str, str] = {}
    joins = []
    for moment, column in _MOMENTS.get(name, {}).items():
        made = clock(column, f"k_{moment}", _CALENDAR.get(name, "0"), spans)
        parts |= {f"{moment}_{part}": made[part] for part in ("w", "day", "clock")}
        joins.append(made["join"])
    return Template(sql).safe_substitute(parts, clocks=" ".join(joins))


def groups_of(features: Sequence[Feature]) -> list[Group]:
    """The groups whose totals the features need, with these totals alone; those of the record always."""
    found = [RECORD]
    for grain in GROUPS:
        found += _members(grain, features)
    found += [attribute_group(f.about) for f in features if f.grain is Grain.ATTRIBUTE]
    return list({group.name: group for group in found}.values())


def _members(grain: Grain, features: Sequence[Feature]) -> list[Group]:
    """The groups of a grain that its features need; the first of them knows which keys are asked for."""
    mine = [feature for feature in features if feature.grain is grain]
    named = {name for feature in mine for name in _columns(feature.sql)}
    found = [group.only(named) for group in GROUPS[grain] if mine]
    return [group for n, group in enumerate(found) if n == 0 or group.columns()]


@cache
def _columns(sql: str) -> frozenset[str]:
    return frozenset(column.name for column in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Column))


def attribute_group(attribute: str) -> Group:
    """Outcomes of the dossiers that share the text of an attribute."""
    return past(f"{attribute}_past", (f"{attribute}_no",), f"{attribute}_outcome")


def dossier_relations(features: Sequence[Feature], groups: Sequence[Group], spans: int) -> dict[str, str]:
    """From the strands of events (`features.case_state.history.STRANDS`) and `lawful` to what moved the totals of
    groups day by day, and to how each case stood (`standing`).

    The latter comes last: by then only the dossiers' events are left of what the former rests on.
    """
    attributes = dict.fromkeys(f.about for f in features if f.grain is Grain.ATTRIBUTE)
    running = "".join(f", {_over(f)} AS {f.name}" for f in features if f.grain is Grain.HISTORY)
    keys = "".join(f", v.{about}_no" for about in attributes)
    found = {**FIRSTS, **STATE, **STATE_CHANGES, **SHARED,
             "record_outcome": "SELECT 1 AS record_no, day, known, late FROM outcome"
                               " UNION ALL SELECT 1, day, 0, 0 FROM change"}  # fmt: skip
    for attribute in attributes:
        found[f"{attribute}_outcome"] = (
            f"SELECT v.{attribute}_no, o.day, o.known, o.late FROM outcome o"
            f" JOIN version v ON v.version_no = o.version_no"
        )
    found |= {f"{group.name}_daily": group.daily() for group in groups}
    found |= HISTORY
    found["spell"] = Template(SPELL).substitute(features=running)
    found["standing"] = Template(CASE_STATE).safe_substitute(attributes=keys)
    return {name: timed(name, sql, spans) for name, sql in found.items()}


def matrix_relations(features: Sequence[Feature], groups: Sequence[Group]) -> dict[str, str]:
    """From `standing` and the daily changes of the groups to `matrix`: case_no, the keys, the features."""
    found: dict[str, str] = {}
    for group in groups:
        found |= group.totals()
    joins = ["LEFT JOIN record_past r ON r.day = a.day"]
    by_relation: dict[str, list[Feature]] = {}
    for feature in features:
        by_relation.setdefault(_relation(feature), []).append(feature)
    for grain in GROUPS:
        relation = f"by_{grain.value}"
        if relation in by_relation:
            members = _members(grain, features)
            found[relation] = _features(members, by_relation[relation])
            joins.append(_join(relation, members[0].keys))
    for attribute in dict.fromkeys(f.about for f in features if f.grain is Grain.ATTRIBUTE):
        group = attribute_group(attribute)
        found[f"by_{attribute}"] = _features([group], by_relation[f"by_{attribute}"])
        joins.append(_join(f"by_{attribute}", group.keys))
    cells = ", ".join(f"{_cell(f)} AS {f.name}" for f in features if f.name not in KEYS)
    found["term"] = _TERM
    found["matrix"] = f"""
        SELECT a.case_no, u.unit_code, o.official_id, p.procedure_code, t.sector_code, {cells}
        FROM asked a
        LEFT JOIN standing s ON s.case_no = a.case_no
        LEFT JOIN version v ON v.version_no = s.version_no
        LEFT JOIN term t ON t.case_no = s.case_no
        LEFT JOIN unit_code_of u ON u.unit_no = s.unit_no
        LEFT JOIN procedure_code_of p ON p.procedure_no = s.procedure_no
        LEFT JOIN official_code o ON o.official_no = s.official_no
        LEFT JOIN step_code w ON w.step_no = s.step_no
        {" ".join(joins)}"""
    return found


# The procedure's published term and sector, of the row in force at receipt, as known at `as_of`.
_TERM = """
    SELECT case_no, sector_code, legal_working_days FROM (
        SELECT s.case_no, p.sector_code, p.legal_working_days,
               ROW_NUMBER() OVER (PARTITION BY s.case_no
                                  ORDER BY p.known_us DESC, p.valid_from_us DESC, p.row_id DESC) AS nth
        FROM standing s
        JOIN procedure_version p ON p.procedure_no = s.procedure_no AND p.known_us < s.as_of_us
             AND p.valid_from_us <= s.received_us AND s.received_us < p.valid_to_us) t
    WHERE nth = 1
"""

# Where the dossier grain's columns that are not of `standing` come from.
_ELSEWHERE = {"legal_working_days": "t", "sector_code": "t", "unit_code": "u", "procedure_code": "p",
              "official_id": "o", "step": "w", "channel": "v", "applicant_kind": "v"}  # fmt: skip


def _relation(feature: Feature) -> str:
    return f"by_{feature.about or feature.grain.value}"


def _cell(feature: Feature) -> str:
    """The feature's value in the last relation: text for a category, else a double."""
    if feature.grain is Grain.DOSSIER:
        sql = _qualified(feature.sql, "s")
    elif feature.grain is Grain.RECORD:
        sql = _qualified(feature.sql, "r")
    elif feature.grain is Grain.HISTORY:
        sql = f"s.{feature.name}"
        if feature.empty is not None:
            sql = f"CASE WHEN s.version_no IS NOT NULL THEN COALESCE({sql}, {feature.empty}) END"
    else:
        sql = f"{_relation(feature)}.{feature.name}"
    return sql if feature.category else f"CAST({sql} AS DOUBLE)"


@cache
def _qualified(sql: str, alias: str) -> str:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    for column in tree.find_all(exp.Column):
        home = "v" if column.name.startswith("x_") else _ELSEWHERE.get(column.name, alias)
        column.set("table", exp.to_identifier(home))
    return tree.sql(dialect="duckdb")


def _features(members: Sequence[Group], features: Sequence[Feature]) -> str:
    """SQL of the features of one grain, one row for each key and asked day."""
    first, *others = members
    joins = [
        f"LEFT JOIN {group.name} b{n} ON b{n}.day = a.day AND "
        + " AND ".join(f"b{n}.{key} = a.{key}" for key in first.keys)
        for n, group in enumerate(others)
    ]
    columns = [f"a.{name}" for name in [*first.keys, "day", "first_day", *first.columns()]]
    columns += [f"b{n}.{name}" for n, group in enumerate(others) for name in group.columns()]
    columns += [f"r.{name}" for name in RECORD.columns()]
    keys = ", ".join(first.keys)
    return (
        f"SELECT {keys}, day, {', '.join(f'{f.sql} AS {f.name}' for f in features)}"
        f" FROM (SELECT {', '.join(columns)} FROM {first.name} a {' '.join(joins)}"
        f" LEFT JOIN {RECORD.name} r ON r.day = a.day) g"
    )


def _join(relation: str, keys: tuple[str, ...]) -> str:
    return f"LEFT JOIN {relation} ON {relation}.day = s.day AND " + " AND ".join(
        f"{relation}.{key} = s.{key}" for key in keys
    )


@cache
def _over(feature: Feature) -> str:
    """The feature with its aggregates as running ones over the events of a strand; sums would be of 16 bytes."""
    frame = f"SELECT SUM(1) OVER (PARTITION BY dossier_no, strand ORDER BY seq {RUNNING})"
    window = sqlglot.parse_one(frame, dialect="duckdb").find(exp.Window)
    assert window is not None

    def widened(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.AggFunc):
            return node
        made: exp.Expression = window.copy()
        made.set("this", node.copy())
        return made

    sql = sqlglot.parse_one(feature.sql, dialect="duckdb").transform(widened).sql(dialect="duckdb")
    return sql if feature.category else f"CAST({sql} AS DOUBLE)"

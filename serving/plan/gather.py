"""The brief of a month from what is known: units and past visits from the record, risk from a scored list."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from features.calendar.working_time import Calendar
from features.record.utc import aware_utc, naive_utc
from models.sector_risk import sector_weights
from serving.plan.plan_input import PlanInput, Pull, Source, UnitBrief
from serving.plan.rules import Rules
from serving.plan.sheet import expected_findings
from serving.scoring.score_files import read_scores

_UNITS = """
SELECT unit_code, unit_name FROM unit_latest
WHERE (valid_from IS NULL OR valid_from < $until) AND (valid_to IS NULL OR valid_to > $start)
ORDER BY unit_code
"""

_LAST_VISITS = """
WITH visit AS (
    SELECT inspection_id, unit_code, coalesce(visited_at, planned_at) AS visited, team_id FROM inspection
    WHERE coalesce(visited_at, planned_at) IS NOT NULL AND team_id IS NOT NULL
), last_visit AS (
    SELECT unit_code, max(visited) AS visited, arg_max(team_id, visited) AS team_id FROM visit GROUP BY unit_code
), confirmed AS (
    SELECT visit.unit_code, max(visit.visited) AS visited
    FROM finding_latest f JOIN visit USING (inspection_id)
    WHERE f.confirmed AND f.kind <> 'none' GROUP BY visit.unit_code
)
SELECT unit_code, last_visit.visited, team_id, coalesce(confirmed.visited >= last_visit.visited, false)
FROM last_visit LEFT JOIN confirmed USING (unit_code)
"""

_LAST_HOLDERS = """
SELECT dossier_id, arg_max(official_id, happened_at) FROM event_latest
WHERE official_id IS NOT NULL AND list_contains($ids, dossier_id) GROUP BY dossier_id
"""


def gather(
    con: duckdb.DuckDBPyConnection, scores: Path, month: str, calendar: Calendar, rules: Rules, zone: ZoneInfo,
    picked: Mapping[str, str] = MappingProxyType({}),
) -> PlanInput:  # fmt: skip
    """The brief of `month` (`YYYY-MM`) from a connection to the record as known, and a scored list.

    picked: dossier_id → unit_code of what inspectors put into the plan, such as the evidence behind a flag; those that
    have ended are pulled all the same, after the open ones.

    con: `Record.connect(cutoff=…)`; what it shows is what the plan may know. A unit without open dossiers
    stays in the brief, checked by its own head; no team is sent to it.
    """
    table, meta = read_scores(scores)
    days = open_days(month, calendar)
    start = datetime.combine(days[0], datetime.min.time(), zone)
    until = start + timedelta(days=31)
    names = dict(con.execute(_UNITS, {"start": naive_utc(start), "until": naive_utc(until)}).fetchall())
    weights = sector_weights(con, meta.as_of)
    last = {code: (at, team, confirmed) for code, at, team, confirmed in con.execute(_LAST_VISITS).fetchall()}
    pulls: dict[str, list[Pull]] = defaultdict(list)
    prior: dict[str, float] = defaultdict(float)
    for row in _rows(table):
        code = row["unit_code"]
        if code is None:
            continue
        names.setdefault(code, code)
        prior[code] = max(prior[code], weights.get(row["sector_code"] or "", 0.0))
        reasons = tuple(r["code"] for r in row["reasons"] or [] if r["effect"] > 0)
        pulls[code].append(Pull(row["dossier_id"], row["official_id"], round(row["score"], 9), reasons))
    listed = {pull.dossier_id for some in pulls.values() for pull in some}
    ended = _ended(con, {dossier: code for dossier, code in picked.items() if dossier not in listed})
    for code in ended:
        names.setdefault(code, code)
    units = []
    for code, name in sorted(names.items()):
        at, team, confirmed = last.get(code, (None, None, False))
        visited = aware_utc(at).astimezone(zone).date() if at else None
        expected = expected_findings(pulls[code], rules.sheet_size, rules.sheet_random_share)
        units.append(
            UnitBrief(
                code,
                name or code,
                round(expected, 9),
                prior[code],
                visited,
                team,
                confirmed,
                (*pulls[code], *ended[code]),
                tuple(pull.dossier_id for pull in (*pulls[code], *ended[code]) if pull.dossier_id in picked),
            )
        )
    source = Source(
        meta.target, meta.as_of.astimezone(UTC).isoformat(), meta.model_version, meta.model_sha256,
        meta.features_hash, meta.record_version, hashlib.sha256(scores.read_bytes()).hexdigest(),
    )  # fmt: skip
    return PlanInput(month, zone.key, tuple(days), tuple(units), rules, source)


def _ended(con: duckdb.DuckDBPyConnection, picked: Mapping[str, str]) -> defaultdict[str, list[Pull]]:
    """unit_code → the picked dossiers that are on no list any more, each with whoever held it last."""
    held = dict(con.execute(_LAST_HOLDERS, {"ids": sorted(picked)}).fetchall()) if picked else {}
    found: defaultdict[str, list[Pull]] = defaultdict(list)
    for dossier, code in sorted(picked.items()):
        found[code].append(Pull(dossier, held.get(dossier), 0.0))
    return found


def open_days(month: str, calendar: Calendar) -> list[date]:
    """The days of `month` on which offices work; ValueError for another form than `YYYY-MM`, or none."""
    try:
        day = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise ValueError(f"wanted a month such as 2026-12, got {month[:20]!r}") from error
    days = []
    while day.isoformat()[:7] == month:
        if calendar.hours(day):
            days.append(day)
        day += timedelta(days=1)
    if not days:
        raise ValueError(f"{month} has no working day in the calendar {calendar.name}")
    return days


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    """The list's rows by rank, a batch at a time: not all as Python objects at once."""
    for batch in table.sort_by("rank").to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()

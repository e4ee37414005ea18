"""Signals of officials, units, heads and agents: each fires where drawn, not in the near miss, never looks ahead."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import DOSSIER_SIGNALS, HELD_SIGNALS, evaluate_held
from features.signals.hands import stays
from features.signals.signal import Grain
from features.signals.year import ALERT
from features.simulate import simulate
from tests import drawn_chances as drawn
from tests.drawn_chances import AS_OF, population

GRAINS: tuple[Grain, ...] = ("official", "unit", "head", "agent")
POPULATIONS = {
    # signal: (draw, hits that fire, hits of the near miss, chances of each, whose key)
    "LATE_STEPS_3M": (drawn.slow, 9, 4, 25, "o1"),
    "LATE_STEPS_6M": (drawn.slow, 12, 7, 25, "o1"),
    "LATE_SHARE_HIGH": (drawn.slow, 9, 4, 25, "o1"),
    "LATE_STEPS_3M_UNIT": (drawn.slow, 16, 9, 25, "U1"),
    "LATE_STEPS_6M_UNIT": (drawn.slow, 20, 14, 25, "U1"),
    "BACKLOG_HELD": (drawn.held, 9, 4, 25, "o1"),
    "BACKLOG": (drawn.waits, 9, 4, 25, "U1"),
    "FOUND_AGAIN": (drawn.found, 2, 1, 5, "o1"),
    "FOUND_AGAIN_UNIT": (drawn.found, 5, 1, 5, "U1"),
    "PAPERS_ASKED_BY_SEVERAL": (drawn.asked_by_several, 9, 4, 25, "U1"),
    "AGENT_FIRST": (drawn.with_agent, 12, 4, 25, "a1"),
    "AGENT_FIRST_WITH": (drawn.with_agent, 12, 4, 25, "o1"),
    "AGENT_HALF_TIME": (drawn.agent_at_half, 12, 4, 25, "o1"),
    "COMPLAINTS_UNANSWERED": (drawn.complaint, 9, 4, 25, "U1"),
    "COMPLAINTS_SILENT": (drawn.silent, 1, 12, 40, "o1"),
    "ANSWERS_ALIKE": (drawn.answered_alike, 18, 11, 25, "U1"),
    "RATED_LOW": (drawn.rated, 9, 4, 25, "U1"),
    "CONSULTED_LATE": (drawn.consulted, 9, 4, 25, "V1"),
    "ACTS_UNDER_OTHERS": (drawn.under_another, 12, 4, 25, "U1"),
    "HEAD_LATE_UNEXPLAINED": (drawn.unexplained, 16, 9, 25, "head1"),
    "HEAD_EXPLAINED_ALIKE": (drawn.alike, 25, 10, 25, "head1"),
    "HEAD_RESET": (drawn.reset, 9, 2, 25, "head1"),
    "HEAD_ALERTS_UNANSWERED": (drawn.alert, 12, 4, 25, "head1"),
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, object]]:
    """Every signal that any population shows, by signal and key; near misses are named `<signal>/near`."""
    rows: drawn.Rows = {}
    for name, (draw, fires, near, chances, _) in POPULATIONS.items():
        for where, hits in ((name, fires), (f"{name}/near", near)):
            for table, told in population(where, draw, hits, chances).items():
                rows.setdefault(table, []).extend(told)
    for table, told in population("one visit", drawn.found_twice_in_one_visit, 1, 5).items():
        rows[table].extend(told)
    alerts = pa.Table.from_pylist(rows.pop("alert"), ALERT)
    record = Record(tmp_path_factory.mktemp("held") / "record")
    record.append([Chunk(name, told) for name, told in rows.items()], source="drawn", arrived_at=AS_OF)
    con = record.connect()
    found = [row for grain in GRAINS for row in evaluate_held(con, AS_OF, grain, alerts=alerts).to_pylist()]
    return {(row["signal"], row["key"]): row for row in found}


def test_every_signal_is_drawn() -> None:
    assert set(POPULATIONS) == {signal.name for signal in HELD_SIGNALS}


@pytest.mark.parametrize("signal", POPULATIONS)
def test_fires_where_drawn_with_its_numbers_and_not_in_the_near_miss(signal: Any, shown: Any) -> None:
    _, fires, _, chances, key = POPULATIONS[signal]
    row = shown[signal, f"{signal}-{key}"]
    assert (row["value"], row["n"]) == (fires, chances)
    assert row["low"] < row["value"] / row["expected"] < row["high"]
    assert (signal, f"{signal}/near-{key}") not in shown
    others = {told for name, told in shown if name == signal and told.startswith((f"{signal}-", f"{signal}/near-"))}
    assert others == {f"{signal}-{key}"}


def test_two_findings_of_one_visit_are_no_second_time(shown: Any) -> None:
    assert ("FOUND_AGAIN", "one visit-o1") not in shown


def connect(tmp_path: Path, rows: drawn.Rows) -> duckdb.DuckDBPyConnection:
    record = Record(tmp_path / "record")
    record.append([Chunk(name, told) for name, told in rows.items()], source="drawn", arrived_at=AS_OF)
    return record.connect()


def merged(*populations: drawn.Rows) -> drawn.Rows:
    rows: drawn.Rows = {}
    for one in populations:
        for table, told in one.items():
            rows.setdefault(table, []).extend(told)
    return rows


def test_what_everybody_does_is_usual_and_shows_nobody(tmp_path: Path) -> None:
    rows = merged(*(drawn.slow("P", who, number, number < 9) for who in range(1, 7) for number in range(25)))
    assert evaluate_held(connect(tmp_path, rows), AS_OF, "official").num_rows == 0


def test_a_desk_shows_no_signal(tmp_path: Path) -> None:
    rows = population("P", drawn.slow, 9, 25)
    for event in rows["event"]:
        if event.get("official_id") == "P-o1":
            event["official_id"] = "Cán bộ một cửa"
    con = connect(tmp_path, rows)
    assert "Cán bộ một cửa" in stays(con, AS_OF)["official_id"].to_pylist()
    assert evaluate_held(con, AS_OF, "official").num_rows == 0


def test_lateness_is_charged_to_whose_step_took_long_and_to_nobody_else(tmp_path: Path) -> None:
    slow_boss = [drawn.course("P", 1, n, "0.01 assigned o1; 1 forwarded boss; 30 decided boss") for n in range(25)]
    others = [
        drawn.course("P", who, n, f"0.01 assigned o{who}; 1 forwarded c{who}; 2 decided c{who}")
        for who in range(2, 7) for n in range(25)
    ]  # fmt: skip
    con = connect(tmp_path, merged(*slow_boss, *others))
    found = stays(con, AS_OF).to_pylist()
    charged = {row["official_id"] for row in found if row["long"] and row["late"]}
    assert charged == {"P-boss"}
    assert {row["key"] for row in evaluate_held(con, AS_OF, "official").to_pylist()} == {"P-boss"}


def test_time_with_the_citizen_or_a_consulted_office_is_nobodys_own(tmp_path: Path) -> None:
    told = "0 assigned o1; 1 papers_requested o1; 8 papers_supplied -; 9 consulted o1; 15 consultation_answered -;"
    told += "16 decided boss"
    con = connect(tmp_path, drawn.course("P", 1, 0, told))
    hours = {(row["official_id"], row["step"]): row["hours"] for row in stays(con, AS_OF).to_pylist()}
    # a day of work until papers were asked for; from their return on Tuesday a day; from the answer on a day
    assert hours == {("P-o1", "assigned"): 8, ("P-o1", "papers_requested"): 8, ("P-o1", "consulted"): 8}


def test_a_stay_that_still_lasts_says_nothing_until_it_is_long(tmp_path: Path) -> None:
    usual = [drawn.course("P", who, n, f"0 assigned o{who}; 3 decided boss") for who in (2, 3) for n in range(15)]
    fresh = drawn.course("P", 1, 0, "0 assigned o1", received=80)
    old = drawn.course("P", 1, 1, "0 assigned o1")
    said = {
        row["dossier_id"]: row["long"]
        for row in stays(connect(tmp_path, merged(fresh, old, *usual)), AS_OF).to_pylist()
        if row["official_id"] == "P-o1"
    }
    assert said == {"P-1-0": None, "P-1-1": True}


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Record:
    made = simulate(seed=5, dossiers=800, start=date(2025, 1, 1), end=date(2026, 1, 1), reform=date(2025, 7, 1))
    record = Record(tmp_path_factory.mktemp("province") / "record")
    chunks = [Chunk(name, table) for name, table in made.tables.items()]
    record.append(chunks, source="simulated", arrived_at=datetime(2026, 1, 2, tzinfo=UTC))
    return record


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=st.integers(min_value=24 * 60, max_value=24 * 364))
def test_what_becomes_known_later_changes_nothing(province: Record, hours: int) -> None:
    """Signals and stays over the whole record are those over the record as it was known then."""
    as_of = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    whole, then = province.connect(), province.connect(cutoff=as_of)
    for grain in GRAINS:
        assert evaluate_held(whole, as_of, grain).equals(evaluate_held(then, as_of, grain))
    assert stays(whole, as_of).equals(stays(then, as_of))


def test_every_signal_has_its_source_owner_and_words() -> None:
    for signal in HELD_SIGNALS:
        assert all(
            [
                signal.words_vi,
                signal.words_en,
                signal.source,
                signal.owner,
                signal.threshold or signal.rarely,
                signal.days,
            ]
        )
    names = [signal.name for signal in (*DOSSIER_SIGNALS, *HELD_SIGNALS)]
    assert len(names) == len(set(names))


def test_complaints_and_findings_speak_in_a_record_without_dossiers(tmp_path: Path) -> None:
    con = connect(tmp_path, merged(population("C", drawn.complaint, 9, 25), population("F", drawn.found, 2, 5)))
    assert [row["key"] for row in evaluate_held(con, AS_OF, "official").to_pylist()] == ["F-o1"]
    assert "C-U1" in evaluate_held(con, AS_OF, "unit")["key"].to_pylist()

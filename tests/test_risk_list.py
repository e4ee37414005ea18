"""The risk list: its file, its order, its filters and its pages."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.working_time import PLAIN_WEEK
from serving.scoring.risk_list import Filters, Order, RiskList, Search, latest_list
from serving.scoring.score_files import SCHEMA, latest_path, read_scores, write_scores
from tests.drawn_scores import AS_OF, drawn, meta, store

LIST = RiskList(drawn(500), meta(500))
ROWS = drawn(500).to_pylist()


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    table = drawn(50)
    path = store(tmp_path, table)
    read, description = read_scores(path)
    assert read.equals(table)
    assert description == meta(50)
    assert path == tmp_path / "lateness" / "20260302T010000Z" / "scores.parquet"
    assert json.loads(path.with_name("meta.json").read_text("utf-8"))["model_version"] == "v1"
    assert latest_path(tmp_path, "lateness") == path


def test_scoring_again_replaces_and_a_later_list_takes_over(tmp_path: Path) -> None:
    store(tmp_path, drawn(50), "v1")
    store(tmp_path, drawn(60), "v2")
    assert latest_list(tmp_path, "lateness").meta.model_version == "v2"
    store(tmp_path, drawn(70), "v3", AS_OF + timedelta(days=1))
    assert len(latest_list(tmp_path, "lateness")) == 70
    assert [path.name for path in (tmp_path / "lateness").rglob(".*")] == []


def test_an_old_moment_does_not_become_the_latest_when_told_so(tmp_path: Path) -> None:
    store(tmp_path, drawn(5), "v1")
    write_scores(tmp_path, drawn(6), meta(6, as_of=AS_OF - timedelta(days=9)), latest=False)
    assert len(latest_list(tmp_path, "lateness")) == 5


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_a_damaged_list_is_refused_in_words(tmp_path: Path, damage: str) -> None:
    path = store(tmp_path, drawn(50))
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:-100], "foreign": b"PK\x03\x04" * 99, "empty": b""}[damage])
    with pytest.raises(ValueError, match="not a whole scored list"):
        read_scores(path)


def test_no_list_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="risk score"):
        latest_list(tmp_path, "lateness")


@given(
    sector=st.sampled_from([None, "s1", "s3", "unknown"]),
    unit=st.sampled_from([None, "u1", "u7", ""]),
    official=st.sampled_from([None, "o3", "o19"]),
    least=st.floats(0, 1),
    ahead=st.booleans(),
    scope=st.none() | st.frozensets(st.sampled_from(["u1", "u2", "u3", "elsewhere"])),
    size=st.integers(1, 200),
)
@settings(max_examples=60)
def test_filters_and_pages_equal_a_plain_walk(
    sector: str | None,
    unit: str | None,
    official: str | None,
    least: float,
    scope: frozenset[str] | None,
    size: int,
    ahead: bool,
) -> None:
    wanted = [
        row["dossier_id"]
        for row in ROWS
        if (sector is None or row["sector_code"] == sector)
        and (unit is None or row["unit_code"] == unit)
        and (official is None or row["official_id"] == official)
        and row["score"] >= least
        and (scope is None or row["unit_code"] in scope)
        and (row["left_hours"] > 0 or not ahead)
    ]
    filters = Filters(sector, unit, official, least, scope, ahead)
    seen: list[str] = []
    while (page := LIST.page(filters, len(seen), size)).lines:
        assert page.total == len(wanted)
        seen += [line.dossier_id for line in page.lines]
    assert seen == wanted


def test_one_line_carries_the_row_and_its_reasons() -> None:
    line = LIST.line(ROWS[3]["dossier_id"])
    assert line is not None
    row = {name: value for name, value in ROWS[3].items() if name != "as_of"}
    assert asdict(line) == row | {"official_name": None}  # filled for a reader, never in the file
    assert LIST.line("nobody") is None


@pytest.mark.parametrize(("offset", "size"), [(0, 0), (0, 201), (-1, 10)])
def test_a_page_out_of_bounds_is_refused(offset: int, size: int) -> None:
    with pytest.raises(ValueError, match="size from 1 to 200"):
        LIST.page(offset=offset, size=size)


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {checkout!r})
from tests.drawn_scores import drawn, store
table = drawn(3000)
print("ready", flush=True)
while True:
    store(Path({root!r}), table, "v2")
"""


def test_a_writer_killed_at_any_point_leaves_a_whole_list(tmp_path: Path) -> None:
    store(tmp_path, drawn(3000), "v1")
    code = WRITER.format(checkout=str(Path(__file__).parents[1]), root=str(tmp_path))
    for turn in range(4):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.013 * (turn + 1))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        found = latest_list(tmp_path, "lateness")
        assert len(found) == 3000
        assert found.meta.model_version in {"v1", "v2"}


def test_the_columns_are_the_agreed_ones() -> None:
    assert SCHEMA.names == [
        "dossier_id", "unit_code", "official_id", "procedure_code", "sector_code", "as_of", "score", "log_odds",
        "base",
        "rank", "left_hours", "due_at", "received_at", "step", "reasons", "phase", "remaining",
        "score_low", "score_high",
    ]  # fmt: skip


@given(st.sampled_from(["rank", "left", "age", "dossier", "unit", "step"]))
@settings(max_examples=6)
def test_every_order_holds_every_line_once_and_back_is_its_mirror(order: Order) -> None:
    found = [line.dossier_id for line in LIST.page(Filters(waiting=None), 0, 200, order).lines]
    back = [line.dossier_id for line in LIST.page(Filters(waiting=None), 300, 200, order, back=True).lines]
    assert back == found[::-1]
    assert len(set(found)) == 200


def test_tabs_part_the_list_and_a_search_finds_in_every_column() -> None:
    ahead, overdue, waiting = (
        {line.dossier_id for line in LIST.page(filters, 0, 200).lines}
        for filters in (Filters(ahead=True), Filters(overdue=True), Filters(waiting=True))
    )
    assert not ahead & overdue
    assert not waiting & (ahead | overdue)
    first = LIST.page(Filters(), 0, 1).lines[0]
    assert first.unit_code
    assert first.procedure_code
    nothing = "nothing-of-this"
    for search in (
        Search(first.dossier_id.lower()), Search(nothing, units=frozenset((first.unit_code,))),
        Search(nothing, procedures=frozenset((first.procedure_code,))),
    ):  # fmt: skip
        assert first in LIST.page(Filters(search=search), 0, 200).lines
    assert LIST.page(Filters(search=Search(nothing))).total == 0
    counted = LIST.counts(Filters(), "unit_code")
    assert sum(n for _, n in counted) == LIST.page(Filters()).total


def test_what_was_expected_is_not_said_of_a_promise_missed_since() -> None:
    """A list says "overdue" and "expected in time" of no dossier at once."""
    table = drawn(40)
    scored = RiskList(table, meta(40))
    ids = table["dossier_id"].to_pylist()
    overdue = [place % 2 == 0 for place in range(40)]
    states = pa.table({
        "dossier_id": ids, "phase": ["running"] * 40, "overdue": overdue, "lawful_due_at": table["due_at"],
    })  # fmt: skip
    found = scored.at(states, AS_OF + timedelta(hours=2), PLAIN_WEEK)
    ahead = [left >= 0 for left in table["left_hours"].to_pylist()]
    told = [line is not None and line.remaining is not None for line in map(found.line, ids)]
    assert told == [not (then and now) for then, now in zip(ahead, overdue, strict=True)]
    assert 5 < sum(told) < 35

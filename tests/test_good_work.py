"""The positive list: early, clean, well-rated work, with n and interval; nobody is praised who is asked about."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.intervals import wilson
from features.record.delivery import Chunk
from features.record.record import Record
from features.signals.good_work import good_work
from serving.cli import app as command_line
from tests import drawn_chances as drawn
from tests.drawn_chances import AS_OF, Rows, course


def quick(who: int, number: int, day: float = 3, **more: Any) -> Rows:
    """A dossier of 14 days' term decided on `day`."""
    return course("P", who, number, f"0.01 assigned o{who}; {day} decided boss", **more)


def merged(parts: list[Rows]) -> Rows:
    rows: Rows = {}
    for part in parts:
        for table, told in part.items():
            rows.setdefault(table, []).extend(told)
    return rows


def shown(tmp_path: Path, rows: Rows, grain: str = "official", as_of: datetime = AS_OF) -> dict[str, dict[str, Any]]:
    record = Record(tmp_path / "record")
    record.append([Chunk(name, told) for name, told in rows.items()], source="drawn", arrived_at=AS_OF)
    found = good_work(record.connect(), as_of, "unit" if grain == "unit" else "official")
    return {row["key"]: row for row in found.to_pylist()}


PEERS = [quick(who, n, 3 if n % 2 else 13.5) for who in range(2, 7) for n in range(30)]
"""Half of what they do is early; they are five."""


def test_who_is_early_more_often_than_peers_stands_out_with_n_and_interval(tmp_path: Path) -> None:
    rows = merged([*PEERS, *(quick(1, n, 3 if n < 27 else 13.5) for n in range(30))])
    found = shown(tmp_path, rows)
    one = found["P-o1"]
    assert (one["n"], one["good"], one["share"], one["stands_out"]) == (30, 27, 0.9, True)
    assert (one["low"], one["high"]) == pytest.approx(wilson(27, 30))
    assert one["usual"] == pytest.approx(0.5, abs=0.05)
    assert not any(row["stands_out"] for key, row in found.items() if key != "P-o1")
    assert shown(tmp_path / "units", rows, "unit")["P-U1"]["stands_out"]


def test_under_twenty_dossiers_there_is_no_figure(tmp_path: Path) -> None:
    one = shown(tmp_path, merged([*PEERS, *(quick(1, n) for n in range(19))]))["P-o1"]
    assert (one["n"], one["share"], one["low"], one["usual"], one["stands_out"]) == (19, None, None, None, False)


def test_a_desk_is_no_person(tmp_path: Path) -> None:
    desk = [quick(1, n) for n in range(30)]
    for rows in desk:
        rows["event"][0]["official_id"] = "Cán bộ một cửa"
    assert "Cán bộ một cửa" not in shown(tmp_path, merged([*PEERS, *desk]))


def reset(rows: Rows) -> Rows:
    last = rows["event"][-1]
    first = last | {"kind": "reset", "due_at": rows["dossier"][0]["due_at"] + timedelta(days=9)}
    return rows | {"event": [*rows["event"], first | {"happened_at": last["happened_at"] - timedelta(hours=2)}]}


def rated(rows: Rows, score: int, *, by_staff: bool = False) -> Rows:
    key = rows["dossier"][0]["dossier_id"]
    at = rows["event"][-1]["happened_at"] + timedelta(days=1)
    row = {"rating_id": key, "dossier_id": key, "score": score, "rated_at": at, "by_staff": by_staff}
    return rows | {"rating": [row]}


def complained(rows: Rows, verdict: str) -> Rows:
    key = rows["dossier"][0]["dossier_id"]
    at = rows["event"][-1]["happened_at"]
    row = {"complaint_id": key, "filed_at": at, "dossier_id": key, "topic": "conduct", "verdict": verdict}
    return rows | {"complaint": [row | {"verdict_at": at + timedelta(days=5), "answered_at": at + timedelta(days=5)}]}


@pytest.mark.parametrize(
    ("spoil", "good"),
    [
        (lambda rows: rows, 30),
        (reset, 20),
        (lambda rows: rated(rows, 1), 20),
        (lambda rows: rated(rows, 1, by_staff=True), 30),
        (lambda rows: complained(rows, "upheld"), 20),
        (lambda rows: complained(rows, "rejected"), 30),
    ],
    ids=["nothing", "reset", "rated low", "rated by staff", "complaint upheld", "complaint rejected"],
)
def test_what_takes_a_dossier_off_and_what_does_not(tmp_path: Path, spoil: Any, good: int) -> None:
    rows = merged([*PEERS, *(spoil(quick(1, n)) if n < 10 else quick(1, n) for n in range(30))])
    assert shown(tmp_path, rows)["P-o1"]["good"] == good


def test_nobody_is_praised_for_what_others_are_asked_about(tmp_path: Path) -> None:
    """Two inspections with a confirmed finding: as early as ever, but no longer on the list."""
    findings = [drawn.found("P", 1, n, True) for n in range(2)]
    one = shown(tmp_path, merged([*PEERS, *(quick(1, n) for n in range(30)), *findings]))["P-o1"]
    assert (one["share"], one["stands_out"]) == (1.0, False)


def test_low_ratings_keep_off_the_list(tmp_path: Path) -> None:
    told = [rated(quick(1, n), 3) if n < 6 else quick(1, n) for n in range(30)]
    one = shown(tmp_path, merged([*PEERS, *told]))["P-o1"]
    assert (one["rated"], one["rating"], one["share"], one["stands_out"]) == (6, 3.0, 1.0, False)


def test_what_becomes_known_later_changes_nothing(tmp_path: Path) -> None:
    rows = merged([*PEERS, *(complained(rated(quick(1, n), 1), "upheld") for n in range(30))])
    record = Record(tmp_path / "record")
    record.append([Chunk(name, told) for name, told in rows.items()], source="drawn", arrived_at=AS_OF)
    grains: tuple[tuple[int, Literal["official", "unit"]], ...] = ((9, "official"), (15, "unit"))
    for days, grain in grains:
        as_of = drawn.MONDAY + timedelta(days=days, hours=3)
        whole, then = record.connect(), record.connect(cutoff=as_of)
        assert good_work(whole, as_of, grain).equals(good_work(then, as_of, grain))


def test_the_command_writes_who_stands_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    rows = merged([*PEERS, *(quick(1, n) for n in range(30))])
    Record(str(home / "record")).append(
        [Chunk(name, told) for name, told in rows.items()], source="drawn", arrived_at=AS_OF
    )
    out = tmp_path / "positive.parquet"
    asked = ["--home", str(home), "positive", "--grain", "official", "--as-of", AS_OF.isoformat()]
    told = CliRunner().invoke(command_line, [*asked, "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert pq.read_table(out)["key"].to_pylist() == ["P-o1"]
    assert "100 % (89–100), n = 30" in CliRunner().invoke(command_line, asked).output

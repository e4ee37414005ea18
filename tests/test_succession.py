"""Through a reform: history follows the official, a new unit has its peers in the old one and none of its blame."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.record.delivery import Chunk
from features.record.positions import positions
from features.record.record import Record
from features.record.succession import families, levels
from features.signals import evaluate_held
from features.signals.handled import handled
from features.signals.peers import offices
from features.simulate import simulate
from serving.scoring import conduct_lists
from tests import drawn_chances as drawn
from tests.drawn_chances import AS_OF
from tests.drawn_record import connect_drawn

REFORM = date(2025, 7, 1)
END = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_family_is_what_hangs_together_over_who_took_over_from_whom(tmp_path: Path) -> None:
    units = [
        {"unit_code": "old 1"}, {"unit_code": "old 2"}, {"unit_code": "apart"},
        {"unit_code": "new", "succeeds": "old 1;old 2"}, {"unit_code": "newest", "succeeds": "new"},
        {"unit_code": "later", "succeeds": "apart", "known_at": "2026-05-01"},
    ]  # fmt: skip
    con = connect_drawn(tmp_path, unit=units)
    found = families(con, datetime(2026, 4, 1, tzinfo=UTC))
    assert found == {"apart": "apart"} | dict.fromkeys(("old 1", "old 2", "new", "newest"), "new")
    assert families(con, AS_OF)["later"] == "apart"


def test_of_several_posts_the_present_one_counts_and_tenure_goes_back_to_the_first(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = [
        {"official_id": "o", "unit_code": "U1", "position": "clerk", "valid_from": "2024-01-01",
         "valid_to": "2025-07-01"},
        {"official_id": "o", "unit_code": "U2", "position": "head", "is_head": True, "valid_from": "2025-07-01"},
        {"official_id": "p", "unit_code": "U1"},
    ]  # fmt: skip
    con = connect_drawn(tmp_path, official=told)
    before, after = positions(con, datetime(2025, 6, 1, tzinfo=UTC)), positions(con, datetime(2026, 1, 1, tzinfo=UTC))
    assert (before["o"].unit_code, before["o"].is_head) == ("U1", False)
    assert (after["o"].unit_code, after["o"].position, after["o"].is_head) == ("U2", "head", True)
    tenure = after["o"].tenure
    assert tenure is not None
    assert tenure.days == 731  # 2024 was a leap year
    assert (after["p"].unit_code, after["p"].tenure) == ("U1", None)


def test_a_mover_is_held_to_account_with_both_places_and_stands_where_they_are_now(tmp_path: Path) -> None:
    """Nine long stays, four in the old unit and five in the new: the threshold is reached over both."""
    rows: drawn.Rows = {"official": [
        {"official_id": "P-o1", "unit_code": "P-U1", "valid_from": drawn.MONDAY - timedelta(days=90),
         "valid_to": drawn.MONDAY + timedelta(days=40)},
        {"official_id": "P-o1", "unit_code": "P-U9", "valid_from": drawn.MONDAY + timedelta(days=40)},
    ]}  # fmt: skip
    for who in range(1, 7):
        for number in range(25):
            slow = who == 1 and number < 9
            told = drawn.slow("P", who, number, slow)
            if who == 1 and number >= 4:
                told["dossier"][0]["unit_code"] = "P-U9"
                told["event"] = [event | {"unit_code": "P-U9"} for event in told["event"]]
            for table, more in told.items():
                rows.setdefault(table, []).extend(more)
    record = Record(tmp_path / "record")
    record.append([Chunk(name, told) for name, told in rows.items()], source="drawn", arrived_at=AS_OF)
    con = record.connect()
    shown = {row["key"]: row for row in evaluate_held(con, AS_OF, "official").to_pylist()}
    assert shown["P-o1"]["value"] == 9
    lines = conduct_lists.lines(con, tmp_path / "models", AS_OF)["official"]
    line = next(line for line in lines if line.official_id == "P-o1")
    assert line.unit_code == "P-U9"
    assert "9 trong n = 25" in line.reasons_vi


def test_the_simulated_reform_leaves_no_blame_with_the_successors(tmp_path: Path) -> None:
    province = simulate(seed=5, dossiers=2500, start=date(2025, 1, 1), end=END.date(), reform=REFORM)
    record = Record(tmp_path / "record")
    chunks = [Chunk(name, table) for name, table in province.tables.items()]
    record.append(chunks, source="simulated", arrived_at=END + timedelta(days=1))
    con = record.connect()
    family, level = families(con, END), levels(con, END)
    heirs = {row["unit_code"]: row["succeeds"] for row in province.tables["unit"].to_pylist() if row["succeeds"]}
    assert heirs
    assert all(family[heir] == family[old] for heir, old in heirs.items())
    assert offices(con, END, "unit").num_rows == len(level)
    before = pc.less(province.tables["event"]["happened_at"], pa.scalar(datetime(2025, 6, 30, 17, tzinfo=UTC)))
    early = set(province.tables["event"].filter(before)["dossier_id"].to_pylist())
    acted = handled(con, END).to_pylist()
    # what happened before the reform stands with the unit of then; the successor begins with nothing
    first = handled(con, datetime(2025, 6, 30, 17, tzinfo=UTC)).to_pylist()
    assert first
    assert not {row["unit_code"] for row in first} & set(heirs)
    ended_early = {row["dossier_id"] for row in acted if row["unit_code"] in heirs} & early
    late_acts = {
        row["dossier_id"] for row in province.tables["event"].filter(pc.invert(before)).to_pylist()
    }  # fmt: skip
    assert ended_early <= late_acts
    # who moved on the day of the reform is one official with the history of both places
    places = positions(con, END)
    then = positions(con, datetime(2025, 6, 1, tzinfo=UTC))
    moved = {who for who in places if who in then and family[then[who].unit_code] != family[places[who].unit_code]}
    assert moved
    assert any(
        len({family[row["unit_code"]] for row in acted if row["official_id"] == who and row["unit_code"]}) > 1
        for who in moved
    )

"""Weekly lists: caps never broken, the order stable and jittered inside bands alone, teams independent, new told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.plan.rules import Team
from serving.plan.weekly_list import (
    BAND,
    LEAST_DOSSIERS,
    Caps,
    Entry,
    WeeklyList,
    before,
    choose,
    entries,
    marked_new,
    order,
    share_new,
    share_out,
    week_of,
    write,
)

DAY = datetime(2026, 9, 1, tzinfo=UTC)


def entry(key: str, utility: float, unit: str = "U1", official: str | None = None, age: int = 0) -> Entry:
    return Entry(key, unit, official, "S1", utility, 0.0, utility, 1, DAY - timedelta(days=age))


ENTRIES = st.lists(
    st.tuples(st.floats(0.001, 10), st.integers(0, 3), st.integers(0, 5), st.integers(0, 9)), max_size=40
).map(lambda rows: [entry(f"d{i:02d}", u, f"U{a}", f"O{b}", age) for i, (u, a, b, age) in enumerate(rows)])


@settings(max_examples=80)
@given(ENTRIES, st.integers(1, 20), st.integers(0, 4), st.integers(0, 3))
def test_caps_are_never_broken_and_nobody_is_passed_over_without_one(
    found: list[Entry], size: int, per_unit: int, per_official: int
) -> None:
    ordered = order(found)
    lines = choose(ordered, size, Caps(per_unit, per_official))
    assert [line.rank for line in lines] == list(range(1, len(lines) + 1))
    listed = [line.entry for line in lines]
    for cap, name in ((per_unit, "unit_code"), (per_official, "official_id")):
        held = [getattr(one, name) for one in listed]
        assert not cap or all(held.count(one) <= cap for one in held)
    for one in ordered:
        if one not in listed and len(lines) < size:
            units = sum(other.unit_code == one.unit_code for other in listed)
            officials = sum(other.official_id == one.official_id for other in listed)
            assert (per_unit and units >= per_unit) or (per_official and officials >= per_official)


@settings(max_examples=60)
@given(ENTRIES, st.text(min_size=1, max_size=5))
def test_the_order_is_stable_and_the_jitter_stays_inside_its_band(found: list[Entry], secret: str) -> None:
    assert order(found) == order(found[::-1])
    jittered = order(found, secret, "2026-W40")
    assert jittered == order(found[::-1], secret, "2026-W40")
    assert sorted(one.key for one in jittered) == sorted(one.key for one in found)
    for place, one in enumerate(jittered):
        best_after = max((other.utility for other in jittered[place:]), default=0)
        assert one.utility >= best_after * BAND


def test_ties_go_by_age_then_key_and_jitter_changes_from_week_to_week() -> None:
    tied = [entry("b", 1, age=1), entry("a", 1, age=1), entry("c", 1, age=5), entry("d", 2)]
    assert [one.key for one in order(tied)] == ["d", "c", "a", "b"]
    many = [entry(f"k{i:02d}", 1.0) for i in range(12)]
    assert order(many, "s", "2026-W40") != order(many, "s", "2026-W41")
    assert order(many, "s", "2026-W40") != order(many, "t", "2026-W40")


def test_teams_get_even_shares_but_never_their_own_unit_nor_the_last_one_again() -> None:
    teams = (Team("a", "centre", units=("U0",)), Team("b", "centre"))
    lines = choose(order([entry(f"d{i}", 10 - i, f"U{i % 3}") for i in range(9)]), 9)
    given_out = share_out(lines, teams, last={"U1": "b"})
    teams_of = {unit: {x.team_id for x in given_out if x.entry.unit_code == unit} for unit in ("U0", "U1", "U2")}
    assert teams_of["U0"] == {"b"}
    assert teams_of["U1"] == {"a"}
    nobody = share_out(lines, (Team("a", "centre", units=("U0", "U1", "U2")),), {})
    assert {line.team_id for line in nobody} == {None}


def test_what_is_new_since_the_last_list_is_told() -> None:
    lines = choose(order([entry("a", 3), entry("b", 2), entry("c", 1)]), 3)
    assert share_new(marked_new(lines, {"a", "x"})) == pytest.approx(2 / 3)
    assert share_new(marked_new(lines, None)) is None


def scores() -> pa.Table:
    """25 dossiers of one official in a high-risk sector, 3 of another in a plain one."""
    rows = [("U1", "O1", "land", 0.2)] * 25 + [("U2", "O2", "post", 0.9)] * 3
    return pa.table(
        {
            "dossier_id": [f"d{i}" for i in range(len(rows))],
            "unit_code": [row[0] for row in rows],
            "official_id": [row[1] for row in rows],
            "sector_code": [row[2] for row in rows],
            "score": [row[3] for row in rows],
            "received_at": pa.array([DAY] * len(rows), pa.timestamp("us", "UTC")),
            "phase": ["running"] * len(rows),
        }
    )


def test_units_and_officials_add_up_and_the_sector_weight_stands_apart() -> None:
    units = {one.key: one for one in entries(scores(), "unit", {"land": 0.8})}
    assert units["U1"].expected == pytest.approx(5.0)
    assert units["U1"].utility == pytest.approx(5.0 * 1.4)
    assert units["U2"].prior == 0
    assert units["U2"].utility == units["U2"].expected == pytest.approx(2.7)
    officials = entries(scores(), "official", {})
    assert [one.key for one in officials] == ["O1"], f"fewer than {LEAST_DOSSIERS} dossiers say nothing of a person"
    assert len(entries(scores(), "dossier", {})) == 28
    with pytest.raises(ValueError, match="grain"):
        entries(scores(), "head", {})  # type: ignore[arg-type]


def test_a_list_that_stands_is_not_exchanged(tmp_path: Path) -> None:
    lines = choose(order([entry("a", 3), entry("b", 2)]), 2)
    made = WeeklyList("lateness", "unit", "2026-W40", "1", 3, DAY, 0.5, lines)
    path = write(tmp_path, made)
    assert write(tmp_path, made) == path
    with pytest.raises(ValueError, match="stands"):
        write(tmp_path, WeeklyList("lateness", "unit", "2026-W40", "2", 3, DAY, 0.5, lines))
    assert before(tmp_path, "lateness", "unit", "2026-W40") is None
    earlier = before(tmp_path, "lateness", "unit", "2026-W41")
    assert earlier is not None
    assert [line["entry"]["key"] for line in earlier["lines"]] == ["a", "b"]
    with pytest.raises(ValueError, match="2026-W49"):
        before(tmp_path, "lateness", "unit", "../../etc")
    assert week_of(DAY.date()) == "2026-W36"

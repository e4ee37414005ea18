"""Seed first, plan sealed until its hours, then verified: any changed line is found."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.plan.draw import seed_hash
from serving.plan.store import PlanStore, Sealed, seed_of
from serving.plan.verify import Check, verify
from tests.drawn_month import office

BEFORE = datetime(2026, 11, 30, 9, tzinfo=UTC)
AFTER = datetime(2027, 1, 2, tzinfo=UTC)


PARTS = {"lanhdao": "núi Tản sông Đà, chín mươi", "thanhtra": "cầu Long Biên, tháng mười một"}
SEED = seed_of("2026-12", PARTS)


def give_parts(store: PlanStore) -> None:
    """Two persons give their parts of the seed of December 2026."""
    for by, words in PARTS.items():
        store.promise("2026-12", by, words, BEFORE)
    assert [store.give("2026-12", by, words, BEFORE) for by, words in PARTS.items()] == [False, True]


@pytest.fixture
def store(tmp_path: Path) -> PlanStore:
    """A store with the plan of December 2026 sealed."""
    kept = PlanStore(tmp_path / "plans", tmp_path / "keys")
    give_parts(kept)
    plan_id, published = kept.commit("2026-12", BEFORE)
    assert published == seed_hash(SEED)
    kept.seal(plan_id, office(24), BEFORE + timedelta(hours=1))
    return kept


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def test_nothing_of_a_sealed_plan_can_be_read_from_its_files(store: PlanStore) -> None:
    sealed = (store.folder / "2026-12" / "plan.sealed").read_bytes()
    ledger = (store.folder / "ledger.jsonl").read_text("utf-8")
    for word in ("U001", "D001-00", SEED, *PARTS.values()):
        assert word.encode() not in sealed
        assert word not in ledger
    assert {path.name for path in (store.folder / "2026-12").iterdir()} == {"plan.sealed"}
    assert failed(verify(store, "2026-12")) == []


def test_visits_open_at_their_hour_and_the_rest_after_the_last(store: PlanStore) -> None:
    hours = sorted(datetime.fromisoformat(v["at"]) for v in store.open("2026-12").plan["visits"])
    middle = hours[len(hours) // 2]
    assert store.visits("2026-12", hours[0] - timedelta(seconds=1)) == []
    assert len(store.visits("2026-12", middle)) == sum(hour <= middle for hour in hours)
    with pytest.raises(Sealed, match="sealed until its last visit"):
        store.reveal("2026-12", hours[-1] - timedelta(seconds=1))
    folder = store.reveal("2026-12", hours[-1])
    assert (folder / "seed.txt").read_text("utf-8").strip() == SEED
    assert failed(verify(store, "2026-12")) == []


def test_after_the_reveal_the_folder_alone_is_enough(store: PlanStore, tmp_path: Path) -> None:
    store.reveal("2026-12", AFTER)
    stranger = PlanStore(store.folder, tmp_path / "no keys")
    assert failed(verify(stranger, "2026-12")) == []


def test_a_changed_removed_swapped_or_added_line_is_found(store: PlanStore) -> None:
    path = store.reveal("2026-12", AFTER) / "plan.jsonl"
    lines = path.read_text("utf-8").splitlines()

    def refused(changed: list[str]) -> list[Check]:
        path.write_text("\n".join(changed) + "\n", "utf-8")
        return [check for check in verify(store, "2026-12") if not check.ok]

    for number, line in [*enumerate(lines)][::5]:
        row = json.loads(line)
        key = "expected" if number == 0 else "unit_code"
        row[key] = 0.5 if number == 0 else "U999"
        assert refused([*lines[:number], json.dumps(row), *lines[number + 1 :]]), f"line {number + 1} was changed"
    assert refused(lines[:-1])
    assert refused([*lines, lines[-1]])
    assert refused([lines[0], lines[2], lines[1], *lines[3:]])
    assert not refused(lines)


@pytest.mark.parametrize("name", ["seed.txt", "brief.json"])
def test_a_changed_seed_or_brief_is_found(store: PlanStore, name: str) -> None:
    path = store.reveal("2026-12", AFTER) / name
    path.write_text(path.read_text("utf-8").replace(SEED[0], "z", 1) if name == "seed.txt" else "{}", "utf-8")
    assert failed(verify(store, "2026-12"))


def test_a_changed_sealed_file_or_ledger_is_found(store: PlanStore) -> None:
    sealed = store.folder / "2026-12" / "plan.sealed"
    content = sealed.read_bytes()
    sealed.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    assert failed(verify(store, "2026-12")) == ["files"]
    sealed.write_bytes(content)
    ledger = store.folder / "ledger.jsonl"
    ledger.write_text(ledger.read_text("utf-8").replace("2026-11-30T09", "2026-11-30T08", 1), "utf-8")
    assert failed(verify(store, "2026-12")) == ["ledger"]


def test_nobody_can_try_several_seeds(store: PlanStore) -> None:
    first = store.commit("2027-01", BEFORE)
    assert store.commit("2027-01", AFTER) == first
    with pytest.raises(ValueError, match="cannot be exchanged"):
        store.commit("2027-01", AFTER, seed="a better one")
    with pytest.raises(ValueError, match="say --because"):
        store.commit("2026-12", AFTER)
    assert store.commit("2026-12", AFTER, because="một đơn vị giải thể")[0] == "2026-12-2"
    assert store.ledger.of("2026-12-2", "commit")[0]["facts"]["because"] == "một đơn vị giải thể"


def test_the_same_brief_seed_and_key_give_the_same_sealed_bytes(store: PlanStore, tmp_path: Path) -> None:
    other = PlanStore(tmp_path / "again", tmp_path / "keys2")
    (tmp_path / "keys2").mkdir(mode=0o700)
    (tmp_path / "keys2" / "plans.key").write_bytes((tmp_path / "keys" / "plans.key").read_bytes())
    (tmp_path / "keys2" / "plans.key").chmod(0o600)
    other.commit("2026-12", AFTER, seed=SEED)
    other.seal("2026-12", office(24), AFTER)
    here, there = (s.folder / "2026-12" / "plan.sealed" for s in (store, other))
    assert here.read_bytes() == there.read_bytes()


def test_a_ledger_line_cut_off_by_a_kill_does_not_count(store: PlanStore) -> None:
    with (store.folder / "ledger.jsonl").open("ab") as file:
        file.write(b'{"act":"reveal","at":"20')
    assert failed(verify(store, "2026-12")) == []
    store.reveal("2026-12", AFTER)
    assert store.ledger.broken() is None

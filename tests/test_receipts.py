"""Receipts: every way of changing the past is found."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from typer.testing import CliRunner

from serving.state import State, open_state
from serving.state.canonical_json import canonical
from serving.work.chain_anchor import ChainHead, Witness
from serving.work.receipts import Receipts

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def make(folder: Path, count: int = 10) -> Receipts:
    """A chain of `count` receipts under `folder`, one a minute."""
    state = open_state(f"sqlite:///{folder / 'state.db'}")
    chain = Receipts(state, Witness(folder / "keys", folder / "receipts"))
    for place in range(count):
        chain.record(
            "thanhtra1",
            "dossier.read",
            {"dossier": f"H{place}", "score": "0.4125"},
            now=NOW + timedelta(minutes=place),
            subjects=[f"dossier:H{place}"],
        )
    return chain


def tamper(chain: Receipts, *statements: str) -> None:
    state: State = chain._state
    with state.writing() as session:
        for statement in statements:
            session.execute(text(statement))


def test_a_sound_chain_has_no_faults_and_is_found_by_subject(tmp_path: Path) -> None:
    chain = make(tmp_path)
    assert chain.verify() == []
    assert [row.seq for row in chain.about("dossier:H3")] == [4]
    assert [row.seq for row in chain.latest(most=3)] == [10, 9, 8]
    assert [row.seq for row in chain.latest(before=3)] == [2, 1]
    assert chain.latest(actor="nobody") == []


SWAP = (
    "UPDATE receipt SET seq = -1 WHERE seq = 4",
    "UPDATE receipt SET seq = 4 WHERE seq = 5",
    "UPDATE receipt SET seq = 5 WHERE seq = -1",
)
INSERTION = (
    "UPDATE receipt SET seq = seq + 100 WHERE seq > 4",
    "INSERT INTO receipt SELECT 5, at, actor, action, detail, mac FROM receipt WHERE seq = 4",
    "UPDATE receipt SET seq = seq - 99 WHERE seq > 100",
    "UPDATE receipt_tail SET seq = 11",
)
CUT = (
    "DELETE FROM receipt WHERE seq > 7",
    "UPDATE receipt_tail SET seq = 7, mac = (SELECT mac FROM receipt WHERE seq = 7)",
)


@pytest.mark.parametrize(
    ("attack", "seq"),
    [
        (("UPDATE receipt SET actor = 'lanhdao' WHERE seq = 4",), 4),
        (("UPDATE receipt SET detail = replace(detail, '0.4125', '0.1') WHERE seq = 4",), 4),
        (("UPDATE receipt SET at = '2026-11-20 09:00:00.000000' WHERE seq = 4",), 4),
        (("DELETE FROM receipt WHERE seq = 4",), 5),
        (SWAP, 4),
        (INSERTION, 5),
        (CUT, 10),
        (("DELETE FROM receipt", "DELETE FROM receipt_tail"), 10),
        (("UPDATE receipt_tail SET seq = 9",), 10),
    ],
    ids=[
        "edit actor",
        "edit detail",
        "edit time",
        "delete",
        "swap",
        "insert",
        "cut the tail",
        "wipe",
        "tail row",
    ],
)
def test_every_change_of_the_past_is_found(tmp_path: Path, attack: tuple[str, ...], seq: int) -> None:
    chain = make(tmp_path)
    tamper(chain, *attack)
    assert seq in {fault.seq for fault in chain.verify()}


def test_an_older_database_put_back_is_found_by_the_anchor(tmp_path: Path) -> None:
    chain = make(tmp_path, 5)
    chain._state.close()
    shutil.copy(tmp_path / "state.db", tmp_path / "old.db")
    chain = make(tmp_path, 3)
    chain._state.close()
    shutil.copy(tmp_path / "old.db", tmp_path / "state.db")
    replayed = make(tmp_path, 0)
    assert any("old database" in fault.what for fault in replayed.verify())


def test_a_replay_with_its_anchor_is_found_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    chain = make(tmp_path, 5)
    chain._state.close()
    shutil.copytree(tmp_path, tmp_path.parent / "copy")
    head = make(tmp_path, 3).sign_head(now=NOW)
    old = make(tmp_path.parent / "copy", 0)
    assert old.verify() == []
    faults = old.verify([ChainHead.from_json(head.as_json())])
    assert [fault.seq for fault in faults] == [8]


def test_a_rewritten_chain_is_found_by_a_signed_head_even_with_the_key(tmp_path: Path) -> None:
    chain = make(tmp_path, 5)
    head = chain.sign_head(now=NOW)
    assert chain.verify([head]) == []
    tamper(chain, "DELETE FROM receipt", "DELETE FROM receipt_tail", "DELETE FROM receipt_subject")
    (tmp_path / "receipts" / "anchor").unlink()
    for place in range(5):
        chain.record("somebody", "dossier.read", {"dossier": f"X{place}"}, now=NOW)
    assert [(fault.seq, "head" in fault.what) for fault in chain.verify()] == [(5, True)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda head: ChainHead("2026-11-20", head.link, head.signature),
        lambda head: ChainHead(head.day, head.link, "00" * 64),
        lambda head: ChainHead(head.day, head.link, "not hex"),
    ],
)
def test_a_forged_head_is_told(tmp_path: Path, spoil: Callable[[ChainHead], ChainHead]) -> None:
    chain = make(tmp_path, 2)
    assert any("not ours" in fault.what for fault in chain.verify([spoil(chain.sign_head(now=NOW))]))


def test_a_changed_anchor_is_told_and_kept(tmp_path: Path) -> None:
    chain = make(tmp_path, 3)
    anchor = tmp_path / "receipts" / "anchor"
    anchor.write_text(anchor.read_text().replace("3 ", "2 ", 1))
    make(tmp_path, 1)
    assert any("anchor was changed" in fault.what for fault in chain.verify())


def test_a_receipt_stands_and_falls_with_what_it_tells_of(tmp_path: Path) -> None:
    chain = make(tmp_path, 1)

    def decide_and_fail() -> None:
        with chain._state.writing() as session:
            chain.append(session, "thanhtra1", "decision.write", {"reason": "…"}, now=NOW)
            raise RuntimeError("the decision failed")

    with pytest.raises(RuntimeError, match="decision failed"):
        decide_and_fail()
    assert chain.verify() == []
    assert chain.latest(most=1)[0].seq == 1


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    make(tmp_path, 1)
    key = tmp_path / "keys" / "receipts.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        make(tmp_path, 0)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.text())))
def test_canonical_json_is_one_text_for_one_content(value: dict[str, object]) -> None:
    shuffled = dict(reversed(list(value.items())))
    assert canonical(value) == canonical(shuffled)


def test_the_command_line_verifies_and_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from serving.cli import app

    monkeypatch.setenv("RISK_HOME", str(tmp_path))
    chain = make(tmp_path, 4)
    runner = CliRunner()
    silent = runner.invoke(app, ["receipts", "verify"])
    assert (silent.exit_code, "no head between" in silent.stderr) == (1, True), "no service has run since"
    never = ["--stopped", f"{NOW.isoformat()}..2100-01-01T00:00+00:00"]
    sound = runner.invoke(app, ["receipts", "verify", *never])
    assert (sound.exit_code, sound.stdout.strip()) == (0, "receipts=4 faults=0")
    signed = runner.invoke(app, ["receipts", "head"])
    (tmp_path / "head.json").write_text(signed.stdout)
    tamper(chain, *CUT[:1], "DELETE FROM receipt WHERE seq = 4", "UPDATE receipt_tail SET seq = 3")
    broken = runner.invoke(app, ["receipts", "verify", "--head", str(tmp_path / "head.json"), *never])
    assert broken.exit_code == 1
    assert "cut off" in broken.stderr

"""A sealed plan cannot be swapped: its seed is nobody's choice, receipts know it, approvals are bound to its seal."""

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving.app import create_app
from serving.cli import app as risk
from serving.plan.store import PlanStore
from serving.plan.verify import ledger_faults, verify
from serving.state import open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.drawn_month import office
from tests.drawn_office import AS_OF, seal_plan
from tests.drawn_people import NOW, PASSWORD, PEOPLE, add_people, sit_down, staffed_office
from tests.test_plan_store import BEFORE, PARTS, failed, give_parts


def told_store(home: Path, plans: Path | None = None) -> tuple[PlanStore, Receipts]:
    """A store whose ledger leaves receipts, as the command line's does."""
    chain = Receipts(open_state(f"sqlite:///{home / 'state.db'}"), Witness(home / "keys", home / "receipts"))

    def tell(line: Mapping[str, Any], sha256: str) -> None:
        detail = {"plan": line["plan_id"], "act": line["act"], "line": line["number"], "sha256": sha256}
        chain.record("lệnh", "plan.write", detail, now=BEFORE)

    return PlanStore(plans or home / "plans", home / "keys", tell), chain


def sealed(store: PlanStore) -> None:
    give_parts(store)
    store.commit("2026-12", BEFORE)
    store.seal("2026-12", office(24), BEFORE + timedelta(hours=1))


def test_a_plan_sealed_anew_with_a_chosen_seed_and_an_earlier_date_is_found(tmp_path: Path) -> None:
    store, chain = told_store(tmp_path)
    sealed(store)
    assert failed(verify(store, "2026-12", receipts=chain)) == []
    # whoever holds all files starts the ledger anew with a seed that leaves a friend's unit out
    shutil.rmtree(tmp_path / "plans")
    shutil.rmtree(tmp_path / "keys" / "plan-seeds")
    forged = PlanStore(tmp_path / "plans", tmp_path / "keys")
    forged.commit("2026-12", BEFORE - timedelta(days=3), seed="the one that suits me")
    forged.seal("2026-12", office(24), BEFORE - timedelta(days=3))
    assert failed(verify(forged, "2026-12")) == ["seed origin"]
    assert failed(verify(forged, "2026-12", receipts=chain)) == ["seed origin", "receipts"]


def test_parts_made_up_by_one_hand_are_found_by_the_receipts(tmp_path: Path) -> None:
    store, chain = told_store(tmp_path)
    sealed(store)
    shutil.rmtree(tmp_path / "plans")
    shutil.rmtree(tmp_path / "keys" / "plan-seeds")
    forged = PlanStore(tmp_path / "plans", tmp_path / "keys")
    for by, words in PARTS.items():
        forged.promise("2026-12", by, f"{words} khác", BEFORE)
    for by, words in PARTS.items():
        forged.give("2026-12", by, f"{words} khác", BEFORE)
    forged.commit("2026-12", BEFORE)
    forged.seal("2026-12", office(24), BEFORE)
    assert failed(verify(forged, "2026-12")) == []
    assert failed(verify(forged, "2026-12", receipts=chain)) == ["receipts"]


def test_the_end_of_the_ledger_cannot_be_cut(tmp_path: Path) -> None:
    store, chain = told_store(tmp_path)
    sealed(store)
    store.ledger.append("open", "2026-12", BEFORE + timedelta(hours=2), {})
    path = tmp_path / "plans" / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert store.ledger.broken() is None
    assert "is gone" in ledger_faults(store.ledger, chain)[0]
    assert failed(verify(store, "2026-12", receipts=chain)) == ["receipts"]


def test_the_hour_of_a_seal_lies_between_the_signed_heads_around_its_receipt(tmp_path: Path) -> None:
    store, chain = told_store(tmp_path)
    give_parts(store)
    store.commit("2026-12", BEFORE)
    chain.sign_head(now=BEFORE + timedelta(days=2))
    store.seal("2026-12", office(24), BEFORE + timedelta(hours=1))  # two days after the hour that it bears
    assert failed(verify(store, "2026-12", receipts=chain)) == ["receipts"]


def test_neither_person_can_choose_the_seed(tmp_path: Path) -> None:
    store, _ = told_store(tmp_path)
    store.promise("2026-12", "lanhdao", PARTS["lanhdao"], BEFORE)
    with pytest.raises(ValueError, match="wait for the second"):
        store.give("2026-12", "lanhdao", PARTS["lanhdao"], BEFORE)
    with pytest.raises(ValueError, match="another person's"):
        store.promise("2026-12", "lanhdao", "những lời khác, đổi ý", BEFORE)
    with pytest.raises(ValueError, match="have said the words"):
        store.commit("2026-12", BEFORE)
    store.promise("2026-12", "thanhtra", PARTS["thanhtra"], BEFORE)
    store.give("2026-12", "thanhtra", PARTS["thanhtra"], BEFORE)
    with pytest.raises(ValueError, match="not the words"):
        store.give("2026-12", "lanhdao", "những lời khác, đổi ý", BEFORE)
    with pytest.raises(ValueError, match="at least 16"):
        store.promise("2027-01", "lanhdao", "ngắn", BEFORE)


def test_an_approval_does_not_outlive_the_seal_it_was_given_to(tmp_path: Path) -> None:
    settings = staffed_office(tmp_path / "home")
    seal_plan(settings)
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as client:
        csrf = sit_down(client, "lanhdao")
        page = client.get("/plan").text
        seal = page.split('name="sha256" value="')[1].split('"')[0]
        form = {"plan": "2026-03", "sha256": seal, "key": "k" * 30, "csrf": csrf}
        assert "Đã duyệt: lanhdao" in client.post("/plan/approve", data=form).text
        plans = settings.home / "plans"
        shutil.rmtree(plans)
        (settings.keys / "plan-seeds" / "2026-03.seed").write_text("a seed that suits somebody")
        _reseal(settings.home, plans)
        assert "Đã duyệt" not in client.get("/plan").text
        again = client.post("/plan/approve", data={**form, "key": "l" * 30})
        assert again.status_code == 404


def _reseal(home: Path, plans: Path) -> None:
    store = PlanStore(plans, home / "keys")
    store.commit("2026-03", AS_OF)
    store.seal("2026-03", office(24), AS_OF)


def test_two_persons_of_the_house_give_parts_by_command(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    state = open_state(f"sqlite:///{home / 'state.db'}")
    add_people(state, PEOPLE)
    state.close()

    def part(by: str, words: str, *more: str, password: str = PASSWORD) -> int:
        words_typed = f"{password}\n{words}\n"
        return CliRunner().invoke(
            risk, ["--home", str(home), "plan", "part", "2026-12", "--by", by, *more], input=words_typed
        ).exit_code  # fmt: skip

    assert part("lanhdao", PARTS["lanhdao"], password="sai mật khẩu") != 0
    assert part("phantich", PARTS["lanhdao"]) != 0, "an analyst takes no part in a plan"
    assert part("lanhdao", PARTS["lanhdao"]) == 0
    assert part("lanhdao", PARTS["lanhdao"], "--say") != 0, "the other has not promised"
    assert part("thanhtra", PARTS["thanhtra"]) == 0
    assert [part(by, words, "--say") for by, words in PARTS.items()] == [0, 0]
    done = CliRunner().invoke(risk, ["--home", str(home), "plan", "commit", "2026-12"])
    assert done.exit_code == 0, done.output
    store = PlanStore(home / "plans", home / "keys")
    assert store.ledger.of("2026-12", "commit")[0]["facts"]["persons"] == ["lanhdao", "thanhtra"]

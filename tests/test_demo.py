"""The whole way in one command, as a new user types it: a list with reasons, an address, and a page behind it."""

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from serving.access.permissions import Role
from serving.scoring.risk_list import Filters, latest_list
from serving.settings import Settings
from serving.state import Account, Finding, PublicationPack, State, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.bench.port import free_port

RISK = [sys.executable, "-c", "from serving.cli import main; main()"]


def _state(home: Path) -> State:
    return open_state(Settings.from_env(home).database_url)


def _receipts(home: Path) -> Receipts:
    settings = Settings.from_env(home)
    return Receipts(_state(home), Witness(settings.keys, home / "receipts"))


@pytest.mark.slow
def test_demo_goes_the_whole_way_on_a_made_up_province_and_serves_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = ["demo", "--no-serve", "--home", str(home), "--dossiers", "1500"]
    told = subprocess.run([*RISK, *words], capture_output=True, text=True, timeout=600)
    assert told.returncode == 0, told.stderr[-2000:]
    for step in ("make up a province", "ingest", "train", "promote", "score", "list", "log the training run"):
        assert f"· {step} (" in told.stdout or f"{step} (" in told.stdout
    risk_list = latest_list(home / "scores", "lateness")
    assert len(risk_list) > 10
    assert all(line.reasons for line in risk_list.page(size=10).lines)
    password = re.search(r"log in: demo / (\S+)", told.stdout)
    assert password is not None
    for role in Role:
        assert role.words.split()[0] in told.stdout
    with _state(home).reading() as session:
        assert {account.role for account in session.scalars(select(Account))} == set(Role)
        assert session.scalars(select(Finding)).all()
        assert session.scalars(select(PublicationPack.approved)).all() == [None]
    chain = [one.action for one in _receipts(home).latest(most=500)]
    assert {"plan.approve", "finding.write", "apology.write", "publication.propose"} <= set(chain)
    port = free_port()
    server = subprocess.Popen([*RISK, "--home", str(home), "serve", "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=30) as browser:
            for _ in range(300):
                try:
                    if browser.get("/api/v1/health").status_code == 200:
                        break
                except httpx2.ConnectError:
                    time.sleep(0.2)
            door = browser.get("/login").text.split('name="door" value="')[1].split('"')[0]
            form = {"login": "demo", "password": password[1], "door": door}
            browser.post("/login", data=form)
            page = browser.get("/list")
            assert page.status_code == 200
            assert risk_list.page(Filters(ahead=True), size=1).lines[0].dossier_id in page.text
            assert "không phải kết luận vi phạm" in page.text
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("feed", ["wabo_receipt", "bpic15_m1_m2"])
def test_demo_goes_the_whole_way_on_real_dossiers(shared: Path, tmp_path: Path, feed: str) -> None:
    words = ["demo", "--feed", str(shared / "data" / feed), "--no-serve", "--home", str(tmp_path)]
    told = subprocess.run([*RISK, *words], capture_output=True, text=True, timeout=600)
    assert told.returncode == 0, told.stderr[-2000:]
    risk_list = latest_list(tmp_path / "scores", "lateness")
    assert len(risk_list) > 50
    assert all(reason.vi and reason.en for line in risk_list.page(size=50).lines for reason in line.reasons)

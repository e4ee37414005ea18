"""Killing the server while somebody writes loses and doubles nothing."""

import re
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from serving.state import Contest, Decision, Finding, State, Submission, open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.bench.port import free_port
from tests.drawn_office import dossier_id, draw_office, seal_plan
from tests.drawn_people import NOW, add_people, sit_down_at
from tests.drawn_server import start

pytestmark = pytest.mark.slow

AFTER = NOW + timedelta(days=27)
ROUNDS = 4


def test_killed_servers_lose_and_double_nothing(tmp_path: Path) -> None:
    settings = draw_office(tmp_path)
    state = open_state(settings.database_url)
    add_people(state)
    open_contests(state)
    seal_plan(settings)
    inspector = {"risk_session": sit_down_at(settings, "thanhtra", AFTER)}
    official = {"risk_session": sit_down_at(settings, "canbo", AFTER)}
    sheet: list[str] = []
    confirmed: set[str] = set()
    forms: list[tuple[str, dict[str, str], dict[str, str]]] = []
    for round_ in range(ROUNDS):
        port = free_port()
        server = start(tmp_path, port, AFTER)
        address = f"http://127.0.0.1:{port}"
        page = httpx2.get(f"{address}/plan/visit?id=2026-03/x1/team", cookies=inspector).text
        sheet = sheet or list(dict.fromkeys(re.findall(r'name="dossier" value="([^"]+)"', page)))
        csrf = {
            who["risk_session"]: csrf_of(address, path, who) for path, who in (("/list", inspector), ("/own", official))
        }
        fresh = forms_of(round_, sheet, inspector, official)
        retried, forms = forms, forms + fresh
        killer = threading.Timer(0.35 + 0.15 * round_, lambda process=server: process.send_signal(signal.SIGKILL))
        killer.start()
        # what was sent before is sent again: it must change nothing
        for path, who, form in (retried + fresh) * 3:
            try:
                answer = httpx2.post(
                    address + path, cookies=who, data={**form, "csrf": csrf[who["risk_session"]]}, timeout=5
                )
            except httpx2.HTTPError:
                time.sleep(0.01)
                continue
            assert answer.status_code == 303, (path, answer.text[-300:])
            confirmed.add(form["key"])
        server.wait(20)
        killer.cancel()
        check(state, tmp_path, confirmed, forms)
    assert len(confirmed) >= ROUNDS


def open_contests(state: State) -> None:
    """One contest for each round to answer, numbered from 1, about dossiers that no round contests itself."""
    with state.writing() as session:
        for round_ in range(ROUNDS):
            session.add(
                Contest(
                    dossier_id=dossier_id(60 + round_), official_id="o1", unit_code="x1", target="lateness",
                    as_of=NOW, model_version="1", frozen_score=0.5, about="fact", reason_code="fact",
                    claim="chưa đúng", opened_at=NOW, opened_by=4,
                )
            )  # fmt: skip


def csrf_of(address: str, path: str, who: dict[str, str]) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', httpx2.get(address + path, cookies=who).text)
    assert found
    return found[1]


def forms_of(
    round_: int, sheet: list[str], inspector: dict[str, str], official: dict[str, str]
) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """One finding, dismissal, contest and answer to a contest of this round, each with a key of its own."""
    held = dossier_id(8 * round_)  # the official o1 holds every eighth
    return [
        (
            "/plan/finding",
            inspector,
            {"visit": "2026-03/x1/team", "dossier": sheet[round_], "kind": "none", "key": f"finding-{round_:024d}"},
        ),
        (
            "/decisions",
            inspector,
            {"dossier": dossier_id(round_), "kind": "dismiss", "reason": "đủ căn cứ", "key": f"dismiss-{round_:024d}"},
        ),
        (
            "/contest",
            official,
            {"dossier": held, "about": "fact", "text": "chưa đúng", "key": f"contest-{round_:024d}"},
        ),
        (
            f"/contests/{round_ + 1}",
            inspector,
            {"outcome": "rejected", "text": "đã đối chiếu sổ", "key": f"answer-{round_:024d}"},
        ),
    ]


def check(
    state: State, home: Path, confirmed: set[str], forms: list[tuple[str, dict[str, str], dict[str, str]]]
) -> None:
    """Everything confirmed is there, each thing once, and each with its receipt on a sound chain."""
    with state.reading() as session:
        keys = set(session.scalars(select(Submission.key)))
        effects = {
            "finding": list(session.scalars(select(Finding.dossier_id))),
            "dismiss": list(session.scalars(select(Decision.dossier_id))),
            "contest": list(session.scalars(select(Contest.dossier_id).where(Contest.model_version != "1"))),
            "answer": list(session.scalars(select(Contest.dossier_id).where(Contest.outcome == "rejected"))),
        }
    assert confirmed <= keys
    assert keys <= {form["key"] for _, _, form in forms}
    for kind, dossiers in effects.items():
        assert len(dossiers) == len(set(dossiers)) == sum(key.startswith(kind) for key in keys)
    chain = Receipts(state, Witness(home / "keys", home / "receipts"))
    assert chain.verify() == []
    written = [one for one in chain.latest(most=10_000) if one.action.endswith((".write", "contest.answer"))]
    assert len(written) == len(keys)

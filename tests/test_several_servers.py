"""Three server processes over one working state: whoever asks does not notice which of them answers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from serving.settings import Settings
from serving.state import Decision, EarlyWarning, OutboxMessage, open_state
from serving.warnings.turn import turn
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.drawn_office import AS_OF, dossier_id, draw_office
from tests.drawn_people import NOW, PASSWORD, add_people, sit_down_at
from tests.drawn_server import running
from tests.drawn_warnings import rules, score

pytestmark = pytest.mark.slow
DECISIONS = 24


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_requests_may_alternate_among_processes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(draw_office(tmp_path), database_url=database_url)
    state = open_state(database_url)
    add_people(state)
    score(settings, AS_OF + timedelta(minutes=1), {dossier_id(n): 0.9 for n in range(60)}, unit="x1")
    monkeypatch.setenv("RISK_DATABASE_URL", database_url)
    with (
        running(tmp_path, workers=2) as first,
        running(tmp_path) as second,
        ThreadPoolExecutor(4) as hands,
    ):
        both = (first, second)
        # schedulers run beside the servers, two at once
        turns = [hands.submit(turn, settings, state, rules(), now=NOW) for _ in range(2)]
        the_session_is_everywhere(both)
        decisions_are_made_once(both, sit_down_at(settings, "thanhtra", NOW), hands)
        assert sorted(one.result().fired is not None for one in turns) == [False, True]
        warnings_are_answered_once(both, settings, hands)
    with state.reading() as session:
        decided = list(session.scalars(select(Decision.dossier_id)))
        warned = list(session.scalars(select(EarlyWarning.dossier_id)))
        messages = list(session.scalars(select(OutboxMessage.key)))
        answered = list(session.scalars(select(EarlyWarning).where(EarlyWarning.acknowledged_at.is_not(None))))
    assert sorted(decided) == sorted(dossier_id(n) for n in range(DECISIONS))
    assert len(warned) == len(set(warned)) > 0
    assert len(messages) == len(set(messages))
    assert len(answered) == 1
    chain = Receipts(state, Witness(tmp_path / "keys", tmp_path / "receipts"))
    assert chain.verify() == []
    assert sum(one.action == "decision.write" for one in chain.latest(most=10_000)) == DECISIONS
    state.close()


def the_session_is_everywhere(both: tuple[str, str]) -> None:
    """A login begun at one server is ended at the other and known to both, and so is its end."""
    first, second = both
    with httpx2.Client(timeout=30) as browser:
        door = re.search(r'name="door" value="([^"]+)"', browser.get(f"{first}/login").text)
        assert door
        form = {"login": "lanhdao", "password": PASSWORD, "door": door[1]}
        assert browser.post(f"{second}/login", data=form).status_code == 303
        pages = [browser.get(f"{at}/list") for at in (first, second, first, second)]
        assert {page.status_code for page in pages} == {200}
        assert len({csrf_of(page.text) for page in pages}) == 1
        assert browser.post(f"{second}/logout", data={"csrf": "of nobody"}).status_code == 403
        assert browser.post(f"{second}/logout", data={"csrf": csrf_of(pages[0].text)}).status_code == 303
        for at in (first, second, first):
            assert browser.get(f"{at}/list").headers["location"].startswith("/login")


def decisions_are_made_once(both: tuple[str, str], session: str, hands: ThreadPoolExecutor) -> None:
    """Every form is sent to both servers at about the same time; each dossier is decided once."""
    cookies = {"risk_session": session}
    csrf = csrf_of(httpx2.get(f"{both[0]}/list", cookies=cookies, timeout=30).text)

    def send(at: str, number: int) -> int:
        form = {"csrf": csrf, "dossier": dossier_id(number), "kind": "dismiss", "reason": "đủ căn cứ",
                "key": f"dismiss-{number:024d}"}  # fmt: skip
        return int(httpx2.post(f"{at}/decisions", cookies=cookies, data=form, timeout=30).status_code)

    sent = [hands.submit(send, at, number) for number in range(DECISIONS) for at in both]
    assert {one.result() for one in sent} == {303}


def warnings_are_answered_once(both: tuple[str, str], settings: Settings, hands: ThreadPoolExecutor) -> None:
    """Two people's answers to one warning, at two servers at once: the first stands."""
    cookies = {"risk_session": sit_down_at(settings, "truongphong", NOW)}
    pages = [httpx2.get(f"{at}/warnings", cookies=cookies, timeout=30).text for at in both]
    found = re.search(r'name="warning" value="(\d+)"', pages[0])
    assert found
    assert found[0] in pages[1]

    def send(at: str, number: int) -> int:
        form = {"csrf": csrf_of(pages[0]), "key": f"answer-{number:024d}", "warning": found[1], "note": f"nơi {number}"}
        answer = httpx2.post(f"{at}/warnings/acknowledge", cookies=cookies, data=form, timeout=30)
        return int(answer.status_code)

    sent = [hands.submit(send, at, number) for number, at in zip(range(6), cycle(both), strict=False)]
    assert {one.result() for one in sent} == {303}

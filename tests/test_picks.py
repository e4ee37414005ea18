"""What is chosen for inspection is for those who inspect: no answer of any route tells it to the inspected."""

import re
import secrets
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient

from serving.access.permissions import Role
from serving.access.route_table import PUBLIC, ROUTES
from serving.app import create_app
from serving.settings import Settings
from serving.work import decisions
from tests.drawn_office import dossier_id, seal_plan
from tests.drawn_people import NOW, PEOPLE, sit_down, staffed_office

MARK = "ĐÁNH-DẤU-BÍ-MẬT-7319"
PICKED, OWN = dossier_id(0), dossier_id(8)  # both of unit x1, the first held by o1
FRESH = re.compile(
    r'value="[A-Za-z0-9_-]{32,}"|<li>(canbo|truongphong) · [^<]*</li>'
    r'|<li>từ [^\n]*</li>|<form method="post" action="/sessions/end">[^\n]*</form>'
)
"""New on every page: the keys of forms; who of the inspected looked, which looking itself changes; own sessions."""


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    seal_plan(settings)
    return settings


@pytest.fixture
def client(office: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=60)) as opened:
        yield opened


def send(client: TestClient, login: str, kind: str, reason: str, dossier: str = PICKED) -> int:
    csrf = sit_down(client, login)
    form = {"dossier": dossier, "kind": kind, "reason": reason, "key": secrets.token_urlsafe(24), "csrf": csrf}
    return client.post("/decisions", data=form, follow_redirects=False).status_code


def reads(login: str) -> list[str]:
    """Every address that may be read, of the picked dossier, its unit and its official."""
    found = []
    for rule, action in ROUTES.items():
        method, path = rule.split(" ", 1)
        if method != "GET" or action == PUBLIC:
            continue
        path = path.replace("{dossier_id:path}", PICKED).replace("{official_id}", "o1")
        for kind in ("centre", "unit", "mission", "official", "head") if "{kind}" in path else ("",):
            for ending in ("xlsx", "docx") if "{ending}" in path else ("",):
                one = re.sub(r"\{[a-z_]+_id\}", "1", path.replace("{kind}", kind).replace("{ending}", ending))
                asked = {"/dossier": PICKED, "/official": "o1", "/unit": "x1", "/plan/visit": "2026-03-1"}
                query = "?month=2026-02&unit=x1" if "/reports/" in one else ""
                found.append(one + (f"?id={asked[one]}" if one in asked else query))
    return found


def answers(client: TestClient, login: str) -> dict[str, tuple[int, bytes]]:
    """What each address answers, without what is new each time."""
    sit_down(client, login)
    told = {}
    for path in reads(login):
        answer = client.get(path, follow_redirects=False)
        body = answer.content
        if "html" in answer.headers.get("content-type", ""):
            body = FRESH.sub("", answer.text).encode()
        elif body.startswith(b"PK"):
            with ZipFile(BytesIO(body)) as packed:
                body = b"".join(packed.read(name) for name in packed.namelist() if "docProps" not in name)
        told[path] = answer.status_code, body
    return told


def inspected() -> list[str]:
    return [one.login for one in PEOPLE if one.role in (Role.UNIT_HEAD, Role.OFFICIAL)]


def test_nothing_that_the_inspected_may_read_changes_with_a_pick(client: TestClient) -> None:
    for login in inspected():
        answers(client, login)  # slips open with the first look
    before = {login: answers(client, login) for login in inspected()}
    for kind in ("pick", "override", "dismiss", "pick"):
        assert send(client, "thanhtra", kind, f"{MARK} {kind}") == 303
    for login in inspected():
        after = answers(client, login)
        assert sum(status == 200 for status, _ in after.values()) > 8, login
        for path, told in after.items():
            assert MARK.encode() not in told[1], (login, path)
            assert told == before[login][path], (login, path)


def test_who_runs_model_or_machine_reads_no_pick_either(client: TestClient) -> None:
    assert send(client, "thanhtra", "pick", MARK) == 303
    assert send(client, "truongphong", "dismiss", "đã giao người khác xử lý", OWN) == 303
    for login in ("phantich", "quantri"):
        for path, (_, body) in answers(client, login).items():
            assert MARK.encode() not in body, (login, path)
        sit_down(client, login)
        for about in (
            f"/receipts?about=dossier:{PICKED}",
            f"/api/v1/receipts?about=dossier:{PICKED}",
            "/api/v1/receipts",
        ):
            answer = client.get(about)
            assert MARK not in answer.text
            assert "decision.write" not in answer.text
    sit_down(client, "phantich")
    assert "Đưa vào kế hoạch" not in client.get("/list?due=all").text
    sit_down(client, "lanhdao")
    assert MARK in client.get(f"/api/v1/receipts?about=dossier:{PICKED}").text
    assert MARK in client.get(f"/dossier?id={PICKED}").text
    assert "Đưa vào kế hoạch" in client.get("/list?due=all").text


def test_a_head_neither_undoes_a_pick_nor_makes_one(client: TestClient) -> None:
    assert send(client, "thanhtra", "pick", MARK) == 303
    assert send(client, "truongphong", "dismiss", "đơn vị đã xử lý xong") == 303
    assert send(client, "truongphong", "pick", "muốn tự chọn hồ sơ", OWN) == 422
    sit_down(client, "thanhtra")
    assert MARK in client.get("/plan").text
    assert "đơn vị đã xử lý xong" in client.get(f"/dossier?id={PICKED}").text
    people = client.app.state.context.people  # type: ignore[attr-defined]
    with people.state.reading() as session:
        assert decisions.latest_decisions(session, "lateness", [PICKED]) == {PICKED: decisions.DecisionKind.PICK}
    sit_down(client, "truongphong")
    own = client.get(f"/dossier?id={PICKED}").text
    assert "đơn vị đã xử lý xong" in own
    assert decisions.WORDS[decisions.DecisionKind.PICK] not in own
    assert send(client, "lanhdao", "dismiss", "lãnh đạo bỏ chọn") == 303
    sit_down(client, "thanhtra")
    assert MARK not in client.get("/plan").text


def test_who_decided_takes_it_back_within_the_hour_and_what_stood_before_stands_again(client: TestClient) -> None:
    people = client.app.state.context.people  # type: ignore[attr-defined]

    def stands() -> dict[str, decisions.DecisionKind]:
        with people.state.reading() as session:
            return decisions.latest_decisions(session, "lateness", [PICKED])

    def undo() -> int:
        headers = {"Idempotency-Key": secrets.token_urlsafe(24), "X-CSRF-Token": sit_down(client, "thanhtra")}
        return client.post("/api/v1/decisions/undo", headers=headers).status_code

    assert undo() == 422
    assert send(client, "lanhdao", "override", "ưu tiên vì lâu ngày") == 303
    assert undo() == 422  # another's
    assert send(client, "thanhtra", "pick", "sắp đến hạn mà chưa ai giữ") == 303
    csrf = sit_down(client, "thanhtra")
    assert "Hoàn tác" in client.get("/list").text
    form = {"csrf": csrf, "key": secrets.token_urlsafe(24), "page": "/list"}
    assert client.post("/decisions/undo", data=form, follow_redirects=False).headers["location"] == "/list"
    assert stands() == {PICKED: decisions.DecisionKind.OVERRIDE}
    assert "Hoàn tác" not in client.get("/list").text
    assert undo() == 422
    assert send(client, "thanhtra", "pick", "vẫn cần xem tại chỗ") == 303
    assert send(client, "lanhdao", "dismiss", "lãnh đạo bỏ chọn") == 303
    assert undo() == 422  # somebody decided since
    with people.state.reading() as session:
        assert decisions.latest_of(session, 1, NOW + decisions.UNDONE_WITHIN) == []
    assert stands() == {PICKED: decisions.DecisionKind.DISMISS}

"""Rights: the table is the truth.

Every route × role × unit answers as it says, and nothing else answers at all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from serving.access.permissions import EVERY_UNIT, GRANTS, Reach, Role, Scope, UnitTree, reach_of, scope_of
from serving.access.route_table import PUBLIC, ROUTES, action_of, templates
from serving.app import create_app
from serving.settings import Settings
from tests.drawn_office import dossier_id, official_of, unit_of
from tests.drawn_people import NOW, PEOPLE, Person, sit_down, staffed_office, token

UNITS = {"x1": {"x1", "x1.1"}, "*": {"x1", "x2", "x3", "x1.1"}}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return staffed_office(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def client(office: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=60)) as opened:
        yield opened


def test_every_route_has_a_rule_and_every_rule_a_route(client: TestClient) -> None:
    present = {f"{method} {one.path}" for one in templates(cast(FastAPI, client.app)) for method in one.methods}
    assert len(present) > 25
    assert present - set(ROUTES) == set()
    assert set(ROUTES) - present == set()
    assert {action for action in ROUTES.values() if action != PUBLIC} <= set(GRANTS)


def test_a_route_without_a_rule_is_closed_to_all(office: Settings) -> None:
    app = create_app(office, now=lambda: NOW, poll_seconds=60)

    @app.get("/api/v1/forgotten")
    def forgotten() -> dict[str, str]:
        return {"secret": "yes"}

    with TestClient(app) as client:
        for person in PEOPLE:
            sit_down(client, person.login)
            assert client.get("/api/v1/forgotten").status_code == 403


def test_what_is_not_written_is_denied() -> None:
    assert action_of("DELETE", "/list") is None
    assert action_of("HEAD", "/list") == "list.read"
    for role in Role:
        assert reach_of(role, "unheard.of") is None
    assert scope_of(None, EVERY_UNIT, "o1", UnitTree({})) == Scope(frozenset())
    assert not scope_of(Reach.OWN, EVERY_UNIT, None, UnitTree({})).covers("x1", None)


@dataclass(frozen=True)
class Case:
    """A request about one dossier and the action that it takes."""

    method: str
    path: str
    form: dict[str, str]


def cases(number: int, login: str) -> list[Case]:
    key = dossier_id(number)
    reason = {"reason": "đủ căn cứ", "key": f"{number:04d}-{login.replace('.', '-')}-" + "k" * 30}
    return [
        Case("GET", f"/dossier?id={key}", {}),
        Case("GET", f"/api/v1/dossiers/{key}", {}),
        Case("POST", "/decisions", {"dossier": key, "kind": "dismiss", **reason}),
    ]


def api_cases(number: int, login: str) -> list[tuple[str, str, str, dict[str, str] | None]]:
    """The people's part of the API about one dossier: route, path, whose scope counts, body."""
    key, official = dossier_id(number), official_of(number)
    decision = {"dossier_id": key, "kind": "dismiss", "reason": "đủ căn cứ"}
    contest = {"dossier_id": key, "about": "fact", "text": f"chưa đúng {login}"}
    return [
        ("GET /api/v1/dossiers/{dossier_id:path}", f"/api/v1/dossiers/{key}", "dossier", None),
        ("GET /api/v1/signals/{dossier_id:path}", f"/api/v1/signals/{key}", "dossier", None),
        ("GET /api/v1/officials/{official_id}", f"/api/v1/officials/{official}", "official", None),
        ("POST /api/v1/decisions", "/api/v1/decisions", "dossier", decision),
        ("POST /api/v1/contests", "/api/v1/contests", "dossier", contest),
        ("GET /official", f"/official?id={official}", "official", None),
        ("GET /unit", f"/unit?id={unit_of(number)}", "unit", None),
    ]


def template_of(case: Case) -> str:
    path = case.path.split("?")[0]
    return "/api/v1/dossiers/{dossier_id:path}" if path.startswith("/api/v1/dossiers/") else path


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.login)
def test_matrix_of_roles_routes_and_units(client: TestClient, person: Person) -> None:
    csrf = sit_down(client, person.login)
    for number in range(8):
        unit, official = unit_of(number), official_of(number)
        for case in cases(number, person.login):
            action = ROUTES[f"{case.method} {template_of(case)}"]
            reach = reach_of(person.role, action)
            inside = {
                None: False,
                Reach.PROVINCE: True,
                Reach.SUBTREE: unit in UNITS[person.unit] if reach is Reach.SUBTREE else False,
                Reach.OWN: official == person.official,
            }[reach]
            wanted = 403 if reach is None else 404 if not inside else 303 if case.method == "POST" else 200
            answer = client.request(
                case.method, case.path, data={**case.form, "csrf": csrf} if case.form else None, follow_redirects=False
            )
            assert answer.status_code == wanted, (person, case, unit)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.login)
def test_matrix_of_roles_and_the_people_s_api(client: TestClient, person: Person) -> None:
    csrf = sit_down(client, person.login)
    for number in range(8):
        holder = official_of(number)
        for place, (rule, path, about, body) in enumerate(api_cases(number, person.login)):
            reach = reach_of(person.role, ROUTES[rule])
            unit = unit_of(int(holder[1:]) if about == "official" else number)  # the post, not the dossier
            inside = {
                None: False,
                Reach.PROVINCE: True,
                Reach.SUBTREE: reach is Reach.SUBTREE and unit in UNITS[person.unit],
                Reach.OWN: about == "dossier" and holder == person.official,
            }[reach]
            key = f"{person.login.replace('.', '-')}-{number}-{place}-".ljust(30, "k")
            headers = {"X-CSRF-Token": csrf, "Idempotency-Key": key}
            answer = client.request(rule.split(" ")[0], path, json=body, headers=headers)
            wanted = 403 if reach is None else 200 if inside else 404
            assert answer.status_code == wanted, (person.login, rule, unit, answer.text[:200])


def test_every_route_refuses_every_role_without_the_right(client: TestClient) -> None:
    refused = 0
    for person in PEOPLE:
        csrf = sit_down(client, person.login)
        for key, action in ROUTES.items():
            if action == PUBLIC or reach_of(person.role, action) is not None:
                continue
            method, path = key.split(" ", 1)
            path = re.sub(r"\{[^}]*\}", "1", path.replace("{ending}", "xlsx").replace("{kind}", "month"))
            answer = client.request(method, path, headers={"X-CSRF-Token": csrf}, follow_redirects=False)
            assert answer.status_code == 403, (person.login, key, answer.status_code)
            refused += 1
    assert refused > 150


def test_every_page_answers_by_the_table(client: TestClient) -> None:
    pages = [
        path
        for key in ROUTES
        for method, path in [key.split(" ", 1)]
        if method == "GET"
        and "{" not in path
        and not path.startswith(("/login", "/api"))
        and path not in ("/", "/dossier", "/official", "/unit", "/evidence", "/reports/text")  # these ask for more
        and "visit" not in path
    ]
    assert len(pages) >= 9
    for person, page in product(PEOPLE, pages):
        sit_down(client, person.login)
        action = ROUTES[f"GET {page}"]
        wanted = 200 if action == PUBLIC or reach_of(person.role, action) else 403
        assert client.get(page).status_code == wanted, (person, page)


@pytest.mark.parametrize("person", [one for one in PEOPLE if one.unit != EVERY_UNIT], ids=lambda person: person.login)
def test_an_id_outside_the_scope_answers_like_an_absent_one(client: TestClient, person: Person) -> None:
    sit_down(client, person.login)
    for outside, absent in (
        ("/dossier?id=" + dossier_id(1), "/dossier?id=H00.00-000000-0000"),
        ("/api/v1/dossiers/" + dossier_id(1), "/api/v1/dossiers/H00.00-000000-0000"),
        ("/official?id=o2", "/official?id=o999"),
        ("/unit?id=x2", "/unit?id=x999"),
    ):
        first, second = client.get(outside), client.get(absent)
        assert first.status_code == second.status_code
        assert first.status_code in (403, 404)
        assert first.text == second.text


def test_lists_hold_nothing_from_outside(client: TestClient) -> None:
    for login, path in (
        ("thanhtra.x1", "/list?size=50&due=all"),
        ("truongphong", "/board"),
        ("canbo", "/own"),
        ("thanhtra.x1", "/api/v1/list?size=200"),
        ("thanhtra.x1", "/api/v1/list?unit=x2"),
    ):
        sit_down(client, login)
        shown = client.get(path)
        assert shown.status_code == 200
        outside = [
            n for n in range(90) if unit_of(n) not in UNITS["x1"] or (login == "canbo" and official_of(n) != "o1")
        ]
        assert [n for n in outside if dossier_id(n) in shown.text] == []
        if "unit=x2" not in path:
            assert dossier_id(0) in shown.text


def test_a_token_does_no_more_than_its_owner_and_its_actions(client: TestClient, office: Settings) -> None:
    client.cookies.clear()
    analyst = {"Authorization": f"Bearer {token(office, Role.ANALYST)}"}
    head = {"Authorization": f"Bearer {token(office, Role.UNIT_HEAD, unit='x1')}"}
    assert client.get("/api/v1/list", headers=analyst).status_code == 200
    assert client.get("/api/v1/list", headers=head).status_code == 403
    assert client.get(f"/api/v1/dossiers/{dossier_id(0)}", headers=head).status_code == 200
    assert client.get(f"/api/v1/dossiers/{dossier_id(1)}", headers=head).status_code == 404
    for wrong in ("Bearer risk_wrong", "Bearer", "Basic cXVhbnRyaTp4", "Bearer " + "x" * 5000):
        answer = client.get("/api/v1/list", headers={"Authorization": wrong})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_gets_in_without_an_account(client: TestClient) -> None:
    client.cookies.clear()
    for key in ROUTES:
        method, path = key.split(" ", 1)
        if ROUTES[key] == PUBLIC:
            continue
        path = path.replace("{dossier_id:path}", "x").replace("{contest_id}", "1").replace("{ending}", "xlsx")
        path = path.replace("{account_id}", "1").replace("{token_id}", "1")
        answer = client.request(method, path, follow_redirects=False)
        if path.startswith("/api/"):
            assert answer.status_code == 401, key
        else:
            assert answer.status_code == 303, key
            assert answer.headers["location"].startswith("/login?next="), key


def test_a_form_without_its_key_or_from_another_site_has_no_effect(client: TestClient) -> None:
    csrf = sit_down(client, "thanhtra")
    form = {"dossier": dossier_id(2), "kind": "dismiss", "reason": "không có hiệu lực", "key": "z" * 30}
    assert client.post("/decisions", data=form).status_code == 403
    assert client.post("/decisions", data={**form, "csrf": csrf + "x"}).status_code == 403
    crossed = client.post("/decisions", data={**form, "csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert client.post("/decisions", json={**form, "csrf": csrf}).status_code in (403, 422)
    assert "không có hiệu lực" not in client.get(f"/dossier?id={dossier_id(2)}").text


UNIT = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(UNIT, st.none() | UNIT, st.none() | UNIT), max_size=20), UNIT)
def test_a_subtree_holds_its_root_and_is_closed(rows: list[tuple[str, str | None, str | None]], root: str) -> None:
    tree = UnitTree.of(rows)
    below = tree.subtree(root)
    assert root in below
    for child in below:
        assert tree.subtree(child) <= below


def test_a_head_keeps_the_units_that_the_own_unit_took_over() -> None:
    tree = UnitTree.of(
        [("new", "tinh", "old"), ("old", "huyen", None), ("old.1", "old", None), ("huyen", "tinh", None)]
    )
    assert tree.subtree("new") == {"new", "old", "old.1"}
    assert tree.subtree("huyen") == {"huyen", "old", "old.1"}

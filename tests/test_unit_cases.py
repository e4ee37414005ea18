"""Work of a unit as cases: holder, term and state; given, done together, undone; by page and API, under one right."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.state import ExplanationSlip, open_state
from serving.warnings.turn import turn
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import AS_OF, dossier_id
from tests.drawn_people import NOW as PEOPLE_NOW
from tests.drawn_people import sit_down
from tests.drawn_warnings import rules, score

NOW = PEOPLE_NOW + timedelta(days=27)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    state = open_state(settings.database_url)
    score(settings, AS_OF + timedelta(minutes=1), {dossier_id(0): 0.9, dossier_id(4): 0.8}, unit="x1")
    turn(settings, state, rules(), now=datetime(2026, 3, 2, 1, 30, tzinfo=UTC))
    with state.writing() as session:
        session.add(
            ExplanationSlip(
                dossier_id=dossier_id(8), unit_code="x1", official_id="o1", step=None, missed_due_at=PEOPLE_NOW,
                over_hours=9.0, outage_hours=0.0, opened_at=PEOPLE_NOW, answer_due_at=PEOPLE_NOW + timedelta(days=3),
            )
        )  # fmt: skip
    state.close()
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        yield opened


def hidden(page: str, action: str) -> dict[str, str]:
    form = page.split(f'action="{action}"')[1].split("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(csrf|key)" value="([^"]*)"', form))


def test_every_case_has_unit_state_and_name_and_counts_are_those_of_the_pages(client: TestClient) -> None:
    sit_down(client, "truongphong")
    found = client.get("/api/v1/cases").json()
    assert {one["kind"] for one in found} >= {"warning", "explanation", "apology"}
    assert all(one["unit_code"] and one["state"] and one["subject"] for one in found)
    assert [one["term"] for one in found if one["term"]] == sorted(one["term"] for one in found if one["term"])
    assert all(one["dossier_id"] is None for one in found if one["kind"] == "complaint")
    owed = [one for one in client.get("/api/v1/apologies").json() if one["sent_at"] is None]
    assert len(owed) == sum(one["kind"] == "apology" for one in found)
    page = html.unescape(client.get("/cases").text)
    assert f"Tất cả ({len(found)})" in page
    for one in found[:20]:
        assert (one["dossier_id"] or one["subject"].split(":")[1]) in page


def test_cases_are_given_to_somebody_and_a_slip_is_undone(client: TestClient) -> None:
    sit_down(client, "truongphong")
    page = client.get("/cases?kind=apology").text
    ticked = re.findall(r'name="subject" value="([^"]+)"', page)[:2]
    official = re.findall(r'<option value="([^"]+)">', page.split('id="official"')[1].split("</select>")[0])[1]
    form = hidden(page, "/cases/assign")
    wish = form | {"subject": ticked, "official": official, "note": "làm trước"}
    given = client.post("/cases/assign", data=wish)
    assert given.status_code == 200
    assert "Đã lưu: giao việc" in given.text
    assert "Hoàn tác" in given.text
    mine = {one["subject"] for one in client.get("/api/v1/cases").json() if one["given"]}
    assert mine == set(ticked)
    assert client.post("/cases/assign", data=wish).status_code == 200  # sent twice: one effect
    receipt = client.app.state.context.people.receipts.latest(most=5)  # type: ignore[attr-defined]
    assert sum(one.action == "case.assign" for one in receipt) == 1
    undone = client.post("/cases/undo", data=hidden(given.text, "/cases/undo"))
    assert undone.status_code == 200
    assert not any(one["given"] for one in client.get("/api/v1/cases").json())


def test_letters_for_all_late_dossiers_are_drafted_at_once(client: TestClient) -> None:
    csrf = sit_down(client, "truongphong")
    owed = client.get("/api/v1/cases?kind=apology").json()
    key = {"Idempotency-Key": "letters-for-all-00000000", "X-CSRF-Token": csrf}
    day = (NOW + timedelta(days=5)).isoformat()
    past = {"new_due_at": NOW.isoformat(), "reason": "chờ ý kiến phối hợp", "subjects": []}
    assert client.post("/api/v1/cases/apologies", json=past, headers=key).status_code == 422
    wish = past | {"new_due_at": day}
    assert client.post("/api/v1/cases/apologies", json=wish, headers=key).status_code == 200
    page = client.get("/apologies").text
    assert len(re.findall(r'href="/apologies/\d+\.docx"', page)) >= min(len(owed), 50)
    again = {"Idempotency-Key": "letters-for-all-00000001", "X-CSRF-Token": csrf}
    assert client.post("/api/v1/cases/apologies", json=wish, headers=again).status_code == 422


@pytest.mark.parametrize(
    ("login", "opens", "gives"),
    [("thanhtra", 200, 403), ("truongphong", 200, 404), ("canbo", 200, 403), ("lanhdao", 200, 403),
     ("phantich", 403, 403), ("quantri", 403, 403)],
)  # fmt: skip
def test_who_sees_cases_and_who_gives_them(client: TestClient, login: str, opens: int, gives: int) -> None:
    csrf = sit_down(client, login)
    assert client.get("/cases").status_code == opens
    assert client.get("/api/v1/cases").status_code == opens
    wish = {"subjects": ["apology:absent"], "official_id": ""}
    key = {"Idempotency-Key": f"give-{login}-0000000000000000", "X-CSRF-Token": csrf}
    assert client.post("/api/v1/cases/assign", json=wish, headers=key).status_code == gives
    if login == "canbo":
        assert all(one["official_id"] == "o1" for one in client.get("/api/v1/cases").json())


def test_an_acknowledgement_by_a_slip_is_taken_back(client: TestClient) -> None:
    sit_down(client, "truongphong")
    page = client.get("/warnings").text
    ticked = re.findall(r'name="warning" value="(\d+)"', page)[:1]
    told = client.post("/warnings/acknowledge", data=hidden(page, "/warnings/acknowledge") | {"warning": ticked})
    assert f'name="warning" value="{ticked[0]}"' not in told.text
    back = client.post("/warnings/undo", data=hidden(told.text, "/warnings/undo"))
    assert f'name="warning" value="{ticked[0]}"' in back.text


def test_a_form_sent_by_the_script_is_told_its_fields_and_where_to_go(client: TestClient) -> None:
    sit_down(client, "truongphong")
    page = client.get("/cases").text
    here = {"X-Form": "1"}
    form = hidden(page, "/cases/assign")
    wish = form | {"new_due_at": "2000-01-01T08:00", "reason": "chờ ý kiến phối hợp", "subject": []}
    refused = client.post("/cases/apologies", data=wish, headers=here)
    assert refused.status_code == 422
    assert refused.json()["message"]
    long = client.post("/cases/assign", data=form | {"note": "x" * 1001}, headers=here)
    assert long.json()["fields"] == {"note": "Dài quá 1000 ký tự."}
    missing = client.post("/cases/apologies", data=form, headers=here).json()["fields"]
    assert set(missing) == {"new_due_at", "reason"}
    done = client.post("/views", data=form | {"page": "/cases", "name": "Tất cả"}, headers=here)
    assert (done.status_code, done.headers["x-location"]) == (204, "/cases")
    assert "location" not in done.headers

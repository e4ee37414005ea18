"""The API over a small office: lists, dossiers, posted scores, news, errors in one shape."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from features.record.schema import TABLES
from serving.access.permissions import Role
from serving.access.route_table import PUBLIC, action_of
from serving.api.events import NewsEvent
from serving.api.limits import MOST_BYTES
from serving.api.posted import PostedDossier
from serving.app import create_app
from serving.scoring.batch import score_record
from serving.settings import Settings
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_people import NOW, token

LATER = NOW + timedelta(minutes=5)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_office(tmp_path_factory.mktemp("office"))
    ship(settings.models, drawn_model(), "v1")
    score_record(settings, AS_OF, VIETNAM)
    return settings


@pytest.fixture(scope="module")
def client(office: Settings) -> Iterator[TestClient]:
    app = create_app(office, now=lambda: LATER, poll_seconds=3600)
    bearer = {"Authorization": f"Bearer {token(office, Role.ANALYST)}"}
    with TestClient(app, headers=bearer, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def first(client: TestClient) -> dict[str, Any]:
    """The first line of the list that is not overdue."""
    lines = client.get("/api/v1/list", params={"size": 200}).json()["lines"]
    return next(line for line in lines if line["left_hours"] > 0)


def posted(**changes: Any) -> dict[str, Any]:
    dossier = {
        "dossier_id": "P-1", "procedure_code": "1.001000", "unit_code": "x1", "channel": "online",
        "received_at": (AS_OF - timedelta(days=6)).isoformat(), "due_at": (AS_OF + timedelta(days=3)).isoformat(),
    }  # fmt: skip
    event = {
        "kind": "assigned", "official_id": "o1", "step": "Thẩm định",
        "happened_at": (AS_OF - timedelta(days=5)).isoformat(),
    }  # fmt: skip
    return {"dossier": dossier | changes, "events": [event], "as_of": AS_OF.isoformat()}


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    return body


def test_pages_of_the_list_follow_each_other(client: TestClient) -> None:
    whole = client.get("/api/v1/list", params={"size": 200}).json()
    assert whole["next"] is None
    assert whole["total"] == len(whole["lines"])
    seen, query = [], "?size=17"
    while query:
        page = client.get("/api/v1/list" + query).json()
        seen += page["lines"]
        query = page["next"]
    assert seen == whole["lines"]
    assert [line["rank"] for line in seen] == list(range(1, len(seen) + 1))
    assert whole["model_version"] == "v1"
    assert not whole["rule"]


def test_filters_narrow_the_list(client: TestClient) -> None:
    whole = client.get("/api/v1/list", params={"size": 200}).json()["lines"]
    for name, column in (("unit", "unit_code"), ("sector", "sector_code"), ("official", "official_id")):
        value = whole[0][column]
        found = client.get("/api/v1/list", params={name: value, "size": 200}).json()["lines"]
        assert found == [line for line in whole if line[column] == value]
    found = client.get("/api/v1/list", params={"ahead": True, "size": 200}).json()["lines"]
    assert found == [line for line in whole if line["left_hours"] > 0]
    least = whole[5]["score"]
    found = client.get("/api/v1/list", params={"least_score": least, "size": 200}).json()["lines"]
    assert found == [line for line in whole if line["score"] >= least]


def test_one_dossier_tells_its_way(client: TestClient, first: dict[str, Any]) -> None:
    answer = client.get(f"/api/v1/dossiers/{first['dossier_id']}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["line"] == first
    assert body["facts"]["unit_code"] == first["unit_code"]
    happened = [event["happened_at"] for event in body["timeline"]]
    assert happened == sorted(happened)
    assert "applicant_id" not in answer.text
    clock = body["clock"]
    assert clock["left_hours"] == first["left_hours"]
    assert clock["promises"][-1][1] == first["due_at"]
    elapsed = VIETNAM.working_hours(
        datetime.fromisoformat(first["received_at"]), datetime.fromisoformat(body["read_at"])
    )
    assert clock["elapsed_hours"] == pytest.approx(elapsed)
    if body["delay"]:
        parts = body["delay"]["parts"]
        assert sum(part["hours"] for part in parts) == pytest.approx(body["delay"]["hours"], abs=1e-9)


def test_an_unknown_dossier_and_one_out_of_scope_answer_alike(
    client: TestClient, office: Settings, first: dict[str, Any]
) -> None:
    unknown = is_problem(client.get("/api/v1/dossiers/no-such"), 404)
    other = "x2" if first["unit_code"] != "x2" else "x3"
    bearer = {"Authorization": f"Bearer {token(office, Role.UNIT_HEAD, unit=other)}"}
    hidden = is_problem(client.get(f"/api/v1/dossiers/{first['dossier_id']}", headers=bearer), 404)
    assert hidden == unknown


def test_a_posted_history_is_scored_with_reasons_that_add_up(client: TestClient) -> None:
    answer = client.post("/api/v1/score", json=posted())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert 0 < body["score"] < 1
    total = body["base"] + sum(reason["effect"] for reason in body["reasons"]) + body["others"]
    assert total == pytest.approx(body["log_odds"], abs=1e-9)
    assert body["model_version"] == "v1"
    assert body["left_hours"] == pytest.approx(VIETNAM.working_hours(AS_OF, AS_OF + timedelta(days=3)))


def test_less_time_left_is_more_risk(client: TestClient) -> None:
    near, far = (
        client.post("/api/v1/score", json=posted(due_at=(AS_OF + timedelta(days=days)).isoformat())).json()["score"]
        for days in (1, 30)
    )
    assert near > far


def test_what_is_known_later_plays_no_part(client: TestClient) -> None:
    body = posted()
    told = client.post("/api/v1/score", json=body).json()
    later = {"kind": "decided", "happened_at": (AS_OF + timedelta(hours=1)).isoformat()}
    body["events"].append(later)
    assert client.post("/api/v1/score", json=body).json() == told


def test_times_without_offset_are_local(client: TestClient) -> None:
    body = posted()
    told = client.post("/api/v1/score", json=body).json()
    local = (AS_OF - timedelta(days=6) + timedelta(hours=7)).replace(tzinfo=None).isoformat()
    assert client.post("/api/v1/score", json=posted(received_at=local)).json() == told


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"received_at": "yesterday"}, 422),
        ({"received_at": "0900-01-01T00:00:00Z"}, 422),
        ({"received_at": (AS_OF + timedelta(days=1)).isoformat()}, 422),
        ({"dossier_id": ""}, 422),
        ({"procedure_code": None}, 422),
    ],
)
def test_a_bad_history_is_refused_without_being_repeated(
    client: TestClient, changes: dict[str, Any], status: int
) -> None:
    body = is_problem(client.post("/api/v1/score", json=posted(**changes) | {"note": "Nguyễn Văn A"}), status)
    assert "Nguyễn" not in json.dumps(body, ensure_ascii=False)
    assert "yesterday" not in json.dumps(body)


def test_a_key_outside_the_contract_is_refused_by_name(client: TestClient, office: Settings) -> None:
    """Misspelt or renamed, it would be lost without a word: in a dossier, an event, beside them, in another form."""
    before = Record(office.record_url).version()
    event = posted()["events"][0] | {"dossier_id": "NEW-8"}
    dossier = posted()["dossier"] | {"dossier_id": "NEW-8"}
    for path, body, where in (
        ("score", posted(due_date="2026-03-01"), "due_date"),
        ("score", posted(x_list=[1]), "x_list"),
        ("score", posted() | {"as_off": "2026-03-01"}, "as_off"),
        ("events", {"dossiers": [dossier | {"due_date": None}]}, "due_date"),
        ("events", {"events": [event | {"x_note": 1}]}, "x_note"),
        ("events", {"events": [event], "complaints": []}, "complaints"),
    ):  # fmt: skip
        told = is_problem(client.post(f"/api/v1/{path}", json=body), 422)["errors"]
        assert any(where in one["where"].split(".") for one in told), (where, told)
    hidden = is_problem(client.post("/api/v1/score", json=posted(**{"Nguyễn Văn A": 1})), 422)
    assert "Nguyễn" not in json.dumps(hidden, ensure_ascii=False)
    is_problem(client.post("/api/v1/score", json=posted(**{f"x_{n}": n for n in range(501)})), 422)
    assert Record(office.record_url).version() == before


def test_no_body_takes_a_key_that_nobody_reads(client: TestClient) -> None:
    told = client.get("/api/v1/openapi.json").json()
    open_to_more = {"PostedDossier"}  # its attributes are x_…, all others it refuses
    bodies, seen = 0, set()
    for path in told["paths"].values():
        for method in path.values():
            for content in method.get("requestBody", {}).get("content", {}).values():
                bodies += 1
                waiting = re.findall(r"schemas/(\w+)", json.dumps(content))
                while waiting:
                    name = waiting.pop()
                    if name not in seen and not name.startswith("Body_"):  # a form: `known_parameters` looks at it
                        seen.add(name)
                        shape = told["components"]["schemas"][name]
                        waiting += re.findall(r"schemas/(\w+)", json.dumps(shape))
                        strict = shape.get("additionalProperties") is False or "enum" in shape or name in open_to_more
                        assert strict, name
    assert bodies > 15
    assert len(seen) > 15


def test_an_ended_dossier_is_a_conflict(client: TestClient) -> None:
    body = posted()
    body["events"].append({"kind": "decided", "happened_at": (AS_OF - timedelta(hours=2)).isoformat()})
    is_problem(client.post("/api/v1/score", json=body), 409)


def test_news_is_recorded_once_and_scored_at_once(client: TestClient) -> None:
    lines = client.get("/api/v1/list", params={"size": 200}).json()["lines"]
    first = next(line for line in lines if line["left_hours"] > 10)  # an extension counts a working day ahead
    event = {
        "dossier_id": first["dossier_id"], "kind": "extended", "step": "Thẩm định", "event_id": "api-1",
        "happened_at": (NOW - timedelta(minutes=1)).isoformat(),
        "due_at": (NOW + timedelta(days=60)).isoformat(), "reason": "Chờ kết quả đo đạc",
    }  # fmt: skip
    answer = client.post("/api/v1/events", json={"events": [event]})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["read"], body["appended"], body["known"], body["rejected"]) == (1, 1, 0, 0)
    (fresh,) = body["scores"]
    assert fresh["left_hours"] > first["left_hours"] + 200
    assert fresh["score"] < first["score"]
    again = client.post("/api/v1/events", json={"events": [event]}).json()
    assert (again["read"], again["appended"], again["known"], again["rejected"]) == (1, 0, 1, 0)
    assert again["scores"][0]["score"] == pytest.approx(fresh["score"], abs=1e-12)


def test_no_column_of_the_contract_is_lost_on_the_way_in(office: Settings, client: TestClient) -> None:
    tables = {table.name: {column.name for column in table.columns} for table in TABLES.values()}
    assert tables["dossier"] <= PostedDossier.model_fields.keys()
    assert tables["event"] <= NewsEvent.model_fields.keys()
    dossier = posted()["dossier"] | {
        "dossier_id": "NEW-9", "receiving_unit_code": "x1", "submitted_at": (NOW - timedelta(days=4)).isoformat(),
    }  # fmt: skip
    event = {
        "dossier_id": "NEW-9", "kind": "consulted", "event_id": "api-9", "to_unit_code": "x3", "papers": "bản vẽ;sổ",
        "happened_at": (NOW - timedelta(hours=1)).isoformat(), "step_due_at": (NOW + timedelta(days=3)).isoformat(),
    }  # fmt: skip
    assert client.post("/api/v1/events", json={"dossiers": [dossier], "events": [event]}).json()["appended"] == 2
    with Record(office.record_url).connect() as con:
        told = con.execute(
            "SELECT to_unit_code, papers, step_due_at IS NOT NULL FROM event WHERE dossier_id = 'NEW-9'"
        ).fetchall()
        came = con.execute("SELECT receiving_unit_code FROM dossier WHERE dossier_id = 'NEW-9'").fetchall()
    assert told == [("x3", "bản vẽ;sổ", True)]
    assert came == [("x1",)]


def test_neither_a_reset_nor_an_extension_without_a_reason_moves_the_lawful_promise(client: TestClient) -> None:
    lines = client.get("/api/v1/list", params={"size": 200}).json()["lines"]
    line = [line for line in lines if line["left_hours"] > 10][-1]
    for kind in ("reset", "extended"):
        event = {
            "dossier_id": line["dossier_id"], "kind": kind, "event_id": f"api-{kind}",
            "happened_at": (NOW - timedelta(minutes=1)).isoformat(),
            "due_at": (NOW + timedelta(days=60)).isoformat(),
        }  # fmt: skip
        (fresh,) = client.post("/api/v1/events", json={"events": [event]}).json()["scores"]
        assert datetime.fromisoformat(fresh["due_at"]) == datetime.fromisoformat(line["due_at"])


def test_a_new_dossier_can_be_told_and_gets_its_score(client: TestClient) -> None:
    dossier = posted()["dossier"] | {"dossier_id": "NEW-1"}
    body = client.post("/api/v1/events", json={"dossiers": [dossier], "events": []}).json()
    assert body["appended"] == 1
    assert body["scores"][0]["dossier_id"] == "NEW-1"
    is_problem(client.post("/api/v1/events", json={}), 422)


def test_news_that_another_process_took_in_count_in_the_next_score(
    office: Settings, client: TestClient, first: dict[str, Any]
) -> None:
    bearer = {"Authorization": client.headers["Authorization"]}
    apps = [create_app(office, now=lambda: LATER, poll_seconds=3600) for _ in range(2)]
    with TestClient(apps[0], headers=bearer) as one, TestClient(apps[1], headers=bearer) as other:
        for number, server in enumerate((one, other)):
            event = {"dossier_id": first["dossier_id"], "kind": "note", "event_id": f"two-{number}",
                     "happened_at": (LATER - timedelta(minutes=2 - number)).isoformat()}  # fmt: skip
            told = server.post("/api/v1/events", json={"events": [event]}).json()
            assert told["appended"] == len(told["scores"]) == 1
    _, events = apps[1].state.context.serving.desk.history(first["dossier_id"])
    assert {"two-0", "two-1"} <= {event["event_id"] for event in events}


def test_health_tells_age_and_model(client: TestClient) -> None:
    assert client.get("/api/v1/health").json()["status"] == "ok"
    (lateness,) = client.get("/api/v1/ready").json()["lists"]
    assert lateness["age_seconds"] == pytest.approx((LATER - AS_OF).total_seconds())
    assert lateness["model_version"] == "v1"


@pytest.mark.parametrize(
    ("query", "status"),
    [("size=201", 422), ("size=0", 422), ("offset=-1", 422), ("least_score=2", 422), ("target=nope", 404)],
)
def test_wishes_out_of_bounds_are_refused(client: TestClient, query: str, status: int) -> None:
    is_problem(client.get(f"/api/v1/list?{query}"), status)


def test_every_error_has_one_shape(client: TestClient, office: Settings) -> None:
    is_problem(client.get("/api/v1/no-such-thing"), 404)
    is_problem(client.delete("/api/v1/list"), 405)
    is_problem(client.get("/api/v1/list", headers={"Authorization": "Bearer nobody"}), 401)
    is_problem(client.post("/api/v1/score", content=b"{not json"), 422)
    inspector = {"Authorization": f"Bearer {token(office, Role.INSPECTOR)}"}
    is_problem(client.post("/api/v1/score", json=posted(), headers=inspector), 403)


def test_a_body_too_long_is_refused(client: TestClient) -> None:
    is_problem(client.post("/api/v1/score", content=b" " * (MOST_BYTES + 1)), 413)
    chunks = (b" " * 1_000_000 for _ in range(11))
    is_problem(client.post("/api/v1/score", content=chunks), 413)


def test_a_failure_tells_nothing_of_itself(office: Settings, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(office, now=lambda: LATER, poll_seconds=3600)

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    bearer = {"Authorization": f"Bearer {token(office, Role.LEADER)}"}
    with TestClient(app, headers=bearer, raise_server_exceptions=False) as client:
        app.state.context.serving.risk_list = broken
        body = is_problem(client.get("/api/v1/list"), 500)
    assert "secret" not in json.dumps(body)


def test_the_description_is_served_and_has_examples(client: TestClient) -> None:
    description = client.get("/api/v1/openapi.json")
    assert description.status_code == 200
    paths = description.json()["paths"]
    assert {"/api/v1/list", "/api/v1/score", "/api/v1/events", "/api/v1/health", "/api/v1/ready"} <= paths.keys()
    assert description.text.count('"examples"') >= 5
    for path in paths.values():
        for route in path.values():
            assert route.get("summary")


def test_the_service_imports_neither_mlflow_nor_shap_nor_learning() -> None:
    code = "import sys, serving.app; print([name for name in ('mlflow', 'shap', 'training') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "[]"


def test_without_any_list_the_service_says_so(tmp_path: Path) -> None:
    settings = Settings.from_env(tmp_path)
    bearer = {"Authorization": f"Bearer {token(settings, Role.ANALYST)}"}
    with TestClient(create_app(settings, now=lambda: LATER), headers=bearer) as client:
        is_problem(client.get("/api/v1/list"), 503)
        is_problem(client.post("/api/v1/score", json=posted()), 503)
        assert client.get("/api/v1/ready").status_code == 503
        assert client.get("/api/v1/health").status_code == 200


def test_what_was_read_before_is_told_by_its_tag(client: TestClient) -> None:
    first = client.get("/api/v1/list?size=5")
    again = client.get("/api/v1/list?size=5", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/api/v1/list?size=6", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("query", ["untit=x1", "unit=nowhere", "sector=nothing", "size=5&sort=score"])
def test_an_unknown_parameter_or_code_is_refused_and_the_known_are_told(client: TestClient, query: str) -> None:
    body = is_problem(client.get(f"/api/v1/list?{query}"), 422)
    assert "nowhere" not in json.dumps(body)


def test_every_route_that_asks_who_calls_says_how_to_show_it(client: TestClient) -> None:
    told = client.get("/api/v1/openapi.json").json()
    assert set(told["components"]["securitySchemes"]) == {"token", "session"}
    for path, methods in told["paths"].items():
        for method, route in methods.items():
            open_to_all = action_of(method.upper(), path) == PUBLIC
            assert ("security" in route) != open_to_all, (method, path)

"""`POST /api/v1/score` with the documented fields alone, and with whatever else may be sent: never a 500."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.permissions import Role
from serving.app import create_app
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_people import NOW, token

RECEIVED = AS_OF - timedelta(days=6)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An office whose record has attributes, one a text and one a number."""
    office = draw_office(tmp_path_factory.mktemp("office"))
    row = {
        "dossier_id": "A-1", "procedure_code": "1.001000", "unit_code": "x1", "received_at": RECEIVED,
        "x_kind_of_land": "ở", "x_abstract_placeholder": 1,
    }  # fmt: skip
    Record(office.record_url).append([Chunk("dossier", [row])], source="canonical", arrived_at=AS_OF)
    ship(office.models, drawn_model(), "v1")
    bearer = {"Authorization": f"Bearer {token(office, Role.ANALYST)}"}
    app = create_app(office, now=lambda: NOW, poll_seconds=3600)
    with TestClient(app, headers=bearer, raise_server_exceptions=False) as opened:
        yield opened


def history(**changes: Any) -> dict[str, Any]:
    dossier = {
        "dossier_id": "P-1", "procedure_code": "1.001000", "unit_code": "x1", "received_at": RECEIVED.isoformat(),
        "due_at": (AS_OF + timedelta(days=3)).isoformat(),
    }  # fmt: skip
    event = {
        "kind": "assigned", "official_id": "o1", "step": "Thẩm định",
        "happened_at": (AS_OF - timedelta(days=5)).isoformat(),
    }  # fmt: skip
    return {"dossier": dossier | changes, "events": [event], "as_of": AS_OF.isoformat()}


def test_documented_fields_are_enough_and_an_absent_attribute_is_an_empty_one(client: TestClient) -> None:
    plain = client.post("/api/v1/score", json=history())
    empty = client.post("/api/v1/score", json=history(x_kind_of_land=None, x_abstract_placeholder=None))
    assert plain.status_code == empty.status_code == 200, plain.text
    assert plain.json() == empty.json()
    unheard = client.post("/api/v1/score", json=history(x_unheard_of="whatever"))
    assert unheard.json() == plain.json()


@pytest.mark.parametrize(("name", "value"), [("x_kind_of_land", 7), ("x_abstract_placeholder", "seven")])
def test_an_attribute_of_another_kind_is_refused_by_name(client: TestClient, name: str, value: object) -> None:
    answer = client.post("/api/v1/score", json=history(**{name: value}))
    assert answer.status_code == 422
    assert name in answer.json()["detail"]


NUMBERS = st.one_of(
    st.sampled_from([0, -1, 10**400, -(10**400), 2**63, 1e308, -1e308, 5e-324]), st.floats(width=64), st.integers()
)
TEXTS = st.one_of(
    st.text(max_size=40), st.sampled_from(["", "\x00", "\x00never seen", "\ud800", "'; DROP TABLE x", "𝔘" * 600])
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda at: at.isoformat()),
    st.sampled_from(["2026-02-20T08:00:00", "9999-12-31T23:59:59.999999-14:00", "1990-01-01T00:00:00+14:00",
                     "2099-12-31T23:59:59Z", "2026-02-30", "", 0, -1, 1e300]),
)  # fmt: skip
VALUES = st.one_of(NUMBERS, TEXTS, MOMENTS, st.none(), st.booleans(), st.lists(st.integers(), max_size=2))
FIELDS = ("dossier_id", "procedure_code", "unit_code", "received_at", "due_at", "known_at", "channel", "applicant_kind",
          "x_kind_of_land", "x_abstract_placeholder", "x_", "sector_code", "as_of_us", "row_id")  # fmt: skip
EVENT_FIELDS = ("kind", "happened_at", "known_at", "official_id", "unit_code", "step", "due_at")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
    event=st.dictionaries(st.sampled_from(EVENT_FIELDS), VALUES, max_size=3),
    as_of=st.one_of(st.just(AS_OF.isoformat()), MOMENTS),
)
def test_hostile_values_are_scored_or_refused_but_nothing_breaks(
    client: TestClient, changes: dict[str, Any], event: dict[str, Any], as_of: Any
) -> None:
    body = history(**changes)
    body["events"].append({**body["events"][0], **event})
    body["as_of"] = as_of
    # what a program in another language may send: NaN, infinity, lone surrogates
    sent = json.dumps(body).encode()
    answer = client.post("/api/v1/score", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 409, 422), (answer.status_code, answer.text[:300])
    if answer.status_code == 200:
        assert 0 <= answer.json()["score"] <= 1

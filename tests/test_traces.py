"""Traces are off by default; switched on they tell of requests, scores and the database, and of nobody."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.permissions import Role
from serving.app import create_app
from serving.settings import Settings
from serving.traces import Traces
from tests.drawn_model import drawn_model, ship
from tests.drawn_people import NOW, token

SECRET = "H99.24-SECRET-0900000001"


@pytest.fixture
def spans(tmp_path: Path) -> list[Any]:
    """The spans of a few requests, one of which scores, one of which asks for what is not there."""
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="needs extra otel")
    exporter = memory.InMemorySpanExporter()
    settings = Settings.from_env(tmp_path)
    received = NOW - timedelta(days=20)
    dossier: dict[str, Any] = {"dossier_id": "d1", "procedure_code": "1.001", "unit_code": "U", "received_at": received,
               "due_at": received + timedelta(days=60)}  # fmt: skip
    Record(settings.record_url).append([Chunk("dossier", [dossier])], source="drawn", arrived_at=NOW)
    ship(settings.models, drawn_model(), "v1")
    bearer = token(settings, Role.ANALYST)
    app = create_app(settings, now=lambda: NOW, poll_seconds=3600, traces=Traces(exporter))
    with TestClient(app, headers={"Authorization": f"Bearer {bearer}"}) as client:
        client.get(f"/api/v1/dossiers/{SECRET}?name=Nguyễn")
        posted = {"dossier": {**dossier, "dossier_id": SECRET, "received_at": received.isoformat(),
                              "due_at": dossier["due_at"].isoformat()}, "as_of": NOW.isoformat()}  # fmt: skip
        assert client.post("/api/v1/score", json=posted).status_code == 200
        assert client.get("/api/v1/nowhere").status_code == 404
    found = exporter.get_finished_spans()
    assert bearer not in str([span.to_json() for span in found])
    return list(found)


def test_requests_scores_and_statements_have_spans_that_name_nobody(spans: list[Any]) -> None:
    named = {span.name: span for span in spans}
    looked = named["GET /api/v1/dossiers/{dossier_id:path}"]
    assert dict(looked.attributes) | {"http.status_code": 0} == {
        "http.method": "GET",
        "http.route": "/api/v1/dossiers/{dossier_id:path}",
        "http.status_code": 0,
    }
    asked = named["POST /api/v1/score"]
    score = named["score"]
    assert score.parent.span_id == asked.context.span_id
    assert score.end_time >= score.start_time
    assert dict(named["SELECT"].attributes) == {"db.system.name": "sqlite", "db.operation.name": "SELECT"}
    assert {span.context.trace_id for span in spans if span.name == "SELECT"} & {looked.context.trace_id}
    told = " ".join(span.to_json() for span in spans)
    assert "SECRET" not in told
    assert "Nguy" not in told
    assert "testclient" not in told


def test_off_by_default_and_a_setting_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert not Traces.to(Settings.from_env(tmp_path).otlp_endpoint).on
    with Traces.to("").span("anything"):
        pass
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert Settings.from_env(tmp_path).otlp_endpoint == "http://127.0.0.1:4318"
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ValueError, match="extra otel"):
        Traces.to("http://127.0.0.1:4318")


def test_of_an_error_only_its_kind_is_told() -> None:
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="needs extra otel")
    exporter = memory.InMemorySpanExporter()
    traces = Traces(exporter)
    with pytest.raises(KeyError), traces.span("work"):
        raise KeyError(SECRET)
    traces.close()
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes) == {"error.type": "KeyError"}
    assert not span.events
    assert span.status.description is None

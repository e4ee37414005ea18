"""The analyst's page: gates, drawings from what training kept, and a promotion that is asked for once, with why."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.jobs.model_jobs import promote_by_command
from serving.use_cases import model_work
from tests.drawn_people import NOW, sit_down, staffed_office

MANIFEST = json.dumps(
    {"about": {"champion": {"auc": [0.01, -0.02, 0.04]}}, "weights": {"trees": 1.0}, "features": ["step"]}
)
SHA = sha256(MANIFEST.encode()).hexdigest()
GATES = [
    {"name": "leak", "holds": True, "words": "AUC 0.817"},
    {"name": "calibration", "holds": True, "words": "slope 1.01"},
]
REFUSING = [*GATES, {"name": "groups", "holds": False, "words": "largest gap +0.120"}]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        yield opened


def shelve(client: TestClient, gates: list[dict[str, Any]], trained_by: str = "an") -> Path:
    """Puts a candidate of these gates on the shelf, beside no champion."""
    folder: Path = client.app.state.context.serving.settings.models / "lateness"  # type: ignore[attr-defined]
    (folder / "v1").mkdir(parents=True, exist_ok=True)
    said = {"version": "v1", "sha256": SHA, "gates": gates, "trained_by": trained_by}
    (folder / "candidate.json").write_text(json.dumps(said))
    (folder / "v1" / "manifest.json").write_text(MANIFEST)
    return folder


def ask(client: TestClient, login: str = "phantich", **changed: str) -> int:
    """Sends the form; the status of the answer."""
    csrf = sit_down(client, login)
    form = {"csrf": csrf, "key": "p" * 30, "sha256": SHA, "reason": "dữ liệu mới hơn"} | changed
    return client.post("/analyst/promote", data=form, follow_redirects=False).status_code


def promotions(client: TestClient) -> list[str]:
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    return [one.detail for one in receipts.latest(action="model.promote")]


def test_a_gate_that_does_not_hold_closes_the_button_and_the_door(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_work, "promote_by_command", lambda *_: pytest.fail("asked although a gate refuses"))
    shelve(client, REFUSING)
    sit_down(client, "phantich")
    page = client.get("/analyst").text
    assert "disabled" in page
    assert "chưa đạt</b>: Các nhóm được đối xử như nhau" in page
    assert 'action="/analyst/promote"' not in page
    assert ask(client) == 422
    shelve(client, GATES, trained_by="phantich")
    assert "Người huấn luyện không tự đưa" in client.get("/analyst").text
    assert ask(client) == 422
    shelve(client, GATES)
    assert ask(client, sha256="cd" * 32) == 422, "another candidate than the one seen"
    assert ask(client, reason="  ") == 422
    assert ask(client, login="lanhdao") == 403
    assert promotions(client) == []


def test_a_promotion_is_asked_for_once_with_its_reason(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(model_work, "promote_by_command", lambda _, target, by: asked.append((target, by)))
    shelve(client, GATES)
    assert [ask(client), ask(client)] == [303, 303]
    assert asked == [("lateness", "phantich")]
    (receipt,) = promotions(client)
    assert json.loads(receipt) == {"candidate": "v1", "reason": "dữ liệu mới hơn"}
    monkeypatch.setattr(model_work, "promote_by_command", lambda *_: "refused by groups")
    assert ask(client, key="q" * 30) == 422
    assert json.loads(promotions(client)[0])["outcome"] == "refused by groups"


def test_drawings_show_what_training_kept(client: TestClient) -> None:
    folder = shelve(client, GATES)
    figures = {"auc": [0.81, 0.78, 0.84], "brier": [0.15, 0.14, 0.16], "slope": [None, None, None]}
    origins = [
        {"cutoff": f"2026-0{month}-01T00:00:00+00:00", "until": f"2026-0{month + 1}-01T00:00:00+00:00", "n": 300,
         "late": 0.3, "figures": {"product": figures, "best rule": figures},
         "curve": [[0.1, 0.08, 150], [0.6, 0.63, 150]]}
        for month in (1, 2)
    ]  # fmt: skip
    (folder / "rolling.json").write_text(json.dumps(origins))
    sit_down(client, "phantich")
    page = client.get("/analyst").text
    assert "Hiệu chỉnh: tỷ lệ dự đoán và tỷ lệ thật" in page
    assert page.count("<circle") == 2
    assert "AUC tại mỗi mốc học lại" in page
    assert "0,810 (0,780 – 0,840)" in page
    assert "Ứng viên cạnh mô hình đang dùng" in page


@pytest.mark.slow
def test_the_command_says_why_it_refuses(tmp_path: Path) -> None:
    assert "no candidate of lateness" in (promote_by_command(tmp_path, "lateness", "an") or "")


def test_a_damaged_champion_of_another_target_is_told_on_the_page_and_by_the_service(client: TestClient) -> None:
    other = shelve(client, GATES).parent / "promise_moved"
    (other / "v7").mkdir(parents=True)
    (other / "champion.json").write_text(json.dumps({"version": "v7", "sha256": SHA}))
    (other / "v7" / "manifest.json").write_text(MANIFEST)
    sit_down(client, "phantich")
    assert "không đọc được" not in client.get("/analyst").text
    (other / "v7" / "manifest.json").write_text(MANIFEST.replace("step", "unit"))
    page = client.get("/analyst").text
    assert "(bản v7) không đọc được" in page
    told = [one for one in client.get("/api/v1/ready").json()["models"] if one["target"] == "promise_moved"]
    assert [(one["version"], one["trouble"]) for one in told] == [("v7", "tệp mô tả không phải bản đã chọn")]
    shutil.rmtree(other)

"""A plan from the wizard to approval, on pages and by API: previewed without naming a unit, sealed once, approved."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.plan.rules import Rules
from serving.plan.store import PlanStore
from serving.use_cases.planning import PlanWish
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import dossier_id
from tests.drawn_people import NOW, sit_down

MONTH = "2026-05"


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    # the drawn office has three units: too few for the directives' quotas
    rules = Rules(home_affairs_missions=0, high_risk_visits=0, min_gap_days=0)
    monkeypatch.setattr(PlanWish, "rules", lambda _: rules)
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as opened:
        yield opened


def form_of(page: str, action: str) -> dict[str, str]:
    inside = page.split(f'action="{action}"')[1].split("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside))


def faults(client: TestClient) -> list[str]:
    """What the verification of receipts finds: the drawn office's own plan was written without any."""
    checked = client.get("/receipts/verify")
    assert checked.status_code == 200
    return re.findall("<li>.*?</li>", checked.text)


def test_a_plan_goes_from_the_wizard_to_approval(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    before = faults(client)
    sit_down(client, "thanhtra")
    form = form_of(client.get("/plan/make").text, "/plan/make")
    wish = {"month": MONTH, "days_a_month": "10", "visits_a_day": "6"}
    seen = client.post("/plan/make", data={**form, **wish, "act": "preview"})
    assert seen.status_code == 200
    assert "Giá của từng quy tắc" in seen.text
    assert client.get("/api/v1/plans").json()[-1]["plan_id"] != MONTH  # looking seals nothing
    sealed = client.post("/plan/make", data={**form, **wish, "act": "seal"})
    assert sealed.status_code == 200
    assert str(sealed.url).endswith(f"/plan?plan={MONTH}")
    again = client.post("/plan/make", data={**form, **wish, "key": "k" * 24, "act": "seal"})
    assert again.status_code == 422
    assert "muốn lập thêm thì ghi lý do" in again.text
    sit_down(client, "lanhdao")
    assert "Kế hoạch kiểm tra chờ duyệt" in client.get("/").text
    page = client.get(f"/plan?plan={MONTH}").text
    assert "Đã duyệt" in client.post("/plan/approve", data=form_of(page, "/plan/approve")).text
    assert faults(client) == before, "who seals on a page leaves a chain that can be verified"


def test_a_preview_by_api_names_no_unit_and_a_rule_that_cannot_be_is_refused(client: TestClient) -> None:
    headers = {"X-CSRF-Token": sit_down(client, "thanhtra")}
    wish = {"month": MONTH, "days_a_month": 10, "visits_a_day": 6}
    found = client.post("/api/v1/plans/preview", json=wish, headers=headers)
    assert found.status_code == 200
    assert {"quotas", "prices", "expected", "guessable", "visits", "team_visits"} == found.json().keys()
    for wrong in ({"month": "2026-13"}, {"month": MONTH, "target": "x"}):
        assert client.post("/api/v1/plans/preview", json=wrong, headers=headers).status_code == 422


def test_a_pick_goes_into_the_next_plan_named_as_one_and_heads_do_not_learn_of_it(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    picked, reason = dossier_id(4), "ba người dân kêu cùng một việc"
    form = form_of(client.get("/list?due=all").text, "/picks")
    assert client.post("/picks", data={**form, "dossier": picked, "reason": reason}).status_code == 200
    shown = client.get("/plan").text
    assert picked in shown
    assert reason in shown
    assert "chờ kế hoạch sau" in shown, "what was sealed before does not change"
    form = form_of(client.get("/plan/make").text, "/plan/make")
    wish = {"month": MONTH, "days_a_month": "10", "visits_a_day": "6", "act": "seal"}
    assert client.post("/plan/make", data={**form, **wish}).status_code == 200
    assert f"đã tính vào kế hoạch {MONTH}" in client.get("/plan").text
    settings = client.app.state.context.serving.settings  # type: ignore[attr-defined]
    kept = PlanStore(settings.home / "plans", settings.keys).open(MONTH)
    assert [one for unit in kept.brief["units"] for one in unit.get("picked", ())] == [picked]
    lines = [(visit["by"], line) for visit in kept.plan["visits"] for line in visit["sheet"]]
    assert {by for by, line in lines if line["chosen_by"] == "pick"} <= {"home_affairs", "centre"}
    assert all(line["chosen_by"] != "pick" for by, line in lines if by == "own_head")

"""What would help a dossier: to hand it on, by scoring again, told only where two models see a saving."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from fastapi.testclient import TestClient

from features.calendar.working_time import PLAIN_WEEK
from features.record.delivery import Chunk
from features.record.record import Record
from models.booster import TreeMember
from models.remaining_time import RemainingTime, with_bins
from models.risk_model import RiskModel
from serving.app import create_app
from serving.scoring.online import OnlineScorer, Variant
from serving.scoring.risk_list import Filters
from serving.scoring.what_if import LEAST, NEW_PERSON, Help, OpenCase, Reassignment, helps, open_case, planned, promised
from serving.settings import Settings
from tests.drawn_model import NUMBERS, drawn_model, ship
from tests.drawn_office import AS_OF, dossier_id, draw_office
from tests.drawn_people import NOW, sit_down, staffed_office

EDGES = np.array([0.0, 8.0, 40.0, 200.0])
LOAD = NUMBERS.index("official_open")


def model_of_loads(slower: float) -> RiskModel:
    """A model by which the load of the holder alone makes a dossier late, and whose hazard falls by `slower` a
    dossier held."""
    rng = np.random.default_rng(0)
    n = 3000
    x = rng.normal(size=(n, 4)) * 20
    x[:, LOAD] = rng.integers(0, 30, n)
    rows, bin_of = np.repeat(np.arange(n), 3), np.tile(np.arange(3), n)
    cells = with_bins(x, np.full(n, 30.0), EDGES, rows, bin_of)
    ends = rng.random(len(cells)) < 1 / (1 + np.exp(slower * cells[:, LOAD]))
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 8}
    names = [f"c{at}" for at in range(cells.shape[1])]
    data = lightgbm.Dataset(cells, ends.astype(float), feature_name=names, params={"verbosity": -1})
    trees = TreeMember(lightgbm.train(params, data, 30).model_to_string())
    model = drawn_model()
    ridge = model.members["ridge"]
    heavier = replace(ridge, coefficient=np.array([0.0, 0.0, 0.0, 4.0, 0.0]))  # type: ignore[type-var]
    return replace(
        model, members={**model.members, "ridge": heavier}, weights={"ridge": 1.0},
        remaining=RemainingTime(EDGES, trees, len(NUMBERS)),
    )  # fmt: skip


def told(tmp_path: Path, slower: float) -> tuple[Settings, list[Help]]:
    settings = draw_office(tmp_path)
    ship(settings.models, model_of_loads(slower), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    found = []
    for number in range(12):
        dossier, events = desk.history(dossier_id(number))
        if dossier is not None and events:
            found += helps(desk, dossier, events, AS_OF, [None])
    return settings, found


def test_a_new_person_helps_where_load_makes_late(tmp_path: Path) -> None:
    settings, found = told(tmp_path, 0.2)
    assert found
    for one in found:
        assert one.official_id is None
        assert one.low <= one.after <= one.high <= one.score - LEAST
    assert settings.models.exists()


def test_nothing_is_told_where_the_second_model_sees_no_saving(tmp_path: Path) -> None:
    assert told(tmp_path, -0.2)[1] == []


def test_the_saving_is_that_of_another_holder_and_not_of_another_event(tmp_path: Path) -> None:
    """Handed to whom it is with already, nothing is saved."""
    settings = draw_office(tmp_path)
    ship(settings.models, model_of_loads(0.2), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    dossier, events = desk.history(dossier_id(0))
    assert dossier is not None
    holder = next(event["official_id"] for event in reversed(events) if event.get("official_id"))
    assert helps(desk, dossier, events, AS_OF, [holder]) == []
    assert NEW_PERSON not in {event.get("official_id") for event in events}


def test_without_a_second_model_nothing_is_told(tmp_path: Path) -> None:
    settings = draw_office(tmp_path)
    ship(settings.models, replace(model_of_loads(0.2), remaining=None), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    dossier, events = desk.history(dossier_id(0))
    assert dossier is not None
    assert desk.opinions([Variant(dossier, events)], AS_OF) is None
    assert helps(desk, dossier, events, AS_OF, [None]) == []


def cases_of(desk: OnlineScorer, numbers: range) -> list[OpenCase]:
    histories = [desk.history(dossier_id(number)) for number in numbers]
    return [open_case(dossier, events, AS_OF) for dossier, events in histories if dossier is not None]


def desk_of(tmp_path: Path, slower: float) -> OnlineScorer:
    settings = draw_office(tmp_path)
    ship(settings.models, model_of_loads(slower), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    return desk


def test_a_plan_is_what_both_models_see_saved_over_all_dossiers_together(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 0.2)
    cases, scores = promised(desk, cases_of(desk, range(90)), AS_OF)
    assert len(cases) == len(scores) > 10
    assert (np.diff(scores) <= 0).all()
    plan = planned(desk, cases, AS_OF, [None], 7)
    assert 0 < len(plan.moves) <= 7
    assert len({move.dossier_id for move in plan.moves}) == len(plan.moves)
    assert plan.late_low <= plan.late <= plan.late_high
    assert plan.late > 0
    assert plan.hours_low <= plan.hours <= plan.hours_high
    for move in plan.moves:
        assert move.help.official_id is None
        assert move.help.high <= move.help.score - LEAST


def test_a_plan_of_no_saving_has_no_moves(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, -0.2)
    cases, _ = promised(desk, cases_of(desk, range(90)), AS_OF)
    assert planned(desk, cases, AS_OF, [None], 7) == Reassignment([])
    assert planned(desk, [], AS_OF, [None], 7) == Reassignment([])
    assert planned(desk, cases, AS_OF, [], 7) == Reassignment([])


def test_who_is_handed_a_dossier_holds_one_more(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 0.2)
    case = promised(desk, cases_of(desk, range(20)), AS_OF)[0][0]
    loads = [Variant(case.dossier, case.events, {"official_open": more}) for more in (-1000.0, 0.0, 1.0)]
    found = desk.opinions(loads, AS_OF)
    assert found is not None
    assert np.isfinite(found.by_hazard()).all()
    assert found.log_odds[0] < found.log_odds[1] < found.log_odds[2], "never below none held"
    assert (found.hours_late(np.full(3, 0.5)) >= 0).all()


def test_the_opinion_is_the_score(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 0.2)
    cases = cases_of(desk, range(20))
    found = desk.opinions([Variant(case.dossier, case.events) for case in cases], AS_OF)
    assert found is not None
    for case, log_odds, left in zip(cases, found.log_odds, found.left, strict=True):
        if left > 0:
            assert desk.score(case.dossier, case.events, AS_OF).log_odds == pytest.approx(log_odds)


def test_the_holder_is_the_last_known_by_then_in_whatever_order_events_come(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 0.2)
    dossier, events = desk.history(dossier_id(0))
    assert dossier is not None
    later = {"kind": "assigned", "happened_at": AS_OF + timedelta(hours=1), "official_id": "o7"}
    before = {"kind": "assigned", "happened_at": dossier["received_at"], "official_id": "o6"}
    assert open_case(dossier, [later, *reversed(events), before], AS_OF).holder == "o1"
    assert open_case(dossier, [], AS_OF).holder is None
    assert promised(desk, [open_case(dossier, [], AS_OF)], AS_OF)[0] == []


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The staffed office with its officials' posts where their dossiers are; o9 has left."""
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    posts = [
        {"official_id": who, "unit_code": unit, "valid_from": AS_OF - timedelta(days=300), "valid_to": until}
        for who, unit, until in (
            ("o1", "x1", None), ("o5", "x1", None), ("o2", "x2", None), ("o9", "x1", AS_OF - timedelta(days=30)),
        )
    ]  # fmt: skip
    Record(settings.record_url).append([Chunk("official", posts)], source="canonical", arrived_at=AS_OF)
    ship(settings.models, model_of_loads(0.2), "v1")
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=60)) as client:
        yield client


def test_a_head_asks_what_handing_on_would_change(office: TestClient) -> None:
    sit_down(office, "truongphong")
    units = {code: office.get(f"/api/v1/what-if?unit={code}") for code in ("x1", "x1.1", "x2", "tinh", "x99")}
    assert {code: one.status_code for code, one in units.items()} == {
        "x1": 200, "x1.1": 200, "x2": 404, "tinh": 404, "x99": 422,
    }  # fmt: skip
    assert units["x2"].json() == units["tinh"].json(), "another's unit is answered as one without dossiers"
    found = units["x1"].json()
    assert 0 < found["looked_at"] <= found["open"]
    assert 0 < found["expected_late"] <= found["looked_at"]
    plan = found["one_more"]
    assert plan["moves"]
    assert plan["late_low"] <= plan["late"] <= plan["late_high"]
    assert all(move["holder"] in ("o1", "o5") for move in plan["moves"])
    assert {move["help"]["official_id"] for move in found["handing_on"]["moves"]} <= {"o1", "o5"}
    page = office.get("/what-if")
    assert page.status_code == 200
    assert "Phường Sông Hồng" in page.text
    assert "không bảo đảm kết quả và không đánh giá ai" in page.text
    for move in plan["moves"]:
        assert move["dossier_id"] in page.text
    assert office.get("/what-if?unit=x2").status_code == 404
    assert 'href="/what-if"' in office.get("/board").text


def test_one_dossier_is_handed_to_who_may_hold_it_alone(office: TestClient) -> None:
    sit_down(office, "truongphong")
    listed = office.app.state.context.serving.risk_list("lateness")  # type: ignore[attr-defined]
    path = f"/api/v1/what-if/{listed.page(Filters(official='o1', ahead=True), 0, 1).lines[0].dossier_id}"
    answer = office.get(path).json()
    assert answer["official_id"] == "o1"
    assert [one["official_id"] for one in answer["options"]].count(None) == 1
    given = office.get(path, params={"official_id": "o5"}).json()["options"]
    assert {one["official_id"] for one in given} == {"o5", None}
    for one in given:
        assert 0 <= one["low"] <= one["after"] <= one["high"] <= 1
        assert 0 <= one["hours_low"] <= one["hours_after"] <= one["hours_high"]
    assert [one["official_id"] for one in office.get(path, params={"official_id": "o1"}).json()["options"]] == [None]
    refusals = [office.get(path, params={"official_id": who}) for who in ("o2", "o9", "nobody", "\x00new")]
    assert {one.status_code for one in refusals} == {422}
    assert len({one.text for one in refusals}) == 1, "unknown, gone and another unit's are one answer"
    assert office.get(f"/api/v1/what-if/{dossier_id(1)}").status_code == 404
    assert office.get("/api/v1/what-if/none").status_code == 404


@pytest.mark.parametrize(("login", "status"), [("canbo", 403), ("phantich", 403), ("quantri", 403), ("lanhdao", 200)])
def test_who_decides_nothing_asks_nothing(office: TestClient, login: str, status: int) -> None:
    sit_down(office, login)
    for path in ("/what-if", "/api/v1/what-if?unit=x1", f"/api/v1/what-if/{dossier_id(0)}"):
        assert office.get(path).status_code == status


def test_nothing_is_told_of_a_dossier_that_waits_or_is_overdue(office: TestClient) -> None:
    sit_down(office, "lanhdao")
    listed = office.app.state.context.serving.risk_list("lateness")  # type: ignore[attr-defined]
    for filters in (Filters(waiting=True), Filters(overdue=True)):
        lines = listed.page(filters, 0, 3).lines
        assert lines
        for line in lines:
            assert office.get(f"/api/v1/what-if/{line.dossier_id}").json()["options"] == []


def test_the_look_is_on_record_with_everybody_named(office: TestClient) -> None:
    sit_down(office, "truongphong")
    found = office.get("/api/v1/what-if?unit=x1").json()
    people = office.app.state.context.people  # type: ignore[attr-defined]
    move = found["one_more"]["moves"][0]
    for subject in ("unit:x1", f"official:{move['holder']}", f"dossier:{move['dossier_id']}"):
        assert "what_if.read" in {one.action for one in people.receipts.about(subject, most=8)}, subject


def test_a_record_that_fell_behind_is_asked_as_it_stood(tmp_path: Path) -> None:
    """Its dossiers are read as of a past day, which the single scores then need too."""
    settings = staffed_office(tmp_path)
    ship(settings.models, model_of_loads(0.2), "v1")
    later = NOW + timedelta(days=9)
    with TestClient(create_app(settings, now=lambda: later, poll_seconds=60)) as client:
        sit_down(client, "lanhdao")
        serving = client.app.state.context.serving  # type: ignore[attr-defined]
        assert serving.risk_list("lateness").read_at < later - timedelta(days=5)
        answer = client.get("/api/v1/what-if?unit=x1")
        assert answer.status_code == 200
        assert answer.json()["looked_at"] > 0


def test_where_one_person_holds_all_nothing_is_handed_among_them(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 0.2)
    cases, _ = promised(desk, [case for case in cases_of(desk, range(90)) if case.holder == "o1"], AS_OF)
    assert cases
    assert planned(desk, cases, AS_OF, ["o1"], 5) == Reassignment([])


def test_who_has_left_can_be_given_nothing(office: TestClient) -> None:
    register = office.app.state.context.read_model.register  # type: ignore[attr-defined]
    assert (register.officials["o9"], register.gone) == ("x1", {"o9"})
    csrf = sit_down(office, "truongphong")
    headers = {"X-CSRF-Token": csrf, "Idempotency-Key": "k" * 30}
    wish = {"subjects": ["warning:1"], "official_id": "o9"}
    answer = office.post("/api/v1/cases/assign", json=wish, headers=headers)
    assert answer.status_code == 422
    assert "an official of your units" in answer.text

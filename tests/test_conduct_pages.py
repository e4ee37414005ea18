"""Signals of conduct on pages: one tier at a time, nothing under 20 dossiers or 3 people, none for the inspected."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from models.conduct import ConductLine
from serving.app import create_app
from serving.pages.drawing import ratio_span
from serving.scoring.conduct_list_cache import has_enough_data
from tests.drawn_conduct import FEW, draw_full_office
from tests.drawn_office import AS_OF, dossier_id, rows_of, store_scores
from tests.drawn_people import NOW, sit_down

AFTER = NOW + timedelta(days=27)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    store_scores(settings, rows_of(80), as_of=AS_OF - timedelta(days=1))  # yesterday's list lacks the last ten
    store_scores(settings, rows_of(90))
    with TestClient(create_app(settings, now=lambda: AFTER, poll_seconds=3600)) as opened:
        yield opened


def rows(page: str) -> list[str]:
    return [row for body in page.split("<tbody>")[1:] for row in body.split("</tbody>", 1)[0].split("<tr>")[1:]]


def test_tiers_are_never_mixed(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    signals = rows(client.get("/conduct").text)
    reported = rows(client.get("/conduct?tier=reported").text)
    assert (len(signals), len(reported)) == (8, 2)
    assert rows(client.get("/conduct?tier=nonsense").text) == signals


def test_not_enough_data_is_an_answer_and_shows_no_figure(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    small = next(row for row in rows(client.get("/conduct").text) if "id=o2" in row)
    assert "chưa đủ dữ liệu" in small
    assert "gấp" not in small
    two, three = sorted(rows(client.get("/conduct?tier=reported").text), key=lambda row: "id=o4" in row)
    assert "chưa đủ dữ liệu" in two
    assert "chưa đủ dữ liệu" not in three
    assert "Chưa đủ dữ liệu (n = 7)" in client.get("/official?id=o2").text
    assert "Chưa đủ dữ liệu (n = 7)" in client.get("/unit?id=x2").text


def test_officials_and_units_stand_with_interval_and_n(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    for path in ("/official?id=o1", "/unit?id=x1"):
        page = client.get(path).text
        assert "2,5 – 4,5" in page
        assert "n = 60" in page
        assert "nên xem trước" in page
    assert "Dấu hiệu phiền hà" in client.get(f"/dossier?id={dossier_id(0)}").text


@pytest.mark.parametrize("login", ["truongphong", "canbo"])
def test_the_inspected_learn_nothing_of_signals(client: TestClient, login: str) -> None:
    sit_down(client, login)
    assert client.get("/conduct").status_code == 403
    assert client.get("/conduct.xlsx").status_code == 403
    for path in (f"/dossier?id={dossier_id(0)}", "/official?id=o1", "/unit?id=x1", "/board", "/own"):
        page = client.get(path).text
        assert "Dấu hiệu phiền hà" not in page
        assert "nên xem trước" not in page


def test_an_inspector_sees_only_the_own_units(client: TestClient) -> None:
    sit_down(client, "thanhtra.x1")
    shown = client.get("/conduct").text
    register = client.app.state.context.read_model.register  # type: ignore[attr-defined]
    assert (
        f"cán bộ đơn vị khác, {register.unit('x2')}" in shown
    )  # o1 acted in x1 and works in x2 by now: no name, no key
    assert "o1<" not in shown
    assert register.unit("x3") not in shown  # where o2 is
    assert client.get("/unit?id=x2").status_code == 404
    assert client.get("/unit?id=x2").text == client.get("/unit?id=absent").text


def test_badges_new_since_yesterday_and_drawn_by_chance(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    new = client.get("/list?due=new").text
    shown = [number for number in range(90) if dossier_id(number) in new]
    assert shown == list(range(80, 90))
    assert new.count(">mới<") == 10
    everything = "".join(client.get(f"/list?due=all&size=50&offset={offset}").text for offset in (0, 50))
    drawn = client.app.state.context.serving.drawn  # type: ignore[attr-defined]
    assert drawn
    assert everything.count(">ngẫu nhiên<") == len(drawn)


def test_ticked_dossiers_stand_in_the_plan_and_on_the_sheet_of_their_unit(client: TestClient) -> None:
    csrf = sit_down(client, "thanhtra")
    visit = client.get("/plan/visit?id=2026-03/x1/team").text
    ticked = next(dossier_id(n) for n in range(0, 90, 4) if dossier_id(n) not in visit)
    form = {"csrf": csrf, "dossier": ticked, "reason": "người dân gọi hai lần", "key": "p" * 24}
    assert client.post("/picks", data=form).status_code == 200
    assert "người dân gọi hai lần" in client.get("/plan").text
    assert ticked in client.get("/plan/visit?id=2026-03/x1/team").text
    found = {"csrf": csrf, "visit": "2026-03/x1/team", "dossier": ticked, "kind": "none", "key": "f" * 24}
    assert client.post("/plan/finding", data=found, follow_redirects=False).status_code == 303
    assert "đã ghi kết quả" in client.get("/plan").text


@given(st.sampled_from(["signal", "reported"]), st.integers(0, 60), st.none() | st.floats(0, 1))
def test_no_figure_without_enough_behind_it(tier: str, n: int, score: float | None) -> None:
    line = ConductLine("o", "u", None, score, False, n, None, None, 1, FEW, FEW, tier)
    assert has_enough_data(line) == (score is not None and n >= (20 if tier == "signal" else 3))


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_intervals_are_drawn_on_the_scale(one: float, other: float) -> None:
    low, high = sorted((one, other))
    span = ratio_span(low, high)
    assert span is not None
    start, width, even = span
    assert 0 <= start <= 160
    assert width >= 2
    assert even == 40.0


def test_no_interval_draws_nothing() -> None:
    assert ratio_span(None, 2.0) is None


def test_the_api_lists_the_same_lines_and_no_figure_of_too_little(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    lines = client.get("/api/v1/conduct").json()
    assert len(lines) == len(rows(client.get("/conduct").text))
    small = next(line for line in lines if line["official_id"] == "o2")
    assert (small["score"], small["low"], small["reasons_vi"]) == (None, None, "Chưa đủ dữ liệu")
    assert client.get("/api/v1/conduct?grain=unit").json()[0]["unit_code"] == "x1"
    sit_down(client, "truongphong")
    assert client.get("/api/v1/conduct").status_code == 403

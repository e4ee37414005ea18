"""Every figure of the province opens its dossiers, as many as it says; months add up; months are compared with care."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from features.intervals import newcombe
from serving.app import create_app
from tests.drawn_conduct import draw_full_office
from tests.drawn_people import NOW, sit_down


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as opened:
        yield opened


def test_each_figure_is_as_long_as_the_list_it_opens(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    page = client.get("/leadership").text
    links = re.findall(r'href="(/leadership/dossiers\?[^"]+)">(?:<b>)?([\d.]+)<', page)
    assert len(links) >= 20
    for link, told in links:
        heading = re.search(r"<h1>([\d.]+) hồ sơ", client.get(html.unescape(link)).text)
        assert heading is not None, link
        assert heading[1] == told, link
    standing = client.get("/api/v1/standing").json()["total"]
    for figure in ("received", "ended", "late", "open", "overdue", "waiting", "past_first"):
        rows = client.get(f"/api/v1/standing/dossiers?figure={figure}").json()
        assert len(rows) == min(standing[figure], 200), figure
        assert client.get(f"/leadership/dossiers.csv?figure={figure}").text.count("\r\n") == len(rows) + 1


def test_months_add_up_to_the_year(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    total, months = client.get("/api/v1/standing").json()["total"], client.get("/api/v1/standing/months").json()
    for figure in ("received", "ended", "late", "past_first"):
        assert sum(one[figure] for one in months) == total[figure]
    assert [one["month"] for one in months] == sorted({one["month"] for one in months})


@pytest.mark.parametrize(
    ("query", "status"),
    [("figure=late&month=2026-02", 200), ("figure=open&month=2026-02", 422), ("figure=guilty", 422),
     ("figure=late&month=2026-13", 422), ("figure=late&unit=nowhere", 422)],
)  # fmt: skip
def test_what_may_be_asked(client: TestClient, query: str, status: int) -> None:
    sit_down(client, "lanhdao")
    assert client.get(f"/api/v1/standing/dossiers?{query}").status_code == status
    sit_down(client, "truongphong")
    assert client.get(f"/api/v1/standing/dossiers?{query}").status_code == 403


def test_newcombe_gives_the_published_intervals() -> None:
    """Newcombe 1998, table II, method 10: 56/70 − 48/80 and 9/10 − 3/10."""
    assert newcombe((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-4)
    assert newcombe((9, 10), (3, 10)) == pytest.approx((0.1705, 0.8090), abs=5e-4)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.integers(1, 40))
def test_the_interval_of_a_difference_holds_it_and_turns_round(a: int, b: int, more_a: int, more_b: int) -> None:
    one, other = (a, a + more_a), (b, b + more_b)
    low, high = newcombe(one, other)
    assert low - 1e-12 <= one[0] / one[1] - other[0] / other[1] <= high + 1e-12
    back = newcombe(other, one)
    assert (low, high) == pytest.approx((-back[1], -back[0]))

"""Every way that a page offers leads somewhere for whoever is offered it: no role meets a closed door by a link."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving.access.permissions import reach_of
from serving.app import create_app
from serving.pages.rendering import MENU
from tests.drawn_conduct import draw_full_office
from tests.drawn_people import NOW, PEOPLE, Person, sit_down

FILES = (".csv", ".xlsx", ".docx", ".css", ".svg", ".zip")  # files have tests of their own


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    with TestClient(create_app(settings, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as opened:
        yield opened


def links(page: str) -> set[str]:
    """The links of a page, those to a place on it left out."""
    found = {html.unescape(link).split("#")[0] for link in re.findall(r'<a [^>]*?href="([^"]+)"', page)}
    return {link for link in found if link.startswith("/") and not link.split("?")[0].endswith(FILES)}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.login)
def test_no_link_leads_to_a_closed_door(client: TestClient, person: Person) -> None:
    sit_down(client, person.login)
    waiting, seen = [door.path for door in MENU if reach_of(person.role, door.action)], set()
    kinds: dict[str, int] = {}
    while waiting:
        link = waiting.pop()
        kind = re.sub(r"=[^&]*", "", link)  # of links alike but for their values two are followed
        if link in seen or kinds.get(kind, 0) >= 2:
            continue
        seen.add(link)
        kinds[kind] = kinds.get(kind, 0) + 1
        answer = client.get(link)
        assert answer.status_code == 200, (person.login, link)
        waiting += links(answer.text)
    assert len(seen) >= 3

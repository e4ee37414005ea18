"""The inbox of warnings in a browser: fits a phone, no violation of axe-core, a double click acknowledges once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from serving.access.permissions import Role
from serving.state import open_state
from serving.warnings.turn import turn
from tests.drawn_office import AS_OF, dossier_id, draw_office
from tests.drawn_people import NOW, Person, add_people
from tests.drawn_server import running
from tests.drawn_warnings import rules, score
from tests.test_browser import AXE, RULES, SIZES, Visit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = draw_office(tmp_path_factory.mktemp("office"))
    state = open_state(settings.database_url)
    add_people(state, (Person("truongphong", Role.UNIT_HEAD, "x1"),))
    score(settings, AS_OF + timedelta(minutes=1), {dossier_id(4 * n): 0.9 - n / 10 for n in range(4)})
    turn(settings, state, rules(), now=NOW)
    state.close()
    with running(settings.home, NOW) as url:
        yield url


@pytest.mark.parametrize(("size", "dossier"), [("desk", 0), ("phone", 4)])
def test_a_head_acknowledges_a_warning(browser: Browser, address: str, size: str, dossier: int) -> None:
    visit = Visit(browser, address, size)
    page = visit.page
    visit.log_in("truongphong")
    page.get_by_role("link", name="Cảnh báo", exact=True).click()
    expect(page.get_by_label("Việc sẽ làm (không bắt buộc)")).to_be_visible()
    page.wait_for_load_state()
    page.evaluate(AXE)  # through the debugger, past the page's own policy
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", RULES)["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    card = page.locator("article", has_text=dossier_id(dossier))
    expect(card).to_contain_text("Nơi rút ngắn được nhiều nhất")
    card.get_by_label("Đã xem cảnh báo này").check()
    page.get_by_label("Việc sẽ làm (không bắt buộc)").fill("Giao thêm người")
    page.get_by_role("button", name="Xác nhận các cảnh báo đã chọn").dblclick()
    expect(card).to_have_count(0)
    page.get_by_role("link", name="Đã xác nhận").click()
    expect(page.locator("article", has_text=dossier_id(dossier))).to_contain_text("Giao thêm người")
    visit.close()

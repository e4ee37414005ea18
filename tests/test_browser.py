"""A browser walks each role's main errand, on a desk and on a phone, with no violation of axe-core and no request out.

Screenshots are kept under `RISK_ARTEFACTS` (else the test's own folder).
"""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.drawn_conduct import draw_full_office
from tests.drawn_office import dossier_id
from tests.drawn_people import NOW, PASSWORD
from tests.drawn_server import running

pytestmark = pytest.mark.slow

SIZES = {"desk": (1366, 768), "phone": (360, 740)}
AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AFTER = NOW + timedelta(days=27)

PAGES = {
    "thanhtra": ["/", "/basis", "/plan/make", "/results", "/list?due=all", "/list",
                 "/list?level=r4&sector=DD", "/list?unit=nowhere", "/list?due=new",
                 "/conduct", "/conduct?grain=dossier", "/unit?id=x1", f"/dossier?id={dossier_id(0)}", "/contests",
                 "/official?id=o1", "/plan", "/plan/visit?id=2026-03/x1/team", "/tokens", "/dossier?id=absent"],
    "truongphong": ["/", "/self-inspections", "/explanations", "/apologies", "/consultations", "/complaints",
                    "/remedies", "/returns", "/reports", "/warnings",
                    "/board", f"/dossier?id={dossier_id(0)}", "/official?id=o1", "/contests", "/list", "/unit?id=x1"],
    "canbo": ["/", "/own", f"/dossier?id={dossier_id(0)}", "/contests"],
    "phantich": ["/analyst", "/warnings/effect", "/list", "/contests", "/tokens"],
    "lanhdao": ["/", "/receipts/verify", "/results", "/reports",
                 "/leadership", "/leadership?order=progress", "/plan", "/receipts", "/list",
                "/conduct?grain=unit", "/unit?id=x2"],
    "quantri": ["/", "/jobs", "/accounts", "/intake", "/receipts", "/tokens"],
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    with running(settings.home, AFTER) as url:
        yield url


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("RISK_ARTEFACTS") or tmp_path_factory.mktemp("artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Visit:
    """One person at one screen: a page whose requests and complaints are watched."""

    def __init__(self, browser: Browser, address: str, size: str, script: bool = True) -> None:
        width, height = SIZES[size]
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", java_script_enabled=script
        )
        self.page: Page = self.context.new_page()
        self.address = address
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.route("**/*", self._watch)
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self._heard("error", str(error)))

    def _watch(self, route: Route) -> None:
        if route.request.url.startswith(self.address + "/"):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 40" not in text:  # pages that must answer 403 and 404
            self.complaints.append(text)

    def log_in(self, login: str, to: str = "", password: str = PASSWORD) -> None:
        self.page.goto(self.address + "/")
        self.page.get_by_label("Tên đăng nhập").fill(login)
        self.page.get_by_label("Mật khẩu").fill(password)
        self.page.get_by_role("button", name="Đăng nhập").click()
        expect(self.page.get_by_role("button", name="Đăng xuất")).to_be_visible()
        if to:
            self.page.goto(self.address + to)
        self.page.wait_for_load_state()  # a key pressed before that may be lost

    def close(self) -> None:
        self.context.close()
        assert self.outside == []
        assert self.complaints == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("login", PAGES)
def test_every_page_of_every_role_is_accessible_and_fits(
    browser: Browser, address: str, artefacts: Path, login: str, size: str
) -> None:
    visit = Visit(browser, address, size)
    visit.log_in(login)
    violations: dict[str, Any] = {}
    for number, path in enumerate(PAGES[login]):
        visit.page.goto(address + path)
        visit.page.evaluate(AXE)  # through the debugger, past the page's own policy
        found = visit.page.evaluate("tags => axe.run(document, {runOnly: tags})", RULES)["violations"]
        if found:
            violations[path] = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], path
        assert visit.page.evaluate("document.documentElement.lang") == "vi"
        name = f"{size}-{login}-{number}-{re.sub(r'[^a-z]+', '-', path.split('?')[0]).strip('-')}.png"
        visit.page.screenshot(path=artefacts / name, full_page=True)
    visit.close()
    assert violations == {}


@pytest.mark.parametrize("size", SIZES)
def test_an_inspector_goes_from_the_list_to_a_finding(browser: Browser, address: str, size: str) -> None:
    visit = Visit(browser, address, size)
    page = visit.page
    visit.log_in("thanhtra")
    expect(page.get_by_role("heading", name="Hôm nay")).to_be_visible()
    page.get_by_role("link", name="Hồ sơ", exact=True).click()
    page.get_by_role("link", name=re.compile("Tất cả")).click()
    expect(page.get_by_role("heading", name="Danh sách rủi ro trễ hạn")).to_be_visible()
    number = 4 if size == "desk" else 8
    page.get_by_role("link", name=dossier_id(number)).click()
    expect(page.get_by_text("Trong 100 hồ sơ như thế này")).to_be_visible()
    page.get_by_label("Gác lại").check()
    page.get_by_label("Lý do (bắt buộc)").fill("Đơn vị đã có văn bản giải thích")
    page.get_by_role("button", name="Ghi quyết định").dblclick()
    expect(page.get_by_text("Đơn vị đã có văn bản giải thích")).to_have_count(1)
    page.get_by_role("link", name="Kiểm tra", exact=True).click()
    page.locator(".week a").nth(0 if size == "desk" else 1).click()
    form = page.locator("form[action='/plan/finding']").first
    form.get_by_label("Không có vấn đề").check()
    page.wait_for_load_state()
    before = page.locator("form[action='/plan/finding']").count()
    form.get_by_role("button").dblclick()
    expect(page.locator("form[action='/plan/finding']")).to_have_count(before - 1)
    expect(page.locator("p.good", has_text="Không có vấn đề")).to_have_count(1)
    visit.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_head_sees_what_runs_out_of_time(browser: Browser, address: str, size: str) -> None:
    visit = Visit(browser, address, size)
    visit.log_in("truongphong", "/board")
    expect(visit.page.get_by_role("heading", name="Phường Sông Hồng: việc cần lo trước")).to_be_visible()
    first = visit.page.locator("tbody tr").first
    expect(first).to_contain_text("quá")
    expect(first).to_contain_text("Xin lỗi, hẹn lại ngày trả")
    visit.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_official_contests_and_an_inspector_answers(browser: Browser, address: str, size: str) -> None:
    number = 16 if size == "desk" else 24
    visit = Visit(browser, address, size)
    visit.log_in("canbo", "/own")
    visit.page.get_by_role("link", name=dossier_id(number)).first.click()
    visit.page.get_by_label(re.compile("Người giữ hồ sơ đang giữ 43")).check()
    visit.page.get_by_label(re.compile("Điều chưa đúng")).fill(f"Số liệu chưa trừ hồ sơ đã bàn giao ({size})")
    visit.page.get_by_role("button", name="Gửi giải trình").click()
    expect(visit.page.get_by_text("điểm giữ nguyên")).to_be_visible()
    visit.close()
    visit = Visit(browser, address, size)
    visit.log_in("thanhtra")
    visit.page.get_by_role("link", name="Ý kiến", exact=True).click()
    card = visit.page.locator("article", has_text=f"({size})")
    card.get_by_label(re.compile("Giải trình đúng")).check()
    card.get_by_label("Trả lời (bắt buộc)").fill("Đã đính chính theo sổ bàn giao")
    card.get_by_role("button", name="Gửi trả lời").click()
    expect(card).to_contain_text("chờ chấm lại")
    visit.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_analyst_sees_why_the_button_is_closed(browser: Browser, address: str, size: str) -> None:
    visit = Visit(browser, address, size)
    visit.log_in("phantich", "/analyst")
    button = visit.page.get_by_role("button", name="Đưa vào dùng")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(re.compile("Chưa có mô hình ứng viên"))
    visit.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_leader_reads_the_ranking_and_who_looked(browser: Browser, address: str, size: str) -> None:
    visit = Visit(browser, address, size)
    visit.log_in("lanhdao", "/leadership")
    expect(visit.page.get_by_text("điểm tiến độ 766").first).to_be_visible()
    visit.page.get_by_label("Xếp theo").select_option("overdue")
    visit.page.get_by_role("button", name="Xếp").click()
    expect(visit.page).to_have_url(re.compile("order=overdue"))
    visit.page.get_by_role("link", name="Nhật ký").click()
    expect(visit.page.locator("tbody tr").first).to_contain_text("lanhdao")
    visit.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_administrator_adds_somebody_who_then_logs_in(browser: Browser, address: str, size: str) -> None:
    visit = Visit(browser, address, size)
    visit.log_in("quantri", "/accounts")
    page = visit.page
    page.get_by_label("Tên đăng nhập").fill(f"moi.{size}")
    page.get_by_label("Họ tên").fill("Người mới")
    page.get_by_label("Vai trò", exact=True).select_option("leader")
    handed = page.get_by_label("Mật khẩu tạm", exact=True).input_value()
    page.get_by_role("button", name="Thêm", exact=True).click()
    expect(page.get_by_role("row").filter(has_text=f"moi.{size}")).to_be_visible()
    visit.close()
    visit = Visit(browser, address, size)
    visit.log_in(f"moi.{size}", password=handed)
    expect(visit.page).to_have_url(re.compile("/password$"))
    visit.page.get_by_label("Mật khẩu hiện tại").fill(handed)
    visit.page.get_by_label("Mật khẩu mới", exact=True).fill(PASSWORD)
    visit.page.get_by_label("Mật khẩu mới, lần nữa").fill(PASSWORD)
    visit.page.get_by_role("button", name="Đổi mật khẩu").click()
    expect(visit.page).to_have_url(re.compile("/login"))
    visit.log_in(f"moi.{size}")
    expect(visit.page.get_by_role("link", name="Toàn tỉnh")).to_be_visible()
    visit.close()


def test_reading_and_deciding_work_without_scripts(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, "phone", script=False)
    visit.log_in("thanhtra", "/list?due=all")
    page = visit.page
    page.get_by_label("Mức rủi ro").select_option("r4")
    page.get_by_role("button", name="Lọc").click()
    expect(page).to_have_url(re.compile("level=r4"))
    expect(page.locator("tbody tr").first).to_contain_text("Rất cao")
    page.get_by_role("link", name=dossier_id(12)).click()
    page.get_by_label("Lý do (bắt buộc)").fill("Đọc không cần mã lệnh")
    page.get_by_role("button", name="Ghi quyết định").click()
    expect(page.get_by_text("Đọc không cần mã lệnh")).to_be_visible()
    visit.close()


def test_the_keyboard_alone_reaches_everything(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, "desk")
    visit.log_in("thanhtra", "/list?due=all")
    page = visit.page
    page.keyboard.press("Tab")
    expect(page.locator("a.skip").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#noi-dung$"))
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"q", "unit", "sector", "level", "Lọc", dossier_id(0)} <= reached
    page.goto(address + "/list?due=all")
    page.locator("a.skip").nth(1).focus()
    page.keyboard.press("Enter")
    steps = 0
    while page.evaluate("document.activeElement.type") != "checkbox":
        page.keyboard.press("Tab")
        steps += 1
        assert steps <= 8  # past the heads that sort, the first dossier can be ticked
    visit.close()


@pytest.mark.parametrize("login", PAGES)
def test_in_the_dark_every_page_reads_as_well(browser: Browser, address: str, artefacts: Path, login: str) -> None:
    visit = Visit(browser, address, "desk")
    visit.page.emulate_media(color_scheme="dark")
    visit.log_in(login)
    violations: dict[str, Any] = {}
    for number, path in enumerate(PAGES[login]):
        visit.page.goto(address + path)
        visit.page.evaluate(AXE)
        found = visit.page.evaluate("axe.run(document, {runOnly: ['color-contrast']})")["violations"]
        if found:
            violations[path] = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
        visit.page.screenshot(path=artefacts / f"dark-{login}-{number}.png", full_page=True)
    visit.close()
    assert violations == {}


def test_at_twice_the_size_nothing_is_cut_off(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, "desk")
    visit.log_in("thanhtra")
    visit.page.set_viewport_size({"width": 683, "height": 384})  # 200 % of 1366 × 768
    for path in PAGES["thanhtra"][:4]:
        visit.page.goto(address + path)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 683, path
    visit.close()


def test_six_lines_stand_above_the_fold(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, "desk")
    visit.log_in("thanhtra")
    visit.page.goto(address + "/list")
    # what the walks before decided stands above the list for an hour, with its undo
    visit.page.evaluate("document.querySelectorAll('form.good').forEach(form => form.remove())")
    tops = visit.page.evaluate(
        "[...document.querySelectorAll('tbody tr')].map(row => row.getBoundingClientRect().top + 40)"
    )
    assert sum(top < 768 for top in tops) >= 6
    visit.close()

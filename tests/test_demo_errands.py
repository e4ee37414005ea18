"""Each role's errands on the demo, in a browser, from login to done, on a desk and on a phone, without a command.

RISK_TEST_DEMO, where set, names a demo that is there already: its home, a colon, its password.
"""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.drawn_server import running
from tests.test_browser import AXE, RULES
from tests.test_links import links
from tests.test_pages_words import CODE, COMMAND, KEY, text_of

pytestmark = pytest.mark.slow
expect.set_options(timeout=30_000)

SIZES = {"desk": (1440, 900), "phone": (390, 844)}
ROLES = ("demo", "thu-truong", "can-bo", "phan-tich", "lanh-dao", "quan-tri")
SEES_NAMES = ("demo", "thu-truong", "lanh-dao")
MOST_BYTES = 200_000
COMMANDLINE = [sys.executable, "-c", "from serving.cli import main; main()"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and password of a served demo."""
    there = os.environ.get("RISK_TEST_DEMO")
    if there:
        folder, _, password = there.rpartition(":")
        home = Path(folder)
    else:
        home = tmp_path_factory.mktemp("demo") / "home"
        words = ["demo", "--no-serve", "--home", str(home)]
        told = subprocess.run([*COMMANDLINE, *words], capture_output=True, text=True, timeout=900)
        assert told.returncode == 0, told.stderr[-2000:]
        found = re.search(r"log in: demo / (\S+)", told.stdout)
        assert found is not None
        password = found[1]
    with running(home, datetime.now(UTC)) as address:
        yield address, password


def photo() -> bytes:
    """A picture as a phone takes it: turned by a mark, with its maker's name."""
    told, out = Image.Exif(), BytesIO()
    told[0x0112], told[0x010F] = 6, "A-Phone"
    Image.new("RGB", (400, 300), "grey").save(out, "JPEG", exif=told)
    return out.getvalue()


class Desk:
    """One person at one screen of the demo."""

    def __init__(self, browser: Browser, demo: tuple[str, str], login: str, size: str) -> None:
        self.address, self.size, self.login = demo[0], size, login
        width, height = SIZES[size]
        self.context = browser.new_context(viewport={"width": width, "height": height}, locale="vi-VN")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(self.address + "/")
        self.page.get_by_label("Tên đăng nhập").fill(login)
        self.page.get_by_label("Mật khẩu").fill(demo[1])
        self.page.get_by_role("button", name="Đăng nhập").click()
        expect(self.page.get_by_role("button", name="Đăng xuất")).to_be_visible()
        expect(self.page.get_by_role("heading", name="Hôm nay")).to_be_visible()

    def menu(self, words: str) -> None:
        with self.page.expect_navigation():
            self.page.locator("header").get_by_role("link", name=words, exact=True).click()

    def press(self, button: Locator) -> None:
        """Saves: the page is left and comes back with one line that says so."""
        with self.page.expect_navigation():
            button.click()
        expect(self.page.get_by_text(re.compile("Đã lưu:"))).to_be_visible()

    def close(self) -> None:
        self.context.close()
        assert self.errors == []


@pytest.mark.parametrize("size", SIZES)
def test_an_inspector_finds_picks_visits_and_writes_down(browser: Browser, demo: tuple[str, str], size: str) -> None:
    desk = Desk(browser, demo, "demo", size)
    page = desk.page
    desk.menu("Hồ sơ")
    rows = page.locator("table.list tbody tr")
    expect(rows.nth(9)).to_be_visible()
    assert page.locator("table.list tbody tr .over").count() == 0  # overdue among the first 25: none
    page.locator("details.views summary").click()
    if not page.get_by_label("Lưu bộ lọc đang xem, đặt tên").is_visible():
        page.locator("details.views summary").click()
    page.get_by_label("Lưu bộ lọc đang xem, đặt tên").fill(f"Buổi sáng {size}")
    desk.press(page.get_by_role("button", name="Lưu bộ lọc"))
    expect(page.get_by_role("link", name=f"Buổi sáng {size}", exact=True)).to_be_visible()
    rows.nth(3 if size == "desk" else 5).locator("input[type=checkbox]").check()
    page.get_by_label("Lý do chọn (bắt buộc)").fill("x")
    page.get_by_label("Lý do chọn (bắt buộc)").evaluate("field => field.removeAttribute('minlength')")
    page.get_by_role("button", name="Đưa hồ sơ đã chọn vào kế hoạch").click()
    expect(page.locator(".refused")).to_contain_text("ít nhất 5 ký tự")  # told at the field, nothing is lost
    assert rows.nth(3 if size == "desk" else 5).locator("input[type=checkbox]").is_checked()
    page.get_by_label("Lý do chọn (bắt buộc)").fill(f"sắp đến hạn, chưa ai động đến ({size})")
    desk.press(page.get_by_role("button", name="Đưa hồ sơ đã chọn vào kế hoạch"))
    desk.menu("Phiền hà")
    expect(page.get_by_role("heading", name="Dấu hiệu phiền hà")).to_be_visible()
    page.locator("a[href*='/evidence?subject=official'][href*='family']").first.click()
    picked = page.locator("input[name=dossier]").nth(2 if size == "desk" else 4)
    code = str(picked.get_attribute("value"))
    picked.check()
    page.get_by_label("Lý do chọn (bắt buộc)").fill(f"đối chiếu thao tác tại chỗ ({size})")
    desk.press(page.get_by_role("button", name="Đưa hồ sơ đã chọn vào kế hoạch"))
    desk.press(page.get_by_role("button", name="Hoàn tác"))
    expect(page.get_by_role("button", name="Hoàn tác")).to_have_count(0)
    page.locator(f"a[href$='{code}']").first.click()  # long ended, and read all the same
    expect(page.get_by_role("heading", name=f"Hồ sơ {code}")).to_be_visible()
    page.get_by_label("Lý do (bắt buộc)").fill(f"đã kết thúc, hỏi người nộp ({size})")
    desk.press(page.get_by_role("button", name=re.compile("^Đưa vào kế hoạch|^Ghi quyết định")))
    desk.menu("Kiểm tra")
    expect(page.get_by_text(f"đã kết thúc, hỏi người nộp ({size})")).to_be_visible()
    expect(page.get_by_text(f"sắp đến hạn, chưa ai động đến ({size})")).to_be_visible()
    desk.page.goto(desk.address + _open_sheet(desk))
    form = page.locator("form[action='/plan/finding']").first
    before = page.locator("form[action='/plan/finding']").count()
    form.get_by_label("Không có vấn đề").check()
    form.get_by_role("button").click()
    expect(page.locator("form[action='/plan/finding']")).to_have_count(before - 1)
    picture = page.locator("form[action='/plan/photo']").first
    sent = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    picture.locator("input[type=file]").set_input_files(sent)  # type: ignore[arg-type]
    picture.locator("button").click()
    shown = page.locator(".photos img").first
    expect(shown).to_be_visible()
    kept = page.request.get(desk.address + str(shown.get_attribute("src"))).body()
    assert b"A-Phone" not in kept
    assert Image.open(BytesIO(kept)).size == (300, 400)
    desk.menu("Kiểm tra")
    page.get_by_role("link", name="Kết quả", exact=True).click()
    expect(page.get_by_role("heading", name="Kết quả kiểm tra")).to_be_visible()
    desk.close()


def _open_sheet(desk: Desk) -> str:
    """The first sheet of the plans' weeks, the latest first, that still has a dossier to write down."""
    for plan in desk.page.locator("#plan option").evaluate_all("all => all.map(one => one.value)"):
        desk.page.goto(f"{desk.address}/plan?plan={plan}")
        for week in desk.page.locator("#week option").evaluate_all("all => all.map(one => one.value)"):
            desk.page.goto(f"{desk.address}/plan?plan={plan}&week={week}")
            for link in desk.page.locator(".week a").evaluate_all("all => all.map(one => one.getAttribute('href'))"):
                desk.page.goto(desk.address + link)
                if desk.page.locator("form[action='/plan/finding']").count() > 3:
                    return str(link)
    raise AssertionError("the demo's plan has no sheet left to fill in")


def test_a_sheet_is_filled_in_without_a_network_and_sent_later(browser: Browser, demo: tuple[str, str]) -> None:
    desk = Desk(browser, demo, "demo", "phone")
    page = desk.page
    desk.menu("Kiểm tra")
    page.goto(desk.address + _open_sheet(desk))
    page.wait_for_function("navigator.serviceWorker.getRegistrations().then(all => all.some(one => one.active))")
    page.wait_for_function("caches.open('visits').then(held => held.keys()).then(kept => kept.length >= 3)")
    before = page.locator("form[action='/plan/finding']").count()
    desk.context.set_offline(True)
    form = page.locator("form[action='/plan/finding']").nth(1)
    form.get_by_label("Không có vấn đề").check()
    form.get_by_role("button").click()
    expect(page.locator("#offline")).to_contain_text("1 mục đã giữ trên máy")
    page.reload()  # as a phone does that was put away meanwhile
    expect(page.get_by_role("heading", name=re.compile("Phiếu kiểm tra"))).to_be_visible()
    expect(page.locator("#offline")).to_contain_text("1 mục đã giữ trên máy")
    desk.context.set_offline(False)
    expect(page.locator("form[action='/plan/finding']")).to_have_count(before - 1)
    desk.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_head_gives_work_out_and_apologises_for_all_at_once(
    browser: Browser, demo: tuple[str, str], size: str
) -> None:
    desk = Desk(browser, demo, "thu-truong", size)
    page = desk.page
    desk.menu("Cảnh báo")
    page.locator("input[name=warning]").first.check()
    page.get_by_label(re.compile("^Việc sẽ làm")).fill(f"đã giao người làm cùng ({size})")
    desk.press(page.get_by_role("button", name="Xác nhận các cảnh báo đã chọn"))
    if size == "desk":  # the phone finds it again
        desk.press(page.get_by_role("button", name="Hoàn tác"))
    desk.menu("Việc của đơn vị")
    page.locator("input[name=subject]").nth(0 if size == "desk" else 2).check()
    page.get_by_role("button", name="Giao việc").click()
    expect(page.locator(".refused")).to_contain_text("Hãy chọn một cán bộ")
    page.get_by_label("Giao cho").select_option(index=2)
    desk.press(page.get_by_role("button", name="Giao việc"))
    expect(page.get_by_text("được giao").first).to_be_visible()
    desk.press(page.get_by_role("button", name="Hoàn tác"))
    page.get_by_label("Hẹn mới").fill("2001-01-01T08:00")
    page.get_by_label("Lý do", exact=True).fill("chờ ý kiến của cơ quan phối hợp")
    page.get_by_role("button", name="Soạn phiếu", exact=True).click()
    expect(page.locator(".refused")).to_be_visible()
    if "Ngày hẹn phải là một ngày sắp tới" in page.locator(".refused").inner_text():
        page.get_by_label("Hẹn mới").fill("2099-01-05T08:00")
        desk.press(page.get_by_role("button", name="Soạn phiếu", exact=True))
    else:  # the other screen drafted them
        expect(page.locator(".refused")).to_contain_text("Hồ sơ trễ nào cũng đã có phiếu xin lỗi")
    desk.menu("Hồ sơ trễ")
    expect(page.get_by_role("heading", name="Giải trình hồ sơ trễ")).to_be_visible()
    desk.menu("Tự kiểm tra")
    expect(page.get_by_role("heading", name="Tự kiểm tra của đơn vị")).to_be_visible()
    page.get_by_role("link", name="Mở phiếu").first.click()
    own = page.locator("form[action='/self-inspections/finding']")
    waiting = own.count()
    own.first.get_by_label("Không có vấn đề").check()
    own.first.get_by_role("button").click()
    expect(own).to_have_count(waiting - 1)
    desk.menu("Báo cáo")
    expect(page.get_by_role("link", name=re.compile("^CSV")).first).to_be_visible()
    desk.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_official_explains_a_late_dossier(browser: Browser, demo: tuple[str, str], size: str) -> None:
    desk = Desk(browser, demo, "can-bo", size)
    page = desk.page
    desk.menu("Hồ sơ của tôi")
    desk.menu("Hồ sơ trễ")
    form = page.locator("form[action$='/explain']").first
    card = page.locator("article", has=form)
    if not form.is_visible():
        card.locator("summary").first.click()
    form.get_by_label("Nguyên nhân").select_option(index=1)
    form.get_by_label("Giải trình (bắt buộc)").fill(f"Chờ cơ quan phối hợp trả lời, đã đôn đốc hai lần ({size})")
    desk.press(form.get_by_role("button"))
    expect(page.get_by_text(f"đã đôn đốc hai lần ({size})").first).to_be_visible()
    desk.menu("Hồ sơ của tôi")
    page.get_by_role("link", name=re.compile("^Giải trình")).first.click()
    page.get_by_label(re.compile("^Điều chưa đúng")).fill(f"Hồ sơ đã chuyển người khác giữ từ tuần trước ({size})")
    desk.press(page.get_by_role("button", name="Gửi giải trình"))
    desk.close()
    inspector = Desk(browser, demo, "demo", size)
    inspector.menu("Ý kiến")
    card = inspector.page.locator("article", has_text=f"từ tuần trước ({size})").filter(
        has=inspector.page.locator("form")
    )
    card.get_by_label("Giữ nguyên").check()
    card.get_by_label("Trả lời (bắt buộc)").fill("Nhật ký chuyển bước còn ghi tên người này")
    inspector.press(card.get_by_role("button", name="Gửi trả lời"))
    expect(inspector.page.get_by_text("Nhật ký chuyển bước còn ghi tên người này").first).to_be_visible()
    inspector.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_analyst_sees_all_models_and_why_a_gate_is_shut(browser: Browser, demo: tuple[str, str], size: str) -> None:
    desk = Desk(browser, demo, "phan-tich", size)
    desk.menu("Mô hình")
    expect(desk.page.get_by_role("heading", name="Dấu hiệu phiền hà, đang dùng")).to_be_visible()
    expect(desk.page.get_by_role("heading", name="Việc với mô hình")).to_be_visible()
    expect(desk.page.get_by_role("button", name="Đưa vào dùng").first).to_be_visible()
    desk.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_leader_goes_from_a_figure_to_its_dossiers_and_approves(
    browser: Browser, demo: tuple[str, str], size: str
) -> None:
    desk = Desk(browser, demo, "lanh-dao", size)
    page = desk.page
    desk.menu("Toàn tỉnh")
    told = page.locator(".figures li", has_text="trễ hẹn theo luật").locator("b").inner_text()
    page.get_by_role("link", name="trễ hẹn theo luật").click()
    expect(page.get_by_role("heading", name=f"{told} hồ sơ trễ hẹn theo luật")).to_be_visible()
    desk.menu("Toàn tỉnh")
    page.get_by_role("button", name="So sánh").click()
    expect(page.get_by_role("heading", name="Tháng so với tháng")).to_be_visible()
    desk.menu("Báo cáo")
    approve = page.locator("form[action^='/publications/']")
    if approve.count():
        approve.first.locator("input[type=radio]").first.check()
        for field in approve.first.locator("textarea, input[type=text]").all():
            field.fill("Đã xem, đồng ý công bố")
        desk.press(approve.first.get_by_role("button"))
    desk.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_administrator_sets_rules_and_makes_an_account(browser: Browser, demo: tuple[str, str], size: str) -> None:
    desk = Desk(browser, demo, "quan-tri", size)
    page = desk.page
    desk.menu("Quy tắc cảnh báo")
    page.get_by_label(re.compile("Số cảnh báo riêng")).fill("7")
    page.get_by_role("button", name="Đặt quy tắc").click()
    expect(page.locator(".refused")).to_be_visible()  # no reason
    page.get_by_label("Lý do thay đổi (bắt buộc)").fill(f"thủ trưởng báo bị làm phiền nhiều ({size})")
    desk.press(page.get_by_role("button", name="Đặt quy tắc"))
    expect(page.get_by_text(f"bị làm phiền nhiều ({size})")).to_be_visible()
    desk.menu("Tài khoản")
    page.get_by_label("Tên đăng nhập", exact=True).fill(f"moi.{size}.{datetime.now(UTC):%H%M%S}")
    page.get_by_label(re.compile("^Họ tên|^Tên hiển thị|^Tên người")).first.fill("Người Mới")
    page.get_by_label("Mật khẩu tạm", exact=True).fill("ngan")
    page.get_by_role("button", name="Thêm").click()
    expect(page.locator(".refused").first).to_be_visible()
    page.get_by_label("Mật khẩu tạm", exact=True).fill("sen-hong-no-giua-ao-2026")
    desk.press(page.get_by_role("button", name="Thêm"))
    for words in ("Nhật ký", "Việc tự chạy", "Nhận dữ liệu"):
        desk.menu(words)
    expect(page.get_by_role("heading", name="Nhận dữ liệu", exact=True)).to_be_visible()
    page.get_by_label(re.compile("^Tệp")).set_input_files(
        {"name": "so.csv", "mimeType": "text/csv", "buffer": ledger(size).encode()}  # type: ignore[arg-type]
    )
    page.get_by_label(re.compile("^Tên bảng ánh xạ")).fill(f"so-{size}")
    page.get_by_role("button", name="Xem trước").click()
    expect(page.get_by_role("heading", name="Xem trước")).to_be_visible()
    wanted = page.locator(".figures li", has_text="dòng mới, sẽ nhận").locator("b").inner_text()
    assert int(wanted) >= 2
    page.get_by_role("button", name="Xác nhận, nhận vào sổ").click()
    expect(page.get_by_role("status").filter(has_text=f"nhận mới {wanted},")).to_be_visible()
    desk.close()


def ledger(size: str) -> str:
    """Two dossiers of the last days as an office keeps them in a sheet."""
    day = datetime.now(UTC) - timedelta(days=3)
    head = "Mã hồ sơ;Mã TTHC;Mã đơn vị;Ngày tiếp nhận;Ngày hẹn trả"
    due = day + timedelta(days=30)
    rows = [f"SO-{size}-{n};1.990001;H99.13;{day:%d/%m/%Y} 08:0{n};{due:%d/%m/%Y} 16:00" for n in (1, 2)]
    return "\n".join([head, *rows])


@pytest.mark.parametrize("size", SIZES)
def test_a_plan_is_looked_at_sealed_and_approved_by_another(browser: Browser, demo: tuple[str, str], size: str) -> None:
    desk = Desk(browser, demo, "demo", size)
    page = desk.page
    desk.menu("Kiểm tra")
    page.get_by_role("link", name="Lập kế hoạch", exact=True).click()
    page.get_by_label("Phần bốc ngẫu nhiên (0,1 đến 0,2)").fill("0,15")
    page.get_by_role("button", name="Xem trước").click()
    expect(page.get_by_role("heading", name="Giá của từng quy tắc")).to_be_visible()
    expect(page.get_by_label("Phần bốc ngẫu nhiên (0,1 đến 0,2)")).to_have_value("0,15")
    page.get_by_label("Lý do, nếu tháng đã có kế hoạch").fill(f"bổ sung cuộc đột xuất ({size})")
    desk.press(page.get_by_role("button", name="Niêm phong kế hoạch này"))
    plan = page.locator("#plan").input_value()
    desk.close()
    leader = Desk(browser, demo, "lanh-dao", size)
    leader.page.goto(f"{leader.address}/plan?plan={plan}")
    leader.press(leader.page.get_by_role("button", name="Duyệt kế hoạch đã niêm phong"))
    expect(leader.page.get_by_text(re.compile("Đã duyệt: lanh-dao"))).to_be_visible()
    leader.close()


FORM = re.compile(r'<form[^>]*action="([^"]*)"')
AUDITED: dict[tuple[str, ...], int] = {}
"""Page and the forms on it → how often axe looked at such a one, of any role: first on a desk, then on a phone."""


@pytest.mark.parametrize("login", ROLES)
def test_every_page_that_a_role_reaches_fits_reads_and_is_light(
    browser: Browser, demo: tuple[str, str], login: str
) -> None:
    desk = Desk(browser, demo, login, "desk")
    waiting, kinds, wrong = ["/"], dict[str, int](), list[Any]()
    pages = 0
    while waiting:
        link = waiting.pop(0)
        path, kind = link.split("?")[0], re.sub(r"=[^&]*", "", link)
        if kinds.get(kind, 0) >= 2 or kinds.get(path, 0) >= 4 or "/photo/" in path:
            continue
        kinds[kind], kinds[path], pages = kinds.get(kind, 0) + 1, kinds.get(path, 0) + 1, pages + 1
        answer = desk.page.goto(desk.address + link)
        assert answer is not None
        if answer.status != 200:
            wrong.append((link, answer.status))
        body = answer.body()
        said = text_of(body.decode())
        shape = (path, *sorted({re.sub(r"\d+", "", one) for one in FORM.findall(body.decode())}))
        audits = AUDITED.get(shape, 0)
        for size, (width, height) in SIZES.items():
            desk.page.set_viewport_size({"width": width, "height": height})
            if audits < 2 and size == list(SIZES)[audits]:
                AUDITED[shape] = audits + 1
                desk.page.evaluate(AXE)
                for one in desk.page.evaluate("tags => axe.run(document, {runOnly: tags})", RULES)["violations"]:
                    wrong.append((link, size, one["id"], one["nodes"][0]["html"][:120]))
            if desk.page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append((link, size, "overflow"))
        if len(body) > MOST_BYTES:
            wrong.append((link, len(body)))
        wrong += [(link, found) for found in (*COMMAND.findall(said), *CODE.findall(said))]
        if login in SEES_NAMES:
            wrong += [(link, found) for found in KEY.findall(said)]
        waiting += sorted(html.unescape(one) for one in links(body.decode()))
    desk.close()
    assert pages >= 5
    assert wrong == []

"""Behind a real nginx: TLS, the service under /risk/, links, forms and redirects that stay there."""

import asyncio
import re
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.testclient import TestClient

from serving.api import limits
from serving.app import create_app
from serving.connections import server_options
from tests.bench.half_sent import STARTS, held
from tests.bench.port import free_port
from tests.drawn_people import NOW, PASSWORD, staffed_office
from tests.drawn_proxy import Site, behind_nginx

LINK = re.compile(r'\s(?:href|action|formaction|src|hx-get|hx-post)="([^"]*)"')
PAGES = ("/", "/jobs", "/accounts", "/receipts", "/tokens")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nginx as it is shipped before a service whose bodies have two seconds of grace."""
    if shutil.which("nginx") is None:
        pytest.skip("no nginx")
    folder = tmp_path_factory.mktemp("site")
    settings = replace(staffed_office(folder / "home"), root_path="risk")
    app_port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.BodyLimit.__init__, "__defaults__", (limits.MOST_BYTES, limits.BODY_SECONDS, 2.0))
        app = create_app(settings, now=lambda: NOW, poll_seconds=60)
        app.middleware_stack = app.build_middleware_stack()
    server = uvicorn.Server(uvicorn.Config(app, port=app_port, **server_options("127.0.0.1")))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        with behind_nginx(folder, app_port) as site:
            yield site
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def site(proxy: Site) -> str:
    """The address of the service's root behind nginx."""
    return proxy.address


def log_in(browser: httpx2.Client) -> None:
    door = browser.get("/risk/login")
    form = {"login": "quantri", "password": PASSWORD, "next": "/jobs"}
    form["door"] = door.text.split('name="door" value="')[1].split('"')[0]
    told = browser.post("/risk/login", data=form)
    assert (told.status_code, told.headers["location"]) == (303, "/risk/jobs")


def test_a_login_form_leads_to_the_page_and_every_link_stays_under_the_path(site: str) -> None:
    with httpx2.Client(base_url=site, verify=False, timeout=30) as browser:
        log_in(browser)
        seen = set()
        for page in PAGES:
            told = browser.get(f"/risk{page}", follow_redirects=True)
            assert told.status_code == 200, page
            links = [one for one in LINK.findall(told.text) if one.startswith("/")]
            assert links
            assert [one for one in links if not one.startswith("/risk/")] == []
            seen |= {one for one in links if one.startswith("/risk/static/")}
        for source in seen:
            assert browser.get(source).status_code == 200, source


def test_a_stranger_is_led_to_the_door_under_the_path(site: str) -> None:
    told = httpx2.get(f"{site}/risk/jobs", verify=False)
    assert (told.status_code, told.headers["location"]) == (303, "/risk/login?next=%2Fjobs")
    assert httpx2.get(f"{site}/risk", verify=False).headers["location"].endswith("/risk/")


def test_tls_is_seen_by_the_service(site: str) -> None:
    told = httpx2.get(f"{site}/risk/login", verify=False)
    assert "max-age" in told.headers["strict-transport-security"]
    assert all("Secure" in one for one in told.headers.get_list("set-cookie"))
    assert httpx2.get(f"{site}/risk/api/v1/health", verify=False).json()["status"] == "ok"


def test_a_body_that_trickles_through_the_proxy_is_ended(proxy: Site) -> None:
    """nginx counts the time between two bytes alone: what it would gather for hours must meet the service's limit."""
    start = STARTS["a body that trickles"]
    took = asyncio.run(held(proxy.port, start.of("/risk/login"), start.drip, 30, tls=True))
    assert took < 25


def test_weak_ciphers_and_requests_of_two_lengths_are_refused(proxy: Site) -> None:
    def shaken(version: ssl.TLSVersion, ciphers: str) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.set_ciphers(ciphers)
        try:
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain, context.wrap_socket(plain):
                return True
        except (ssl.SSLError, OSError):
            return False

    assert shaken(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert not shaken(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA")
    two = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /risk/jobs HTTP/1.1\r\nHost: x\r\n\r\n"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain, context.wrap_socket(plain) as door:
        door.sendall(b"POST /risk/login HTTP/1.1\r\nHost: x\r\n" + two)
        told = b""
        while piece := door.recv(65_536):
            told += piece
    assert told.startswith(b"HTTP/1.1 400")
    assert told.count(b"HTTP/1.1 ") == 1, "what was smuggled in is no request of its own"


def test_without_a_path_nothing_is_rewritten(tmp_path: Path) -> None:
    with TestClient(create_app(staffed_office(tmp_path), now=lambda: NOW, poll_seconds=60)) as client:
        assert 'href="/static/style.css"' in client.get("/login").text

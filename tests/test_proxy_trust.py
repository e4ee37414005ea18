"""A proxy is believed where its address is trusted; a body that trickles is ended in time."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from serving.api.limits import BodyLimit
from serving.app import create_app
from serving.read.problem import Problem
from serving.settings import Settings
from tests.drawn_people import NOW, PASSWORD, staffed_office

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Host": "rui-ro.tinh.gov.vn"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return staffed_office(tmp_path_factory.mktemp("home"))


def logged_in_from(office: Settings, address: str, trusted: str) -> tuple[str, str]:
    """The session cookie that a login gets through a proxy at `address`, and where a refused try is counted."""
    app = create_app(office, now=lambda: NOW, poll_seconds=3600)
    with TestClient(app):
        proxied: Any = ProxyHeadersMiddleware(cast(Any, app), trusted_hosts=trusted)  # what `risk serve` runs under
        client = TestClient(proxied, client=(address, 40000), headers=FORWARDED, base_url="http://rui-ro.tinh.gov.vn")
        page = client.get("/login")
        door = page.text.split('name="door" value="')[1].split('"')[0]
        browser = page.headers["set-cookie"].split("risk_door=")[1].split(";")[0]
        form = {"login": "thanhtra", "password": PASSWORD, "door": door}
        answer = client.post("/login", data=form, headers={"Cookie": f"risk_door={browser}"}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        cookies = [one for one in answer.headers.get_list("set-cookie") if "risk_session=" in one]
        return cookies[0], address


def test_a_trusted_proxy_elsewhere_makes_secure_cookies(office: Settings) -> None:
    cookie, _ = logged_in_from(office, "10.20.0.7", "10.20.0.0/16,127.0.0.1")
    assert cookie.startswith("__Host-risk_session=")
    assert "secure" in cookie.lower()


def test_an_untrusted_address_does_not_say_who_it_is(office: Settings) -> None:
    cookie, _ = logged_in_from(office, "10.99.0.7", "10.20.0.0/16,127.0.0.1")
    assert cookie.startswith("risk_session=")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("RISK_HOME", str(tmp_path))
    return monkeypatch


def test_trusted_addresses_are_a_setting_and_everybody_is_none(environment: pytest.MonkeyPatch) -> None:
    assert Settings.from_env().trusted_proxies == "127.0.0.1,::1"
    environment.setenv("RISK_TRUSTED_PROXIES", "10.20.0.0/16, 192.0.2.4")
    assert Settings.from_env().trusted_proxies == "10.20.0.0/16,192.0.2.4"
    for wrong in ("*", "proxy.tinh.gov.vn", ""):
        environment.setenv("RISK_TRUSTED_PROXIES", wrong)
        with pytest.raises(ValueError, match="RISK_TRUSTED_PROXIES"):
            Settings.from_env()


def test_a_body_that_trickles_is_ended_in_time() -> None:
    async def reads_all(_: Any, receive: Any, __: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def run() -> None:
        scope = {"type": "http", "headers": [(b"content-length", b"100000")]}
        await BodyLimit(reads_all, seconds=0.2)(scope, trickle, reads_all)  # type: ignore[arg-type]

    with pytest.raises(Problem) as refused:
        asyncio.run(asyncio.wait_for(run(), 5))
    assert refused.value.status_code == 408

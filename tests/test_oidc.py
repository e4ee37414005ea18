"""Login through an identity provider that really runs: the way in, and everything that must be refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey

from serving.access.account import add_account, deactivate, find_account
from serving.access.permissions import Role
from serving.app import create_app
from serving.settings import OidcSettings
from tests import oidc_provider
from tests.drawn_office import settings_of
from tests.drawn_people import NOW, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(clock: Clock) -> Iterator[oidc_provider.Provider]:
    with oidc_provider.running(lambda: clock().timestamp()) as started:
        yield started


@pytest.fixture
def client(provider: oidc_provider.Provider, clock: Clock, tmp_path: Path) -> Iterator[TestClient]:
    settings = replace(settings_of(tmp_path), oidc=OidcSettings(provider.issuer, *oidc_provider.CLIENT))
    with TestClient(create_app(settings, now=clock, poll_seconds=60)) as opened:
        people = opened.app.state.context.people  # type: ignore[attr-defined]
        with people.state.writing() as session:
            add_account(
                session, "canbo", "Cán bộ", Role.OFFICIAL, now=NOW, unit_code="x1", official_id="o1",
                oidc=(provider.issuer, "canbo-1"),
            )  # fmt: skip
        yield opened


def there(client: TestClient) -> str:
    """Begins a login and lets the provider answer; gives the address it sends the browser back to."""
    begun = client.get("/login/oidc?next=/contests", follow_redirects=False)
    assert begun.status_code == 303
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["redirect_uri"] == ["http://testserver/login/oidc/callback"]
    answered = httpx2.get(begun.headers["location"], follow_redirects=False)
    return answered.headers["location"].removeprefix("http://testserver")


def test_the_way_in(client: TestClient) -> None:
    back = client.get(there(client), follow_redirects=False)
    assert (back.status_code, back.headers["location"]) == (303, "/contests")
    assert client.get("/contests").status_code == 200


def wrong(**claims: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Spoils some claims; None takes one away."""
    return lambda good: {name: value for name, value in {**good, **claims}.items() if value is not None}


LONG_AGO = int((NOW - timedelta(hours=1)).timestamp())


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": None}, {"aud": []},
        {"aud": ["risk-client", "another"]}, {"azp": "another"}, {"iss": "https://evil.example"}, {"iss": None},
        {"exp": LONG_AGO}, {"exp": None}, {"exp": "never"}, {"iat": LONG_AGO + 99_999}, {"iat": None}, {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_does_not_hold_is_refused(
    client: TestClient, provider: oidc_provider.Provider, claims: dict[str, Any]
) -> None:
    provider.spoil = wrong(**claims)
    assert client.get(there(client), follow_redirects=False).status_code == 401
    assert "risk_session" not in client.cookies


def test_unsigned_foreign_and_confused_signatures_are_refused(
    client: TestClient, provider: oidc_provider.Provider
) -> None:
    for algorithm, signer in (
        ("none", None),
        ("HS256", oidc_provider.secret_as_key()),
        ("RS256", RSAKey.generate_key(2048, {"kid": "k1"})),
    ):
        provider.algorithm, provider.signer = algorithm, signer
        assert client.get(there(client), follow_redirects=False).status_code == 401
    provider.algorithm, provider.signer = "RS256", provider.key
    assert client.get(there(client), follow_redirects=False).status_code == 303


def test_a_new_key_of_the_provider_is_fetched(client: TestClient, provider: oidc_provider.Provider) -> None:
    assert client.get(there(client), follow_redirects=False).status_code == 303
    provider.key = provider.signer = RSAKey.generate_key(2048, {"kid": "k1"})
    assert client.get(there(client), follow_redirects=False).status_code == 303


def test_state_holds_once_in_one_browser_for_a_while(client: TestClient, clock: Clock) -> None:
    back = there(client)
    door = client.cookies.get("risk_door")
    for browser in ("", "another"):
        client.cookies.clear()
        client.cookies.set("risk_door", browser)
        assert client.get(back, follow_redirects=False).status_code == 401
    client.cookies.clear()
    client.cookies.set("risk_door", str(door))
    assert client.get(back, follow_redirects=False).status_code == 401  # the first try used it up
    client.cookies.clear()
    fresh = there(client)
    assert client.get("/login/oidc/callback?state=made-up&code=code-0", follow_redirects=False).status_code == 401
    clock.now += timedelta(minutes=11)
    assert client.get(fresh, follow_redirects=False).status_code == 401


def test_a_stolen_code_is_worth_nothing_without_its_verifier(
    client: TestClient, provider: oidc_provider.Provider
) -> None:
    stolen = parse_qs(urlsplit(there(client)).query)["code"][0]
    client.cookies.clear()
    own = parse_qs(urlsplit(there(client)).query)["state"][0]
    answer = client.get(f"/login/oidc/callback?state={own}&code={stolen}", follow_redirects=False)
    assert answer.status_code == 401


def test_who_has_no_account_or_a_closed_one_stays_outside(client: TestClient, provider: oidc_provider.Provider) -> None:
    provider.subject = "stranger"
    assert client.get(there(client), follow_redirects=False).status_code == 403
    provider.subject = "canbo-1"
    people = client.app.state.context.people  # type: ignore[attr-defined]
    with people.state.writing() as session:
        account = find_account(session, "canbo")
        assert account is not None
        deactivate(session, account, now=NOW)
    assert client.get(there(client), follow_redirects=False).status_code == 403


def test_a_provider_that_is_away_is_said_so(tmp_path: Path) -> None:
    settings = replace(settings_of(tmp_path), oidc=OidcSettings("http://127.0.0.1:9", *oidc_provider.CLIENT))
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=60)) as client:
        assert "hệ thống định danh của tỉnh" in client.get("/login").text
        assert client.get("/login/oidc", follow_redirects=False).status_code == 503

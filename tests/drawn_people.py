"""Accounts for tests: one of each role at given places, sessions and tokens for them, an office with them all."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from serving.access.account import add_account, find_account
from serving.access.passwords import hash_password
from serving.access.permissions import GRANTS, IN_PERSON, Role, reach_of
from serving.access.session import find_session, start_session
from serving.access.token import issue_token
from serving.settings import Settings
from serving.state import Account, State, open_state
from serving.use_cases.guard import COOKIE
from tests.drawn_office import OPEN, draw_office

PASSWORD = "Sông Hồng chảy qua 36 phố"
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


class Clock:
    """The clock of an app, which the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Person:
    """One account to be made: login, role, unit, and the official's key where it is an official's."""

    login: str
    role: Role
    unit: str = "*"
    official: str | None = None


PEOPLE = (
    Person("thanhtra", Role.INSPECTOR),
    Person("thanhtra.x1", Role.INSPECTOR, "x1"),
    Person("truongphong", Role.UNIT_HEAD, "x1"),
    Person("canbo", Role.OFFICIAL, "x1", "o1"),
    Person("phantich", Role.ANALYST),
    Person("lanhdao", Role.LEADER),
    Person("quantri", Role.ADMINISTRATOR),
)


@cache
def _hashed() -> str:
    return hash_password(PASSWORD, "nobody")


def _add(
    session: Session, login: str, name: str, role: Role, now: datetime, unit: str, official: str | None
) -> Account:
    """An account with the one password, which is hashed once: a hash is dear by design."""
    with patch("serving.access.account.hash_password", lambda *_: _hashed()):
        return add_account(
            session, login, name, role, now=now, unit_code=unit, official_id=official, password=PASSWORD
        )  # fmt: skip


def add_people(state: State, people: tuple[Person, ...] = PEOPLE) -> None:
    with state.writing() as session:
        for one in people:
            _add(session, one.login, f"Người dùng {one.login}", one.role, NOW, one.unit, one.official)


def staffed_office(home: Path, people: tuple[Person, ...] = PEOPLE, *, dossiers: int = OPEN) -> Settings:
    """The office of `drawn_office` under `home`, with accounts for `people`."""
    settings = draw_office(home, dossiers=dossiers)
    state = open_state(settings.database_url)
    add_people(state, people)
    state.close()
    return settings


def token(settings: Settings, role: Role, *, now: datetime = NOW, unit: str = "*") -> str:
    """An API token with all rights of `role`, over an account made for it."""
    state = open_state(settings.database_url)
    with state.writing() as session:
        login = f"may.{role.value}.{unit.strip('*') or 'all'}"
        account = _add(session, login, "Máy", role, now, unit, "o1" if role is Role.OFFICIAL else None)
        actions = frozenset(action for action in GRANTS if reach_of(role, action) and action not in IN_PERSON)
        issued = issue_token(session, account, "test", actions, now=now, expires_at=now + timedelta(days=300))
    state.close()
    return issued


def sit_down(client: TestClient, login: str) -> str:
    """Puts a session of `login` into the client's browser, past the form.

    Returns the key that its forms carry.
    """
    people = client.app.state.context.people  # type: ignore[attr-defined]
    now = people.now()
    with people.state.writing() as session:
        account = find_account(session, login)
        assert account is not None
        secret = start_session(session, account, now=now)
    with people.state.reading() as session:
        stay = find_session(session, secret, now=now)
    assert stay is not None
    client.cookies.clear()
    client.cookies.set(COOKIE, secret)
    return stay.csrf


def sit_down_at(settings: Settings, login: str, now: datetime) -> str:
    """The cookie of a session of `login` that begins at `now`, for a server in another process."""
    state = open_state(settings.database_url)
    with state.writing() as session:
        account = find_account(session, login)
        assert account is not None
        secret = start_session(session, account, now=now)
    state.close()
    return secret


def log_in(client: TestClient, login: str) -> str:
    """Logs the client's browser in through the form; returns the key that its forms carry."""
    page = client.get("/login").text
    door = page.split('name="door" value="')[1].split('"')[0]
    answer = client.post("/login", data={"login": login, "password": PASSWORD, "door": door}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    shown = client.get("/").text
    return shown.split('name="csrf" value="')[1].split('"')[0]

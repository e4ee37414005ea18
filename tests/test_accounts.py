"""Accounts: passwords, limits at the door, sessions, tokens."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from serving.access import login as door
from serving.access.account import add_account, deactivate, find_account, set_password
from serving.access.passwords import hash_password, matches
from serving.access.permissions import Role
from serving.access.session import end_session, find_session, start_session
from serving.access.token import Grants, find_token, issue_token, revoke_token
from serving.state import Account, State, open_state

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PASSWORD = "Sông Hồng chảy qua 36 phố"
KEY = b"k" * 32


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A fresh state with one inspector."""
    opened = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    with opened.writing() as session:
        add_account(session, "ThanhTra1", "Thanh tra 1", Role.INSPECTOR, now=NOW, password=PASSWORD)
    return opened


def inspector(state: State) -> Account:
    with state.reading() as session:
        found = find_account(session, "thanhtra1")
    assert found is not None
    return found


@pytest.mark.parametrize("login", ["' OR '1'='1", "x' OR login <> '", "thanhtra1' --", "';delete from account;--"])
def test_a_login_name_is_a_value_and_never_sql(state: State, login: str) -> None:
    with state.writing() as session:
        assert find_account(session, login) is None
        assert session.scalar(select(Account.login)) == "thanhtra1"


def test_passwords_are_argon2id_and_checked() -> None:
    hashed = hash_password(PASSWORD, "ai")
    assert hashed.startswith("$argon2id$")
    assert matches(PASSWORD, hashed)
    assert not matches(PASSWORD + " ", hashed)
    assert not matches("nobody has this password", None)
    assert not matches("x" * 1_000_000, hashed)


@pytest.mark.parametrize("weak", ["ngắn", "aaaaaaaaaaaaaaa", "matkhau-2026-xyz", "thanhtra1 là tôi đây", "x" * 201,
                                  "Hà Nội mùa thu 36", "Thanh Tra Tỉnh 2026!", "1qaz2wsx3edc"])  # fmt: skip
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(ValueError, match="password"):
        hash_password(weak, "thanhtra1")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"login": "thanhtra1"}, "taken"),
        ({"login": "a b"}, "login"),
        ({"role": Role.UNIT_HEAD}, "unit"),
        ({"role": Role.OFFICIAL}, "official_id"),
        ({"password": None}, "identity"),
    ],
)
def test_accounts_that_make_no_sense_are_refused(state: State, change: dict[str, object], why: str) -> None:
    wanted: dict[str, object] = {
        "login": "moi1",
        "name": "M",
        "role": Role.LEADER,
        "password": PASSWORD,
    } | change
    with pytest.raises(ValueError, match=why), state.writing() as session:
        add_account(session, now=NOW, **wanted)  # type: ignore[arg-type]


def attempt(state: State, password: str, at: datetime = NOW, address: str = "10.0.0.1", login: str = "thanhtra1"):  # type: ignore[no-untyped-def]
    return door.log_in(state, login, password, door.LoginOrigin(address), key=KEY, now=at)


def test_login_with_name_in_any_case(state: State) -> None:
    assert attempt(state, PASSWORD, login=" THANHTRA1 ").login == "thanhtra1"
    assert attempt(state, "wrong") is None
    assert attempt(state, PASSWORD, login="nobody") is None


def test_guessing_is_stopped_and_opens_again_after_the_window(state: State) -> None:
    for minute in range(door.MOST_PER_LOGIN_AND_ADDRESS):
        assert attempt(state, "wrong", NOW + timedelta(minutes=minute)) is None
    stopped = attempt(state, PASSWORD, NOW + timedelta(minutes=5))
    assert stopped == door.TooMany(timedelta(minutes=10))
    assert isinstance(attempt(state, PASSWORD, NOW + timedelta(minutes=5), "10.0.0.2"), Account)
    assert isinstance(attempt(state, PASSWORD, NOW + timedelta(minutes=16)), Account)


def test_guessing_from_many_places_and_of_many_names_is_stopped(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_PER_LOGIN", 7)  # each try costs an Argon2 on purpose; a few show the rule
    monkeypatch.setattr(door, "MOST_PER_ADDRESS", 9)
    for place in range(door.MOST_PER_LOGIN):
        attempt(state, "wrong", address=f"10.0.1.{place}")
    assert isinstance(attempt(state, PASSWORD, address="10.0.9.9"), door.TooMany)
    for place in range(door.MOST_PER_ADDRESS):
        attempt(state, "x" * 300, address="10.0.2.1", login=f"name{place}")
    assert isinstance(attempt(state, PASSWORD, address="10.0.2.1", login="another"), door.TooMany)


def test_what_was_typed_as_a_name_is_not_kept(state: State) -> None:
    attempt(state, "x", login="my secret typed in the wrong field")
    with state.reading() as session:
        stored = str(session.execute(text("SELECT * FROM login_failure")).all())
    assert "secret" not in stored


def test_sessions_end_by_logout_idleness_age_and_closing(state: State) -> None:
    account = inspector(state)

    def start() -> str:
        with state.writing() as session:
            return start_session(session, account, now=NOW)

    def alive(token: str, after: timedelta) -> bool:
        with state.reading() as session:
            return find_session(session, token, now=NOW + after) is not None

    token = start()
    assert alive(token, timedelta(minutes=59))
    assert not alive(token, timedelta(minutes=61))
    assert not alive(token, timedelta(hours=11))
    assert not alive(token + "x", timedelta())
    with state.writing() as session:
        end_session(session, token)
    assert not alive(token, timedelta())
    token = start()
    with state.writing() as session:
        found = find_account(session, "thanhtra1")
        assert found is not None
        set_password(session, found, "Một câu nói mới 2026")
    assert not alive(token, timedelta())
    token = start()
    with state.writing() as session:
        found = find_account(session, "thanhtra1")
        assert found is not None
        deactivate(session, found, now=NOW)
    assert not alive(token, timedelta())
    assert attempt(state, "Một câu nói mới 2026") is None


def test_no_secret_is_stored_in_the_clear(state: State, tmp_path: Path) -> None:
    account = inspector(state)
    with state.writing() as session:
        token = start_session(session, account, now=NOW)
        key = issue_token(
            session, account, "máy", frozenset({"list.read"}), now=NOW, expires_at=NOW + timedelta(days=1)
        )
    with state.reading() as session:
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
    assert len(stored) > 10_000
    for secret in (token, key, PASSWORD):
        assert secret.encode() not in stored


def test_tokens_are_narrowed_end_and_can_be_revoked(state: State) -> None:
    account = inspector(state)
    day = timedelta(days=1)
    with state.writing() as session:
        token = issue_token(session, account, "máy", frozenset({"list.read"}), now=NOW, expires_at=NOW + day)
    with state.reading() as session:
        grant = find_token(session, token, now=NOW)
        assert grant is not None
        assert grant.actions == {"list.read"}
        assert find_token(session, token, now=NOW + day) is None
        assert find_token(session, token[:-1], now=NOW) is None
    with state.writing() as session:
        assert not revoke_token(session, account.id + 1, 1, now=NOW)
        assert revoke_token(session, account.id, 1, now=NOW)
    with state.reading() as session:
        assert find_token(session, token, now=NOW) is None


def test_a_kept_grant_ends_with_the_next_change_of_the_state_by_whomever(state: State) -> None:
    account = inspector(state)
    day = timedelta(days=1)
    with state.writing() as session:
        token = issue_token(session, account, "máy", frozenset({"list.read"}), now=NOW, expires_at=NOW + day)
    grants = Grants(state)
    assert grants.cached(token, NOW) is None
    assert grants.find(token, NOW) is not None
    kept = grants.cached(token, NOW)
    assert kept is not None
    assert kept.actions == {"list.read"}
    assert grants.cached(token, NOW + day) is None
    other = State(str(state.url))  # as another process would
    with other.writing() as session:
        assert revoke_token(session, account.id, 1, now=NOW)
    other.close()
    assert grants.cached(token, NOW) is None
    assert grants.find(token, NOW) is None


@pytest.mark.parametrize(
    ("actions", "days", "why"),
    [
        ({"account.write"}, 1, "account.write"),
        (set(), 1, "none"),
        ({"list.read"}, 400, "366"),
        ({"list.read"}, 0, "366"),
    ],
)
def test_tokens_that_reach_too_far_are_refused(state: State, actions: set[str], days: int, why: str) -> None:
    account = inspector(state)
    with pytest.raises(ValueError, match=why), state.writing() as session:
        issue_token(session, account, "máy", frozenset(actions), now=NOW, expires_at=NOW + timedelta(days=days))


def test_the_first_administrator_comes_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from serving.cli import app

    monkeypatch.setenv("RISK_HOME", str(tmp_path))
    monkeypatch.delenv("RISK_DATABASE_URL", raising=False)
    runner = CliRunner()
    made = runner.invoke(app, ["accounts", "add-admin", "quantri"], input=PASSWORD + "\n")
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    weak = runner.invoke(app, ["accounts", "add-admin", "quantri2"], input="1234\n")
    assert weak.exit_code != 0
    listed = runner.invoke(app, ["accounts", "list"])
    assert listed.stdout == "quantri\tadministrator\t*\topen\n"
    runner.invoke(app, ["accounts", "close", "quantri"])
    with open_state(f"sqlite:///{tmp_path / 'state.db'}").reading() as session:
        assert [account.active for account in session.scalars(select(Account))] == [False]

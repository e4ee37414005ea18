"""Turns of the scheduler over a small office: firing, digest, escalation, sending; on SQLite and PostgreSQL."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from features.key_file import key_file
from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.permissions import Role
from serving.settings import Settings
from serving.state import EarlyWarning, OutboxMessage, State, WarningEscalation, WarningScoring, open_state
from serving.warnings import outbox
from serving.warnings.channels import Undelivered
from serving.warnings.channels.webhook import WEBHOOK_SECRET, Webhook, public
from serving.warnings.rules import MailServer, WarningRules
from serving.warnings.turn import TurnResult, turn
from tests.bench.receivers import Handed, mail_server, webhook_receiver
from tests.drawn_office import dossier_id, draw_office
from tests.drawn_people import Person, add_people
from tests.drawn_warnings import rules, score

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # nine in the morning
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The record of the office; its own scored list lies an hour before MONDAY."""
    settings = draw_office(tmp_path_factory.mktemp("office"))
    for day in range(10):  # nothing new, but the source is there
        Record(settings.record_url).append([], source="api", arrived_at=MONDAY + day * DAY, live=True)
    return settings


@pytest.fixture
def settings(office: Settings, tmp_path: Path) -> Settings:
    """A home of its own over the office's record, without scores."""
    return Settings(tmp_path, office.record_url, f"sqlite:///{tmp_path / 'state.db'}", "", office.zone)


@pytest.fixture
def state(settings: Settings) -> Iterator[State]:
    yield from opened(settings.database_url)


@pytest.fixture
def each_state(database_url: str) -> Iterator[State]:
    """On SQLite and on PostgreSQL."""
    yield from opened(database_url)


def opened(url: str) -> Iterator[State]:
    state = open_state(url)
    add_people(state, (Person("truongphong", Role.UNIT_HEAD, "x1"), Person("chutich", Role.UNIT_HEAD, "tinh")))
    yield state
    state.close()


def warnings_in(state: State) -> list[EarlyWarning]:
    with state.reading() as session:
        return list(session.scalars(select(EarlyWarning).order_by(EarlyWarning.id)))


def messages_in(state: State) -> list[OutboxMessage]:
    with state.reading() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def mailed(port: int, **changes: object) -> WarningRules:
    return rules(
        mail=MailServer("127.0.0.1", port, "canh-bao@tinh.gov.vn", starttls=False),
        addresses={unit: {"mail": (f"{unit}@tinh.gov.vn",)} for unit in ("x1", "tinh")},
        base_url="https://rui-ro.tinh.gov.vn",
        **changes,
    )


def test_a_list_fires_once_and_tells_the_head_by_mail(settings: Settings, state: State) -> None:
    ours = dossier_id(0)
    score(settings, MONDAY, {ours: 0.9, "H-low": 0.1})
    handed = Handed()
    with mail_server(handed) as port:
        first = turn(settings, state, mailed(port), now=MONDAY)
        again = turn(settings, state, mailed(port), now=MONDAY + timedelta(minutes=5))
    assert (first.fired and first.fired.single, first.sent.sent, again.fired, again.sent.sent) == (1, 1, None, 0)
    (warning,) = warnings_in(state)
    assert (warning.dossier_id, warning.head_unit, warning.arm, warning.manner) == (ours, "x1", "told", "single")
    assert (warning.help_step, warning.help_holder) == ("Ký duyệt", "office")
    assert json.loads(warning.reasons)[0]["code"] == "share_of_term"
    (mail,) = handed.mails
    text = mail.get_content()
    assert "Cấp giấy phép xây dựng" in text
    assert "còn 5,0 ngày làm việc" in text
    assert f"https://rui-ro.tinh.gov.vn/warnings#w{warning.id}" in text
    assert "Đã dùng 92 %" in text
    assert "“Ký duyệt”" in text
    for secret in (ours, "o1", "c-secret", "truongphong", "Người dùng"):
        assert secret not in text, "no codes and no names"
        assert secret not in mail["Subject"]
    assert mail["To"] == "x1@tinh.gov.vn"
    assert str(mail["Message-ID"]).strip().startswith(f"<{messages_in(state)[0].key}@tinh.gov.vn>"[:60])


def test_an_older_or_stale_list_never_fires(settings: Settings, state: State) -> None:
    score(settings, MONDAY + DAY, {"H1": 0.9})
    assert turn(settings, state, rules(), now=MONDAY + DAY).fired
    score(settings, MONDAY, {"H2": 0.9})
    assert turn(settings, state, rules(), now=MONDAY + DAY).fired is None
    score(settings, MONDAY + 2 * DAY, {"H3": 0.9})
    assert turn(settings, state, rules(), now=MONDAY + 9 * DAY).fired is None, "a week old: the hours no longer hold"
    assert {one.dossier_id for one in warnings_in(state)} == {"H1"}


def test_a_record_that_has_fallen_behind_warns_nobody(settings: Settings, state: State, tmp_path: Path) -> None:
    own = replace(settings, record_url=str(tmp_path / "record"))
    told = {"procedure_code": "P", "unit_code": "x1", "received_at": "2026-02-26T09:00:00+07:00"}  # a Thursday
    chunk = Chunk("dossier", [{**told, "dossier_id": "H1"}])
    Record(own.record_url).append([chunk], source="canonical", arrived_at=MONDAY - DAY)
    score(own, MONDAY, {"H1": 0.9})
    assert turn(own, state, rules(), now=MONDAY) == TurnResult(behind=datetime(2026, 2, 26, 2, tzinfo=UTC))
    Record(own.record_url).append([], source="api", arrived_at=MONDAY - timedelta(hours=1), live=True)
    done = turn(own, state, rules(), now=MONDAY)
    assert done.behind is None
    assert done.fired
    assert done.fired.single == 1


def test_beyond_the_budget_comes_one_digest_a_day(settings: Settings, each_state: State) -> None:
    many = {f"H{n:02d}": 0.9 - n / 100 for n in range(15)}
    score(settings, MONDAY, many)
    handed = Handed()
    with mail_server(handed) as port:
        done = turn(settings, each_state, mailed(port, a_week=10), now=MONDAY)
        score(settings, MONDAY + timedelta(hours=2), {**many, "H99": 0.95})
        later = turn(settings, each_state, mailed(port, a_week=10), now=MONDAY + timedelta(hours=2))
        next_day = turn(settings, each_state, mailed(port, a_week=0), now=MONDAY + DAY)
    assert done.fired
    assert (done.fired.single, done.fired.digest, done.digests) == (2, 13, 1)
    assert (later.fired and later.fired.digest, later.digests) == (1, 0), "the next digest comes tomorrow"
    assert next_day.digests == 1
    subjects = [str(mail["Subject"]) for mail in handed.mails]
    assert sum("13 hồ sơ" in subject for subject in subjects) == 1
    assert "… và 3 hồ sơ khác" in handed.mails[2].get_content()
    assert {one.dossier_id for one in warnings_in(each_state) if one.manner == "single"} == {"H00", "H01"}


def test_at_night_nothing_is_sent_and_the_morning_brings_it(settings: Settings, state: State) -> None:
    night = MONDAY + timedelta(hours=12)
    score(settings, night, {"H1": 0.9})
    handed = Handed()
    with mail_server(handed) as port:
        done = turn(settings, state, mailed(port), now=night)
        assert (done.fired and done.fired.single, done.sent.sent) == (1, 0)
        assert not handed.mails
        morning = turn(settings, state, mailed(port), now=MONDAY + timedelta(hours=23))  # eight o'clock
    assert morning.sent.sent == len(handed.mails) == 1
    (warning,) = warnings_in(state)
    assert warning.told_at == MONDAY + timedelta(hours=23)


def test_a_delivered_holiday_is_quiet(settings: Settings, state: State, tmp_path: Path) -> None:
    own = replace(settings, record_url=str(tmp_path / "record"))
    assert turn(own, state, rules(), now=MONDAY) == TurnResult(), "an empty installation has nothing to tell"
    off = [{"date": MONDAY.date(), "kind": "off", "name": "nghỉ bù"}]
    Record(own.record_url).append([Chunk("holiday", off, [])], source="canonical", arrived_at=MONDAY - DAY)
    score(own, MONDAY, {"H1": 0.9})
    turn(own, state, rules(), now=MONDAY)
    (warning,) = warnings_in(state)
    assert warning.told_at == MONDAY + DAY - timedelta(hours=1), "eight o'clock of the next day"


def test_what_nobody_answers_goes_up_level_by_level_once(settings: Settings, each_state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9, "H2": 0.8})
    handed = Handed()
    with mail_server(handed) as port:
        ours = mailed(port, escalate_hours=8.0, levels=2)
        turn(settings, each_state, ours, now=MONDAY)
        assert turn(settings, each_state, ours, now=MONDAY + timedelta(hours=7)).escalated == 0, "four hours of work"
        with each_state.writing() as session:  # H2 is answered
            session.scalars(select(EarlyWarning).where(EarlyWarning.dossier_id == "H2")).one().acknowledged_at = MONDAY
        assert turn(settings, each_state, ours, now=MONDAY + DAY + timedelta(minutes=1)).escalated == 1
        assert turn(settings, each_state, ours, now=MONDAY + DAY + timedelta(hours=1)).escalated == 0
        assert turn(settings, each_state, ours, now=MONDAY + 3 * DAY).escalated == 0, "nobody above the province"
    with each_state.reading() as session:
        (escalated,) = session.scalars(select(WarningEscalation))
    assert (escalated.level, escalated.to_unit) == (1, "tinh")
    assert [str(mail["To"]) for mail in handed.mails] == ["x1@tinh.gov.vn"] * 2 + ["tinh@tinh.gov.vn"]


def test_a_dossier_that_has_ended_is_not_escalated(settings: Settings, state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9})
    turn(settings, state, rules(), now=MONDAY)
    score(settings, MONDAY + DAY, {"H2": 0.1})
    assert turn(settings, state, rules(), now=MONDAY + DAY + timedelta(hours=3)).escalated == 0


def test_held_out_dossiers_are_recorded_and_never_told(settings: Settings, state: State) -> None:
    score(settings, MONDAY, {f"H{n}": 0.9 for n in range(60)})
    done = turn(settings, state, rules(held_out=0.4), now=MONDAY)
    found = warnings_in(state)
    held = [one for one in found if one.arm == "held_out"]
    assert done.fired
    assert 10 < len(held) == done.fired.held_out < 40
    assert all(one.draw < 0.4 and one.told_at is None and one.manner is None for one in held)
    assert all(one.draw >= 0.4 and one.manner for one in found if one.arm == "told")
    assert {one.held_out_share for one in found} == {0.4}
    score(settings, MONDAY + DAY, {f"H{n}": 0.9 for n in range(60)}, due=MONDAY + 40 * DAY)
    turn(settings, state, rules(held_out=0.4), now=MONDAY + DAY)
    again = {one.dossier_id for one in warnings_in(state)[60:] if one.arm == "held_out"}
    assert again == {one.dossier_id for one in held}, "under a new promise the draw falls the same way"


def test_two_schedulers_at_once_have_one_effect(settings: Settings, each_state: State) -> None:
    score(settings, MONDAY, {f"H{n}": 0.9 for n in range(12)})
    handed = Handed(pause=0.01)
    done: list[TurnResult] = []
    with mail_server(handed) as port:
        threads = [
            threading.Thread(target=lambda: done.append(turn(settings, each_state, mailed(port), now=MONDAY)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(one.fired is not None for one in done) == [False, False, True]
    assert sum(one.sent.sent for one in done) == len(handed.mails) == len({mail["Message-ID"] for mail in handed.mails})
    with each_state.reading() as session:
        assert session.scalar(select(func.count()).select_from(WarningScoring)) == 1
        assert session.scalar(select(func.count()).select_from(EarlyWarning)) == 12


def test_mail_away_waits_longer_each_time_and_ends_as_a_dead_letter(settings: Settings, state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9})
    handed = Handed(mail_answer="451 later")
    now = MONDAY
    with mail_server(handed) as port:
        assert turn(settings, state, mailed(port), now=now).sent.failed == 1
        assert turn(settings, state, mailed(port), now=now + timedelta(minutes=1)).sent.failed == 0
        assert turn(settings, state, mailed(port), now=now + timedelta(minutes=3)).sent.failed == 1
        for _ in range(outbox.MOST_ATTEMPTS + 4):
            now += DAY
            turn(settings, state, mailed(port, levels=0), now=now)
    (message,) = messages_in(state)
    assert (message.attempts, message.trouble) == (outbox.MOST_ATTEMPTS, "the mail server answered 451")
    assert message.dead_at is not None
    with state.reading() as session:
        assert [one.id for one in outbox.dead(session)] == [message.id]


def test_a_killed_senders_message_is_sent_again_under_the_same_key(settings: Settings, each_state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9})
    handed = Handed()
    with mail_server(handed) as port:
        ours = mailed(port)
        turn(settings, each_state, rules(addresses=ours.addresses, mail=MailServer("127.0.0.1", 9)), now=MONDAY)
        with each_state.writing() as session:  # claimed, then killed
            claimed = outbox.claim(session, now=MONDAY + timedelta(minutes=5))
        assert claimed
        assert turn(settings, each_state, ours, now=MONDAY + timedelta(minutes=6)).sent.sent == 0, "under its lease"
        assert turn(settings, each_state, ours, now=MONDAY + timedelta(minutes=11)).sent.sent == 1
    assert claimed.key in str(handed.mails[0]["Message-ID"])


def test_mail_never_goes_out_in_the_clear_where_encryption_is_wanted(settings: Settings, state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9})
    handed = Handed()
    with mail_server(handed) as port:
        told = {"x1": {"mail": ("x1@tinh.gov.vn", "hai\ndòng@tinh.gov.vn")}}
        ours = rules(mail=MailServer("127.0.0.1", port, "a@tinh.gov.vn"), addresses=told)
        assert turn(settings, state, ours, now=MONDAY).sent.failed == 2
    assert not handed.mails
    assert [one.trouble for one in messages_in(state)] == ["mail: SMTPNotSupportedError", "mail: ValueError"]


def test_webhooks_are_signed(settings: Settings, state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9})
    handed = Handed()
    with webhook_receiver(handed) as port:
        told = {"x1": {"webhook": (f"http://127.0.0.1:{port}/den?x=1",)}}
        assert turn(settings, state, rules(addresses=told, allow_private=True), now=MONDAY).sent.sent == 1
    ((headers, body),) = handed.calls
    secret = key_file(settings.keys / WEBHOOK_SECRET)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert headers["webhook-id"] == json.loads(body)["id"] == messages_in(state)[0].key
    assert int(headers["webhook-timestamp"]) == int(MONDAY.timestamp())


def message_to(address: str) -> OutboxMessage:
    return OutboxMessage(key="k" * 64, kind="warning", to_unit="x1", address=address, subject="s", body="b",
                         created_at=MONDAY)  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/latest/meta-data", "https://10.1.2.3/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[fe80::1]/", "https://0.0.0.0/", "https://2130706433/",
        "https://user:pw@example.org/", "http://example.org/", "file:///etc/passwd", "https://", "https://[bad",
        "https://[2002:7f00:1::]/", "https://224.0.0.1/",
    ],
)  # fmt: skip
def test_webhooks_reach_nothing_inside_the_network(address: str) -> None:
    with pytest.raises(Undelivered, match="webhook"):
        Webhook(b"s" * 32, lambda: MONDAY)(message_to(address))


def test_redirects_are_not_followed() -> None:
    handed = Handed(answer=307)
    with webhook_receiver(handed) as port, pytest.raises(Undelivered, match="307"):
        Webhook(b"s" * 32, lambda: MONDAY, allow_private=True)(message_to(f"http://127.0.0.1:{port}/"))
    assert len(handed.calls) == 1
    assert public("8.8.8.8")
    assert public("2001:4860:4860::8888")


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # Apprise imports what Python 3.13 leaves out
def test_chat_goes_through_apprise_and_the_outbox_holds_no_secret(settings: Settings, state: State) -> None:
    score(settings, MONDAY, {"H1": 0.9})
    calls = Handed(note=lambda key: None)
    calls.answer = 500  # what Apprise posts carries no id of ours: only kept
    with webhook_receiver(calls) as port:
        told = {"x1": {"chat": (f"json://127.0.0.1:{port}/?cto=5&rto=5&retry=0",)}}
        done = turn(settings, state, rules(addresses=told), now=MONDAY)
    assert done.sent.failed == 1, "the service said 500: to be tried again"
    assert "Cảnh báo sớm" in json.loads(calls.calls[0][1])["title"]
    (message,) = messages_in(state)
    assert "json://" not in message.address
    assert message.trouble == "chat: the service did not take it"


def test_the_rules_file(tmp_path: Path) -> None:
    file = tmp_path / "warnings.toml"
    assert WarningRules.from_toml(file) == WarningRules()
    file.write_text(
        'base_url = "https://a.vn/"\nhours = "07:30-11:30,13:00-17:00"\n'
        "[policy]\na_week = 5\n[policy.costs]\nc_out = 20\n"
        '[mail]\nhost = "mail"\n[addresses.x1]\nmail = ["a@b.vn"]\nwebhook = ["https://c.vn/"]\n'
    )
    read = WarningRules.from_toml(file)
    assert (read.policy.a_week, read.policy.costs.c_out, read.base_url) == (5, 20, "https://a.vn")
    assert read.reaches("x1") == [("mail", "a@b.vn"), ("webhook", "https://c.vn/")]
    assert read.reaches("x2") == []
    for wrong, word in (("[policy]\nweekly = 3", "weekly"), ("policy = [", "TOML"), ('[mail]\nport = 1', "host"),
                        ("[policy.costs]\nc_in = 100", "threshold"), ("[addresses.x1]\nfax = []", "fax")):  # fmt: skip
        file.write_text(wrong)
        with pytest.raises(ValueError, match=word):
            WarningRules.from_toml(file)
    file.write_text('[addresses.x1]\nchat = ["tgram://secret/1"]')
    file.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        WarningRules.from_toml(file)

"""The digest of conduct: what newly stands out, once a list, to inspectors in their scope, without any person."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from features.record.delivery import Chunk
from features.record.record import Record
from models.conduct import ConductLine
from serving.access.permissions import Scope
from serving.app import create_app
from serving.jobs.conduct_digest import take_turn
from serving.scoring import conduct_lists
from serving.scoring.conduct_news import conduct_news
from serving.settings import Settings
from serving.state import OutboxMessage, State, open_state
from serving.use_cases.receipts import INSPECTION
from serving.warnings.rules import MailServer, WarningRules
from serving.words import NOT_A_FINDING
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from tests.bench.receivers import Handed, mail_server
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import AS_OF, dossier_id
from tests.drawn_people import NOW, sit_down
from tests.drawn_warnings import rules

MORNING = AS_OF.replace(hour=3)  # ten o'clock
DAY = timedelta(days=1)


def line(
    unit: str, official: str | None = None, dossier: str | None = None, flag: bool = True, rank: int = 1
) -> ConductLine:
    return ConductLine(official, unit, dossier, 0.99, flag, 60, 2.5, 4.5, rank, "nói", "said", "signal")


def store(
    settings: Settings, at: datetime, officials: dict[str, str], units: Sequence[str] = (), dossiers: Sequence[str] = ()
) -> None:
    lists = {
        "official": [line(unit, official=who) for who, unit in officials.items()],
        "unit": [line(unit) for unit in units],
        "dossier": [line("x1", dossier=one, flag=False, rank=rank) for rank, one in enumerate(dossiers, 1)],
    }
    conduct_lists.write(lists, settings.scores, at)


def test_news_is_what_the_lists_before_did_not_flag(tmp_path: Path) -> None:
    settings = Settings(tmp_path, str(tmp_path / "record"), "", "", None)  # type: ignore[arg-type]
    assert conduct_news(settings.scores, MORNING) is None
    store(settings, MORNING - DAY, {"o1": "x1"}, ("x2",), ["H1"])
    store(settings, MORNING, {"o1": "x1", "o2": "x2"}, ("x2",), ["H2", "H1", *(f"H{n}" for n in range(10, 40))])
    found = conduct_news(settings.scores, MORNING)
    assert found is not None
    assert (found.as_of, found.since) == (MORNING, MORNING - DAY)
    told = [(one.grain, one.key) for one in found.newcomers]
    assert told == [("official", "o2"), *(("dossier", one) for one in ["H2", *(f"H{n}" for n in range(10, 28))])]
    assert [one.key for one in found.within(Scope(units=frozenset({"x2"})))] == ["o2"]
    first = conduct_news(settings.scores, MORNING - timedelta(hours=1))
    assert first is not None
    assert (first.since, len(first.newcomers)) == (None, 3)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    Record(settings.record_url).append([Chunk("unit", [])], source="api", arrived_at=MORNING, live=True)
    return settings


@pytest.fixture
def own(office: Settings, tmp_path: Path) -> Settings:
    """A home of its own over the office's record, without scores."""
    return Settings(tmp_path, office.record_url, f"sqlite:///{tmp_path / 'state.db'}", "", office.zone)


@pytest.fixture
def state(own: Settings) -> Iterator[State]:
    opened = open_state(own.database_url)
    yield opened
    opened.close()


def mailed(port: int, **changes: object) -> WarningRules:
    return rules(
        mail=MailServer("127.0.0.1", port, "canh-bao@tinh.gov.vn", starttls=False),
        base_url="https://rui-ro.tinh.gov.vn",
        addresses={"x1": {"mail": ("truongphong@tinh.gov.vn",)}},
        inspectors={"x1": {"mail": ("thanhtra.x1@tinh.gov.vn",)}, "*": {"mail": ("thanhtra@tinh.gov.vn",)}},
        **changes,
    )


def test_inspectors_are_told_once_of_their_units_without_any_person(own: Settings, state: State) -> None:
    store(own, MORNING - DAY, {"o1": "x1"}, ("x2",), [])
    store(own, MORNING, {"o1": "x1", "o3": "x3"}, ("x1",), [dossier_id(0)])
    handed = Handed()
    with mail_server(handed) as port:
        done, made = take_turn(own, state, mailed(port), now=MORNING)
        again, later = take_turn(own, state, mailed(port), now=MORNING + timedelta(minutes=5))
    assert (made, done.sent.sent, later, again.sent.sent) == (2, 2, 0, 0)
    by = {mail["To"]: mail for mail in handed.mails}
    assert set(by) == {"thanhtra@tinh.gov.vn", "thanhtra.x1@tinh.gov.vn"}, "never the heads"
    assert "1 cán bộ, 1 đơn vị, 1 hồ sơ" in by["thanhtra@tinh.gov.vn"]["Subject"]
    assert "1 đơn vị, 1 hồ sơ" in by["thanhtra.x1@tinh.gov.vn"]["Subject"]
    for mail in handed.mails:
        text = mail.get_content().replace(NOT_A_FINDING, "")
        assert NOT_A_FINDING in mail.get_content()
        assert "Dấu hiệu cần kiểm tra" in mail["Subject"]
        assert "/conduct?new=true" in text
        for secret in ("o3", dossier_id(0), "vi phạm"):
            assert secret not in text + mail["Subject"]
    receipts = Receipts(state, Witness(own.keys, own.home / "receipts"))
    told = receipts.about("official:o3", most=10)
    assert [(one.action, one.actor) for one in told] == [("conduct.digest", "risk warn")]
    assert not receipts.verify()
    assert "conduct.digest" in INSPECTION, "whoever is named in it does not learn of it"


def test_nothing_new_tells_nobody_and_codes_stand_only_where_allowed(own: Settings, state: State) -> None:
    store(own, MORNING - DAY, {"o1": "x1"}, (), [])
    store(own, MORNING, {"o1": "x1"}, (), [])
    assert take_turn(own, state, mailed(1), now=MORNING)[1] == 0
    store(own, MORNING + timedelta(minutes=1), {"o1": "x1"}, (), [dossier_id(0)])
    assert take_turn(own, state, mailed(1), now=MORNING + timedelta(hours=12))[1] == 0, "quiet hours"
    assert take_turn(own, state, mailed(1, show_dossier=True), now=MORNING + timedelta(minutes=2))[1] == 2
    with state.reading() as session:
        assert all(dossier_id(0) in one.body for one in session.scalars(select(OutboxMessage)))


def test_pages_show_what_is_new_in_the_readers_scope(office: Settings) -> None:
    with TestClient(create_app(office, now=lambda: NOW + timedelta(days=27), poll_seconds=3600)) as client:
        sit_down(client, "thanhtra")
        today = client.get("/").text
        assert "Dấu hiệu mới cần kiểm tra" in today
        assert "/conduct?new=true" in today
        shown = client.get("/conduct?new=true").text
        assert "id=o1" in shown
        assert "id=o3" not in shown, "not flagged, so not new"
        sit_down(client, "truongphong")
        assert "Dấu hiệu mới" not in client.get("/").text


def test_addresses_of_inspectors_are_read_and_misspelt_ones_refused(tmp_path: Path) -> None:
    file = tmp_path / "warnings.toml"
    file.write_text('[inspectors.H99]\nmail = ["a@b.vn"]\n[mail]\nhost = "h"\n', "utf-8")
    assert WarningRules.from_toml(file).reaches("H99", inspectors=True) == [("mail", "a@b.vn")]
    assert WarningRules.from_toml(file).reaches("H99") == []
    file.write_text('[inspectors.H99]\nmial = ["a@b.vn"]\n', "utf-8")
    with pytest.raises(ValueError, match=r"inspectors\.H99"):
        WarningRules.from_toml(file)

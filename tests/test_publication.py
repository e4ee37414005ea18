"""Publication packs: nothing unconfirmed gets in, whoever tries by whichever door, and a second person approves."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from fastapi.testclient import TestClient

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.permissions import Role
from serving.app import create_app
from serving.reports import publication
from serving.settings import Settings
from serving.state import OfficialName, PublicationPack, open_state
from tests.drawn_office import AS_OF, settings_of
from tests.drawn_people import NOW, PEOPLE, sit_down, staffed_office, token

MONTH = "2026-02"
SAID = datetime(2026, 2, 10, 3, tzinfo=UTC)
CONFIRMED, OTHERS = "V/confirmed", ("V/waiting", "V/unsaid", "V/nothing", "V/retracted")


def finding(name: str, kind: str, confirmed: bool | None, *, known_at: datetime = SAID) -> dict[str, object]:
    return {
        "finding_id": name, "inspection_id": "V", "dossier_id": f"D-{name}", "official_id": f"o-{name}", "kind": kind,
        "severity": None if kind == "none" else 2, "confirmed": confirmed, "known_at": known_at,
        "confirmed_at": known_at if confirmed else None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = staffed_office(tmp_path_factory.mktemp("office"), dossiers=8)
    Record(settings.record_url).append(
        [
            Chunk("inspection", [{"inspection_id": "V", "unit_code": "x1", "visited_at": SAID, "known_at": SAID}]),
            Chunk("finding", [
                finding(CONFIRMED, "harassment", True), finding("V/waiting", "harassment", False),
                finding("V/unsaid", "lateness", None), finding("V/nothing", "none", True),
                finding("V/retracted", "lateness", True),
                finding("V/retracted", "lateness", False, known_at=SAID + timedelta(days=2)),
            ]),
        ], source="canonical", arrived_at=AS_OF,
    )  # fmt: skip
    state = open_state(settings.database_url)
    with state.writing() as session:
        for name in (CONFIRMED, *OTHERS):
            named = OfficialName(official_id=f"o-{name}", unit_code="x1", name=f"Người {name}", updated_at=SAID)
            session.add(named)
    state.close()
    return settings.home


@pytest.fixture
def settings(drawn: Path, tmp_path: Path) -> Settings:
    shutil.copytree(drawn, tmp_path / "home")
    return settings_of(tmp_path / "home")


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=60)) as opened:
        yield opened


@pytest.fixture
def without_positive_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of good work is left out: it takes most of the time, and one test has it."""
    monkeypatch.setattr(publication, "add_published_positive", lambda draft, basis: None)


def key(n: int) -> dict[str, str]:
    return {"Idempotency-Key": f"publication-test-{n:010d}"}


def propose(client: TestClient, bearer: str, n: int = 1, month: str = MONTH) -> int:
    wish = {"month": month, "reason": "báo cáo tháng, mục công bố"}
    headers = {"Authorization": f"Bearer {bearer}", **key(n)}
    return client.post("/api/v1/publications", json=wish, headers=headers).status_code


def decide(client: TestClient, bearer: str, n: int, pack: int = 1, outcome: str = "approved") -> int:
    wish = {"outcome": outcome, "because": "đã đối chiếu kết luận"}
    headers = {"Authorization": f"Bearer {bearer}", **key(n)}
    return client.post(f"/api/v1/publications/{pack}", json=wish, headers=headers).status_code


def words_in(content: bytes) -> set[str]:
    """Every text of a workbook's cells."""
    book = openpyxl.load_workbook(BytesIO(content))
    return {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}


def test_only_confirmed_findings_are_in_a_pack_for_every_role_and_door(client: TestClient, settings: Settings) -> None:
    bearers = {role: token(settings, role, unit="x1" if role is Role.UNIT_HEAD else "*") for role in Role}
    asked = {role: propose(client, bearers[role], n) for n, role in enumerate(Role, 1)}
    assert asked == {role: 200 if role is Role.INSPECTOR else 403 for role in Role}
    decided = {role: decide(client, bearers[role], 50 + n) for n, role in enumerate(Role) if role is not Role.LEADER}
    assert set(decided.values()) == {403}
    assert decide(client, bearers[Role.LEADER], 60) == 200
    seen = 0
    for role, bearer in bearers.items():
        headers = {"Authorization": f"Bearer {bearer}"}
        doors = ["/api/v1/publications/1.xlsx", "/publications/1.xlsx"]
        for door in doors[:1] if role is Role.INSPECTOR else doors[1:] if role is Role.LEADER else doors:
            answer = client.get(door, headers=headers)
            assert answer.status_code == (200 if role in (Role.INSPECTOR, Role.LEADER) else 403), (role, door)
            if answer.status_code == 200:
                words = words_in(answer.content)
                assert CONFIRMED in words
                assert f"D-{CONFIRMED}" not in words, "the citizen's dossier is not published"
                assert f"Người {CONFIRMED}" in words, "who is named is named by the directory, never by a key"
                assert not {word for word in words if word.startswith("o-")}
                assert not words & {text for name in OTHERS for text in (name, f"Người {name}", f"D-{name}")}
                seen += 1
        for door in ("/api/v1/reports/publication.xlsx", "/reports/publication.xlsx"):
            answer = client.get(door, params={"month": MONTH}, headers=headers)
            assert answer.status_code in (403, 422), "a pack comes through its approval alone"
    assert seen == 2


@pytest.mark.usefixtures("without_positive_list")
def test_who_sees_a_part_of_the_province_neither_proposes_nor_reads(client: TestClient, settings: Settings) -> None:
    assert propose(client, token(settings, Role.INSPECTOR)) == 200
    part = token(settings, Role.INSPECTOR, unit="x1")
    assert propose(client, part, 2) == 404
    answer = client.get("/api/v1/publications/1.xlsx", headers={"Authorization": f"Bearer {part}"})
    assert answer.status_code == 404
    assert client.get("/api/v1/publications", headers={"Authorization": f"Bearer {part}"}).json() == []


@pytest.mark.usefixtures("without_positive_list")
def test_before_approval_it_is_a_marked_draft_and_a_refused_one_is_gone(client: TestClient, settings: Settings) -> None:
    inspector, leader = token(settings, Role.INSPECTOR), token(settings, Role.LEADER)
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    behind_its_back = receipts.verify()  # the accounts that this test has put in
    assert propose(client, inspector) == propose(client, inspector, 2) == 200
    headers = {"Authorization": f"Bearer {leader}"}
    assert publication.DRAFT in words_in(client.get("/publications/1.xlsx", headers=headers).content)
    assert decide(client, leader, 3) == 200
    assert decide(client, leader, 30, pack=2) == 422, "its counts are not those that have gone out since"
    assert publication.DRAFT not in words_in(client.get("/publications/1.xlsx", headers=headers).content)
    assert decide(client, leader, 4, outcome="refused") == 422, "a decision is not changed"
    assert decide(client, leader, 5, pack=2, outcome="refused") == 200
    assert client.get("/publications/2.xlsx", headers=headers).status_code == 422
    assert decide(client, leader, 6, pack=99) == 404
    assert receipts.verify() == behind_its_back
    acts = [one.action for one in receipts.latest(most=50) if one.action.startswith("publication.")]
    assert acts.count("publication.propose") == 2
    assert acts.count("publication.approve") == 2
    assert acts.count("publication.export") == 2


@pytest.mark.usefixtures("without_positive_list")
def test_nobody_approves_their_own_and_every_act_has_a_reason(settings: Settings) -> None:
    record, state = Record(settings.record_url), open_state(settings.database_url)
    with state.writing() as session:
        with pytest.raises(ValueError, match="reason: wanted"):
            publication.propose(record, session, MONTH, NOW, VIETNAM, " ", by=1, now=NOW)
        with pytest.raises(ValueError, match="had not ended"):
            publication.propose(record, session, "2026-03", NOW, VIETNAM, "quá sớm để nêu", by=1, now=NOW)
        pack = publication.propose(record, session, MONTH, NOW, VIETNAM, "báo cáo tháng", by=1, now=NOW)
        with pytest.raises(ValueError, match="second person"):
            publication.decide(session, pack, True, "tự duyệt cho nhanh", by=1, now=NOW)
        with pytest.raises(ValueError, match="because: wanted"):
            publication.decide(session, pack, True, "", by=2, now=NOW)
        assert pack.approved is None
        pack.sha256 = "0" * 64
        with pytest.raises(ValueError, match="not what was proposed"):
            publication.pack_report(record, session, pack, VIETNAM)
    state.close()


@pytest.mark.usefixtures("without_positive_list")
def test_a_finding_that_is_taken_back_stops_the_pack(client: TestClient, settings: Settings) -> None:
    inspector, leader = token(settings, Role.INSPECTOR), token(settings, Role.LEADER)
    assert propose(client, inspector) == 200
    assert decide(client, leader, 2) == 200
    headers = {"Authorization": f"Bearer {leader}"}
    assert client.get("/publications/1.xlsx", headers=headers).status_code == 200
    taken_back = finding(CONFIRMED, "harassment", False, known_at=NOW)
    Record(settings.record_url).append([Chunk("finding", [taken_back])], source="canonical", arrived_at=NOW)
    assert client.get("/publications/1.xlsx", headers=headers).status_code == 422
    assert client.get("/publications/1.docx", headers=headers).status_code == 422


@pytest.mark.usefixtures("without_positive_list")
def test_people_propose_and_approve_on_the_page(client: TestClient) -> None:
    csrf = sit_down(client, "thanhtra")
    form = {"csrf": csrf, "key": "p" * 30, "month": MONTH, "reason": "báo cáo tháng hai"}
    shown = client.post("/publications", data=form)
    assert "Chờ người thứ hai duyệt" in shown.text
    assert client.post("/publications", data=form).text.count("Danh mục 1,") == 1, "sent twice, proposed once"
    csrf = sit_down(client, "lanhdao")
    form = {"csrf": csrf, "key": "q" * 30, "outcome": "approved", "because": "đã đối chiếu"}
    assert "Đã duyệt" in client.post("/publications/1", data=form).text
    for person in PEOPLE:
        if person.login not in ("thanhtra", "lanhdao", "thanhtra.x1"):
            csrf = sit_down(client, person.login)
            assert client.post("/publications/1", data={**form, "csrf": csrf, "key": "r" * 30}).status_code == 403
    people = client.app.state.context.people  # type: ignore[attr-defined]
    with people.state.reading() as session:
        assert session.query(PublicationPack).count() == 1

"""The inbox of early warnings as heads use it, and the commands around it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from serving.access.permissions import Role
from serving.app import create_app
from serving.cli import app as command_line
from serving.settings import Settings
from serving.state import EarlyWarning, open_state
from serving.warnings.acknowledgement import acknowledge
from serving.warnings.outcome import effect_of_warnings
from serving.warnings.turn import turn
from tests.drawn_office import AS_OF, dossier_id, draw_office
from tests.drawn_people import NOW, Person, add_people, sit_down
from tests.drawn_warnings import rules, score

KEY = "k" * 30
PERSONS = (
    Person("truongphong", Role.UNIT_HEAD, "x1"),
    Person("truongphong.x2", Role.UNIT_HEAD, "x2"),
    Person("chutich", Role.UNIT_HEAD, "tinh"),
    Person("lanhdao", Role.LEADER),
    Person("thanhtra", Role.INSPECTOR),
)
MORNING = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An office where three dossiers of x1, one of them held out, and one of x2 were warned of this morning."""
    settings = draw_office(tmp_path_factory.mktemp("office"))
    state = open_state(settings.database_url)
    add_people(state, PERSONS)
    score(settings, AS_OF + timedelta(minutes=1), {dossier_id(0): 0.9, dossier_id(4): 0.8, "H-held": 0.7}, unit="x1")
    turn(settings, state, rules(), now=MORNING)
    score(settings, AS_OF + timedelta(minutes=2), {dossier_id(1): 0.9, dossier_id(0): 0.9}, unit="x2")
    turn(settings, state, rules(), now=MORNING)
    with state.writing() as session:
        held = session.scalars(select(EarlyWarning).where(EarlyWarning.dossier_id == "H-held")).one()
        held.arm, held.told_at, held.manner = "held_out", None, None
    state.close()
    return settings


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=60)) as opened:
        yield opened


def number_of(client: TestClient, dossier: str) -> int:
    with client.app.state.context.people.state.reading() as session:  # type: ignore[attr-defined]
        return session.scalars(select(EarlyWarning.id).where(EarlyWarning.dossier_id == dossier)).one()


def test_a_head_sees_the_warnings_of_the_unit_and_below_with_why_and_what_helps(client: TestClient) -> None:
    sit_down(client, "truongphong")
    page = client.get("/warnings").text
    assert re.findall(r"H99\.13-260914-\d{4}", re.sub(r"<[^>]+>", " ", page)) == [dossier_id(0), dossier_id(4)]
    assert "Đã dùng 92 % thời gian" in page
    assert "còn 5,0 ngày" in page
    assert "Nơi rút ngắn được nhiều nhất" in page
    assert "“Ký duyệt”" in page
    assert "H-held" not in page, "a held-out warning is shown to nobody"
    assert 'href="/warnings"' in client.get("/board").text
    sit_down(client, "chutich")
    assert dossier_id(1) in client.get("/warnings").text
    sit_down(client, "thanhtra")
    assert client.get("/warnings").status_code == 403


def test_the_api_tells_and_acknowledges_the_same_lines(client: TestClient) -> None:
    csrf = sit_down(client, "truongphong")
    told = client.get("/api/v1/warnings").json()
    assert [one["dossier_id"] for one in told] == [dossier_id(0), dossier_id(4)]
    assert "“Ký duyệt”" in told[0]["helps"]
    assert told[0]["reasons"][0]["vi"].startswith("Đã dùng 92 %")
    assert told[0]["acknowledged_at"] is None
    number = told[1]["id"]
    headers = {"X-CSRF-Token": csrf, "Idempotency-Key": "w" * 30}
    wish = {"warnings": [number], "note": "Giao người hỗ trợ"}
    for _ in range(2):
        assert client.post("/api/v1/warnings/acknowledge", json=wish, headers=headers).status_code == 200
    (answered,) = client.get("/api/v1/warnings?standing=answered").json()
    assert (answered["id"], answered["note"]) == (number, "Giao người hỗ trợ")
    wish = {"warnings": [number_of(client, dossier_id(1))]}
    headers["Idempotency-Key"] = "v" * 30
    assert client.post("/api/v1/warnings/acknowledge", json=wish, headers=headers).status_code == 404
    assert client.get("/api/v1/warnings/effect").status_code == 403
    with client.app.state.context.people.state.writing() as session:  # type: ignore[attr-defined]
        warning = session.get_one(EarlyWarning, number)
        warning.acknowledged_at, warning.note = None, ""


def test_the_inbox_is_a_file_too(client: TestClient) -> None:
    sit_down(client, "truongphong")
    sheet = openpyxl.load_workbook(BytesIO(client.get("/warnings.xlsx").content)).worksheets[0]
    lines = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [line[0] for line in lines] == [dossier_id(0), dossier_id(4)]
    assert [line[6] for line in lines] == [90, 80]
    assert "“Ký duyệt”" in str(lines[0][7])


def test_the_ledger_tells_alerts_that_nobody_answered(client: TestClient) -> None:
    sit_down(client, "truongphong")
    (warned,) = client.get(f"/api/v1/ledger/{dossier_id(0)}").json()["warnings"]
    assert (warned["head_unit"], warned["acknowledged_at"]) == ("x1", None)
    assert '2</b><a href="/warnings">cảnh báo chờ xác nhận' in client.get("/board").text
    sit_down(client, "chutich")  # on the latest list the dossier stands with x2
    page = client.get("/dossier", params={"id": dossier_id(0)}).text
    assert "Cảnh báo sớm đã gửi" in page
    assert "chưa ai xác nhận" in page


def test_those_who_weigh_warnings_see_that_too_few_were_told(client: TestClient) -> None:
    sit_down(client, "lanhdao")
    assert "Chưa đủ dữ liệu" in client.get("/warnings/effect").text
    effect = client.get("/api/v1/warnings/effect").json()
    assert effect["value"] is None
    assert effect["told"] + effect["held_out"] <= 4


def test_acknowledging_twice_has_one_effect_and_one_receipt(client: TestClient) -> None:
    csrf = sit_down(client, "truongphong")
    people = client.app.state.context.people  # type: ignore[attr-defined]
    number = number_of(client, dossier_id(0))
    form = {"csrf": csrf, "key": KEY, "warning": str(number), "note": "Giao thêm người"}
    for _ in range(2):
        answer = client.post("/warnings/acknowledge", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/warnings")
    with people.state.reading() as session:
        found = session.get_one(EarlyWarning, number)
    assert (found.acknowledged_at, found.note) == (NOW, "Giao thêm người")
    assert len(people.receipts.about(f"warning:{number}")) == 1
    again = client.post("/warnings/acknowledge", data={**form, "key": "j" * 30, "note": "khác"}, follow_redirects=False)
    assert again.status_code == 303
    with people.state.reading() as session:
        assert session.get_one(EarlyWarning, number).note == "Giao thêm người", "the first answer stands"
    assert "Giao thêm người" in client.get("/warnings?standing=answered").text
    assert dossier_id(0) not in client.get("/warnings").text


def test_only_the_heads_of_the_unit_answer(client: TestClient) -> None:
    number = number_of(client, dossier_id(1))
    csrf = sit_down(client, "truongphong")
    form = {"csrf": csrf, "key": "a" * 30, "warning": str(number)}
    assert client.post("/warnings/acknowledge", data=form).status_code == 404
    assert client.post("/warnings/acknowledge", data={**form, "warning": "99999"}).status_code == 404
    assert client.post("/warnings/acknowledge", data={"csrf": csrf, "key": "b" * 30}).status_code == 422
    held = number_of(client, "H-held")
    assert client.post("/warnings/acknowledge", data={**form, "key": "c" * 30, "warning": str(held)}).status_code == 404
    csrf = sit_down(client, "lanhdao")
    assert client.post("/warnings/acknowledge", data={**form, "csrf": csrf}).status_code == 403
    assert client.get("/warnings").status_code == 200


def test_a_note_that_is_too_long_is_refused(client: TestClient) -> None:
    people = client.app.state.context.people  # type: ignore[attr-defined]
    with people.state.writing() as session, pytest.raises(ValueError, match="1000"):
        acknowledge(session, [number_of(client, dossier_id(4))], None, "x" * 1001, by=1, now=NOW)


def test_the_commands_show_and_measure(settings: Settings) -> None:
    runner = CliRunner()
    shown = runner.invoke(command_line, ["--home", str(settings.home), "warn", "show", "--unit", "x2"])
    assert dossier_id(1) in shown.output
    assert "chờ xác nhận / waiting: 1" in shown.output
    told = runner.invoke(command_line, ["--home", str(settings.home), "warn", "effect", "--as-of", "2026-06-01"])
    assert "held_out" in told.output
    assert "not enough data" in told.output
    ran = runner.invoke(command_line, ["--home", str(settings.home), "warn", "run", "--as-of", "2026-03-02T09:00"])
    assert "fired: no new list" in ran.output, ran.output


def _late(ended: datetime, due: datetime, asked: datetime | None, brought: datetime | None) -> bool:
    """Whether it ended after its promise, moved by the working time in which papers were awaited."""
    if asked is None or brought is None or asked > due:
        return ended > due
    past, awaited = (
        VIETNAM.working_hours(begin.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
        for begin, end in ((due, ended), (asked, brought))
    )
    return past > awaited


def test_the_effect_reads_outcomes_from_the_record(settings: Settings, tmp_path: Path) -> None:
    own = Settings(tmp_path, settings.record_url, f"sqlite:///{tmp_path / 'state.db'}", "", settings.zone)
    state = open_state(own.database_url)
    until = AS_OF + timedelta(days=40)
    with Record(own.record_url).connect(cutoff=until) as con:
        # own working time, for the clock stands from papers asked to papers brought
        ended = con.execute(
            "SELECT d.dossier_id, d.received_at, max(e.happened_at) FILTER (e.kind = 'decided'), any_value(d.due_at),"
            " max(e.happened_at) FILTER (e.kind = 'papers_requested'),"
            " max(e.happened_at) FILTER (e.kind = 'papers_supplied')"
            " FROM dossier d JOIN event e USING (dossier_id) GROUP BY ALL"
            " HAVING bool_or(e.kind = 'decided') ORDER BY 1"
        ).fetchall()
    with state.writing() as session:
        for at, (dossier, received, *_) in enumerate(ended):
            as_of = received.replace(tzinfo=UTC) + timedelta(hours=1)
            session.add(
                EarlyWarning(
                    key=f"{at:064d}", target="lateness", dossier_id=dossier, unit_code="x1", head_unit="x1",
                    due_at=as_of + timedelta(days=12), as_of=as_of, fired_at=as_of, model_version="m", score=0.5,
                    threshold=0.3, left_hours=40.0, reasons="[]", arm="held_out" if at % 4 == 0 else "told", draw=0.5,
                    held_out_share=0.25, note="",
                )
            )  # fmt: skip
    with state.reading() as session, Record(own.record_url).connect(cutoff=until) as con:
        found = effect_of_warnings(session, con, until)
        recent = effect_of_warnings(session, con, until, since=until)
    state.close()
    late = np.array([float(_late(*one[2:])) for one in ended])
    told = np.arange(len(ended)) % 4 != 0
    assert (found.told, found.held_out) == (told.sum(), (~told).sum())
    assert found.rate_told == pytest.approx(late[told].mean())
    assert found.value == pytest.approx(late[told].mean() - late[~told].mean()), "equal scores: nothing to adjust by"
    assert found.low < found.value < found.high
    assert recent.told == recent.held_out == 0

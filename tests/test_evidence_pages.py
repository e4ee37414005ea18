"""`/evidence`, `/papers`, `/sectors`, the visit sheet: figures open what they count; nothing for the inspected."""

from collections.abc import Iterator
from datetime import timedelta

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from features.calendar.vietnam import VIETNAM
from features.signals.acts import SCHEMA
from features.signals.handled import CHARGED, DOUBT
from models.loop import HitRate
from models.sector_risk import SectorRisk
from serving.app import create_app
from serving.plan.gather import gather
from serving.plan.plan_input import Pull
from serving.plan.rules import Rules
from serving.scoring import conduct_evidence
from serving.scoring.score_files import latest_path
from serving.work.decisions import waiting_picks
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import AS_OF, dossier_id, official_of, unit_of
from tests.drawn_people import NOW, sit_down

AFTER = NOW + timedelta(days=27)
PAPER = "Xác nhận của tổ dân phố"
HANDLED = 60
"""Dossiers of each that count; every eighth is o1's, and of o1's the first three show a paper beyond the list."""


def drawn_acts() -> pa.Table:
    rows = []
    for number in (0, 8, 16):
        row = {
            "official_id": "o1", "unit_code": "x1", "procedure_code": "1.001000", "sector_code": "DD",
            "dossier_id": dossier_id(number), "family": "papers", "doubtful": number == 16,
        }  # fmt: skip
        asked = {
            "act": "papers_requested",
            "happened_at": AS_OF - timedelta(days=3),
            "account_id": "o1",
            "detail": PAPER,
        }
        rows.append(row | asked | {"unlisted": [PAPER], "hours": 16.0})
        rows.append(row | {"act": "complaint", "happened_at": AS_OF - timedelta(days=1), "detail": "<b>Bắt</b> chờ"})
    return pa.Table.from_pylist(rows, SCHEMA)


def drawn_handled() -> pa.Table:
    rows = []
    for number in range(HANDLED):
        row: dict[str, object] = {
            "official_id": official_of(number), "unit_code": unit_of(number), "procedure_code": "1.001000",
            "dossier_id": dossier_id(number),
        }  # fmt: skip
        for family in CHARGED:
            row |= {family: family == "papers" and number in (0, 8, 16), family + DOUBT: number == 16}
        rows.append(row)
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    rate = HitRate(0.2, 0.1, 0.3, 40)
    sectors = [
        SectorRisk("DD", 1.5, rate, rate, rate, 0.8),
        SectorRisk("XD", 0.0, HitRate(0.1, 0, 1, 3), rate, None, 0.2),
    ]
    position = {f"o{n}": "Chuyên viên" for n in range(1, 9)}
    conduct_evidence.write(settings.scores, AS_OF, drawn_acts(), drawn_handled(), position, sectors)
    with TestClient(create_app(settings, now=lambda: AFTER, poll_seconds=3600)) as opened:
        yield opened


def test_a_figure_opens_its_dossiers_acts_words_and_questions(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    for subject, key in (("official", "o1"), ("unit", "x1"), ("procedure", "1.001000"), ("sector", "DD")):
        page = client.get(f"/evidence?subject={subject}&id={key}").text
        assert f"3 hồ sơ bị yêu cầu “{PAPER}”, không có trong thành phần hồ sơ đã công bố" in page
        assert all(f"/dossier?id={dossier_id(n)}" in page for n in (0, 8, 16))
        assert "“&lt;b&gt;Bắt&lt;/b&gt; chờ”" in page, "the citizen's words are text"
        assert page.count("chưa rõ ai thao tác") == 1
        assert "không phải kết luận" in page
    assert "Chuyên viên" not in client.get("/evidence?subject=official&id=o1").text
    assert "người khác" in client.get("/evidence?subject=official&id=o1").text.lower()
    assert client.get("/evidence?subject=official&id=o1&family=clock").text.count("/dossier?id=") == 0


def test_the_n_of_a_figure_opens_all_that_were_counted_zero_counts_too(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    for path, opened in (("/conduct", "o1"), ("/conduct", "o4"), ("/official?id=o1", "o1"), ("/unit?id=x1", "x1")):
        subject = "unit" if opened.startswith("x") else "official"
        link = f"/evidence?subject={subject}&amp;id={opened}&amp;all=true"
        assert link in client.get(path).text, (path, link)
    mine = [n for n in range(HANDLED) if official_of(n) == "o1"]
    page = client.get("/evidence?subject=official&id=o1&all=true").text
    assert f"{len(mine)} hồ sơ" in page
    assert sorted(n for n in range(HANDLED) if f"/dossier?id={dossier_id(n)}" in page) == mine
    assert page.count("yêu cầu bổ sung giấy tờ") == 3
    clean = client.get("/evidence?subject=official&id=o4&all=true")
    assert clean.status_code == 200
    assert client.get("/evidence?subject=official&id=o4").status_code == 200, "zero is an answer that opens, too"
    assert client.get("/evidence?subject=official&id=absent&all=true").status_code == 404


def test_the_atlas_and_the_sectors_say_counts_with_intervals(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    atlas = client.get("/papers").text
    assert PAPER in atlas
    assert "Phường Sông Hồng" in atlas
    sectors = client.get("/sectors").text
    assert "20,0 % <span" in sectors.replace("\xa0", " ")
    assert sectors.count("/evidence?subject=sector") == 2
    assert "chưa đủ dữ liệu" in sectors, "of three dossiers no share is told"
    assert PAPER in client.get("/papers.csv").text
    assert "20.0" in client.get("/sectors.csv").text


def test_a_visit_sheet_asks_what_the_data_show(client: TestClient) -> None:
    sit_down(client, "thanhtra")
    page = client.get("/plan/visit?id=2026-03/x1/team").text
    assert f"3 hồ sơ bị yêu cầu “{PAPER}”" in page
    assert "Hồ sơ này bị yêu cầu" in page
    assert "/evidence?subject=unit&amp;id=x1" in page
    other = client.get("/plan/visit?id=2026-03/x2/team").text
    assert PAPER not in other


@pytest.mark.parametrize("login", ["truongphong", "canbo", "quantri"])
def test_the_inspected_open_none_of_it(client: TestClient, login: str) -> None:
    sit_down(client, login)
    for path in ("/evidence?subject=unit&id=x1", "/evidence?subject=unit&id=x1&all=true", "/papers", "/sectors"):
        assert client.get(path).status_code == 403, path


def test_an_inspector_of_one_unit_opens_no_other_and_each_look_is_on_record(client: TestClient) -> None:
    sit_down(client, "thanhtra.x1")
    assert client.get("/evidence?subject=official&id=o1").status_code == 200
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    (last,) = receipts.latest(most=1)
    assert (last.actor, last.action) == ("thanhtra.x1", "evidence.read")
    for path in ("/evidence?subject=official&id=o2", "/evidence?subject=official&id=o2&all=true"):
        assert client.get(path).status_code == 404


def test_a_dossier_that_has_ended_is_read_and_put_into_the_plan_from_its_evidence(client: TestClient) -> None:
    context = client.app.state.context  # type: ignore[attr-defined]
    listed = context.serving.risk_list("lateness")
    with context.trackers.record.connect(cutoff=AFTER) as con:
        known = con.execute("SELECT dossier_id, unit_code FROM dossier_latest ORDER BY ALL").fetchall()
        held = dict(
            con.execute(
                "SELECT dossier_id, arg_max(official_id, happened_at) FROM event_latest "
                "WHERE official_id IS NOT NULL GROUP BY 1"
            ).fetchall()
        )
    ended, unit = next((one, unit) for one, unit in known if listed.line(one) is None and one in held)
    csrf = sit_down(client, "thanhtra")
    page = client.get("/dossier", params={"id": ended})
    assert page.status_code == 200
    assert "Hồ sơ đã kết thúc không có điểm" in page.text
    form = {"dossier": ended, "reason": "đối chiếu giấy tờ tại chỗ", "page": "/evidence", "csrf": csrf, "key": "e" * 30}
    asked = {"referer": "http://testserver/evidence?subject=official&id=o1"}
    sent = client.post("/picks", data=form, headers=asked, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/evidence?subject=official&id=o1")
    assert ended in client.get("/plan").text
    head = {"X-CSRF-Token": csrf, "Idempotency-Key": "d" * 30}
    refused = client.post(
        "/api/v1/decisions", json={"dossier_id": ended, "kind": "dismiss", "reason": "đã xong rồi"}, headers=head
    )
    assert refused.status_code == 422
    with context.people.state.reading() as session:
        picked = waiting_picks(session, "lateness")
    assert picked == {ended: unit}
    with context.trackers.record.connect(cutoff=AFTER) as con:
        scores = latest_path(context.serving.settings.scores, "lateness")
        brief = gather(con, scores, "2026-03", VIETNAM, Rules(), context.serving.settings.zone, picked)
        plain = gather(con, scores, "2026-03", VIETNAM, Rules(), context.serving.settings.zone)
    visited = next(one for one in brief.units if one.unit_code == unit)
    assert visited.picked == (ended,)
    assert Pull(ended, held[ended], 0.0) in visited.pulls
    without = next(one for one in plain.units if one.unit_code == unit)
    assert visited.expected == without.expected  # nothing is predicted of it
    assert brief.utility(visited) > brief.utility(without)
    undo = {"csrf": csrf, "key": "u" * 30, "page": "/evidence"}
    client.post("/decisions/undo", data=undo)
    assert ended not in client.get("/plan").text


@pytest.mark.parametrize("login", ["truongphong", "canbo"])
def test_of_an_ended_dossier_the_inspected_read_no_pick_and_none_of_other_units(client: TestClient, login: str) -> None:
    context = client.app.state.context  # type: ignore[attr-defined]
    listed = context.serving.risk_list("lateness")
    with context.trackers.record.connect(cutoff=AFTER) as con:
        known = con.execute("SELECT dossier_id, unit_code FROM dossier_latest ORDER BY ALL").fetchall()
    foreign = next(one for one, unit in known if listed.line(one) is None and unit in ("x2", "x3"))
    sit_down(client, login)
    assert client.get("/dossier", params={"id": foreign}).status_code == 404
    assert client.get("/dossier", params={"id": "absent"}).status_code == 404

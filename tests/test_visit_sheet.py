"""A visit's sheet: seen a day before by the team's lead alone, photos kept and taken back; what is found goes all the
way, onto the dossier, the official, the results, and into the next training set.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from models.finding import inspected
from serving.app import create_app
from serving.plan.store import PlanStore
from serving.settings import Settings
from serving.work.finding_photos import picture_of
from tests.drawn_conduct import draw_full_office
from tests.drawn_people import sit_down


def picture(kind: str, **told: Any) -> bytes:
    """A picture of 40 by 20, wider than high."""
    out = BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, kind, **told)
    return out.getvalue()


PNG = picture("PNG")
TURNED, MAKER, PLACE = 0x0112, 0x010F, 0x8825
"""EXIF: how the phone was held, its maker, where it was."""
_KEYS = count()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return draw_full_office(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def visit(settings: Settings) -> dict[str, Any]:
    """The visit of a team that the drawn plan holds, with dossiers on its sheet."""
    visits = PlanStore(settings.home / "plans", settings.keys).open("2026-03").plan["visits"]
    found: dict[str, Any] = next(one for one in visits if one["team_id"] and one["sheet"])
    return found


@pytest.fixture
def client(settings: Settings, visit: dict[str, Any]) -> Iterator[TestClient]:
    """The office three hours before that visit; `at` of the client moves its clock."""
    clock = [datetime.fromisoformat(visit["at"]) - timedelta(hours=3)]
    with TestClient(create_app(settings, now=lambda: clock[0], poll_seconds=3600)) as opened:
        opened.clock = clock  # type: ignore[attr-defined]
        yield opened


def headers(csrf: str) -> dict[str, str]:
    return {"Idempotency-Key": f"key-{next(_KEYS)}".ljust(30, "0"), "X-CSRF-Token": csrf}


def test_the_lead_alone_sees_a_visit_before_its_hour_and_writes_nothing_then(
    client: TestClient, visit: dict[str, Any]
) -> None:
    link = f"/plan/visit?id={visit['visit_id']}"
    csrf = sit_down(client, "thanhtra")
    assert client.get(link).status_code == 404
    csrf = sit_down(client, "quantri")
    wish = {"team": visit["team_id"], "login": "thanhtra"}
    assert client.post("/api/v1/team-leads", json=wish, headers=headers(csrf)).status_code == 200
    sit_down(client, "lanhdao")
    assert client.get(link).status_code == 404
    csrf = sit_down(client, "thanhtra")
    assert "Tổ của bạn, sắp đến giờ" in client.get("/plan").text
    page = client.get(link)
    assert page.status_code == 200
    assert "Chưa đến giờ" in page.text
    assert 'action="/plan/finding"' not in page.text
    receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    assert receipts.about(f"visit:{visit['visit_id']}", most=5)[0].action == "visit.ahead"
    early = {"visit_id": visit["visit_id"], "dossier_id": visit["sheet"][0]["dossier_id"], "kind": "none"}
    assert client.post("/api/v1/findings", json=early, headers=headers(csrf)).status_code == 404
    client.clock[0] -= timedelta(hours=30)  # type: ignore[attr-defined]
    csrf = sit_down(client, "thanhtra")
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_kept_upright_and_without_place_or_phone(kind: str) -> None:
    told = Image.Exif()
    told[TURNED], told[MAKER] = 6, "A-Phone"  # held upright: the picture lies on its side
    told.get_ifd(PLACE)[1] = "N"
    sent = picture(kind, exif=told)
    assert b"A-Phone" in sent
    kept, media_type, _ = picture_of(sent)
    assert media_type == f"image/{kind.lower()}"
    assert b"A-Phone" not in kept
    shown = Image.open(BytesIO(kept))
    assert (shown.size, dict(shown.getexif())) == ((20, 40), {})


@pytest.mark.parametrize("sent", [b"", b"GIF89a", picture("JPEG")[:200], b"RIFF0000WEBP", picture("BMP")])
def test_what_is_no_whole_picture_is_refused(sent: bytes) -> None:
    with pytest.raises(ValueError, match="photo: wanted a picture"):
        picture_of(sent)


def test_photos_are_pictures_kept_by_dossier_and_taken_back(client: TestClient, visit: dict[str, Any]) -> None:
    client.clock[0] += timedelta(hours=4)  # type: ignore[attr-defined]
    csrf = sit_down(client, "thanhtra")
    of = {"visit_id": visit["visit_id"], "dossier_id": visit["sheet"][0]["dossier_id"]}
    path = "/api/v1/findings/photos"
    for content, status in ((PNG, 200), (b"<svg onload=alert(1)>", 422), (PNG + b"0" * 8_000_000, 422)):
        sent = client.post(path, data=of, files={"photo": ("a.png", content)}, headers=headers(csrf))
        assert sent.status_code == status
    absent = of | {"dossier_id": "absent"}
    assert client.post(path, data=absent, files={"photo": ("a", PNG)}, headers=headers(csrf)).status_code == 404
    (photo,) = client.get(path, params={"visit_id": visit["visit_id"]}).json()
    shown = client.get(f"/plan/photo/{photo['id']}")
    assert (shown.content, shown.headers["content-type"]) == (picture_of(PNG)[0], "image/png")
    assert client.get(f"{path}/{photo['id']}").content == shown.content
    sheet = client.get("/plan/visit", params={"id": visit["visit_id"]}).text
    assert f'src="/plan/photo/{photo["id"]}"' in sheet
    sit_down(client, "truongphong")
    assert client.get(f"/plan/photo/{photo['id']}").status_code == 403
    assert client.get(f"/self-inspections/photo/{photo['id']}").status_code == 404
    csrf = sit_down(client, "thanhtra")
    form = {"csrf": csrf, "key": "withdraw".ljust(30, "0"), "visit": visit["visit_id"]}
    assert client.post(f"/plan/photo/{photo['id']}/withdraw", data=form).status_code == 200
    assert client.get(f"/plan/photo/{photo['id']}").status_code == 404
    assert client.get(path, params={"visit_id": visit["visit_id"]}).json() == []


def test_a_recorded_finding_stands_everywhere_and_is_learnt_from(
    client: TestClient, visit: dict[str, Any], settings: Settings
) -> None:
    client.clock[0] += timedelta(hours=5)  # type: ignore[attr-defined]
    sit_down(client, "thanhtra")
    listed = client.app.state.context.serving.listed("lateness")  # type: ignore[attr-defined]
    line = next(one for one in visit["sheet"] if one["official_id"] and listed.line(one["dossier_id"]) is not None)
    page = client.get("/plan/visit", params={"id": visit["visit_id"]}).text
    form = next(part for part in page.split('action="/plan/finding"')[1:] if f'value="{line["dossier_id"]}"' in part)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.split("</form>")[0]))
    said = {"kind": "harassment", "severity": "2", "evidence": "giấy tờ yêu cầu ngoài danh mục, biên bản số 7",
            "confirmed": "yes"}  # fmt: skip
    kinds = re.findall(r'name="kind" value="(\w+)"', form)
    said["kind"] = said["kind"] if said["kind"] in kinds else next(one for one in kinds if one != "none")
    assert client.post("/plan/finding", data=hidden | said).status_code == 200
    dossier = client.get("/dossier", params={"id": line["dossier_id"]}).text
    official = client.get("/official", params={"id": line["official_id"]}).text
    for where, text in (("dossier", dossier), ("official", official), ("results", client.get("/results").text)):
        assert "biên bản số 7" in text, where
    assert line["dossier_id"] in client.get("/results.csv").text
    client.app.state.context.refresh()  # type: ignore[attr-defined]
    cutoff = client.clock[0] + timedelta(minutes=1)  # type: ignore[attr-defined]
    record = client.app.state.context.trackers.record  # type: ignore[attr-defined]
    with record.connect(cutoff=cutoff) as con:
        rows = [one for one in inspected(con, cutoff).to_pylist() if one["dossier_id"] == line["dossier_id"]]
    assert len(rows) == 1

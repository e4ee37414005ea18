"""What was found not to hold is named nowhere but where it is adjudicated; the three states are told apart."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from serving.access.route_table import ROUTES
from serving.app import create_app
from serving.documents.letterhead import Letterheads
from serving.read.finding_words import KIND_WORDS
from serving.read.register import Register
from serving.reports.files import ENDINGS, report_file
from serving.reports.letters import KINDS as LETTERS
from serving.reports.make import KINDS, make_kind
from serving.reports.publication import PACK
from serving.reports.report import Report
from serving.settings import Settings
from serving.state import State, open_state
from serving.work import findings
from tests.drawn_conduct import draw_full_office
from tests.drawn_office import dossier_id
from tests.drawn_people import NOW, sit_down

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONTH, VISITED = "2026-02", datetime(2026, 2, 10, 2, tzinfo=UTC)
STATES = {"CHO": (None, "wrongful_return"), "CO": (True, "harassment"), "BAC": (False, "tampering")}
"""Waiting, confirmed, refuted: each with a kind of its own, so that its words tell it."""
OFFICE = {"/results": "xác định không đúng", "/api/v1/results": '"confirmed":false'}
"""Where findings are adjudicated: there the refuted stand, and are told to be so."""
READERS = ("thanhtra", "truongphong")


def marks(name: str) -> set[str]:
    """What would tell of the finding: its id, its evidence, its official, and the words for its kind."""
    return {f"KL-{name}", f"BANG-CHUNG-{name}", f"nguoi-{name}", KIND_WORDS[STATES[name][1]]}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_full_office(tmp_path_factory.mktemp("office"))
    told = VISITED + timedelta(days=1)
    visit = {"inspection_id": "TT-1", "unit_code": "x1", "visited_at": VISITED, "known_at": told}
    rows = [
        {"finding_id": f"KL-{name}", "inspection_id": "TT-1", "dossier_id": f"HS-{name}",
         "official_id": f"nguoi-{name}", "kind": kind, "severity": 2, "confirmed": confirmed, "known_at": told,
         "confirmed_at": None if confirmed is None else told + timedelta(days=2)}
        for name, (confirmed, kind) in STATES.items()
    ]  # fmt: skip
    chunks = [Chunk("inspection", [visit]), Chunk("finding", rows)]
    Record(settings.record_url).append(chunks, source="canonical", arrived_at=NOW - timedelta(days=1))
    state = open_state(settings.database_url)
    with state.writing() as session:
        for number, (name, (confirmed, kind)) in enumerate(STATES.items()):
            pulled = findings.SampledDossier("2026-03/x1/head", "x1", VISITED, dossier_id(number), official_id="o1")
            said = findings.Conclusion(kind, 2, confirmed, f"BANG-CHUNG-{name}, sổ tiếp nhận")
            findings.add(session, pulled, said, now=NOW - timedelta(hours=3))
    state.close()
    return settings


@pytest.fixture(scope="module")
def state(office: Settings) -> Iterator[State]:
    opened = open_state(office.database_url)
    yield opened
    opened.close()


def text_of(content: bytes) -> str:
    """All that a file says: the parts of an Office file or archive, or the text itself."""
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(BytesIO(content)) as packed:
        return "\n".join(text_of(packed.read(name)) for name in packed.namelist())


def report_of(office: Settings, state: State, kind: str, unit: str) -> Report:
    with state.reading() as session:
        told = {**KINDS, "publication": PACK}[kind]
        return make_kind(Record(office.record_url), session, kind, told, MONTH, NOW, VIETNAM, unit_code=unit)


@pytest.mark.parametrize("kind", [*KINDS, "publication"])
def test_every_report_names_what_is_confirmed_alone(office: Settings, state: State, kind: str) -> None:
    report = report_of(office, state, kind, "x1" if KINDS.get(kind, PACK).of_unit else "")
    head = Letterheads().of(Register(), "")
    told = {ending: text_of(report_file(report, ending, ZONE, head)) for ending in ENDINGS}
    for ending, text in told.items():
        for name in ("BAC", "CHO"):
            assert not [mark for mark in marks(name) | {f"HS-{name}"} if mark in text], (kind, ending, name)
    figures = {one.en: one.value for one in report.figures}
    if "findings not confirmed" in figures:
        counted = [figures[name] for name in ("confirmed findings", "findings waiting", "findings not confirmed")]
        assert counted == [1, 1, 1], "three states, each counted in its own line"
    if "confirmed findings" in figures:
        assert "KL-CO" in told[".xlsx"]


def test_a_finding_that_is_refuted_later_leaves_the_report_made_again(office: Settings, state: State) -> None:
    record = Record(office.record_url)
    with record.connect(cutoff=NOW) as con:
        (row,) = con.sql("FROM finding_latest WHERE finding_id = 'KL-CO'").to_arrow_table().to_pylist()
    kept = {name: value for name, value in row.items() if name != "row_id" and value is not None}
    again = {**kept, "confirmed": False, "known_at": NOW + timedelta(days=1), "confirmed_at": NOW + timedelta(days=1)}
    report = report_of(office, state, "centre", "")
    assert "KL-CO" in str(report.rows)
    record.append([Chunk("finding", [again])], source="canonical", arrived_at=NOW + timedelta(days=1))
    with state.reading() as session:
        later = make_kind(record, session, "centre", KINDS["centre"], MONTH, NOW + timedelta(days=2), VIETNAM)
    assert "KL-CO" not in str(replace(later, notes=()))


def test_no_route_names_a_refuted_finding_but_where_it_is_adjudicated(office: Settings) -> None:
    """Every page, export, letter and API route that is read without an argument, by an inspector and a head."""
    asked = 0
    wrong: list[tuple[str, str, list[str]]] = []
    app = create_app(office, now=lambda: NOW, poll_seconds=3600)
    reads = [route.removeprefix("GET ") for route in ROUTES if route.startswith("GET ")]
    paths = [path for path in reads if "{" not in path]
    endings = [path.replace("{ending}", ending) for path in reads if re.findall(r"{\w+}", path) == ["{ending}"]
               for ending in ("xlsx", "csv", "docx")]  # fmt: skip
    letters = [f"/letters/{kind}.{ending}" for kind in LETTERS for ending in ("docx", "zip")]
    with TestClient(app) as client:
        for login in READERS:
            sit_down(client, login)
            for path in [*paths, *endings, *letters]:
                if path in ("/logout", "/api/v1/openapi.json"):
                    continue
                answer = client.get(path)
                asked += answer.status_code == 200
                text = text_of(answer.content)
                named = [mark for mark in ("KL-BAC", "BANG-CHUNG-BAC", "nguoi-BAC", "HS-BAC") if mark in text]
                if path in OFFICE and answer.status_code == 200 and named:
                    assert OFFICE[path] in text.replace('": ', '":'), (login, path)
                else:
                    wrong += [(login, path, named)] if named else []
    assert not wrong
    assert asked > 100

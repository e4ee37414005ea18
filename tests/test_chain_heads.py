"""The end of the chain is known outside, and what receipts tell of is compared with what is there."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from serving.access.permissions import Role
from serving.access.route_table import PUBLIC, ROUTES
from serving.app import create_app
from serving.cli import app as risk
from serving.jobs.actions import sign_head
from serving.jobs.chain_heads import ChainHeads, carriers, time_stamp, uncarried
from serving.jobs.schedule import JobRules
from serving.settings import HeadSettings, Settings
from serving.state import open_state
from serving.warnings.channels.webhook import WEBHOOK_SECRET, signature
from serving.work.chain_anchor import HEAD_EVERY, ChainHead, Witness
from serving.work.receipts import Receipts
from tests.bench.receivers import Handed, mail_server, webhook_receiver
from tests.drawn_people import NOW, PASSWORD, PEOPLE, Clock, sit_down, staffed_office, token


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    settings = staffed_office(tmp_path / "home")
    return replace(settings, heads=HeadSettings(folder=tmp_path / "elsewhere"))


def chain_of(settings: Settings) -> Receipts:
    return Receipts(open_state(settings.database_url), Witness(settings.keys, settings.home / "receipts"))


def run_for(chain: Receipts, hours: int, settings: Settings, clock: Clock) -> None:
    """The service runs: a look and a turn every ten minutes."""
    heads = ChainHeads(settings, chain, clock)
    for _ in range(6 * hours):
        clock.now += timedelta(minutes=10)
        chain.record("thanhtra", "dossier.read", {"dossier": "H1"}, now=clock.now)
        heads.turn()
        heads.carry()


def test_a_cut_tail_is_found_though_anchor_tail_and_all_heads_went_with_it(office: Settings, tmp_path: Path) -> None:
    chain, clock = chain_of(office), Clock()
    run_for(chain, 5, office, clock)
    assert chain.verify(now=clock.now) == []
    with chain._state.writing() as session:
        for statement in (
            "DELETE FROM receipt_subject WHERE seq > 9",
            "DELETE FROM receipt WHERE seq > 9",
            "DELETE FROM receipt_tail",
            "INSERT INTO receipt_tail SELECT 1, seq, mac FROM receipt WHERE seq = 9",
        ):
            session.execute(text(statement))
    shutil.rmtree(office.home / "receipts")
    (office.home / "receipts").mkdir()
    robbed = chain_of(office)
    whats = [fault.what for fault in robbed.verify(now=clock.now)]
    assert any("no head between" in what for what in whats)
    assert any("the anchor is gone" in what for what in whats)
    outside = [ChainHead.from_json(path.read_text()) for path in sorted((tmp_path / "elsewhere").glob("*.json"))]
    assert len(outside) == 5
    assert any("cut off" in fault.what for fault in robbed.verify(outside, now=clock.now))


def test_heads_taken_from_the_end_or_the_middle_are_missed(office: Settings) -> None:
    chain, clock = chain_of(office), Clock()
    run_for(chain, 6, office, clock)
    folder = chain.witness.folder
    (folder / "00000003.json").unlink()
    assert any("does not follow head 2" in fault.what for fault in chain.verify(now=clock.now))
    for number in (3, 4, 5, 6):
        (folder / f"{number:08d}.json").unlink(missing_ok=True)
    assert [fault.what[:15] for fault in chain.verify(now=clock.now)] == ["no head between"]


def test_a_known_stop_of_the_service_is_no_fault_an_unknown_one_is(office: Settings) -> None:
    chain, clock = chain_of(office), Clock()
    run_for(chain, 3, office, clock)
    stopped = clock.now, clock.now + timedelta(hours=9)
    clock.now = stopped[1]
    run_for(chain, 3, office, clock)
    assert any("no head between" in fault.what for fault in chain.verify(now=clock.now))
    assert chain.verify(now=clock.now, stopped=[stopped]) == []


def test_the_running_service_signs_and_carries_by_itself(office: Settings, tmp_path: Path) -> None:
    clock = Clock()
    with TestClient(create_app(office, now=clock, poll_seconds=3600)) as client:
        client.app.state.context.refresh()  # type: ignore[attr-defined]
        clock.now += HEAD_EVERY
        client.app.state.context.refresh()  # type: ignore[attr-defined]
        chain: Receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
        assert [head.number for head in chain.witness.heads()] == [1, 2]
        ChainHeads(office, chain, clock).carry()
        assert len(list((tmp_path / "elsewhere").glob("*.json"))) == 2
        assert chain.verify(now=clock.now) == []


def test_a_place_that_heads_do_not_reach_is_a_fault(office: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder is wanted")
    settings = replace(office, heads=HeadSettings(folder=blocked))
    chain, clock = chain_of(office), Clock()
    run_for(chain, 4, settings, clock)
    assert uncarried(settings, chain.witness) == [
        f"{chain.witness.heads()[0].name} and 3 later ones were not carried to the folder"
    ]


def test_heads_reach_a_mailbox_and_a_webhook_signed_and_once(office: Settings) -> None:
    handed = Handed()
    with mail_server(handed) as mail, webhook_receiver(handed) as hook:
        write_rules(office, mail)
        places = HeadSettings(mail="luu.giu@so.gov.vn", webhook=f"http://127.0.0.1:{hook}/heads")
        settings = replace(office, heads=places)
        chain, clock = chain_of(settings), Clock()
        run_for(chain, 3, settings, clock)
        assert uncarried(settings, chain.witness) == []
        heads = chain.witness.heads()
        assert [ChainHead.from_json(mail.get_content()) for mail in handed.mails] == heads
        assert {mail["To"] for mail in handed.mails} == {"luu.giu@so.gov.vn"}
        assert [ChainHead.from_json(json.loads(body)["text"]) for _, body in handed.calls] == heads
        secret = (settings.keys / WEBHOOK_SECRET).read_bytes()
        for headers, body in handed.calls:
            wanted = signature(secret, headers["webhook-id"], headers["webhook-timestamp"], body)
            assert headers["webhook-signature"] == wanted
        run_for(chain, 1, settings, clock)
        assert len(handed.mails) == len(handed.calls) == len(heads) + 1, "each once"
        outside = [ChainHead.from_json(mail.get_content()) for mail in handed.mails]
        assert chain.verify(outside, now=clock.now) == []
        with chain._state.writing() as session:
            session.execute(text("DELETE FROM receipt_subject WHERE seq > 3"))
            session.execute(text("DELETE FROM receipt WHERE seq > 3"))
        assert any("cut off" in fault.what for fault in chain.verify(outside, now=clock.now))


def test_a_mail_server_that_refuses_is_asked_again(office: Settings) -> None:
    handed = Handed(mail_answer="451 later")
    with mail_server(handed) as mail:
        write_rules(office, mail)
        settings = replace(office, heads=HeadSettings(mail="luu.giu@so.gov.vn"))
        chain, clock = chain_of(settings), Clock()
        run_for(chain, 4, settings, clock)
        assert handed.mails == []
        assert "not carried to the mail" in uncarried(settings, chain.witness)[0]
        handed.mail_answer = "250 taken"
        ChainHeads(settings, chain, clock).carry()
        assert len(handed.mails) == 4
        assert uncarried(settings, chain.witness) == []


def test_the_job_signs_and_carries_as_the_service_does(office: Settings, tmp_path: Path) -> None:
    rules, clock = JobRules.of(office.home, office.zone), Clock()
    chain = chain_of(office)
    chain.record("thanhtra", "dossier.read", {"dossier": "H1"}, now=clock.now)
    assert "receipt 1 signed; carried to: folder" in sign_head(office, rules, clock.now, clock.now)
    assert "no head was due; carried to: folder" in sign_head(office, rules, clock.now, clock.now + HEAD_EVERY / 2)
    assert [path.name for path in (tmp_path / "elsewhere").glob("*.json")] == ["00000001.json"]
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder is wanted")
    away = replace(office, heads=HeadSettings(folder=blocked))
    sign_head(away, rules, clock.now, clock.now + HEAD_EVERY)
    sign_head(away, rules, clock.now, clock.now + 2 * HEAD_EVERY)
    with pytest.raises(OSError, match="not carried to the folder"):
        sign_head(away, rules, clock.now, clock.now + 3 * HEAD_EVERY)


def write_rules(office: Settings, mail_port: int) -> None:
    words = ("[webhook]", "allow_private = true", "[mail]", 'host = "127.0.0.1"', f"port = {mail_port}",
             "starttls = false")  # fmt: skip
    office.warnings.write_text("\n".join(words))


SLIPPED_IN = (
    "INSERT INTO mark (subject, unit_code, field, value, note, marked_at) VALUES"
    " ('return:H1', 'x1', 'fault', 'law', 'by nobody', '2026-03-01 00:00:00')"
)
CHANGES = {
    "finding severity": ("UPDATE finding SET severity = 1", "finding:1"),
    "finding evidence": ("UPDATE finding SET evidence = 'nothing to see'", "finding:1"),
    "finding author": ("UPDATE finding SET recorded_by = 2", "finding:1"),
    "finding gone": ("DELETE FROM finding", "finding:1"),
    "role": ("UPDATE account SET role = 'administrator' WHERE login = 'canbo'", "account:4"),
    "unit": ("UPDATE account SET unit_code = '*' WHERE login = 'thanhtra.x1'", "account:2"),
    "decision": ("UPDATE decision SET reason = 'another reason'", "decision:1"),
    "decision kind": ("UPDATE decision SET kind = 'dismiss'", "decision:1"),
    "token": ("UPDATE api_token SET actions = 'account.write'", "api_token:1"),
    "slipped in": (SLIPPED_IN, "mark:1"),
}


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office in which things were done: by page, by token, by command."""
    from tests.drawn_office import dossier_id, seal_plan

    settings = staffed_office(tmp_path_factory.mktemp("lived"))
    seal_plan(settings)
    token(settings, Role.ANALYST)
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as client:
        csrf = sit_down(client, "thanhtra")
        form = {"dossier": dossier_id(0), "kind": "pick", "reason": "nhiều phản ánh", "key": "k" * 30, "csrf": csrf}
        assert client.post("/decisions", data=form, follow_redirects=False).status_code == 303
    chain = chain_of(settings)
    from serving.work.findings import Conclusion, SampledDossier, add

    with chain._state.writing() as session:
        found = Conclusion("harassment", 3, True, "biên bản số 7")
        add(session, SampledDossier("2026-03/x1/team", "x1", NOW, dossier_id(0)), found, now=NOW, by=1)
        link = chain.append(session, "thanhtra", "finding.write", {"kind": "harassment"}, now=NOW)
    chain.anchor(link)
    assert chain.verify() == []
    chain._state.close()
    return settings.home


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_changed_behind_its_receipt_is_named(lived_in: Path, tmp_path: Path, change: str) -> None:
    statement, row = CHANGES[change]
    shutil.copytree(lived_in, tmp_path / "home")
    chain = Receipts(
        open_state(f"sqlite:///{tmp_path / 'home' / 'state.db'}"),
        Witness(tmp_path / "home" / "keys", tmp_path / "home" / "receipts"),
    )
    with chain._state.writing() as session:
        session.execute(text(statement))
    whats = [fault.what for fault in chain.verify()]
    assert any(what.startswith(f"{row} ") for what in whats), whats
    chain._state.close()


def test_acts_by_command_leave_receipts_as_acts_by_page_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    staffed_office(home)

    def run(*words: str, said: str = "") -> None:
        done = CliRunner().invoke(risk, ["--home", str(home), *words], input=said)
        assert done.exit_code == 0, (words, done.output)

    run("accounts", "add", "moi.vao", "--role", "inspector", said=f"{PASSWORD}\n")
    run("accounts", "password", "moi.vao", said=f"{PASSWORD} khác\n")
    run("accounts", "close", "moi.vao")
    run("plan", "commit", "2026-12")
    run("answers", "open", "--as-of", NOW.isoformat())
    run("answers", "complaints", "--as-of", NOW.isoformat())
    state = open_state(f"sqlite:///{home / 'state.db'}")
    chain = Receipts(state, Witness(home / "keys", home / "receipts"))
    told = [(one.action, one.actor[:5]) for one in chain.latest()][::-1]
    assert told == [
        (action, "lệnh:") for action in ("account.write", "account.write", "account.write", "plan.write",
                                         "explanation.write", "answer.read")
    ]  # fmt: skip
    assert all('"rows":{"account:8"' in one.detail for one in chain.latest()[::-1][:3])
    state.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = staffed_office(tmp_path / "home")
    with TestClient(create_app(settings, now=lambda: NOW, poll_seconds=3600)) as opened:
        yield opened


def test_every_read_of_persons_by_the_api_leaves_a_receipt(client: TestClient) -> None:
    from tests.drawn_office import dossier_id

    silent = {
        "/api/v1/jobs",
        "/api/v1/standing",
        "/api/v1/reports",
        "/api/v1/publications",
        "/api/v1/metrics",
        "/api/v1/warnings/effect",
        "/api/v1/models/work",
        "/api/v1/warnings/rules",
    }
    chain: Receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    asked = 0
    for rule, action in ROUTES.items():
        method, path = rule.split(" ", 1)
        if method != "GET" or not path.startswith("/api/") or action == PUBLIC or path in silent or "{ending}" in path:
            continue
        path = path.replace("{dossier_id:path}", dossier_id(0)).replace("{official_id}", "o1")
        for person in PEOPLE:
            sit_down(client, person.login)
            before = chain.latest(most=1)
            answer = client.get(path)
            if answer.status_code == 200 and answer.content not in (b"[]",):
                asked += 1
                (last,) = chain.latest(most=1)
                assert last.actor == person.login, path
                assert not before or last.seq > before[0].seq, (person.login, path)
    assert asked > 15


def test_a_token_does_not_walk_the_dossiers_unseen(client: TestClient) -> None:
    settings = client.app.state.context.serving.settings  # type: ignore[attr-defined]
    bearer = {"Authorization": f"Bearer {token(settings, Role.ANALYST)}"}
    lines = client.get("/api/v1/list?size=200", headers=bearer).json()["lines"]
    chain: Receipts = client.app.state.context.people.receipts  # type: ignore[attr-defined]
    for line in lines[:5]:
        client.get(f"/api/v1/dossiers/{line['dossier_id']}", headers=bearer)
    for line in lines[:5]:
        assert [one.action for one in chain.about(f"dossier:{line['dossier_id']}")] == ["dossier.read", "list.read"]


class Authority(BaseHTTPRequestHandler):
    """A time-stamping authority made of `openssl ts`."""

    folder: Path

    def do_POST(self) -> None:
        """Answers a query with a stamp."""
        asked = self.folder / "query.tsq"
        asked.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        words = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-signer", "tsa.pem",
                 "-inkey", "tsa.key", "-out", "answer.tsr"]  # fmt: skip
        done = subprocess.run(words, cwd=self.folder, capture_output=True)
        assert done.returncode == 0, done.stderr
        body = (self.folder / "answer.tsr").read_bytes()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


CONFIG = """
[tsa]
default_tsa = one
[one]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def test_a_time_stamp_of_an_authority_is_kept_and_openssl_verifies_it(office: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "tsa"
    folder.mkdir()
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.pem",
             "-days", "2", "-subj", "/CN=tsa", "-addext", "extendedKeyUsage=critical,timeStamping"]  # fmt: skip
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    server = HTTPServer(("127.0.0.1", 0), type("Here", (Authority,), {"folder": folder}))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    chain, clock = chain_of(office), Clock()
    head = chain.sign_head(now=clock.now)
    settings = replace(office, heads=HeadSettings(time_stamp=address))
    carriers(settings, chain.witness, clock)["time_stamp"](head)
    server.shutdown()
    server.server_close()
    (folder / "head").write_text(head.as_json())
    words = ["openssl", "ts", "-verify", "-data", "head", "-in", str(chain.witness.folder / "00000001.tsr"),
             "-CAfile", "tsa.pem"]  # fmt: skip
    assert "OK" in subprocess.run(words, cwd=folder, capture_output=True, text=True).stdout
    with pytest.raises(httpx2.HTTPError):
        time_stamp(address.replace(str(server.server_port), "1"), head)

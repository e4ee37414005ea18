"""Whatever was delivered, `risk score` goes on: exit 0, and every other open dossier is on the list."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.record.delivery import Chunk
from features.record.record import Record
from serving.cli import app
from serving.scoring.risk_list import RiskLine, latest_list
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import settings_of
from tests.drawn_record import local

AS_OF = local("2026-09-28 08:00")
OTHERS = [f"H99.13-260921-{number:04}" for number in range(1, 9)]
HEAD = "dossier_id,procedure_code,unit_code,receiving_unit_code,channel,received_at,due_at"
ROW = "H99.13-260922-7777,1.001612,H99.13,H99.13,counter,2026-09-22T08:00:00,2026-10-05T17:00:00"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with eight open dossiers and a champion."""
    home = tmp_path_factory.mktemp("home")
    settings = settings_of(home)
    rows = [
        {"dossier_id": name, "procedure_code": "1.001612", "unit_code": "H99.13", "pages": 4.0 + number,
         "received_at": local("2026-09-21 09:00"), "due_at": local("2026-10-02 17:00")}
        for number, name in enumerate(OTHERS)
    ]  # fmt: skip
    events = [
        {"dossier_id": name, "kind": "assigned", "happened_at": local("2026-09-21 10:00"), "official_id": "o1"}
        for name in OTHERS
    ]
    chunks = [
        Chunk("unit", [{"unit_code": "H99.13", "unit_name": "Phường Thử", "level": "commune"}]),
        Chunk("dossier", rows),
        Chunk("event", events),
    ]
    Record(settings.record_url).append(chunks, source="canonical", arrived_at=datetime(2026, 9, 22, tzinfo=UTC))
    ship(settings.models, drawn_model(), "v1")
    return home


def _scored(home: Path, delivery: Path) -> dict[str, RiskLine]:
    """The list after a delivery, by dossier; what the office held before stands on it."""
    run = CliRunner()
    taken = run.invoke(app, ["--home", str(home), "ingest", str(delivery), "--source", "canonical"])
    assert taken.exception is None or isinstance(taken.exception, SystemExit), taken.output
    assert taken.output.strip(), "a delivery that is taken in, set aside or refused says so"
    done = run.invoke(app, ["--home", str(home), "score", "--as-of", AS_OF.isoformat(), "--no-watch"])
    assert done.exit_code == 0, done.output
    found = latest_list(settings_of(home).scores, "lateness")
    lines = {line.dossier_id: line for line in found.page(size=200).lines}
    assert lines.keys() >= set(OTHERS)
    return lines


@pytest.fixture
def home(office: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(office, tmp_path / "home"))


def test_a_procedure_and_a_unit_never_seen_are_scored(home: Path, shared: Path) -> None:
    (case,) = (shared / "cases").glob("20-*")
    lines = _scored(home, case / "dossier.csv")
    new = lines["H99.301-260925-0001"]
    assert (new.procedure_code, new.unit_code) == ("9.777777", "H99.301")
    assert 0 < new.score < 0.999
    assert new.due_at == local("2026-10-09 17:00")


def test_a_promise_set_to_and_fro_stands_where_the_slip_had_it(home: Path, shared: Path, tmp_path: Path) -> None:
    """A reset never moves the lawful promise: one dossier ended late, the other is overdue."""
    (case,) = (shared / "cases").glob("21-*")
    for name in ("dossier.csv", "event.csv"):
        (tmp_path / "feed").mkdir(exist_ok=True)
        shutil.copy(case / name, tmp_path / "feed" / name)
    lines = _scored(home, tmp_path / "feed")
    assert "H99.13-260910-9005" not in lines, "it has ended"
    still = lines["H99.13-260910-9006"]
    assert still.due_at == local("2026-09-21 17:00")
    assert still.left_hours is not None
    assert still.left_hours < 0
    assert still.score >= 0.999
    with Record(settings_of(home).record_url).connect() as con:
        given = con.execute(
            "SELECT count(*) FROM event_latest WHERE kind = 'reset' AND dossier_id LIKE 'H99.13-260910-900%'"
        ).fetchall()
    assert given == [(5,)], "every version of the promise is kept"


Spoil = Callable[[str], str]


@pytest.mark.parametrize("text", [
    "", HEAD, f"{HEAD}\n", f"\ufeff{HEAD}\r\n{ROW}\r\n", f"{HEAD}\n{ROW}\n".replace(",", ";"),
    f"{HEAD},pages\n{ROW},N/A\n", f"{HEAD},pages\n{ROW},không\n", f"{HEAD},pages\n{ROW},1e400\n",
    f"{HEAD},pages\n{ROW},nan\n", f"{HEAD},pages\n{ROW},-\n", f"{HEAD},pages\n{ROW},12 trang\n",
    f"{HEAD}\n{ROW}\n".replace("1.001612", "nan"), f"{HEAD}\n{ROW}\n".replace("1.001612", "inf"),
    f"{HEAD}\n{ROW}\n".replace("H99.13,H", "inf,H"), f"{HEAD}\n{ROW}\n".replace("2026-10-05", "9999-12-31"),
    f"{HEAD}\n{ROW}\n".replace("2026-10-05", "1900-01-01"), f"{HEAD}\n{ROW}\n".replace("2026-09-22", "2062-09-22"),
    f"{HEAD}\n{ROW}\n".replace("17:00:00", "25:61:00"), f"{HEAD}\n{ROW}\n{ROW}\n", f"{HEAD}\n{ROW},thừa\n",
    f"{HEAD}\n{ROW.replace('counter', 'quầy')}\n", f"{HEAD}\nTổng cộng,,,,,,\n", "\x00\x01\x02", "{\"a\": 1}",
    f"{HEAD}\n{OTHERS[0]},1.001612,H99.99,H99.99,counter,2026-09-21T09:00:00,2026-10-02T17:00:00\n",
    f"{HEAD},pages\n{OTHERS[0]},1.001612,H99.13,H99.13,counter,2026-09-21T09:00:00,2026-10-02T17:00:00,lạ\n",
])  # fmt: skip
def test_any_file_leaves_the_others_on_the_list(home: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "dossier.csv").write_text(text, "utf-8")
    _scored(home, tmp_path / "dossier.csv")

"""Lists and pointers to champions are what their receipts told: what is exchanged by hand is named."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving.app import create_app
from serving.cli import app as risk
from serving.settings import Settings
from serving.state import open_state
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts
from serving.work.witnessed_files import adopt, file_faults
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF
from tests.drawn_people import NOW, sit_down, staffed_office

LIST = "scores/lateness/20260302T010000Z/scores.parquet"


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    settings = staffed_office(tmp_path / "home")
    ship(settings.models, drawn_model(), "v1")
    return settings


def chain_of(settings: Settings) -> Receipts:
    return Receipts(open_state(settings.database_url), Witness(settings.keys, settings.home / "receipts"))


def whats(settings: Settings) -> list[str]:
    chain = chain_of(settings)
    try:
        return [fault.what for fault in file_faults(settings.home, chain)]
    finally:
        chain._state.close()


def run(settings: Settings, *words: str) -> None:
    done = CliRunner().invoke(risk, ["--home", str(settings.home), *words])
    assert done.exit_code == 0, done.output


def test_a_list_that_is_exchanged_a_model_slipped_in_or_a_week_taken_away_is_named(office: Settings) -> None:
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=3600)) as client:  # what was there is adopted
        run(office, "weekly", "unit")
        run(office, "score", "--as-of", (AS_OF + timedelta(hours=1)).isoformat(), "--target", "lateness")
        assert whats(office) == []
        lists = (office.home / "scores" / "lateness").glob("*/scores.parquet")
        other = next(path for path in lists if path != office.home / LIST)
        (office.home / LIST).write_bytes(other.read_bytes())
        pointer = office.models / "lateness" / "champion.json"
        pointer.write_text(json.dumps({**json.loads(pointer.read_text()), "by": "nobody"}))
        (week,) = (office.home / "lists").rglob("*.json")
        week.unlink()
        slipped = week.with_name("2026-W02.json")
        slipped.write_text("{}")
        exchanged = "is not what this receipt told: it was exchanged since"
        assert sorted(whats(office)) == sorted(
            [
                f"{LIST} {exchanged}",
                f"models/lateness/champion.json {exchanged}",
                f"{week.relative_to(office.home)} is gone",
                f"{slipped.relative_to(office.home)} is told of by no receipt",
            ]
        )
        sit_down(client, "lanhdao")
        shown = client.get("/receipts/verify").text
        assert LIST in shown
        sit_down(client, "lanhdao")
        assert any(LIST in one["what"] for one in client.get("/api/v1/receipts/verify").json())
    told = CliRunner().invoke(risk, ["--home", str(office.home), "receipts", "verify"])
    assert told.exit_code == 1
    assert "exchanged since" in told.output


def test_what_was_there_is_adopted_once_and_what_comes_later_is_not(office: Settings) -> None:
    chain = chain_of(office)
    assert whats(office) == []
    assert adopt(office.home, chain, now=NOW) == 2  # the list and the champion
    late = office.home / LIST.replace("0302", "0309")
    late.parent.mkdir()
    late.write_bytes(b"made by hand")
    assert adopt(office.home, chain, now=NOW) == 0
    assert whats(office) == [f"{late.relative_to(office.home)} is told of by no receipt"]
    chain._state.close()


def test_a_week_killed_before_it_stands_is_made_again(office: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told of first: a list that nobody told of would be a fault for ever, one that is not there yet is made again."""

    def killed(*_: object) -> None:
        raise OSError(28, "killed")

    with monkeypatch.context() as patch:
        patch.setattr("serving.plan.weekly_list.replace_text", killed)
        assert CliRunner().invoke(risk, ["--home", str(office.home), "weekly", "unit"]).exit_code != 0
    assert [what.split(" ", 1)[1] for what in whats(office)] == ["is gone"]
    run(office, "weekly", "unit")
    assert whats(office) == []

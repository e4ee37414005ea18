"""Signals of officials, units and heads reach the exports as reasons; alerts come from the working state."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import DOSSIER_SIGNALS, HELD_SIGNALS
from serving.cli import app as command_line
from serving.state import EarlyWarning, State, open_state
from serving.warnings.outcome import alerts
from tests import drawn_chances as drawn
from tests.drawn_chances import AS_OF, MONDAY, population

OFTEN_LATE, SHARE_LATE = "không để chậm trễ nhiều lần", "tỷ lệ hồ sơ chậm trễ"
HEAD_SLOW = "người đứng đầu xử lý kịp thời"


def early_warning(number: int, **more: object) -> EarlyWarning:
    at = MONDAY + timedelta(days=number)
    told: dict[str, object] = {
        "key": f"k{number}", "target": "lateness", "dossier_id": f"d{number}", "unit_code": "P-U1",
        "head_unit": "P-U1", "due_at": at, "as_of": at, "fired_at": at, "model_version": "v", "score": 0.9,
        "threshold": 0.5, "left_hours": 8.0, "reasons": "[]", "arm": "told", "draw": 0.5, "held_out_share": 0.1,
        "told_at": at,
    }  # fmt: skip
    return EarlyWarning(**(told | more))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six officials, the first of whom is slow; six heads, the first of whom answers no alert."""
    folder = tmp_path_factory.mktemp("home")
    rows = population("P", drawn.slow, 18, 25)
    for who in range(1, 7):
        rows.setdefault("official", []).extend(drawn.headed("P", who)["official"])
    chunks = [Chunk(name, told) for name, told in rows.items()]
    Record(str(folder / "record")).append(chunks, source="drawn", arrived_at=AS_OF)
    state = open_state(f"sqlite:///{folder / 'state.db'}")
    with state.writing() as session:
        for number in range(25):
            session.add(early_warning(number))
        for number in range(100, 160):
            seen = MONDAY + timedelta(days=number % 12, hours=2)
            session.add(early_warning(number % 12, key=f"k{number}", head_unit=f"P-U{2 + number % 5}",
                                      acknowledged_at=seen))  # fmt: skip
        session.add(early_warning(1, key="held out", arm="held_out", told_at=None))
    state.close()
    return folder


def exported(home: Path, grain: str) -> list[dict[str, str]]:
    out = home / f"{grain}.csv"
    asked = ["--home", str(home), "export", "scores", "--target", "conduct", "--grain", grain]
    told = CliRunner().invoke(command_line, [*asked, "--as-of", AS_OF.isoformat(), "--out", str(out)])
    assert told.exit_code == 0, told.output
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_officials_line_carries_the_signals_with_numbers_and_source(home: Path) -> None:
    rows = {row["official_id"]: row for row in exported(home, "official")}
    said = rows["P-o1"]["reasons_vi"]
    assert "18 trong n = 25" in said
    assert f"Căn cứ: {OFTEN_LATE}" in said
    assert f"Căn cứ: {SHARE_LATE}" in said
    assert "18 of n = 25" in rows["P-o1"]["reasons_en"]
    assert SHARE_LATE not in rows["P-o2"]["reasons_vi"]


def test_a_units_line_carries_what_its_head_lets_stand(home: Path) -> None:
    rows = {row["unit_code"]: row for row in exported(home, "unit")}
    assert f"Căn cứ: {OFTEN_LATE}" in rows["P-U1"]["reasons_vi"]
    said = next(part for part in rows["P-U1"]["reasons_vi"].split("Đơn vị: ") if f"Căn cứ: {HEAD_SLOW}" in part)
    assert "trong n = " in said
    assert not any(HEAD_SLOW in row["reasons_vi"] for unit, row in rows.items() if unit != "P-U1")


def test_alerts_are_those_told_before_the_moment(home: Path, tmp_path: Path) -> None:
    state = State(f"sqlite:///{home / 'state.db'}")
    found = alerts(state, MONDAY + timedelta(days=3)).to_pylist()
    state.close()
    mine = [row for row in found if row["unit_code"] == "P-U1"]
    assert [row["sent_at"] for row in mine] == [MONDAY + timedelta(days=n) for n in range(3)]
    assert {row["acknowledged_at"] for row in mine} == {None}
    assert all(row["acknowledged_at"].tzinfo is not None for row in found if row["unit_code"] != "P-U1")
    empty = State(f"sqlite:///{tmp_path / 'new.db'}")
    assert alerts(empty, AS_OF).num_rows == 0
    empty.close()


def test_the_commands_on_signals_and_fairness(home: Path) -> None:
    asked = ["--home", str(home), "signals", "--as-of", AS_OF.isoformat()]
    told = CliRunner().invoke(command_line, [*asked, "--grain", "head"])
    assert told.exit_code == 0, told.output
    assert "P-head1  P-U1  HEAD_ALERTS_UNANSWERED  Đơn vị: " in told.output
    out = home / "signals.xlsx"
    assert CliRunner().invoke(command_line, [*asked, "--out", str(out)]).exit_code == 0
    assert out.exists()
    assert CliRunner().invoke(command_line, [*asked, "--grain", "person"]).exit_code == 2
    rules = CliRunner().invoke(command_line, [*asked, "--rules"]).output.splitlines()
    assert len(rules) == len(DOSSIER_SIGNALS) + len(HELD_SIGNALS)
    card = home / "fairness.md"
    asked = ["--home", str(home), "fairness", "conduct", "--as-of", AS_OF.isoformat(), "--card", str(card)]
    told = CliRunner().invoke(command_line, asked)
    assert told.exit_code == 0, told.output
    assert "officials with at least 20 dossiers" in card.read_text("utf-8")

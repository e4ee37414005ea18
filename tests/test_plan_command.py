"""`risk plan` and `risk findings` from the outside: a small record and list, a month planned, visited, verified."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from features.record.delivery import Chunk
from features.record.record import Record
from serving.cli import app
from serving.scoring.score_files import SCHEMA, ListMeta, write_scores
from serving.state import open_state
from tests.drawn_people import PASSWORD, add_people

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)
Risk = Callable[..., Result]


@pytest.fixture
def risk(tmp_path: Path) -> Risk:
    """The command line over a home with 12 units, half of them in a high-risk sector, 25 open dossiers each."""
    units = [{"unit_code": f"U{i:02d}", "unit_name": f"Đơn vị {i}"} for i in range(12)]
    sectors = [{"sector_code": "land", "prior_weight": "0.9"}, {"sector_code": "post", "prior_weight": "0"}]
    chunks = [Chunk("unit", units), Chunk("sector", sectors)]
    Record(tmp_path / "record").append(chunks, source="canonical", arrived_at=AS_OF)
    lines = [
        {
            "dossier_id": f"D{i:02d}-{j:02d}",
            "unit_code": f"U{i:02d}",
            "official_id": f"O{i:02d}-{j % 5}",
            "sector_code": "land" if i % 2 else "post",
            "as_of": AS_OF,
            "score": round(0.9 / (1 + j) * (1 + i) / 12, 6),
            "received_at": AS_OF,
            "reasons": [{"code": "time_used", "effect": 1.0, "value": "1", "usual": "0", "n": 1, "vi": "", "en": ""}],
        }
        for i in range(12)
        for j in range(25)
    ]
    lines.sort(key=lambda line: (-cast(float, line["score"]), line["dossier_id"]))
    table = pa.Table.from_pylist([{**line, "rank": at} for at, line in enumerate(lines, 1)], schema=SCHEMA)
    write_scores(tmp_path / "scores", table, ListMeta("lateness", AS_OF, "1", "a" * 64, 1, "b" * 64, len(lines)))
    return lambda *words: CliRunner().invoke(app, ["--home", str(tmp_path), *words])


def two_persons_give_parts(home: Path) -> None:
    state = open_state(f"sqlite:///{home / 'state.db'}")
    add_people(state)
    state.close()
    for say in ([], ["--say"]):
        for by in ("lanhdao", "thanhtra"):
            words = ["--home", str(home), "plan", "part", "2026-12", "--by", by, "--at", "2026-11-28", *say]
            done = CliRunner().invoke(app, words, input=f"{PASSWORD}\nnhững lời chỉ {by} biết\n")
            assert done.exit_code == 0, done.output


def test_a_month_from_the_seed_to_the_verified_reveal(risk: Risk, tmp_path: Path) -> None:
    two_persons_give_parts(tmp_path)
    committed = risk("plan", "commit", "2026-12", "--at", "2026-11-29")
    assert "seed_sha256=" in committed.stdout
    made = risk("plan", "make", "2026-12", "--at", "2026-11-30T09:00")
    assert made.exit_code == 0, made.output
    assert "own_head: 12/12" in made.stdout
    assert committed.stdout.split("seed_sha256=")[1].strip() in made.stdout
    assert risk("plan", "make", "2026-12", "--at", "2026-11-30T10:00").exit_code != 0, "a sealed plan stands"
    shown = risk("plan", "show", "2026-12", "--at", "2026-12-01T00:00").stdout
    assert shown.startswith("0 cuộc đã đến giờ, 22 cuộc còn niêm phong")
    assert risk("plan", "reveal", "2026-12", "--at", "2026-12-02").exit_code != 0
    visit = next(
        line for line in risk("plan", "show", "2026-12", "--at", "2027-01-01").stdout.splitlines() if "team]" in line
    )
    visit_id = visit.rsplit("[", 1)[1].rstrip("]")
    sheet = risk("plan", "show", "2026-12", "--visit", visit_id, "--at", "2027-01-01").stdout
    assert "bốc ngẫu nhiên / drawn" in sheet
    assert "Where does the dossier stand" in sheet
    dossier = next(line.split()[1] for line in sheet.splitlines() if line.startswith(" 1."))
    found = risk("findings", "add", visit_id, dossier, "--kind", "none", "--at", "2027-01-01")
    assert "read=2 appended=2 known=0 rejected=0" in found.stdout
    value = risk("plan", "value", "2026-12", "--at", "2027-01-02").stdout
    assert "1 cuộc, 1 hồ sơ, 0 có phát hiện" in value
    assert risk("plan", "reveal", "2026-12", "--at", "2027-01-02").exit_code == 0
    assert risk("plan", "verify", "2026-12").exit_code == 0
    lines = tmp_path / "plans" / "2026-12" / "plan.jsonl"
    lines.write_text(lines.read_text("utf-8").replace("U03", "U04", 1), "utf-8")
    refused = risk("plan", "verify", "2026-12")
    assert refused.exit_code == 1
    assert "FAIL plan" in refused.stdout


def test_what_cannot_be_planned_is_refused_with_the_quota_and_leaves_no_plan(risk: Risk, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("high_risk_visits = 9\nhome_affairs_missions = 2\n", "utf-8")
    made = risk("plan", "make", "2026-12", "--rules", str(rules), "--at", "2026-11-30")
    assert made.exit_code == 1
    assert "high_risk: 6/9" in made.stderr
    assert "no plan was made" in made.stderr
    assert risk("plan", "verify", "2026-12").exit_code != 0
    assert not (tmp_path / "plans" / "2026-12" / "plan.sealed").exists()


def test_the_printed_rules_can_be_given_back(risk: Risk, tmp_path: Path) -> None:
    from serving.plan.rules import Rules

    rules = tmp_path / "rules.toml"
    rules.write_text(risk("plan", "rules").stdout, "utf-8")
    assert Rules.from_toml(rules) == Rules()


def test_the_weeks_list_is_shared_out_and_told_what_is_new(risk: Risk) -> None:
    first = risk("weekly", "unit", "--size", "6", "--week", "2026-W49")
    assert first.exit_code == 0, first.output
    assert "lines=6 mới / new: –" in first.stdout
    second = risk("weekly", "unit", "--size", "8", "--week", "2026-W50")
    assert "lines=8 mới / new: 25 %" in second.stdout
    assert "not enough data" in risk("weekly", "official", "--week", "2026-W49").stdout

"""Would an inspection find harassment: labels, history less severity, what ships, and whose labels are doubted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import finding_history
from models import artefact, finding, finding_matrix
from models.finding import NOT_BETTER, by_model
from tests.drawn_finding import ASKED, TEAMS, drawn_cases
from training import finding as training
from training.suspect_labels import mended, suspects

MONDAY = datetime(2026, 3, 1, 17, tzinfo=UTC)
"""Midnight of Monday 2 March 2026 in Vietnam."""
CUTOFF = datetime(2026, 6, 1, tzinfo=UTC)


def visit(number: int, team: str, at: datetime, unit: str = "U1", **more: object) -> dict[str, object]:
    return {"inspection_id": f"i{number}", "unit_code": unit, "team_id": team, "visited_at": at.isoformat(),
            "known_at": at.isoformat()} | more  # fmt: skip


def told(number: int, dossier: str, kind: str, at: datetime, **more: object) -> dict[str, object]:
    return {"finding_id": f"f-{number}-{dossier}", "inspection_id": f"i{number}", "dossier_id": dossier, "kind": kind,
            "official_id": "o1", "known_at": at.isoformat()} | more  # fmt: skip


def connect(tmp_path: Path, visits: Any, findings: Any, complaints: Any = ()) -> Any:
    received = MONDAY - timedelta(days=40)
    clocks = {"received_at": received.isoformat(), "known_at": received.isoformat()}
    rows = [{"dossier_id": f"d{n}", "procedure_code": "P", "unit_code": f"U{1 + n % 2}"} | clocks for n in range(30)]
    record = Record(tmp_path / "record")
    chunks = [Chunk("dossier", rows), Chunk("inspection", list(visits)), Chunk("finding", list(findings)),
              Chunk("complaint", list(complaints))]  # fmt: skip
    record.append(chunks, source="t", arrived_at=CUTOFF + timedelta(days=100))
    return record.connect()


def test_labels_are_those_of_pulled_dossiers_as_known_at_the_cutoff(tmp_path: Path) -> None:
    at, late = MONDAY + timedelta(days=2), CUTOFF + timedelta(days=1)
    con = connect(
        tmp_path,
        [visit(1, "A", at), visit(2, "B", at, chosen_by="complaint"), visit(3, "A", at)],
        [
            told(1, "d0", "none", at, chosen_by="draw", probability=0.25),
            told(1, "d1", "harassment", at, chosen_by="score"),
            told(1, "d2", "lateness", at),
            told(1, "d3", "extra_papers", at),
            told(1, "d3", "extra_papers", at + timedelta(days=9), confirmed=False),
            told(2, "d4", "tampering", at, chosen_by="draw"),
            told(2, "d5", "harassment", late),
        ],
    )
    rows = {row["dossier_id"]: row for row in finding.inspected(con, CUTOFF).to_pylist()}
    assert {key: row["label"] for key, row in rows.items()} == {"d0": 0, "d1": 1, "d2": 0, "d3": 0, "d4": 1}
    assert {key for key, row in rows.items() if row["by_draw"]} == {"d0"}, "a visit upon a complaint is no draw"
    assert rows["d0"]["probability"] == 0.25
    assert {row["as_of"] for row in rows.values()} == {MONDAY}


def test_selected_positives_leave_out_floods_rejected_and_nameless_complaints(tmp_path: Path) -> Any:
    def complaint(key: str, dossier: str, who: str | None, **more: object) -> dict[str, object]:
        at = MONDAY + timedelta(days=1)
        return {"complaint_id": key, "filed_at": at.isoformat(), "known_at": at.isoformat(), "dossier_id": dossier,
                "complainant_id": who, "topic": "conduct"} | more  # fmt: skip

    flood = [complaint(f"c{n}", f"d{10 + n}", "loud") for n in range(finding.MOST_OF_ONE + 1)]
    others = [
        complaint("a", "d0", "p"), complaint("b", "d1", "q", verdict="rejected", verdict_at=MONDAY.isoformat()),
        complaint("e", "d2", "r", topic="lateness"), complaint("f", "d3", None),
    ]  # fmt: skip
    con = connect(tmp_path, [], [], [*flood, *others])
    assert finding.reported(con, CUTOFF)["dossier_id"].to_pylist() == ["d0"]


def test_history_is_less_what_the_team_would_have_found_anywhere(tmp_path: Path) -> None:
    at = MONDAY - timedelta(days=30)
    visits = [visit(1, "strict", at, "U1"), visit(2, "lax", at, "U2")]
    visits += [visit(3, "strict", at, "U3"), visit(4, "lax", at, "U4")]
    findings = [
        told(number, f"d{number}-{n}", "harassment" if n < found else "none", at, official_id=f"o{number}")
        for number, found in ((1, 30), (2, 3), (3, 30), (4, 3))
        for n in range(60)
    ]
    con = connect(tmp_path, visits, findings)
    cases = pa.table({"dossier_id": ["d0", "d1"], "as_of": pa.array([MONDAY] * 2, pa.timestamp("us", "UTC"))})
    rows = finding_history.build(con, cases).to_pylist()
    strict, lax = rows[0]["unit_found_beyond"], rows[1]["unit_found_beyond"]
    assert [row["unit_pulled"] for row in rows] == [60, 60]
    assert abs(strict - lax) < 0.1, "found 50 % and 5 %: of the teams, not of the units"
    early = pa.table({"dossier_id": ["d0"], "as_of": pa.array([at - timedelta(days=1)], pa.timestamp("us", "UTC"))})
    assert finding_history.build(con, early)["unit_pulled"].to_pylist() == [0]


@pytest.fixture(scope="module")
def learnt() -> training.LearntFinding:
    return training.fitted(drawn_cases())


def test_model_ships_where_it_beats_the_signals_and_survives_the_disk(learnt: Any, tmp_path: Path) -> None:
    cases = drawn_cases()
    assert (learnt.ships, learnt.suspects) == ("model", ())
    assert learnt.figures["gain"].low > 0
    sha256 = artefact.save(learnt.model, tmp_path)
    again = artefact.load(tmp_path, sha256=sha256)
    assert np.allclose(again.probability(cases.matrix), learnt.model.probability(cases.matrix))
    judged = cases.random
    told = learnt.model.probability(cases.matrix)[judged].mean()
    assert told == pytest.approx(cases.label[judged].mean(), rel=0.25), "calibrated on the random share"


def test_where_nothing_tells_harm_the_signals_ship() -> None:
    learnt = training.fitted(drawn_cases(strength=0.0), training.FEW_SEEDS)
    assert (learnt.ships, learnt.model) == ("rule", None)


def test_severity_of_the_team_is_not_in_the_score() -> Any:
    cases = drawn_cases(6000, confounded=True, seed=3)
    naive = replace(cases, team=np.zeros_like(cases.team), teams=("all",))
    everything = np.ones(len(cases.label), bool)
    risk, blind = (
        np.mean([one.log_odds(cases.x) for one in training.boosters(told, everything, training.FEW_SEEDS).values()], 0)
        for told in (cases, naive)
    )
    strict = cases.x[:, 0] > 0

    def apart(values: np.ndarray) -> float:
        return float(values[strict].mean() - values[~strict].mean())

    assert abs(apart(risk)) < 0.5 * apart(blind)


def test_a_complaint_raises_the_risk_of_its_like() -> None:
    cases = drawn_cases(2000, strength=0.0, seed=5)
    few = np.flatnonzero(cases.x[:, ASKED] == 1)[:40]
    team, label = cases.team.copy(), cases.label.copy()
    team[few], label[few] = -1, training.MOST_WEIGHT
    everything = np.ones(len(label), bool)
    without, with_them = (
        np.mean(
            [one.log_odds(cases.x) for one in training.boosters(told, everything, training.FEW_SEEDS).values()], axis=0
        )
        for told in (cases, replace(cases, team=team, label=label))
    )
    asked = cases.x[:, ASKED] == 1
    gain = with_them - without
    assert gain[asked].mean() > gain[~asked].mean() + 0.5


def test_turned_labels_are_named_and_mended_and_a_strict_team_is_not() -> None:
    cases = drawn_cases(6000, seed=1)
    elsewhere, usual = training.by_other_teams(cases)
    assert suspects(cases.label, elsewhere, cases.team, TEAMS) == []
    rng = np.random.default_rng(1)
    mine = np.flatnonzero(cases.team == 2)
    turned = rng.choice(mine, round(0.05 * len(mine)), replace=False)
    label = cases.label.copy()
    label[turned] = 1 - label[turned]
    false = replace(cases, label=label)
    elsewhere, usual = training.by_other_teams(false)
    named = suspects(label, elsewhere, cases.team, TEAMS)
    assert [one.team for one in named] == ["third"]
    healed = mended(label, elsewhere, cases.team, TEAMS, named, usual)
    truly = (cases.team == 2) & (cases.label == 1) & (label == 1)
    invented = (cases.team == 2) & (cases.label == 0) & (label == 1)
    assert healed[truly].mean() > 2 * healed[invented].mean()
    assert (healed[cases.team != 2] == cases.label[cases.team != 2]).all()


def test_few_random_findings_give_no_probability_and_nothing_pulled_is_an_error(tmp_path: Path) -> None:
    at = MONDAY + timedelta(days=2)
    found = [told(1, f"d{n}", "harassment", at, chosen_by="draw") for n in range(10)]
    con = connect(tmp_path, [visit(1, "A", at)], found)
    learnt = training.learn(con, CUTOFF)
    assert (learnt.ships, learnt.model, learnt.found) == ("signals", None, 10)
    assert "no probability" in learnt.why
    with pytest.raises(ValueError, match="inspections"):
        training.learn(con, MONDAY)


def test_lines_of_the_model_say_what_they_are(learnt: Any, tmp_path: Path) -> None:
    con = connect(tmp_path, [], [])
    lines = by_model(con, ["d0", "d1"], [], learnt.model, CUTOFF)
    assert [line.rank for line in lines] == [1, 2]
    assert {line.tier for line in lines} == {"discovered"}
    for line in lines:
        assert line.score is not None
        assert 0 < line.score < 1
        assert "không phải kết luận" in line.reasons_vi
        assert NOT_BETTER[1] not in line.reasons_en


def test_nothing_that_people_say_is_seen_by_the_model() -> None:
    said = {"signal_pakn_staff", "signal_low_rating", "signal_complaint_delay"}
    assert not said & set(finding_matrix.NUMBERS)
    assert not any("team" in name or "applicant" in name or "gender" in name for name in finding_matrix.NUMBERS)

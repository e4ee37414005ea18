"""Scoring the record: who is scored, in which order, with reasons that add up; and what serves when a model is bad."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import PLAIN_WEEK
from features.case_state.state import WAITING
from features.matrix.batch import build
from features.record.delivery import Chunk
from features.record.record import Record
from models.cases import cohort
from serving.scoring.batch import CERTAIN, features_hash, score_open, score_record
from serving.scoring.champion import champion
from serving.scoring.online import Ended, OnlineScorer, state_at
from serving.scoring.score_files import SCHEMA, read_scores
from serving.settings import Settings
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, dossier_id, draw_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_office(tmp_path_factory.mktemp("office"))
    ship(settings.models, drawn_model(), "v1")
    return settings


@pytest.fixture(scope="module")
def scored(office: Settings) -> pa.Table:
    con = Record(office.record_url).connect(cutoff=AS_OF)
    return score_open(con, AS_OF, drawn_model(), PLAIN_WEEK)


def test_every_open_dossier_is_scored_once(office: Settings, scored: pa.Table) -> None:
    con = Record(office.record_url).connect(cutoff=AS_OF)
    open_ids = {
        row[0]
        for row in con.execute(
            "SELECT dossier_id FROM dossier ANTI JOIN (SELECT dossier_id FROM event WHERE kind IN "
            "('refused', 'decided', 'withdrawn', 'delivered')) USING (dossier_id)"
        ).fetchall()
    }
    assert scored.schema == SCHEMA
    assert sorted(scored["dossier_id"].to_pylist()) == sorted(open_ids)
    assert set(scored["as_of"].to_pylist()) == {AS_OF}


def test_rank_falls_with_score_then_age_then_id(scored: pa.Table) -> None:
    rows = scored.to_pylist()
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows == sorted(
        rows, key=lambda row: (row["phase"] in WAITING, -row["score"], row["received_at"], row["dossier_id"])
    )


def test_the_score_is_the_model_s_and_reasons_are_part_of_it(office: Settings, scored: pa.Table) -> None:
    con = Record(office.record_url).connect(cutoff=AS_OF)
    matrix = build(con, cohort(con, AS_OF, overdue=True))
    told = drawn_model().score(matrix)
    by_id = dict(zip(matrix["dossier_id"].to_pylist(), told.log_odds, strict=True))
    ahead = [row for row in scored.to_pylist() if row["left_hours"] > 0]
    assert len(ahead) > 20
    for row in ahead:
        assert row["log_odds"] == pytest.approx(by_id[row["dossier_id"]], abs=1e-12)
        assert row["score"] == pytest.approx(1 / (1 + np.exp(-row["log_odds"])), abs=1e-12)
        assert 1 <= len(row["reasons"]) <= 3
        assert all(reason["vi"] and reason["en"] for reason in row["reasons"])


def test_time_left_is_worked_out_on_the_office_s_clock(scored: pa.Table) -> None:
    for row in scored.to_pylist():
        assert row["left_hours"] == pytest.approx(PLAIN_WEEK.working_hours(AS_OF, row["due_at"]), abs=1e-9)


def test_a_promise_that_has_passed_is_certain_and_says_so(office: Settings) -> None:
    later = AS_OF + timedelta(days=60)
    con = Record(office.record_url).connect(cutoff=later)
    table = score_open(con, later, drawn_model(), PLAIN_WEEK)
    overdue = [row for row in table.to_pylist() if row["due_at"] <= later]
    assert overdue
    for row in overdue:
        assert row["score"] >= CERTAIN - 1e-12
        first = row["reasons"][0]
        assert first["code"] == "overdue" or row["score"] > CERTAIN
        assert first["vi"].startswith("Đã quá hạn") or row["score"] > CERTAIN


def test_who_waits_after_the_promise_was_missed_is_late_all_the_same(tmp_path: Path) -> None:
    """Papers asked for after the clock ran out stop it, and undo nothing; the list and the single score say so."""
    settings = draw_office(tmp_path, dossiers=8)
    ship(settings.models, drawn_model(), "v1")
    later = AS_OF + timedelta(days=60)
    asked = {"kind": "papers_requested", "happened_at": later - timedelta(hours=1), "official_id": "o1"}
    record = Record(settings.record_url)
    record.append(
        [Chunk("event", [{"dossier_id": dossier_id(number), **asked} for number in range(8)])],
        source="canonical", arrived_at=later,
    )  # fmt: skip
    table = score_open(record.connect(cutoff=later), later, drawn_model(), VIETNAM).to_pylist()
    assert len(table) == 8
    desk = OnlineScorer(settings, VIETNAM)
    desk.refresh(later)
    for row in table:
        assert row["phase"] in WAITING
        assert row["score"] >= CERTAIN - 1e-12
        assert row["score_low"] is None
        dossier, events = desk.history(row["dossier_id"])
        assert dossier is not None
        assert desk.score(dossier, events, later).log_odds == pytest.approx(row["log_odds"])


def test_batches_change_nothing(office: Settings, scored: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.scoring.batch.BATCH", 7)
    con = Record(office.record_url).connect(cutoff=AS_OF)
    assert score_open(con, AS_OF, drawn_model(), PLAIN_WEEK).equals(scored)


def test_a_stored_list_says_what_made_it(office: Settings, scored: pa.Table) -> None:
    meta, path = score_record(office, AS_OF, PLAIN_WEEK)
    table, read = read_scores(path)
    assert read == meta
    assert meta.model_version == "v1"
    assert meta.features_hash == features_hash(drawn_model())
    assert meta.record_version == Record(office.record_url).version()
    assert not meta.rule
    assert table["dossier_id"].equals(scored["dossier_id"])
    np.testing.assert_allclose(table["log_odds"], scored["log_odds"], atol=1e-12)


def test_a_record_without_open_dossiers_gives_an_empty_list(office: Settings) -> None:
    early = AS_OF - timedelta(days=4000)
    con = Record(office.record_url).connect(cutoff=early)
    assert score_open(con, early, drawn_model(), PLAIN_WEEK).num_rows == 0


def test_a_damaged_champion_gives_way_to_the_previous_then_to_the_rule(tmp_path: Path) -> None:
    ship(tmp_path, drawn_model(), "v1", "previous")
    ship(tmp_path, drawn_model(1.0), "v2")
    assert champion(tmp_path, "lateness").version == "v2"
    manifest = tmp_path / "lateness" / "v2" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-40])
    assert champion(tmp_path, "lateness").version == "v1"
    (tmp_path / "lateness" / "v1" / "manifest.json").unlink()
    rule = champion(tmp_path, "lateness")
    assert (rule.version, rule.rule) == ("rule", True)


def test_the_rule_of_the_clock_never_answers_for_another_target(tmp_path: Path) -> None:
    """Its last list stands, and who scores reads why: a rule of lateness on it would say another thing in silence."""
    folder = tmp_path / "promise_moved"
    folder.mkdir()
    (folder / "champion.json").write_text('{"version": "gone", "sha256": "0"}')
    with pytest.raises(ValueError, match=r"promise_moved can be used .*another question.*risk train promise_moved"):
        champion(tmp_path, "promise_moved")


def test_without_a_champion_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="risk train lateness"):
        champion(tmp_path, "lateness")


def test_the_rule_scores_by_time_left_against_usual_time_and_is_marked(office: Settings) -> None:
    models = office.models / "lateness"
    pointer = (models / "champion.json").read_text()
    (models / "champion.json").write_text('{"version": "gone", "sha256": "0"}')
    try:
        meta, path = score_record(office, AS_OF, PLAIN_WEEK, latest=False)
    finally:
        (models / "champion.json").write_text(pointer)
    assert meta.rule
    table, _ = read_scores(path)
    ahead = [row for row in table.to_pylist() if row["left_hours"] > 0]
    left, score = zip(*[(row["left_hours"], row["score"]) for row in ahead], strict=True)
    assert np.corrcoef(left, score)[0, 1] < 0


def test_one_dossier_at_the_desk_scores_as_on_the_list(office: Settings, scored: pa.Table) -> None:
    con = Record(office.record_url).connect(cutoff=AS_OF)
    rows = {}
    for table in ("dossier", "event"):
        found = con.sql(f"SELECT * FROM {table}").to_arrow_table()
        for place, field in enumerate(found.schema):
            if pa.types.is_timestamp(field.type):
                utc = found[field.name].cast(pa.timestamp("us", "UTC"))
                found = found.set_column(place, field.name, utc)
        rows[table] = found.to_pylist()
    desk = OnlineScorer(office, PLAIN_WEEK)
    desk.refresh(AS_OF)
    assert desk.ready(AS_OF)
    for line in scored.to_pylist()[::5]:
        (dossier,) = [row for row in rows["dossier"] if row["dossier_id"] == line["dossier_id"]]
        events = [row for row in rows["event"] if row["dossier_id"] == line["dossier_id"]]
        one = desk.score(dossier, events, AS_OF)
        assert one.log_odds == pytest.approx(line["log_odds"], abs=1e-12)
        assert [reason.vi for reason in one.reasons] == [reason["vi"] for reason in line["reasons"]]
        assert one.base + sum(r.effect for r in one.reasons) + one.others == pytest.approx(one.log_odds, abs=1e-9)
        assert one.left_hours == line["left_hours"]


def test_an_ended_dossier_has_nothing_left_to_be_late() -> None:
    dossier = {"received_at": AS_OF - timedelta(days=9), "due_at": AS_OF + timedelta(days=2)}
    decided = {"kind": "decided", "happened_at": AS_OF - timedelta(hours=3)}
    reopened = {"kind": "reopened", "happened_at": AS_OF - timedelta(hours=1), "due_at": AS_OF + timedelta(days=9)}
    with pytest.raises(Ended):
        state_at(dossier, [decided], AS_OF, VIETNAM)
    assert (
        state_at(dossier, [decided], AS_OF - timedelta(hours=3), VIETNAM).due_at == dossier["due_at"]
    )  # not known yet
    assert state_at(dossier, [decided, reopened], AS_OF, VIETNAM).due_at == reopened["due_at"]

"""The watch after a scoring: silent on weeks like those learnt, loud on what was planted, and honest about ripeness."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from features.calendar.working_time import PLAIN_WEEK
from features.record.delivery import Chunk
from features.record.record import Record
from models.cases import cohort, landmarks
from serving.cli import app
from tests.bench.replay.drift import Changed, Still, card
from tests.drawn_training import CUTOFF, ZERO, Office
from training.drift import GROWING, background, watch
from training.evaluate import Metric
from training.monitoring import QUIET, Live, MonitoringReport, as_json, live, news, silence
from training.monitoring import watch as look
from training.process_drift import Departure, departures
from training.promote import promote
from training.training_set import WEEK

AT = datetime(2026, 6, 1, tzinfo=UTC)


def weeks_of(office: Office) -> pa.Table:
    from features.matrix.batch import build

    con = office.record.connect(cutoff=CUTOFF)
    return build(con, landmarks(con, CUTOFF - 12 * WEEK, CUTOFF, every=WEEK), calendar=PLAIN_WEEK)


def test_a_week_of_the_window_is_silent_and_a_changed_one_warns(office: Office) -> None:
    matrix, model = weeks_of(office), office.trained.model
    said = background(model, matrix)
    assert said["weeks"] == 13
    assert not [name for name in said["numbers"] if name.endswith(GROWING)]
    week = matrix["as_of"].cast(pa.int64()).to_numpy()
    for moment in np.unique(week):
        own = matrix.filter(pa.array(week == moment))
        assert not [drift for drift in watch(model, own, said) if drift.warns], moment
    last = matrix.filter(pa.array(week == week.max()))
    at = last.column_names.index("days_left")
    moved = last.set_column(at, "days_left", [np.full(last.num_rows, 30.0)])
    assert "days_left" in [drift.name for drift in watch(model, moved, said) if drift.warns]
    assert watch(model, matrix.slice(0, 0), said) == []


def test_a_model_that_saw_too_few_weeks_warns_of_nothing(office: Office) -> None:
    matrix = weeks_of(office)
    week = matrix["as_of"].cast(pa.int64()).to_numpy()
    one = matrix.filter(pa.array(week == week.max()))
    assert not [
        drift for drift in watch(office.trained.model, matrix, background(office.trained.model, one)) if drift.warns
    ]


def courses(url: Path, since: int, way: float = 0.2, hours: float = 8.0, days: int = 300) -> Record:
    """Two sectors, ten dossiers a day: registered, appraised, one in five shown to another office, signed.

    From day `since` on, those of land are shown to another office with the chance `way` and appraised for `hours`
    on average (eight before, by the clock on the wall).
    """
    rng = np.random.default_rng(0)
    dossier, event = [], []
    for number in range(10 * days):
        at = ZERO + timedelta(days=number / 10)
        land = number % 2 == 0
        changed = land and number >= 10 * since
        name = f"d{number}"
        dossier.append({"dossier_id": name, "procedure_code": "P1" if land else "P2", "unit_code": "U",
                        "received_at": at, "due_at": at + timedelta(days=10)})  # fmt: skip
        steps = ["Tiếp nhận", "Thẩm định"]
        steps += ["Lấy ý kiến"] if rng.random() < (way if changed else 0.2) else []
        for step in [*steps, "Ký"]:
            kind = "decided" if step == "Ký" else "assigned"
            event.append({"dossier_id": name, "kind": kind, "step": step, "happened_at": at})
            slow = hours if changed and step == "Thẩm định" else 8.0
            at += timedelta(hours=3 * float(rng.exponential(slow)))
    sectors = [
        {"procedure_code": f"P{n}", "name": f"P{n}", "sector_code": name} for n, name in ((1, "land"), (2, "civil"))
    ]
    record = Record(url)
    chunks = [Chunk("procedure", sectors), Chunk("dossier", dossier), Chunk("event", event)]
    record.append(chunks, source="drawn", arrived_at=ZERO + timedelta(days=days + 60))
    return record


def departed(record: Record, day: int) -> list[Departure]:
    at = ZERO + timedelta(days=day)
    return departures(record.connect(cutoff=at), at, PLAIN_WEEK)


def test_a_changed_way_and_a_slower_step_are_told_within_two_weeks_and_only_in_their_sector(tmp_path: Path) -> None:
    changed = departed(courses(tmp_path / "way", 250, way=0.6), 264)
    assert [one.sector for one in changed if one.warns and one.kind == "steps"] == ["land"]
    assert "after “Thẩm định” comes “Lấy ý kiến”" in changed[0].words
    slower = [one for one in departed(courses(tmp_path / "time", 250, hours=40.0), 264) if one.warns]
    assert {(one.kind, one.sector) for one in slower} == {("time", "land")}
    assert "slower" in slower[0].words
    assert slower[0].z < 0


def test_ways_and_times_rarely_warn_of_nothing(tmp_path: Path) -> None:
    record = courses(tmp_path / "record", 10_000)
    told = [any(one.warns for one in departed(record, day)) for day in range(120, 300, 7)]
    assert len(told) == 26
    assert sum(told) <= 5
    assert departed(record, 60) == [], "a few weeks do not tell what is usual"


def test_what_is_known_later_changes_no_departure(tmp_path: Path) -> None:
    record, at = courses(tmp_path / "record", 150, way=0.6), ZERO + timedelta(days=170)
    then, now = (departures(record.connect(cutoff=until), at, PLAIN_WEEK) for until in (at, at + timedelta(days=120)))
    assert then == now
    assert then


def test_a_unit_that_falls_silent_is_told_and_one_that_sends_as_usual_is_not(tmp_path: Path) -> None:
    dossier, event = [], []
    for unit, last in (("quiet", 40), ("lively", 60)):
        for day in range(0, last):
            at = ZERO + timedelta(days=day, hours=1)
            name = f"{unit}{day}"
            dossier.append({"dossier_id": name, "procedure_code": "P", "unit_code": unit, "received_at": at,
                            "due_at": at + timedelta(days=5)})  # fmt: skip
            event.append({"dossier_id": name, "kind": "decided", "happened_at": at + timedelta(hours=3)})
    record = Record(tmp_path / "record")
    record.append([Chunk("dossier", dossier), Chunk("event", event)], source="drawn", arrived_at=AT)
    now = ZERO + timedelta(days=60)
    assert silence(record.connect(cutoff=now), now, PLAIN_WEEK) == ["quiet"]
    assert silence(record.connect(cutoff=ZERO + timedelta(days=39)), ZERO + timedelta(days=39), PLAIN_WEEK) == []


def test_live_figures_take_only_what_has_ripened_and_say_how_old_it_is(office: Office) -> None:
    given = CUTOFF - timedelta(days=10)
    cases = cohort(office.record.connect(cutoff=given), given)
    earlier = cohort(office.record.connect(cutoff=given - timedelta(days=60)), given - timedelta(days=60))
    both = pa.concat_tables([cases, earlier])
    scored = both.append_column("score", pa.array(np.linspace(0.1, 0.9, both.num_rows)))
    con = office.record.connect(cutoff=CUTOFF)
    found = live(con, scored, CUTOFF)
    received = dict(office.record.connect().execute("SELECT dossier_id, received_at FROM dossier").fetchall())
    ripe = [received[name].replace(tzinfo=UTC) + timedelta(days=14) < CUTOFF for name in both["dossier_id"].to_pylist()]
    if found is None:
        assert sum(ripe) < 60
        return
    assert found.n == sum(ripe)
    assert found.waiting == len(ripe) - sum(ripe)
    assert 10 <= found.age_days <= 70
    assert live(con, scored.slice(0, 5), CUTOFF) is None


def test_what_warned_lately_is_not_news_and_what_fell_silent_long_ago_is(office: Office) -> None:
    slower = Departure("time", "land", "sector land: slower", -6.0, 3.5)
    off = Live(100, 3, 20.0, Metric(0.6, 0.5, 0.7), Metric(0.2, 0.1, 0.3), Metric(0.2, 0.1, 0.3))
    found = MonitoringReport(AT, 10, (), (slower,), ("U1",), off)
    names = set(found.warnings())
    assert names == {"time land", "silence U1", "live"}
    assert set(news(found.warnings(), [(AT - timedelta(days=7), {"live"})], AT)) == names - {"live"}
    assert set(news(found.warnings(), [(AT - QUIET - timedelta(days=1), {"live"})], AT)) == names
    assert "slower" in found.warnings()["time land"]
    assert as_json(found)["live"]["n"] == 100
    seen = look(office.record, office.trained.model, CUTOFF + WEEK)
    assert seen.open > 0
    assert {drift.name for drift in seen.drift} >= {"score", "reasons", "days_left"}
    with pytest.raises(ValueError, match="training window"):
        look(office.record, replace(office.trained.model, about={}), CUTOFF)


def test_a_scoring_is_watched_and_stands_whatever_becomes_of_the_watch(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(office.home, tmp_path / "home")
    promote(tmp_path / "home" / "models", "lateness", at=CUTOFF, because="test")
    kept = tmp_path / "home" / "models" / "lateness" / "watch.jsonl"
    line = ["--home", str(tmp_path / "home"), "score", "--target", "lateness", "--as-of", "2026-06-08T08:00"]
    told = CliRunner().invoke(app, line)
    assert told.exit_code == 0, told.output
    assert "watch: " in told.stderr
    assert "watch: " not in told.stdout
    assert len(kept.read_text("utf-8").splitlines()) == 1
    assert CliRunner().invoke(app, [*line, "--no-watch"]).exit_code == 0
    monkeypatch.setattr("training.monitoring.silence", lambda *_: 1 / 0)
    stands = CliRunner().invoke(app, line)
    assert stands.exit_code == 0
    assert "open dossiers scored by" in stands.stdout
    assert "watch: not done (ZeroDivisionError)" in stands.stderr
    assert len(kept.read_text("utf-8").splitlines()) == 1


def test_the_card_counts_what_was_told_in_time_and_every_false_alarm() -> None:
    better = {name: Metric(-0.02, -0.03, -0.01) for name in ("brier",)} | {
        name: Metric(0.03, 0.01, 0.05) for name in ("auc", "ap")
    }
    even = {name: Metric(0.0, -0.01, 0.01) for name in ("brier", "auc", "ap")}
    first, second = Changed(1, 14, "slower", better), Changed(2, 21, "inputs", even)
    assert first.wins
    assert not second.wins
    text = card([(first, Still(1, 30, ())), (second, Still(2, 30, ("week 4: inputs",)))], 1000)
    assert "told within 14 days of data: 1 of 2" in text
    assert "wins by an interval: 1 of 2" in text
    assert "without a change: 0.07, most 0.14" in text
    assert "province 2, no change, week 4: inputs" in text

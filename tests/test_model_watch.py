"""The watch after a scoring: silent on weeks like those learnt, loud on what was planted, and honest about ripeness."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from test_training_run import CUTOFF, ZERO, draw_record

from features.calendar import PLAIN_WEEK
from features.delivery import Chunk
from features.record import Record
from models.lateness import cohort, landmarks
from training.drift import GROWING, background, watch
from training.evaluate import Figure
from training.gather import WEEK
from training.pace import LEAST, Pace, Progress, moments, paces, progress
from training.replay.drift import Changed, Still, card
from training.run import Trained, train
from training.watch import QUIET, Live, Watched, as_json, live, news, silence
from training.watch import watch as look

AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def record(home: Path) -> Record:
    return draw_record(home / "record")


@pytest.fixture(scope="module")
def trained(home: Path, record: Record) -> Trained:
    return train(record, CUTOFF, home / "models")


def weeks_of(trained: Trained, record: Record) -> pa.Table:
    from features.matrix import build

    con = record.connect(cutoff=CUTOFF)
    return build(con, landmarks(con, CUTOFF - 12 * WEEK, CUTOFF, every=WEEK), calendar=PLAIN_WEEK)


def test_a_week_of_the_window_is_silent_and_a_changed_one_warns(trained: Trained, record: Record) -> None:
    matrix, model = weeks_of(trained, record), trained.model
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


def test_a_model_that_saw_too_few_weeks_warns_of_nothing(trained: Trained, record: Record) -> None:
    matrix = weeks_of(trained, record)
    week = matrix["as_of"].cast(pa.int64()).to_numpy()
    one = matrix.filter(pa.array(week == week.max()))
    assert not [drift for drift in watch(trained.model, matrix, background(trained.model, one)) if drift.warns]


def drawn_progress(rng: np.random.Generator, land: float, n: int = 400) -> Progress:
    """Half the dossiers are of land, ended with the chance `land`; of the others half have ended."""
    sector = np.where(rng.random(n) < 0.5, "land", "other")
    ended = (rng.random(n) < np.where(sector == "land", land, 0.5)).astype(float)
    return Progress(np.where(sector == "land", "P1", "P2"), sector, rng.uniform(0, 80, n), ended)


def test_a_slower_sector_is_told_and_an_office_wide_stop_is_not() -> None:
    rng = np.random.default_rng(0)
    past = [drawn_progress(rng, 0.5) for _ in range(26)]
    slower = paces(past, drawn_progress(rng, 0.25))
    assert slower[0].sector == "land"
    assert slower[0].warns
    assert slower[0].ahead < -0.15
    stopped = drawn_progress(rng, 0.5)
    everywhere = replace(stopped, ended=stopped.ended * (rng.random(len(stopped.ended)) < 0.5))
    (land,) = [pace for pace in paces(past, everywhere) if pace.sector == "land"]
    assert abs(land.z) < abs(slower[0].z) / 2, "an outage strikes all alike"
    assert paces(past[:7], drawn_progress(rng, 0.1)) == [], "seven weeks do not tell what is usual"
    assert paces(past, drawn_progress(rng, 0.1, n=LEAST // 2)) == [], "a handful of dossiers is no sector"


def test_pace_rarely_warns_of_nothing() -> None:
    """Two hundred weeks without a change: about one in seven warns, by design (`CHANCE`)."""
    rng = np.random.default_rng(1)
    past = [drawn_progress(rng, 0.5) for _ in range(26)]
    warned = sum(any(pace.warns for pace in paces(past, drawn_progress(rng, 0.5))) for _ in range(200))
    assert warned <= 50


def test_progress_is_as_known_then(record: Record) -> None:
    at = CUTOFF
    from_all = progress(record.connect(), at, PLAIN_WEEK)
    from_then = progress(record.connect(cutoff=at), at, PLAIN_WEEK)
    order = [np.argsort(one.age, kind="stable") for one in (from_all, from_then)]
    assert np.array_equal(from_all.age[order[0]], from_then.age[order[1]])
    assert np.array_equal(from_all.ended[order[0]], from_then.ended[order[1]])
    assert moments(at)[-1] == at - timedelta(days=14)


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


def test_live_figures_take_only_what_has_ripened_and_say_how_old_it_is(record: Record) -> None:
    given = CUTOFF - timedelta(days=10)
    cases = cohort(record.connect(cutoff=given), given)
    earlier = cohort(record.connect(cutoff=given - timedelta(days=60)), given - timedelta(days=60))
    both = pa.concat_tables([cases, earlier])
    scored = both.append_column("score", pa.array(np.linspace(0.1, 0.9, both.num_rows)))
    con = record.connect(cutoff=CUTOFF)
    found = live(con, scored, CUTOFF)
    received = dict(record.connect().execute("SELECT dossier_id, received_at FROM dossier").fetchall())
    ripe = [received[name].replace(tzinfo=UTC) + timedelta(days=14) < CUTOFF for name in both["dossier_id"].to_pylist()]
    if found is None:
        assert sum(ripe) < 60
        return
    assert found.n == sum(ripe)
    assert found.waiting == len(ripe) - sum(ripe)
    assert 10 <= found.age_days <= 70
    assert live(con, scored.slice(0, 5), CUTOFF) is None


def test_what_warned_lately_is_not_news_and_what_fell_silent_long_ago_is(trained: Trained, record: Record) -> None:
    pace = Pace("land", 50, -0.2, -6.0, 3.5)
    off = Live(100, 3, 20.0, Figure(0.6, 0.5, 0.7), Figure(0.2, 0.1, 0.3), Figure(0.2, 0.1, 0.3))
    found = Watched(AT, 10, (), (pace,), ("U1",), off)
    names = set(found.warnings())
    assert names == {"pace land", "silence U1", "live"}
    assert set(news(found.warnings(), [(AT - timedelta(days=7), {"live"})], AT)) == names - {"live"}
    assert set(news(found.warnings(), [(AT - QUIET - timedelta(days=1), {"live"})], AT)) == names
    assert "slower" in found.warnings()["pace land"]
    assert as_json(found)["live"]["n"] == 100
    seen = look(record, trained.model, CUTOFF + WEEK)
    assert seen.open > 0
    assert {drift.name for drift in seen.drift} >= {"score", "reasons", "days_left"}
    with pytest.raises(ValueError, match="training window"):
        look(record, replace(trained.model, about={}), CUTOFF)


def test_the_card_counts_what_was_told_in_time_and_every_false_alarm() -> None:
    better = {name: Figure(-0.02, -0.03, -0.01) for name in ("brier",)} | {
        name: Figure(0.03, 0.01, 0.05) for name in ("auc", "ap")
    }
    even = {name: Figure(0.0, -0.01, 0.01) for name in ("brier", "auc", "ap")}
    first, second = Changed(1, 14, "slower", better), Changed(2, 21, "inputs", even)
    assert first.wins
    assert not second.wins
    text = card([(first, Still(1, 30, ())), (second, Still(2, 30, ("week 4: inputs",)))], 1000)
    assert "told within 14 days of data: 1 of 2" in text
    assert "wins by an interval: 1 of 2" in text
    assert "without a change: 0.07, most 0.14" in text
    assert "province 2, no change, week 4: inputs" in text

"""The rolling backtest: every figure by hand on a few rows, and the whole way on a small office."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from serving.cli.rolling import ROLLING_FILE, keep
from serving.read.rolling_log import read_rolling
from tests.drawn_training import CUTOFF, draw_record
from training.evaluate import Ranked
from training.origin import AGAINST_PEERS, BEFORE, CHAMPION, DAYS_LEFT, PRODUCT, RULE, Origin, champion_at
from training.promote import promote
from training.rolling import STEPS, BacktestData, as_json, rolling_backtest, windows
from training.rolling_figures import MEASURES, UNSEEN, JudgedRows, Score, all_figures
from training.rolling_page import as_page
from training.run import train

WEEK = 604_800_000_000
SPAN = timedelta(days=21)


def score_of(
    label: Sequence[float], score: list[float], dossier: list[int], week: list[int], left: list[float]
) -> Score:
    rows = JudgedRows(np.array(label), np.array(dossier), np.array(week) * WEEK, np.array(left, float))
    return Score(rows, np.array(score))


def test_a_list_tells_ties_at_random_best_and_worst() -> None:
    """Ten open dossiers at one landmark, a list of one; four tie for the place, one of them late."""
    one = score_of([1, 0, 0, 0] + [0] * 5 + [1], [0.9] * 4 + [0.1] * 6, list(range(10)), [0] * 10, [5] * 10)
    weight = np.ones(10)
    assert MEASURES["precision_at_10"](one, weight) == pytest.approx(1 / 4)
    assert MEASURES["precision_best_at_10"](one, weight) == 1.0
    assert MEASURES["precision_worst_at_10"](one, weight) == 0.0
    assert MEASURES["recall_at_10"](one, weight) == pytest.approx(1 / 4 / 2)
    assert MEASURES["lift_at_10"](one, weight) == pytest.approx(1 / 4 / 0.2)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25),
       st.floats(0.05, 1.0))  # fmt: skip
def test_random_ties_lie_between_worst_and_best_and_counts_are_copies(
    rows: list[tuple[bool, int, int]], share: float
) -> None:
    label, score = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float)
    weight = np.array([r[2] for r in rows], float)
    if not weight.sum():
        return
    ranked, k = Ranked.of(label, score), share * weight.sum()
    worst, usual, best = (ranked.hits(weight, k, ties) for ties in ("worst", "random", "best"))
    assert worst - 1e-9 <= usual <= best + 1e-9
    copies = np.repeat(np.arange(len(rows)), weight.astype(int))
    copied = Ranked.of(label[copies], score[copies])
    assert copied.hits(np.ones(len(copies)), k) == pytest.approx(usual)


def test_days_earlier_are_those_of_the_first_list_that_holds_a_late_dossier() -> None:
    """Two landmarks of ten dossiers, lists of one. The late dossier 0 is first listed with three days left."""
    dossier = [*range(10), *range(10)]
    label = [1.0] + [0.0] * 9 + [1.0] + [0.0] * 9
    left = [10.0] * 10 + [3.0] * 10
    late_in_time = score_of(label, [0.5, 0.9] + [0.1] * 8 + [0.9] + [0.1] * 9, dossier, [0] * 10 + [1] * 10, left)
    at_once = score_of(label, [0.9] + [0.1] * 9 + [0.9] + [0.1] * 9, dossier, [0] * 10 + [1] * 10, left)
    weight = np.ones(20)
    assert MEASURES["list_days"](late_in_time, weight) == 3.0
    assert MEASURES["list_days"](at_once, weight) == 10.0
    figures, paired = all_figures({"new": at_once, "old": late_in_time}, [("new", "old")], draws=5)
    assert paired["new", "old"]["list_days"].value == 7.0
    assert figures["old"]["change_a_week"].value == pytest.approx((0.4 + 0.8) / 10)


def test_lead_time_and_cost_by_hand() -> None:
    """At precision 1/2 all four rows above 0.4 are flagged; the two late dossiers were seen 8 and 2 days ahead."""
    one = score_of([1, 1, 0, 0, 0], [0.9, 0.5, 0.5, 0.5, 0.1], [0, 1, 2, 3, 4], [0] * 5, [8, 2, 5, 5, 5])
    assert MEASURES["lead_days"](one, np.ones(5)) in (2.0, 8.0)
    assert MEASURES["lead_days"](one, np.array([3.0, 1, 1, 1, 1])) == 8.0
    assert MEASURES["cost"](one, np.ones(5)) == pytest.approx(4 / 5)  # four looks, and the fifth is in time
    blind = score_of([1, 1, 0, 0, 0], [0.1] * 5, [0, 1, 2, 3, 4], [0] * 5, [8, 2, 5, 5, 5])
    assert MEASURES["cost"](blind, np.ones(5)) == pytest.approx(2 * UNSEEN / 5)
    assert np.isnan(MEASURES["cost"](Score(one.rows, one.score, probability=False), np.ones(5)))
    _, paired = all_figures({"a": one, "b": blind}, [("a", "b")], draws=5)
    assert paired["a", "b"]["cost_saved"].value == pytest.approx(1 - 4 / 10)


def test_figures_within_a_week_ignore_what_weeks_tell() -> None:
    """A score that only knows the week has AUC one half within it, however well it ranks over all."""
    rng = np.random.default_rng(0)
    week = np.repeat([0, 1], 200)
    label = (rng.random(400) < np.where(week == 1, 0.8, 0.2)).astype(float)
    one = score_of(label.tolist(), (0.1 + 0.5 * week).tolist(), list(range(400)), week.tolist(), [1.0] * 400)
    assert MEASURES["auc"](one, np.ones(400)) == pytest.approx(roc_auc_score(label, one.score))
    assert MEASURES["ap"](one, np.ones(400)) == pytest.approx(average_precision_score(label, one.score))
    assert MEASURES["auc"](one, np.ones(400)) > 0.75
    assert MEASURES["auc_within_week"](one, np.ones(400)) == 0.5


def test_windows_follow_each_other_and_labels_ripen_after_them() -> None:
    asked = windows(datetime(2026, 9, 1, tzinfo=UTC), 3, timedelta(days=30), embargo=timedelta(days=2), seed=7)
    assert [one.until for one in asked[:-1]] == [one.cutoff for one in asked[1:]]
    assert asked[-1].until == datetime(2026, 9, 1, tzinfo=UTC)
    assert all(one.read_at == one.until + timedelta(days=60) and one.seed == 7 for one in asked)
    with pytest.raises(ValueError, match="embargo shorter"):
        windows(datetime(2026, 9, 1, tzinfo=UTC), 3, timedelta(days=30), embargo=timedelta(days=30))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small office whose champion was learnt before the second origin."""
    folder = tmp_path_factory.mktemp("home")
    record = draw_record(folder / "record", 350)
    train(record, CUTOFF - SPAN, folder / "models")
    promote(folder / "models", "lateness", at=CUTOFF, because="test")
    return folder


@pytest.fixture(scope="module")
def told(home: Path) -> tuple[list[Origin], list[str]]:
    lines: list[str] = []
    place = BacktestData(str(home / "record"), champions=home / "models" / "lateness")
    asked = windows(CUTOFF + SPAN, 2, SPAN, ripen=SPAN)
    return rolling_backtest(place, asked, draws=20, say=lines.append), lines


def test_every_origin_is_refitted_and_judged_beside_rules_champion_and_the_refit_before(
    told: tuple[list[Origin], list[str]], home: Path
) -> None:
    (first, second), lines = told
    assert len(lines) == 2 * STEPS, "the bar counts on it"
    assert set(first.figures) == {PRODUCT, RULE, DAYS_LEFT, AGAINST_PEERS, CHAMPION}
    assert set(second.figures) == {*first.figures, BEFORE}
    assert second.learnt > first.learnt
    assert second.champion in {path.name for path in (home / "models" / "lateness").iterdir()}
    for metric in MEASURES:
        assert second.differences[RULE][metric].value == pytest.approx(
            second.figures[PRODUCT][metric].value - second.figures[RULE][metric].value, nan_ok=True
        )
    assert sum(n for *_, n in second.curve) == second.n
    # learnt at the same moment from the same record: the champion is the first refit
    assert first.differences[CHAMPION]["brier"].value == pytest.approx(0.0, abs=1e-12)
    assert champion_at(home / "models" / "lateness", CUTOFF - 2 * SPAN, [str(first.champion)]) is None


def test_the_page_tells_everything_and_the_run_is_plain_json(told: tuple[list[Origin], list[str]]) -> None:
    page = as_page(told[0])
    for words in ("Origin 2026-", "AUC within a landmark week", "calibration slope", "best ties", "days of lead",
                  "share of the cost saved", "time against peers", "refit before", "labels not ripe"):  # fmt: skip
        assert words in page, words
    assert page.count("<svg") == 6
    assert not re.search(r"src=|href=|<script", page), "the page needs nothing else"
    said = json.loads(json.dumps(as_json(told[0][1]), allow_nan=False))
    assert said["figures"][PRODUCT]["auc"][0] == pytest.approx(told[0][1].figures[PRODUCT]["auc"].value)


def test_the_analysts_page_reads_what_the_command_keeps(told: tuple[list[Origin], list[str]], tmp_path: Path) -> None:
    assert read_rolling(tmp_path, "lateness") == []
    (tmp_path / "lateness").mkdir()
    keep(told[0], tmp_path / "lateness" / ROLLING_FILE)
    first, second = read_rolling(tmp_path, "lateness")
    assert first.cutoff == told[0][0].cutoff
    assert second.product["auc"][0] == pytest.approx(told[0][1].figures[PRODUCT]["auc"].value)
    assert second.rule["brier"][0] == pytest.approx(told[0][1].figures[RULE]["brier"].value)
    assert sum(band.n for band in second.bands) == second.n
    (tmp_path / "lateness" / ROLLING_FILE).write_text('[{"cutoff": "2026-')
    assert read_rolling(tmp_path, "lateness") == []


@pytest.mark.slow
def test_two_processes_give_what_one_gives(told: tuple[list[Origin], list[str]], home: Path) -> None:
    lines: list[str] = []
    place = BacktestData(str(home / "record"), champions=home / "models" / "lateness")
    again = rolling_backtest(place, windows(CUTOFF + SPAN, 2, SPAN, ripen=SPAN), jobs=2, draws=20, say=lines.append)
    assert [as_json(one) for one in again] == [as_json(one) for one in told[0]]
    assert len(lines) == 2 * STEPS
    early = rolling_backtest(place, windows(CUTOFF - timedelta(days=600), 1, SPAN), draws=5, say=lines.append)
    assert early == []
    assert "left out" in lines[-1]

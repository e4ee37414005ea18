"""The replay of a year of warnings: its counting, checked by hand, and a small year from end to end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from serving.warnings.firing import OpenDossier
from serving.warnings.held_out import draw
from serving.warnings.policy import Costs, Policy
from tests.bench import bench as command_line
from tests.bench.firing import Firing
from tests.bench.replay.warnings import Alerts, Year, at_same_number, run
from tests.bench.replay.warnings_report import Trial, bootstrap, figures, recovered

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
HEADS = ("x1", "x2", "x3")


def drawn_year(promises: int = 120, days: int = 20, seed: int = 5) -> Year:
    """Dossiers promised in ten days each, seen daily; scores are honest, late ones higher."""
    random = np.random.default_rng(seed)
    begins = random.integers(0, days - 1, promises)
    late = (random.random(promises) < 0.4).astype(float)
    late[:5] = np.nan
    rows = [(day, p) for day in range(days) for p in range(promises) if begins[p] <= day < begins[p] + 10]
    day_of, case = (np.array(column) for column in zip(*rows, strict=True))
    chance = np.where(np.nan_to_num(late)[case] == 1, 0.55, 0.3) + random.normal(0, 0.1, len(rows))
    age = day_of - begins[case]
    return Year(
        as_of=[MONDAY + timedelta(days=int(day)) for day in range(days)],
        starts=np.searchsorted(day_of, np.arange(days + 1)),
        case=case,
        score=np.clip(chance, 0.01, 0.99),
        left_hours=80.0 - 8 * age,
        used=age / 10,
        head=[HEADS[p % 3] for p in case],
        due_at=[MONDAY + timedelta(days=int(begins[p]) + 10) for p in case],
        dossier=[f"H{p:03d}" for p in range(promises)],
        late=late,
    )


def above(threshold: float) -> Firing:
    return Firing(Policy(costs=Costs(threshold, 1.0, 0.0, 1.0), a_week=4))


def test_alerts_stay_within_the_budget_and_each_promise_has_one() -> None:
    whole = drawn_year()
    alerts = run(whole, Firing(Policy(a_week=4)), OpenDossier, whole.score)
    assert alerts.most_a_week() <= 4
    assert len(set(alerts.case.tolist())) == len(alerts.case) > 10
    assert alerts.digest > 0
    rule = run(whole, above(0.75), OpenDossier, whole.used)
    assert set(rule.left_hours.tolist()) <= {8.0, 16.0}, "the rule fires when a fifth of the time is left"


@pytest.mark.parametrize("number", [3, 9, 17])
def test_the_same_number_is_found_from_below(number: int) -> None:
    whole = drawn_year()
    threshold, alerts = at_same_number(whole, number, lambda at: above(min(at, 0.999)), OpenDossier)
    assert 0 < len(alerts.case) <= number
    again = run(whole, above(threshold), OpenDossier, whole.score)
    assert again.case.tolist() == alerts.case.tolist()


def test_figures_are_those_counted_by_hand() -> None:
    whole = drawn_year()
    late = np.flatnonzero(whole.late == 1)
    on_time = np.flatnonzero(whole.late == 0)
    way = Alerts(np.array([late[0], late[1], on_time[0], 0]), ["x1"] * 4, ["w"] * 4, np.array([8.0, 24, 40, 40]), 0)
    trial = Trial(1, whole, 0.3, way, way, way)
    told = figures([trial], [way])
    assert told.precision == pytest.approx(2 / 3), "what was not known at the end counts for neither"
    assert told.recall == pytest.approx(2 / len(late))
    assert told.lead == pytest.approx(16)
    twice = replace(way, case=np.array([late[0], late[0], on_time[0], 0]))
    again = figures([trial], [twice])
    assert again.precision == pytest.approx(2 / 3), "each alert counts"
    assert again.recall == pytest.approx(1 / len(late)), "a dossier is found once"
    assert again.lead == pytest.approx(8), "from its first alert"
    weights = bootstrap([trial], draws=200)
    recalls = [figures([trial], [way], weight).recall for weight in weights]
    assert np.mean(recalls) == pytest.approx(told.recall, rel=0.15)
    assert np.std(recalls) > 0


def test_a_planted_effect_is_recovered_through_the_services_own_draw() -> None:
    trials = []
    for seed in range(3):
        whole = replace(drawn_year(600, 60, seed), late=(np.random.default_rng(seed).random(600) < 0.5).astype(float))
        ours = run(whole, Firing(Policy(a_week=100)), OpenDossier, whole.score)
        trials.append(Trial(seed, whole, 0.3, ours, ours, ours))
    found = recovered(trials, lambda seed, name: draw(seed, "lateness", name), eff=0.4, share=0.2, times=40)
    assert len(found) == 120
    assert np.mean([inside for inside, _ in found]) >= 0.9
    assert all(0 < width < 1 for _, width in found)


@pytest.mark.slow
def test_a_small_year_from_end_to_end(tmp_path: Path) -> None:
    card = tmp_path / "warnings.md"
    words = "replay warnings --seeds 1 --dossiers 2500 --a-week 2 --times 40 --card"
    done = CliRunner().invoke(command_line, [*words.split(), str(card)])
    assert done.exit_code == 0, done.output
    text = card.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| difference at the same number"))
    lead = float(row.split("|")[6].split("(")[0])
    precision, recall = (float(cell.split(" to ")[1].rstrip(") ")) for cell in row.split("|")[4:6])
    # in small provinces the two are no better than those of the rule (models/cards/warnings.md)
    assert precision > 0, "no worse beyond its interval"
    assert recall > 0, "no worse beyond its interval"
    assert lead > 0, "earlier than a rule that waits for the last fifth"

"""The proof of conduct on small made-up provinces: one test for what must hold, each of which can fail."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.value import hajek
from tests.bench.replay.conduct import nobody, ranked
from tests.bench.replay.conduct_card import card, mean
from tests.bench.replay.conduct_floods import floods
from tests.bench.replay.conduct_shocks import Flipped, Strict, flipped
from tests.bench.replay.conduct_worlds import Made, prevalence, standings
from tests.drawn_finding import drawn_cases
from training import finding


@pytest.fixture(scope="module")
def made(tmp_path_factory: Any) -> Made:
    return Made.of(100, 12_000, tmp_path_factory.mktemp("planted"))


def test_culprits_rise_and_honest_officials_are_not_flagged(made: Made) -> None:
    told = ranked(made.connect(), made.province.truth["official"])
    assert told.culprits >= 4
    assert told.recall["signals"] >= 0.6
    assert told.recall["signals"] > max(told.recall["past complaints"], told.recall["late share"])
    assert told.lift["signals"] == pytest.approx(told.precision["signals"] * told.people / told.culprits)
    assert told.flags >= 2
    assert told.false_flags <= 0.1 * told.flags


def test_where_nobody_is_planted_nobody_is_flagged(tmp_path: Path) -> None:
    told = nobody(Made.of(101, 8_000, tmp_path, culprits=0).connect())
    assert told.num_rows > 30
    assert not any(told["flag"].to_pylist())


def test_the_draw_tells_the_prevalence_and_all_pulled_do_not_count(made: Made) -> None:
    truth, found, p = prevalence(made.province)
    estimate = hajek(found, p)
    assert 0.002 < truth < 0.2
    assert estimate.low <= truth <= estimate.high
    assert len(found) == len(p) > 500


def test_a_strict_team_finds_more_on_the_same_dossiers(made: Made) -> Any:
    team, units = made.laxest()
    usual, strict = made.visited()["finding"], made.visited(strict=team)["finding"]
    assert units
    names = [set(table["dossier_id"].to_pylist()) for table in (usual, strict)]
    assert names[0] == names[1], "the same dossiers are pulled"

    def found(table: Any) -> int:
        return sum(kind not in ("none", "lateness") for kind in table["kind"].to_pylist())

    assert found(strict) > found(usual)


def test_a_strict_team_moves_no_official_on_the_list(made: Made) -> None:
    team, _ = made.laxest()
    usual, strict = (standings(made.connect(made.visited(strict=who), f"list {who}")) for who in (None, team))
    assert [one.key for one in usual] == [one.key for one in strict]
    assert usual == strict


def test_floods_move_neither_score_nor_rank() -> None:
    for flood in floods(100, 1):
        assert flood.score <= 0.02, flood.words
        assert flood.rank <= 0.01, flood.words


def test_turned_labels_cost_little_once_the_team_is_named() -> None:
    cases = drawn_cases(6000, seed=2)
    told = flipped(cases, finding.fitted(cases, finding.FEW_SEEDS), 2, finding.FEW_SEEDS)
    assert told.named
    assert told.alarms == 0
    assert abs(told.mended - told.before) <= 0.03
    assert told.mended >= told.turned - 0.01


def test_the_card_says_what_falls_short(made: Made) -> None:
    from tests.bench.replay.conduct import Trial

    whole = ranked(made.connect(), made.province.truth["official"])
    truth, found, p = prevalence(made.province)
    estimate = hajek(found, p)
    good = Trial(
        0, whole, _nobody(), 10, "signals", {}, truth, (estimate.value, estimate.low, estimate.high), None, None
    )
    shocked = replace(good, flip=Flipped(0.4, 0.3, 0.37, 0.41, True, 0, 4), strict=Strict(0.0, -0.03, 0.01))
    bad = replace(good, seed=1, estimate=(1.0, 0.9, 1.0), planted=replace(whole, false_flags=whole.flags))
    text = "\n".join(card([good, bad], [], 12_000))
    assert "inside in 1 of 2 seeds" in text
    assert "**Falls short** for the flags" in text
    assert "no seed had enough findings" in text
    text = "\n".join(card([shocked, bad], [], 12_000))
    assert "no official of the province moves by more than 0.00% of all ranks (1 seeds" in text
    assert "+0.020 [+0.020, +0.020], beyond that noise" in text
    assert "learnt once more from the same labels with other random numbers it changes by 0.010" in text
    assert "**Falls short** (named, and mean change within 0.01)" in text
    moved = replace(shocked, strict=Strict(0.02, 0.0, 0.0))
    assert "**Falls short** for officials' ranks" in "\n".join(card([moved, bad], [], 12_000))


def test_a_mean_has_the_interval_of_its_seeds() -> None:
    told = mean([0.2, 0.4, 0.6])
    assert told.value == pytest.approx(0.4)
    assert 0.2 <= told.low < told.value < told.high <= 0.6
    assert np.isclose(mean([0.5, 0.5]).low, 0.5)


def _nobody() -> Any:
    import pyarrow as pa

    rows = [{"official_id": f"o{n}", "level": "a" if n % 2 else "b", "region": "r", "sector": "s", "tenure": "t",
             "score": 0.1 + 0.01 * (n % 3), "flag": False} for n in range(40)]  # fmt: skip
    return pa.Table.from_pylist(rows)

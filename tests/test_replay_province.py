"""The province replay: labels outside the list stay hidden, every policy keeps its budget, chances are told."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.bench.replay.policies import FlooredPower, Greedy, Practice
from tests.bench.replay.province import Month, World, run
from tests.bench.replay.province_facts import COLUMNS
from tests.bench.replay.province_report import Spread, bias

MONTHS = [date(2026, month, 1) for month in range(1, 7)]


class Drawn:
    """An inspectorate over drawn months: what a visit finds is written down beforehand."""

    def __init__(self, months: dict[date, Month]) -> None:
        self._months = months
        self._pulled: set[str] = set()

    def months(self) -> list[date]:
        return list(self._months)

    def eligible(self, month: date) -> pa.Table:
        return pa.table({"dossier_id": [n for n in self._months[month].names if n not in self._pulled]})

    def visit(self, month: date, chosen: pa.Table) -> dict[str, pa.Table]:
        here = self._months[month]
        found = dict(zip(here.names, here.truth, strict=True))
        unit = dict(zip(here.names, (key[1] for key in here.keys), strict=True))
        names = chosen["dossier_id"].to_pylist()
        self._pulled.update(names)
        units = sorted({unit[name] for name in names})
        return {
            "inspection": pa.table({"inspection_id": units, "team_id": [f"T{u[-1]}" for u in units]}),
            "finding": pa.table(
                {
                    "dossier_id": names,
                    "kind": ["harassment" if found[name] else "none" for name in names],
                    "inspection_id": [unit[name] for name in names],
                }
            ),
        }


def months(seed: int = 1, n: int = 300) -> dict[date, Month]:
    """Six months of 300 dossiers of 20 officials; two of them do harm, and a fact tells half of it."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for month in MONTHS:
        official = rng.integers(0, 20, n)
        truth = (rng.random(n) < np.where(official < 2, 0.7, 0.03)).astype(float)
        x = np.abs(rng.normal(size=(n, len(COLUMNS)))) * 0.3
        x[:, COLUMNS.index("paper_rounds")] = truth * (rng.random(n) < 0.5)
        x[:, COLUMNS.index("overdue")] = rng.random(n) < 0.1
        keys: list[tuple[str, ...]] = [(f"O{o}", f"U{o % 5}", f"P{o % 3}") for o in official]
        drawn[month] = Month([f"{month:%m}-{i}" for i in range(n)], keys, np.zeros(n), x, truth, truth)
    return drawn


def world(drawn: dict[date, Month]) -> World:
    return World(drawn, lambda: Drawn(drawn))


@pytest.mark.parametrize("policy", [Greedy(), Practice(), FlooredPower("p4"), FlooredPower("capped", cap=15)])
def test_every_policy_keeps_its_budget_and_tells_its_chances(policy: Any) -> None:
    done = run(world(months()), policy, 0.1, seed=1)
    assert done.cycles[0].looked == 30
    for cycle in done.cycles:
        assert (cycle.least_probability > 0) is (policy.name != "greedy")
    assert run(world(months()), policy, 0.1, seed=1) == done


def test_labels_outside_the_list_have_no_influence() -> None:
    drawn = months()
    policy = FlooredPower("p4")
    listed: set[str] = set()

    class Watched(Drawn):
        """Notes what was asked for."""

        def visit(self, month: date, chosen: pa.Table) -> dict[str, pa.Table]:
            listed.update(chosen["dossier_id"].to_pylist())
            return super().visit(month, chosen)

    done = run(World(drawn, lambda: Watched(drawn)), policy, 0.1, seed=1)
    turned = {
        month: Month(
            here.names, here.keys, here.high_risk, here.x,
            np.where([name in listed for name in here.names], here.truth, 1 - here.truth), here.anything,
        )
        for month, here in drawn.items()
    }  # fmt: skip
    again = run(world(turned), policy, 0.1, seed=1)
    assert [cycle.found for cycle in again.cycles] == [cycle.found for cycle in done.cycles]
    assert [cycle.officials for cycle in again.cycles] == [cycle.officials for cycle in done.cycles]


def test_greedy_finds_more_than_chance_and_misjudges_how_common_it_is() -> None:
    naive, weighted, ratio = [], [], []
    for seed in range(4):
        here = world(months(seed, 1500))
        greedy, drawn = run(here, Greedy(), 0.1, seed), run(here, FlooredPower("p4"), 0.1, seed)
        by_chance = run(here, FlooredPower("random", random_share=1.0, power=0.0), 0.1, seed)
        assert sum(c.found for c in greedy.cycles) > 1.5 * sum(c.found for c in by_chance.cycles)
        naive.append(bias(greedy, "counted", "naive"))
        weighted.append(bias(drawn, "counted", "weighted"))
        ratio.append(sum(c.found for c in drawn.cycles) / sum(c.found for c in greedy.cycles))
    assert Spread.of(naive).low > 0.5
    assert abs(Spread.of(weighted).mean) < 0.25
    assert Spread.of(ratio).mean > 0.6

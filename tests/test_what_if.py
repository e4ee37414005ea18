"""What would help a dossier: to hand it on, by scoring again, told only where two models see a saving."""

from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np

from features.calendar.working_time import PLAIN_WEEK
from models.booster import TreeMember
from models.remaining_time import RemainingTime, with_bins
from models.risk_model import RiskModel
from serving.scoring.online import OnlineScorer, Variant
from serving.scoring.what_if import LEAST, NEW_PERSON, Help, helps
from serving.settings import Settings
from tests.drawn_model import NUMBERS, drawn_model, ship
from tests.drawn_office import AS_OF, dossier_id, draw_office

EDGES = np.array([0.0, 8.0, 40.0, 200.0])
LOAD = NUMBERS.index("official_open")


def model_of_loads(slower: float) -> RiskModel:
    """A model by which the load of the holder alone makes a dossier late, and whose hazard falls by `slower` a
    dossier held."""
    rng = np.random.default_rng(0)
    n = 3000
    x = rng.normal(size=(n, 4)) * 20
    x[:, LOAD] = rng.integers(0, 30, n)
    rows, bin_of = np.repeat(np.arange(n), 3), np.tile(np.arange(3), n)
    cells = with_bins(x, np.full(n, 30.0), EDGES, rows, bin_of)
    ends = rng.random(len(cells)) < 1 / (1 + np.exp(slower * cells[:, LOAD]))
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 8}
    names = [f"c{at}" for at in range(cells.shape[1])]
    data = lightgbm.Dataset(cells, ends.astype(float), feature_name=names, params={"verbosity": -1})
    trees = TreeMember(lightgbm.train(params, data, 30).model_to_string())
    model = drawn_model()
    ridge = model.members["ridge"]
    heavier = replace(ridge, coefficient=np.array([0.0, 0.0, 0.0, 4.0, 0.0]))  # type: ignore[type-var]
    return replace(
        model, members={**model.members, "ridge": heavier}, weights={"ridge": 1.0},
        remaining=RemainingTime(EDGES, trees, len(NUMBERS)),
    )  # fmt: skip


def told(tmp_path: Path, slower: float) -> tuple[Settings, list[Help]]:
    settings = draw_office(tmp_path)
    ship(settings.models, model_of_loads(slower), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    found = []
    for number in range(12):
        dossier, events = desk.history(dossier_id(number))
        if dossier is not None and events:
            found += helps(desk, dossier, events, AS_OF, [None])
    return settings, found


def test_a_new_person_helps_where_load_makes_late(tmp_path: Path) -> None:
    settings, found = told(tmp_path, 0.2)
    assert found
    for one in found:
        assert one.official_id is None
        assert one.low <= one.after <= one.high <= one.score - LEAST
    assert settings.models.exists()


def test_nothing_is_told_where_the_second_model_sees_no_saving(tmp_path: Path) -> None:
    assert told(tmp_path, -0.2)[1] == []


def test_the_saving_is_that_of_another_holder_and_not_of_another_event(tmp_path: Path) -> None:
    """Handed to whom it is with already, nothing is saved."""
    settings = draw_office(tmp_path)
    ship(settings.models, model_of_loads(0.2), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    dossier, events = desk.history(dossier_id(0))
    assert dossier is not None
    holder = next(event["official_id"] for event in reversed(events) if event.get("official_id"))
    assert helps(desk, dossier, events, AS_OF, [holder]) == []
    assert NEW_PERSON not in {event.get("official_id") for event in events}


def test_without_a_second_model_nothing_is_told(tmp_path: Path) -> None:
    settings = draw_office(tmp_path)
    ship(settings.models, replace(model_of_loads(0.2), remaining=None), "v1")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    dossier, events = desk.history(dossier_id(0))
    assert dossier is not None
    assert desk.opinions([Variant(dossier, events)], AS_OF) is None
    assert helps(desk, dossier, events, AS_OF, [None]) == []

"""A model made by hand: a line through three columns, the past of procedures, and a rule; saved as LEARN saves."""

import json
from pathlib import Path

import lightgbm
import numpy as np

from models.artefact import save
from models.booster import TreeMember
from models.encoding import CategoryRates, Encoder
from models.linear import LinearMember
from models.risk_model import RiskModel
from models.rule import RuleMember

NUMBERS = ("hours_left", "time_used", "unit_late_rate", "official_open")


def drawn_model(shift: float = 0.0) -> RiskModel:
    """A model of lateness over four numbers and one category; `shift` is added to every log-odds."""
    rates = CategoryRates(("procedure_code",), {"1.001000": 0.5, "1.002000": -0.3}, prior=-1.0)
    columns = len(NUMBERS) + 1
    linear = LinearMember(
        intercept=-1.0,
        coefficient=np.array([-0.8, 0.6, 1.1, 0.2, 0.5]),
        center=np.array([40.0, 0.4, 0.2, 10.0, -1.0]),
        scale=np.array([30.0, 0.3, 0.1, 8.0, 1.0]),
        low=np.full(columns, -1e6),
        high=np.full(columns, 1e6),
        missing=np.full(columns, 0.1),
    )
    rule = RuleMember("hours_left", 0, np.array([0.0, 100.0]), np.array([1.0, -2.0]), -1.0, -1.0)
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, columns)) * linear.scale + linear.center
    label = (linear.log_odds(x) + rng.normal(size=400) > -1).astype(float)
    params = {"objective": "binary", "num_leaves": 8, "max_depth": 4, "verbosity": -1, "num_threads": 1}
    names = [f"c{place}" for place in range(columns)]
    data = lightgbm.Dataset(x, label, feature_name=names, params={"verbosity": -1})
    trees = TreeMember(lightgbm.train(params, data, 20).model_to_string())
    return RiskModel(
        target="lateness",
        encoder=Encoder(NUMBERS, (rates,)),
        members={"ridge": linear, "hours_left": rule, "trees": trees},
        weights={"ridge": 0.6, "trees": 0.4},
        intercept=shift,
        slope=1.0,
        rule="hours_left",
    )


def ship(models: Path, model: RiskModel, version: str, pointer: str = "champion") -> str:
    """Saves the model under `models/lateness/<version>` and points at it; gives its sha256."""
    folder = models / "lateness"
    sha256 = save(model, folder / version)
    said = json.dumps({"version": version, "sha256": sha256})
    aside = folder / f".{pointer}.tmp"
    aside.write_text(said)
    aside.replace(folder / f"{pointer}.json")
    return sha256

"""Fairness and calibration figures against fairlearn and scikit-learn, computed by hand here."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from fairlearn.metrics import MetricFrame, demographic_parity_difference, mean_prediction, selection_rate
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from models.logit import logit
from training.evaluate import curve
from training.fairness import LEAST, OTHERS, as_json, audit, groups_of
from training.gates import groups_alike
from training.rolling_figures import JudgedRows, Score, slope

N = 6000


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    """Two groups; the score believes that the second is 10 points less often late than it is."""
    rng = np.random.default_rng(0)
    group = np.where(rng.random(N) < 0.3, "online × person", "counter × company")
    odds = rng.normal(-1.0, 1.2, N)
    label = (rng.random(N) < expit(odds)).astype(float)
    score = expit(odds)
    score = np.where(group == "online × person", np.clip(score - 0.1, 0.01, 1.0), score)
    return {"label": label, "score": score, "dossier": np.repeat(np.arange(N // 2), 2), "group": group}


def test_groups_are_those_of_fairlearn(drawn: dict[str, np.ndarray]) -> None:
    found = {one.name: one for one in audit(drawn["label"], drawn["score"], drawn["dossier"], drawn["group"])}
    listed = drawn["score"] >= np.quantile(drawn["score"], 0.9)
    frame = MetricFrame(
        metrics={"score": mean_prediction, "selected": selection_rate},
        y_true=drawn["label"], y_pred=drawn["score"], sensitive_features=drawn["group"],
    )  # fmt: skip
    chosen = MetricFrame(
        metrics=selection_rate, y_true=drawn["label"], y_pred=listed, sensitive_features=drawn["group"]
    )
    for name in np.unique(drawn["group"]):
        mine = drawn["group"] == name
        assert found[name].score == pytest.approx(frame.by_group["score"][name], abs=1e-12)
        assert found[name].selected == pytest.approx(chosen.by_group[name], abs=1e-12)
        assert found[name].late == pytest.approx(drawn["label"][mine].mean(), abs=1e-12)
        assert found[name].gap.value == pytest.approx((drawn["score"] - drawn["label"])[mine].mean(), abs=1e-12)
        assert found[name].gap.low < found[name].gap.value < found[name].gap.high
    apart = demographic_parity_difference(drawn["label"], listed, sensitive_features=drawn["group"])
    rates = [one.selected for one in found.values()]
    assert max(rates) - min(rates) == pytest.approx(apart, abs=1e-12)


def test_the_planted_gap_is_refused_and_the_fair_group_is_not(drawn: dict[str, np.ndarray]) -> None:
    said = as_json(audit(drawn["label"], drawn["score"], drawn["dossier"], drawn["group"]))
    gate = groups_alike(said)
    assert not gate.holds
    assert "online × person" in gate.words
    assert groups_alike({"counter × company": said["counter × company"]}).holds


def test_groups_are_crossed_and_small_ones_merged() -> None:
    channel = ["online"] * 2 * LEAST + ["counter"] * 2 * LEAST + ["post"] * 10
    kind = (["person", "company"] * (2 * LEAST))[: 4 * LEAST] + ["person"] * 10
    found = groups_of(pa.table({"channel": channel, "applicant_kind": kind}), np.arange(len(channel)))
    assert set(found) == {"online × person", "online × company", "counter × person", "counter × company", OTHERS}
    assert (found == OTHERS).sum() == 10


def test_calibration_is_that_of_scikit_learn(drawn: dict[str, np.ndarray]) -> None:
    label, score = drawn["label"], drawn["score"]
    ours = curve(label, score)
    rate, mean = calibration_curve(label, score, n_bins=10, strategy="quantile")
    assert [one for _, one, _ in ours] == pytest.approx(rate.tolist(), abs=0.02)  # edges of ties fall either way
    assert [one for one, _, _ in ours] == pytest.approx(mean.tolist(), abs=0.01)
    assert sum(n for *_, n in ours) == N
    rows = JudgedRows(label, drawn["dossier"], np.zeros(N, np.int64), np.ones(N))
    by_hand = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(score)[:, None], label)
    assert slope(Score(rows, score), np.ones(N)) == pytest.approx(by_hand.coef_[0, 0], abs=1e-4)
    weight = np.random.default_rng(1).integers(0, 3, N).astype(float)
    weighted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(score)[:, None], label, weight)
    assert slope(Score(rows, score), weight) == pytest.approx(weighted.coef_[0, 0], abs=1e-4)
    from training.rolling_figures import MEASURES

    assert MEASURES["brier"](Score(rows, score), weight) == pytest.approx(
        brier_score_loss(label, score, sample_weight=weight), abs=1e-12
    )

"""The yearly forecast for officials: learns from what was known, beats the count or lets the count ship."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from features.complaints import history as complaint_history
from features.record.delivery import Chunk
from features.record.record import Record
from models.official_artefact import load, save
from models.official_events import REPORTED, UPHELD, labels, maturity
from models.official_forecast import on_logs
from training import official_forecast

YEAR = timedelta(days=365)
START = datetime(2015, 1, 1, tzinfo=UTC)
CUTOFF = datetime(2021, 1, 1, tzinfo=UTC)


def province(folder: Any, seed: int, drift: float = 0.0) -> Any:
    """300 officials with rates of their own over seven years; `drift` makes new officials err more."""
    random = np.random.default_rng(seed)
    officials: list[dict[str, object]] = []
    complaints: list[dict[str, object]] = []
    for n in range(300):
        entry = START - timedelta(days=int(random.integers(0, 4000)))
        officials.append({"official_id": f"o{n}", "unit_code": f"U{n % 10}", "valid_from": entry.isoformat()})
        rate = random.gamma(0.8, 0.9)
        for day in range(0, 7 * 365, 7):
            at = START + timedelta(days=day)
            young = np.exp(-(at - entry).days / 500)
            if random.random() < rate * (1 + drift * young) * 7 / 365:
                upheld = random.random() < 0.3
                complaints.append(
                    {
                        "complaint_id": f"c{len(complaints)}",
                        "filed_at": at.isoformat(),
                        "official_id": f"o{n}",
                        "unit_code": f"U{n % 10}",
                        "verdict": "upheld" if upheld else "rejected",
                        "verdict_at": (at + timedelta(days=int(random.integers(30, 400)))).isoformat(),
                    }
                )
    record = Record(folder)
    chunks = [Chunk("official", officials), Chunk("complaint", complaints)]
    record.append(chunks, source="test", arrived_at=CUTOFF + 3 * YEAR)
    return record.connect()


def test_the_count_ships_where_the_model_adds_nothing(tmp_path: Path) -> None:
    con = province(tmp_path / "record", 0)
    table, forecast = official_forecast.backtest(con, CUTOFF, REPORTED, YEAR)
    assert forecast.ships == "rule"
    assert table["score"].equals(table["rule_score"])
    told = official_forecast.compare(table["label"].to_numpy(), table["score"].to_numpy(), np.zeros(300))
    assert told["model"] > 0.65


def test_everybody_in_post_is_scored_once_and_labels_are_what_came(tmp_path: Path) -> None:
    con = province(tmp_path / "record", 1)
    table, _ = official_forecast.backtest(con, CUTOFF, REPORTED, YEAR)
    assert table["official_id"].to_pylist() == complaint_history.roster(con, [CUTOFF])["official_id"].to_pylist()
    after = con.execute(
        "SELECT DISTINCT official_id FROM complaint WHERE filed_at >= ? AND filed_at < ?",
        [CUTOFF.replace(tzinfo=None), (CUTOFF + YEAR).replace(tzinfo=None)],
    ).fetchall()
    complained = {row[0] for row in after}
    told = dict(zip(table["official_id"].to_pylist(), table["label"].to_pylist(), strict=True))
    assert {official for official, label in told.items() if label} == complained


def test_a_horizon_beyond_the_record_has_no_labels(tmp_path: Path) -> None:
    con = province(tmp_path / "record", 2)
    table, _ = official_forecast.backtest(con, CUTOFF + 2 * YEAR, REPORTED, YEAR)
    assert table["label"].null_count == table.num_rows


def test_labels_of_verdicts_need_to_mature_and_unripe_ones_do_not_count(tmp_path: Path) -> None:
    con = province(tmp_path / "record", 3)
    assert maturity(con, REPORTED, CUTOFF) == timedelta(0)
    assert timedelta(days=300) < maturity(con, UPHELD, CUTOFF) < timedelta(days=400)
    cases = complaint_history.roster(con, [CUTOFF - YEAR])
    known = labels(con, cases, UPHELD, YEAR, CUTOFF).sum()
    later = labels(con, cases, UPHELD, YEAR, CUTOFF + 2 * YEAR).sum()
    assert known < later


def test_nothing_learnt_depends_on_what_came_after_the_cutoff(tmp_path: Path) -> None:
    con = province(tmp_path / "all", 4)
    whole = official_forecast.train(con, CUTOFF, REPORTED, YEAR)
    early = Record(tmp_path / "early")
    rows = con.sql(
        "SELECT * EXCLUDE (known_at, known_by, row_id, delivery_id) FROM complaint"
        " WHERE filed_at < TIMESTAMP '2021-01-01' AND verdict_at IS NOT NULL"
    ).to_arrow_table()
    cleared = [
        _aware(row) | ({} if row["verdict_at"] < CUTOFF.replace(tzinfo=None) else {"verdict": None, "verdict_at": None})
        for row in rows.to_pylist()
    ]
    officials = con.sql("SELECT official_id, unit_code, valid_from FROM official").to_arrow_table()
    chunks = [Chunk("official", [_aware(row) for row in officials.to_pylist()]), Chunk("complaint", cleared)]
    early.append(chunks, source="test", arrived_at=CUTOFF)
    cut = official_forecast.train(early.connect(), CUTOFF, REPORTED, YEAR)
    history = complaint_history.build(con, [CUTOFF])
    np.testing.assert_array_equal(whole.score(history), cut.score(history))
    np.testing.assert_array_equal(whole.model_score(history), cut.model_score(history))


def test_trees_and_regression_speak_in_shares_explain_themselves_and_survive_the_disk(tmp_path: Path) -> None:
    con = province(tmp_path / "record", 6, drift=1.0)
    fitted = official_forecast.fit(con, CUTOFF, REPORTED, YEAR, (1,))
    history = complaint_history.build(con, [CUTOFF])
    for share in (0.0, 0.3, 1.0):
        one = replace(fitted, share=share, ships="model")
        base, terms = one.contributions(history)
        np.testing.assert_allclose(expit(base + terms.sum(axis=1)), one.model_score(history), rtol=1e-6)
        sha256 = save({"reported": one}, {}, tmp_path / f"{share}")
        again = load(tmp_path / f"{share}", sha256=sha256)["reported"]
        np.testing.assert_array_equal(again.score(history), one.score(history))
    trees, smooth = (replace(fitted, share=share).model_score(history) for share in (0.0, 1.0))
    assert np.abs(trees - smooth).max() > 0.01


def test_columns_of_the_regression_have_no_gap_and_name_their_feature() -> None:
    features = ("reported_ever", "days_since_reported", "tenure_days")
    cells = np.array([[0.0, np.nan, np.nan], [3.0, 10.0, 3650.0], [np.nan, np.nan, -5.0]])
    columns, of = on_logs(cells, features)
    assert columns.shape == (3, len(of))
    assert np.isfinite(columns).all()
    assert of.count(0) == 1, "a count that grows with the record only tells whether there was anything"
    assert {1, 2} < set(of)
    np.testing.assert_allclose(columns[:, 0], [0.0, 0.5 ** (10 / 120), 0.0])
    assert list(columns[:, -1]) == [1.0, 0.0, 1.0], "of whom nothing was ever reported"


def test_a_record_too_young_says_what_it_wants(tmp_path: Path) -> None:
    con = province(tmp_path / "record", 5)
    with pytest.raises(ValueError, match="wants a start before"):
        official_forecast.train(con, START + timedelta(days=200), REPORTED, YEAR)


def _aware(row: dict[str, object]) -> dict[str, object]:
    return {key: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for key, value in row.items()}

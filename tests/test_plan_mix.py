"""A plan that looks for several things: scores of several targets with stated weights, and how it may be guessed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.loop import known_chances
from serving.plan.mix import mixed, parts, words
from serving.scoring.score_files import SCHEMA, ListMeta, read_scores, write_scores

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)


def listed(root: Any, target: str, scores: dict[str, float]) -> None:
    rows = [
        {"dossier_id": key, "unit_code": "U", "score": score, "rank": rank, "as_of": AS_OF, "received_at": AS_OF,
         "reasons": [{"code": target, "effect": 1.0, "value": "", "usual": "", "n": 1, "vi": "", "en": ""}]}
        for rank, (key, score) in enumerate(scores.items(), 1)
    ]  # fmt: skip
    meta = ListMeta(target, AS_OF, f"v-{target}", target[:2], 3, "f", len(rows))
    write_scores(root, pa.Table.from_pylist(rows, SCHEMA), meta)


def test_scores_add_up_by_their_weights_and_keep_the_reasons_of_all(tmp_path: Path) -> None:
    listed(tmp_path, "lateness", {"a": 0.8, "b": 0.2})
    listed(tmp_path, "conduct", {"b": 0.5, "c": 0.1})
    table, meta = read_scores(mixed(tmp_path, parts("lateness=0.5, conduct=1")))
    assert {row["dossier_id"]: round(row["score"], 9) for row in table.to_pylist()} == {"b": 0.6, "a": 0.4, "c": 0.1}
    assert [one["code"] for one in table.to_pylist()[0]["reasons"]] == ["conduct", "lateness"]
    assert (meta.target, meta.n) == ("mix", 3)
    assert meta.model_version.startswith("conduct=1,lateness=0.5: conduct v-conduct")


@pytest.mark.parametrize("text", ["", "lateness", "lateness=x", "lateness=-1", "lateness=0"])
def test_weights_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="mix: wanted"):
        parts(text)


def test_a_mix_is_logged_in_one_form() -> None:
    assert words(parts("lateness=.50,conduct=1.0")) == "conduct=1,lateness=0.5"


def test_who_knows_all_chances_guesses_equal_ones_like_a_coin_and_sure_ones_without_fail() -> None:
    assert known_chances(np.full(10, 0.4)) == pytest.approx(0.5)
    assert known_chances(np.array([1.0, 1.0, 0.0])) == pytest.approx(1.0)
    assert known_chances(np.ones(3)) is None

"""Kill -9 while models are trained, promoted and taken back: pointers, packages and history stay whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.atomic_file import add_line
from models import pointers
from tests.bench.model_kills import STAGES, Round, campaign, report

AT = datetime(2026, 7, 1, tzinfo=UTC)
ONE, TWO = {"version": "one", "sha256": "1"}, {"version": "two", "sha256": "2"}


@pytest.mark.slow
def test_ten_kills_break_nothing_and_the_next_run_works(tmp_path: Path) -> None:
    found, works = campaign(tmp_path, 10, seed=5, mlflow=False, dossiers=300, say=lambda line: None)
    assert works
    assert [one.broken for one in found] == [()] * 10
    assert sum(one.killed for one in found) >= 6, "most kills must strike a living process"


@pytest.mark.parametrize("writes", range(5))
def test_a_move_killed_after_any_write_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """The process dies before its nth write to the disk; whoever takes the folder next sees all of the move or none."""
    pointers.move(tmp_path, {"champion": ONE}, "promote", AT)
    left = [writes]

    def dying(whole: Any) -> Any:
        def step(*words: Any, **options: Any) -> Any:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return whole(*words, **options)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(pointers, "replace_file", dying(pointers.replace_file))
        patch.setattr(pointers, "add_line", dying(add_line))
        try:
            pointers.move(tmp_path, {"champion": TWO, "previous": ONE}, "promote", AT + timedelta(days=1))
        except KeyboardInterrupt:
            assert writes < 4
    assert pointers.read(tmp_path, "champion") in (ONE, TWO), "a reader in between sees a whole champion"
    with pointers.held(tmp_path):
        moved = pointers.read(tmp_path, "champion") == TWO
    assert moved == (writes > 0)
    assert pointers.read(tmp_path, "previous") == (ONE if moved else None)
    assert [line["version"] for line in pointers.history(tmp_path)] == (["one", "two"] if moved else ["one"])


def test_half_a_line_of_history_is_taken_away_before_the_next(tmp_path: Path) -> None:
    pointers.move(tmp_path, {"champion": ONE}, "promote", AT)
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-')
    assert [line["version"] for line in pointers.history(tmp_path)] == ["one"]
    pointers.move(tmp_path, {"champion": TWO, "previous": ONE}, "promote", AT + timedelta(days=1))
    assert [line["version"] for line in pointers.history(tmp_path)] == ["one", "two"]


def test_the_card_counts_kills_and_says_what_broke() -> None:
    told = report(
        [Round("move", True, ()), Round("move", True, ("history: cut",)), Round("canary", False, ())], True, False
    )
    assert "| move | 2 | 1 |" in told
    assert "2 killed" in told
    assert "canary" in STAGES
    assert "| canary |" not in told

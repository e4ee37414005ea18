"""Killing schedulers of warnings, two at a time: each warning, escalation and message keeps one effect."""

from pathlib import Path

import pytest

from tests.bench.warning_kills import campaign

pytestmark = pytest.mark.slow


def test_kill_9_and_two_schedulers_have_one_effect(tmp_path: Path, database_url: str) -> None:
    rounds = 15 if "sqlite" in database_url else 5
    found = campaign(tmp_path, database_url, rounds=rounds, seed=7, say=lambda line: None)
    assert found.wrong == ()
    assert found.kills >= found.rounds / 2, "killed after the work was done nothing is tried"
    assert found.warnings > 20
    assert found.escalations > 10
    assert found.messages > 40

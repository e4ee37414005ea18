"""The security page and the ASVS table name tests: each of them is there."""

import re
from pathlib import Path

import pytest

from tests.bench.mutants import MUTANTS, SECURITY, threats

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["SECURITY.md", "ASVS.md"])
def test_every_proof_that_the_page_names_is_there(name: str) -> None:
    page = (ROOT / "serving" / name).read_text("utf-8")
    named = re.findall(r"`(tests/\w+\.py)(?:::(\w+))?`", page)
    assert len(named) > 30
    for path, test in named:
        text = (ROOT / path).read_text("utf-8")
        assert not test or f"def {test}(" in text, f"{path} has no {test}"


def test_every_row_has_a_guard_to_take_away_and_names_its_test() -> None:
    """What `python -m tests.bench mutants` takes away stands where it looks for it."""
    assert set(threats()) == {one.threat for one in MUTANTS}
    page = SECURITY.read_text("utf-8")
    for one in MUTANTS:
        assert (ROOT / one.path).read_text("utf-8").count(one.wanted) == 1, f"{one.path} has no {one.wanted!r}"
        assert f"`{one.test}`" in page, f"SECURITY.md does not name {one.test}"


def test_the_table_of_the_standard_has_every_requirement_of_its_levels_once() -> None:
    """70 of level 1 and 183 of level 2 in ASVS 5.0.0."""
    page = (ROOT / "serving" / "ASVS.md").read_text("utf-8")
    rows = re.findall(r"^\| (V[\d.]+) .+ \| (kept|in part|not kept|not applicable) \| .+ \|$", page, re.MULTILINE)
    assert len({number for number, _ in rows}) == len(rows) == 253
    for number, state in rows:
        proof = page[page.index(f"| {number} ") :].split("\n")[0]
        assert state != "kept" or "`tests/" in proof, f"{number} is kept by no test"

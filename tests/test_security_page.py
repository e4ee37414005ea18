"""The security page and the ASVS table name tests: each of them is there."""

import re
from pathlib import Path

import pytest

from tests.bench.mutants import MUTANTS, SECURITY, TABLE, threats

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["SECURITY.md", "ASVS.md"])
def test_every_proof_that_the_page_names_is_there(name: str) -> None:
    page = (ROOT / "serving" / name).read_text("utf-8")
    named = re.findall(r"`(tests/\w+\.py)(?:::(\w+))?`", page)
    assert len(named) > 30
    for path, test in named:
        text = (ROOT / path).read_text("utf-8")
        assert not test or f"def {test}(" in text, f"{path} has no {test}"


def test_every_row_has_a_proof_by_mutation_and_the_table_is_of_these_guards() -> None:
    """The table is what `python -m tests.bench mutants` wrote; a guard that was moved since has to be run again."""
    table = TABLE.read_text("utf-8")
    assert set(threats()) == {one.threat for one in MUTANTS}
    page = SECURITY.read_text("utf-8")
    for one in MUTANTS:
        assert (ROOT / one.path).read_text("utf-8").count(one.wanted) == 1, f"{one.path} has no {one.wanted!r}"
        assert f"`{one.test}`" in page, f"SECURITY.md does not name {one.test}"
        assert f"`{one.test}` | yes |" in table, one.test
    assert "**no**" not in table
    assert table.count("| yes |") == len(MUTANTS)

"""The security page and the ASVS table name tests: each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["SECURITY.md", "ASVS.md"])
def test_every_proof_that_the_page_names_is_there(name: str) -> None:
    page = (ROOT / "serving" / name).read_text("utf-8")
    named = re.findall(r"`(tests/\w+\.py)(?:::(\w+))?`", page)
    assert len(named) > 30
    for path, test in named:
        text = (ROOT / path).read_text("utf-8")
        assert not test or f"def {test}(" in text, f"{path} has no {test}"

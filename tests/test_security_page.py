"""The security page names tests: each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_proof_that_the_page_names_is_there() -> None:
    page = (ROOT / "serving" / "SECURITY.md").read_text("utf-8")
    named = re.findall(r"`(tests/\w+\.py)(?:::(\w+))?`", page)
    assert len(named) > 30
    for path, test in named:
        text = (ROOT / path).read_text("utf-8")
        assert not test or f"def {test}(" in text, f"{path} has no {test}"

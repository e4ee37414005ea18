"""The security page and the ASVS table name tests: each of them is there."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
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


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Modules of the product."""
    for room in ("features", "models", "training", "serving"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def test_limits_on_the_page_are_those_of_the_code() -> None:
    page = SECURITY.read_text("utf-8").partition("## Limits")[2].partition("## ")[0]
    rows = re.findall(r"\| `([\w.]+)\.(\w+)` \| ([\d.]+) \|", page)
    assert len(rows) >= 14
    for module, name, told in rows:
        assert str(getattr(import_module(module), name)) == told, f"{module}.{name}"


def test_every_use_of_cryptography_is_in_the_inventory() -> None:
    page = SECURITY.read_text("utf-8").partition("## Cryptography")[2].partition("## ")[0]
    used = set()
    for path, tree in sources():
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {one.partition(".")[0] for one in names} & {
                "hmac",
                "cryptography",
                "pwdlib",
                "jwt",
                "joserfc",
                "authlib",
            }:
                used.add(path)
    assert used <= set(re.findall(r"`([\w/]+\.py)`", page)), used


def test_no_command_is_given_to_a_shell_or_made_of_text() -> None:
    starters = {"run", "Popen", "call", "check_call", "check_output", "system", "popen"}
    for path, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            of = node.func.value
            if not (isinstance(of, ast.Name) and of.id in ("subprocess", "os") and node.func.attr in starters):
                continue
            assert of.id == "subprocess", f"{path}:{node.lineno} asks a shell"
            assert all(word.arg != "shell" for word in node.keywords), f"{path}:{node.lineno} asks a shell"
            assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp), f"{path}:{node.lineno}"

"""Every notebook runs from top to bottom on a small made-up province, and opens as a notebook."""

import runpy
from pathlib import Path
from typing import Any

import jupytext
import matplotlib
import matplotlib.pyplot as plt
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_ends_in_a_figure_that_says_something(path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("Agg")
    monkeypatch.setenv("RISK_DOSSIERS", "2000")
    told = runpy.run_path(str(path))
    assert told["axes"].get_title()
    assert told["axes"].get_xlabel()
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_opens_as_a_notebook(path: Any) -> None:
    cells = jupytext.read(path)["cells"]
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    assert cells[0]["source"].startswith("# ")

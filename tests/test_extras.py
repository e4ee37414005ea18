"""What serves needs no learning: the base install is small, complete, and says which extra brings the rest."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.access.permissions import Role
from serving.extras import EXTRA_OF, advice, missing_extra
from serving.read import problem
from tests.bench.port import free_port
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office
from tests.drawn_people import token

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
IMPORTED = {"python-docx": "docx"}
"""Import name by distribution, where the two differ."""
MOST_DISTRIBUTIONS = 75
LEARNING = ("mlflow", "shap", "optuna", "fairlearn", "pandas", "docx", "docxtpl", "xlsxwriter", "apprise")


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=; ]", one)[0] for one in requirements}


def test_every_library_of_an_extra_is_known_by_it() -> None:
    for extra, requirements in EXTRAS.items():
        for name in names(requirements) - {"dossier-risk"}:
            imported = "opentelemetry" if name.startswith("opentelemetry") else IMPORTED.get(name, name)
            assert EXTRA_OF[imported] == extra, name
    assert set(EXTRA_OF.values()) <= set(EXTRAS)
    assert names(PROJECT["dependencies"]).isdisjoint(EXTRA_OF)


def test_what_an_extra_brings_is_imported_where_it_is_used() -> None:
    """Training and the simulator's raw deliveries stand wholly in extras; nothing else may want one to be imported."""
    wrong = []
    for path in (path for room in ("features", "models", "serving") for path in (ROOT / room).rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        if where.startswith("features/simulate/raw/") or where in LAZY:
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            told = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            told += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [f"{where}: {name}" for name in told if name.split(".")[0] in EXTRA_OF]
    assert wrong == []


LAZY = ("serving/documents/grid.py", "serving/documents/layout.py", "serving/documents/template.py")
"""Modules that are themselves imported where a document is written."""


def test_a_missing_library_is_said_with_its_extra() -> None:
    error = ModuleNotFoundError("No module named 'docxtpl'", name="docxtpl")
    assert missing_extra(error) == "reports"
    assert missing_extra(ModuleNotFoundError("x", name="features.nothing")) is None
    app = FastAPI()
    problem.install(app)

    @app.get("/file")
    def file() -> None:
        raise error

    told = TestClient(app).get("/file")
    assert told.status_code == 501
    assert advice("reports") in told.json()["detail"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as a server has it: from the lock, without extras."""
    if shutil.which("uv") is None:
        pytest.skip("no uv")
    where = tmp_path_factory.mktemp("base") / "venv"
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(where), "VIRTUAL_ENV": "", "UV_NO_PROGRESS": "1"}
    command = ["uv", "sync", "--frozen", "--no-dev", "--no-editable", "--python", sys.executable]
    told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-2000:]
    return where


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = draw_office(tmp_path_factory.mktemp("office"))
    ship(settings.models, drawn_model(), "v1")
    return settings.home


def typed(base: Path, home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """`risk …` of the environment, away from the checkout."""
    env = {"PATH": os.environ["PATH"], "RISK_HOME": str(home), "PYTHONPATH": ""}
    return subprocess.run([base / "bin" / "risk", *words], cwd=home, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def address(base: Path, home: Path) -> Iterator[str]:
    scored = typed(base, home, "score", "--as-of", AS_OF.isoformat(), "--no-watch")
    assert scored.returncode == 0, scored.stderr
    port = free_port()
    env = {"PATH": os.environ["PATH"], "RISK_HOME": str(home), "PYTHONPATH": ""}
    server = subprocess.Popen(
        [base / "bin" / "risk", "serve", "--port", str(port)], cwd=home, env=env, stderr=subprocess.DEVNULL
    )
    transport = httpx2.HTTPTransport(retries=100)  # until it listens
    with httpx2.Client(transport=transport, timeout=60) as client:
        client.get(f"http://127.0.0.1:{port}/api/v1/health")
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(30)


@pytest.mark.slow
def test_the_base_install_is_without_what_learns(base: Path) -> None:
    """Today 70 distributions and 1.0 GB with bytecode (before the extras 214 and 2.1 GB)."""
    found = list(base.glob("lib/python3*/site-packages/*.dist-info"))
    size = sum(path.stat().st_size for path in base.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"{len(found)} distributions, {size / 1e6:.0f} MB")
    assert len(found) <= MOST_DISTRIBUTIONS
    assert size < 1.3e9
    absent = "import importlib.util as i, json; print(json.dumps([n for n in {} if i.find_spec(n)]))"
    told = subprocess.run(
        [base / "bin" / "python", "-c", absent.format(list(LEARNING))], capture_output=True, text=True, cwd=base
    )
    assert json.loads(told.stdout) == []


@pytest.mark.slow
def test_it_scores_serves_and_answers(address: str, home: Path) -> None:
    from tests.drawn_office import settings_of

    bearer = {"Authorization": f"Bearer {token(settings_of(home), Role.ANALYST)}"}
    posted = {
        "dossier": {
            "dossier_id": "P-1", "procedure_code": "1.001000", "unit_code": "x1", "channel": "online",
            "received_at": (AS_OF - timedelta(days=6)).isoformat(), "due_at": (AS_OF + timedelta(days=3)).isoformat(),
        },
        "events": [], "as_of": AS_OF.isoformat(),
    }  # fmt: skip
    with httpx2.Client(base_url=address, headers=bearer, timeout=60) as client:
        assert client.get("/api/v1/health").status_code == 200
        lines = client.get("/api/v1/list").json()["lines"]
        assert lines
        assert all(line["reasons"] for line in lines)
        page = client.get("/list?due=all")
        assert page.status_code == 200
        assert lines[0]["dossier_id"] in page.text
        until = time.monotonic() + 60
        while (scored := client.post("/api/v1/score", json=posted)).status_code == 503 and time.monotonic() < until:
            assert scored.headers["Retry-After"] == "2"  # the scorer is read behind the first answers
            time.sleep(0.2)
        assert scored.status_code == 200, scored.text
        assert 0 < scored.json()["score"] < 1
        file = client.get("/list.docx")
        assert file.status_code == 501
        assert "dossier-risk[reports]" in file.text


@pytest.mark.slow
def test_a_command_of_an_extra_says_which(base: Path, home: Path) -> None:
    told = typed(base, home, "train", "lateness", "--cutoff", AS_OF.isoformat())
    assert told.returncode == 1
    assert told.stderr.strip() == f"risk: {advice('train')}"
    told = typed(base, home, "demo", "--no-serve")
    assert advice("train") in told.stderr
    assert typed(base, home, "--version").stdout.startswith("dossier-risk ")


@pytest.mark.slow
def test_the_nightly_jobs_run_without_learning_and_one_says_what_it_wants(base: Path, home: Path) -> None:
    """The office's only list is months old, so what else fails fails for that; one library alone is missed."""
    told = typed(base, home, "run", "--once")
    assert "ModuleNotFoundError" not in told.stdout + told.stderr
    missed = [line for line in told.stdout.splitlines() if "this installation is without" in line]
    assert missed
    assert all(line.startswith("monthly") and line.endswith(advice("reports")) for line in missed)


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    """`risk --help` takes some 0.2 CPU seconds; each of these would add as much again."""
    heavy = ("numpy", "pyarrow", "duckdb", "sqlalchemy", "uvicorn", "fastapi", "pydantic", "deltalake", "httpx2")
    code = f"import sys, serving.cli; print([one for one in {heavy} if one in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert told.stdout.strip() == "[]", told.stdout + told.stderr

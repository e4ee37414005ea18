"""The command line as people and other tools type it; in-process where nothing needs a process of its own."""

import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from serving.cli import app
from serving.cli.moments import moment, span
from serving.settings import Settings
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
COUNTS = re.compile(r"read=(\d+) appended=(\d+) known=(\d+) rejected=(\d+)")
FIXED = ("simulate", "ingest", "train", "backtest", "promote", "score", "list", "export", "serve", "demo")


def risk(*words: str | Path) -> str:
    return run(0, *words)


def run(exit_code: int, *words: str | Path) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == exit_code, result.output + repr(result.exception)
    return result.output


def feed(folder: Path, rows: int = 20) -> Path:
    folder.mkdir()
    lines = [f"d{n},p1,u1,2026-01-{n % 28 + 1:02d}T09:00:00,2026-03-01T09:00:00" for n in range(rows)]
    text = "\n".join(["dossier_id,procedure_code,unit_code,received_at,due_at", *lines])
    (folder / "dossier.csv").write_text(text + "\n")
    (folder / "procedure.csv").write_text("procedure_code,sector_code\np1,s1\n")
    return folder


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = draw_office(tmp_path_factory.mktemp("office"))
    ship(settings.models, drawn_model(), "v1")
    return settings


def test_every_fixed_command_is_there_and_help_is_quick() -> None:
    begun = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", "from serving.cli import main; main()", "--help"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert time.perf_counter() - begun < 20  # a loaded machine; alone it takes about half a second
    for name in FIXED:
        assert re.search(rf"\b{name}\b", told)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, serving.cli; heavy = ('duckdb', 'lightgbm', 'pandas', 'sklearn', 'mlflow', 'fastapi', 'pyarrow');"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


def test_ingest_counts_every_row_and_the_second_time_changes_nothing(tmp_path: Path) -> None:
    delivery = feed(tmp_path / "feed")
    bad = delivery / "event.csv"
    bad.write_text("dossier_id,kind,happened_at\nd1,assigned,2026-01-05T10:00:00\nd2,assigned,32/13/2026\n")
    first = COUNTS.search(risk("--home", tmp_path / "h", "ingest", delivery, "--source", "canonical"))
    assert first is not None
    assert tuple(map(int, first.groups())) == (23, 22, 0, 1)
    # nothing appended and something refused: the exit code says so
    again = COUNTS.search(run(1, "ingest", delivery, "--source", "canonical", "--home", tmp_path / "h"))
    assert again is not None
    assert tuple(map(int, again.groups())) == (23, 0, 22, 1)


@pytest.mark.parametrize("words", [["--home", "{h}", "score"], ["score", "--home", "{h}"], ["score", "--home={h}"]])
def test_home_may_stand_before_or_after_the_command(office: Settings, words: list[str]) -> None:
    told = risk(*[word.replace("{h}", str(office.home)) for word in words], "--as-of", AS_OF.isoformat())
    assert "open dossiers scored by v1" in told
    assert str(office.home) in told.replace("\n", "")


def test_list_shows_reasons_and_that_a_score_is_no_finding(office: Settings) -> None:
    risk("--home", office.home, "score", "--as-of", AS_OF.isoformat())
    told = risk("--home", office.home, "list", "--rows", "3")
    assert "không phải kết luận vi phạm" in told
    assert "3 / " in told


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_export_scores_where_that_was_not_done(office: Settings, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"scores.{ending}"
    as_of = AS_OF - timedelta(hours=3)
    risk("--home", office.home, "export", "scores", "--target", "lateness", "--as-of", as_of.isoformat(), "--out", out)
    assert out.stat().st_size > 0
    if ending == "parquet":
        table = pq.read_table(out)
        assert table.column_names == [
            "dossier_id", "unit_code", "official_id", "score", "rank", "reasons_vi", "reasons_en",
        ]  # fmt: skip
        assert pa.compute.min(table["rank"]).as_py() == 1


def test_an_unknown_target_and_a_bad_time_are_told(office: Settings) -> None:
    runner = CliRunner()
    bad = runner.invoke(app, ["--home", str(office.home), "train", "weather", "--cutoff", "2026-01-01"])
    assert bad.exit_code == 2
    assert "lateness" in bad.output
    bad = runner.invoke(app, ["--home", str(office.home), "score", "--as-of", "soon"])
    assert bad.exit_code == 2
    assert "ISO 8601" in bad.output


def test_expected_errors_are_one_line_without_a_traceback(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from serving.cli import main; main()", "--home", str(tmp_path / "h"), "list"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert told.returncode == 1
    assert told.stderr.splitlines() == ["risk: no scored list of lateness yet; run: risk score --as-of T"]


def test_backtest_asks_for_landmarks(office: Settings, tmp_path: Path) -> None:
    words = ["--home", str(office.home), "backtest", "lateness", "--cutoff", "2026-01-01", "--out", str(tmp_path / "f")]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, ValueError)
    assert "--every" in str(result.exception)


@given(st.datetimes(datetime(1991, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001 - local on purpose
def test_times_without_offset_are_local(local: datetime) -> None:
    assert moment(local.isoformat(), ZONE) == local.replace(tzinfo=ZONE)
    assert moment(local.isoformat() + "+00:00", ZONE) == local.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7d", timedelta(days=7)),
        ("1.5h", timedelta(minutes=90)),
        ("2w", timedelta(days=14)),
        ("30s", timedelta(seconds=30)),
    ],
)
def test_spans(text: str, wanted: timedelta) -> None:
    assert span(text) == wanted


@pytest.mark.parametrize("text", ["", "7", "d", "-3d", "0d", "7 days", "9" * 30 + "w"])
def test_bad_spans_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        span(text)

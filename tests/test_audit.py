"""The audit of packages fails where nothing was asked and where a known advisory concerns us; it says how old it is."""

import importlib.machinery
import importlib.util
import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PATH = Path(__file__).parents[1] / ".ci" / "audit"
REVIEWED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def audit(tmp_path: Path) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("audit", str(PATH))
    spec = importlib.util.spec_from_loader("audit", loader)
    assert spec is not None
    found: Any = importlib.util.module_from_spec(spec)
    loader.exec_module(found)
    found.SNAPSHOT = tmp_path / "advisories.json"
    told = {
        "made_at": "2026-10-01T00:00:00+00:00", "reviewed_at": REVIEWED.isoformat(), "holds_days": 30,
        "packages": ["jinja2", "orjson"],
        "advisories": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "package": "jinja2", "ranges": [["2.0", "3.1.4"]]}],
    }  # fmt: skip
    found.SNAPSHOT.write_text(json.dumps(told))
    module: ModuleType = found
    return module


def test_an_audit_that_skipped_every_package_is_none(audit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    skipped = {"dependencies": [{"name": f"p{n}", "skip_reason": "not found on PyPI"} for n in range(40)]}
    assert not audit.enough(skipped)
    assert not audit.enough({"dependencies": []})
    monkeypatch.setattr(audit, "asked", lambda: skipped)
    monkeypatch.setattr(audit, "installed", lambda: {"jinja2": "3.1.3"})
    assert audit.main([]) == 1
    monkeypatch.setattr(audit, "asked", lambda: None)
    assert audit.main([]) == 1
    monkeypatch.setattr(audit, "asked", lambda: {"dependencies": [{"name": "p", "version": "1", "vulns": []}] * 9})
    assert audit.main([]) == 0


@pytest.mark.parametrize(
    ("versions", "now", "code"),
    [
        ({"jinja2": "3.1.3"}, REVIEWED, 1),
        ({"jinja2": "3.1.4", "orjson": "3.0"}, REVIEWED, 0),
        ({"jinja2": "1.9"}, REVIEWED, 0),
        ({"jinja2": "3.1.4", "newcomer": "1.0"}, REVIEWED, 1),
        ({"jinja2": "3.1.4"}, REVIEWED + timedelta(days=31), 1),
    ],
    ids=["concerned", "fixed", "before it", "not reviewed", "too old"],
)
def test_offline_versions_are_reviewed_against_a_dated_extract(
    audit: Any, versions: dict[str, str], now: datetime, code: int
) -> None:
    assert audit.reviewed({}, versions, now) == code
    if code and "newcomer" not in versions and now == REVIEWED:
        assert audit.reviewed({"CVE-1": "CVE-1 does not concern us"}, versions, now) == 0


def test_the_committed_extract_is_read(audit: Any) -> None:
    audit.SNAPSHOT = PATH.with_name("advisories.json")
    told = json.loads(audit.SNAPSHOT.read_text("utf-8"))
    assert len(told["advisories"]) > 50
    assert "fastapi" in told["packages"]
    assert audit.reviewed({}, {"jinja2": "2.4"}, datetime.fromisoformat(told["reviewed_at"])) == 1


def test_the_snapshot_was_made_for_every_locked_package() -> None:
    lock = tomllib.loads(PATH.parents[1].joinpath("uv.lock").read_text("utf-8"))
    told = json.loads(PATH.with_name("advisories.json").read_text("utf-8"))["packages"]

    assert {one["name"] for one in lock["package"]} - set(told) == {"dossier-risk"}, ".ci/snapshot makes it anew"

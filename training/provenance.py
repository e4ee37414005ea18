"""Where a model comes from: code, dependencies and features, as hashes that a later run can compare."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from features.matrix.batch import FEATURES

ROOT = Path(__file__).resolve().parents[1]


def provenance(columns: Sequence[str]) -> dict[str, str]:
    """`git_commit`, `lock_hash`, `features_hash`, `columns_hash`; "unknown" where the package has no checkout."""
    declared = json.dumps([asdict(feature) for feature in FEATURES], ensure_ascii=False, sort_keys=True)
    return {
        "git_commit": git_commit(),
        "lock_hash": _file_hash(ROOT / "uv.lock"),
        "features_hash": hashlib.sha256(declared.encode()).hexdigest(),
        "columns_hash": hashlib.sha256("\n".join(columns).encode()).hexdigest(),
    }


def git_commit() -> str:
    """The commit that is checked out, with `-dirty` where tracked files differ; "unknown" without a checkout."""
    if not (ROOT / ".git").exists():
        return "unknown"
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*words: str) -> str:
    # fixed words, no shell
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20
    ).stdout.strip()


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "unknown"

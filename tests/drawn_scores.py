"""Small scored lists for tests, drawn by hand or made to size."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from serving.scoring.score_files import SCHEMA, ListMeta, write_scores

AS_OF = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def meta(n: int, version: str = "v1", target: str = "lateness", as_of: datetime = AS_OF) -> ListMeta:
    return ListMeta(target, as_of, version, "ab" * 32, 7, "cd" * 32, n)


def reason(code: str, effect: float) -> dict[str, object]:
    return {
        "code": code, "effect": effect, "value": "43", "usual": "20", "n": 12,
        "vi": f"Cán bộ đang giữ 43 hồ sơ ({code})", "en": f"The official holds 43 dossiers ({code})",
    }  # fmt: skip


def remaining(left: float) -> dict[str, object]:
    return {
        "hours": 30.0, "low": 12.0, "high": 90.0, "late_low": 12.0 - left, "late_high": 90.0 - left,
        "expected_late": 14.5, "open_by_day": [0.9**day for day in range(1, 21)],
    }  # fmt: skip


def drawn(rows: int, seed: int = 1) -> pa.Table:
    """A list of `rows` dossiers over 7 units, 3 sectors and 20 officials, scores falling with rank."""
    rng = np.random.default_rng(seed)
    score = np.sort(rng.uniform(0.001, 0.999, rows))[::-1]
    log_odds = np.log(score / (1 - score))
    ids = [f"H{number:07d}" for number in rng.permutation(rows)]
    official = [None if number == 0 else f"o{number}" for number in rng.integers(0, 20, rows)]
    return pa.table(
        {
            "dossier_id": ids,
            "unit_code": [f"u{number}" for number in rng.integers(1, 8, rows)],
            "official_id": pa.array(official, pa.string()),
            "procedure_code": ["1.004"] * rows,
            "sector_code": [f"s{number}" for number in rng.integers(1, 4, rows)],
            "as_of": [AS_OF] * rows,
            "score": score,
            "log_odds": log_odds,
            "base": np.full(rows, -1.5),
            "rank": np.arange(1, rows + 1),
            "left_hours": rng.normal(20, 30, rows),
            "due_at": [AS_OF + timedelta(hours=int(number)) for number in rng.integers(-50, 300, rows)],
            "received_at": [AS_OF - timedelta(hours=int(number)) for number in rng.integers(1, 900, rows)],
            "step": ["thẩm định"] * rows,
            "reasons": [[reason("queue", 0.8), reason("clock", -0.2)]] * rows,
            "phase": pa.array(["running"] * rows, pa.string()),
            "remaining": [remaining(20.0)] * rows,
            "score_low": score * 0.9,
            "score_high": score * 0.9 + 0.1,
        }
    ).cast(SCHEMA)


def store(scores: Path, table: pa.Table, version: str = "v1", as_of: datetime = AS_OF) -> Path:
    return write_scores(scores, table, meta(table.num_rows, version, as_of=as_of))

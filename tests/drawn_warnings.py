"""Scored lists and rules for tests of early warnings, over the office of `drawn_office`."""

from datetime import datetime, timedelta

import pyarrow as pa

from serving.scoring.score_files import SCHEMA, ListMeta, write_scores
from serving.settings import Settings
from serving.warnings.policy import Policy
from serving.warnings.rules import WarningRules

REASON = {"code": "share_of_term", "effect": 0.9, "value": "0.92", "usual": "0.5", "n": 120,
          "vi": "Đã dùng 92 % thời gian (góp phần làm tăng nguy cơ)", "en": "92 % of the term used"}  # fmt: skip
CODED = {**REASON, "code": "unit_code", "value": "o1", "vi": "Người giữ o1: trước đây 40 % trễ hạn"}


def score(
    settings: Settings, as_of: datetime, scores: dict[str, float], *, unit: str = "x1", left: float = 40.0,
    due: datetime | None = None,
) -> None:  # fmt: skip
    """Writes the list of `as_of`: dossier → score; all of one unit, held by o1, and due after `left` hours."""
    rows = [
        {
            "dossier_id": dossier, "unit_code": unit, "official_id": None, "procedure_code": "1.002000",
            "sector_code": "XD", "as_of": as_of, "score": value, "log_odds": 0.0, "base": 0.0, "rank": rank,
            "left_hours": left, "due_at": due or datetime(2026, 3, 31, 9, tzinfo=as_of.tzinfo),
            "received_at": as_of - timedelta(days=5), "step": "Thẩm định", "reasons": [REASON, CODED],
        }
        for rank, (dossier, value) in enumerate(scores.items(), 1)
    ]  # fmt: skip
    meta = ListMeta("lateness", as_of, "20260302-1", "ab" * 32, 1, "cd" * 32, len(rows))
    write_scores(settings.scores, pa.Table.from_pylist(rows, SCHEMA), meta)


def rules(**changes: object) -> WarningRules:
    """Rules under which a score fires at once and nobody is held out, changed as wanted."""
    policy: dict[str, object] = {"stay": 1, "held_out": 0.0, "a_week": 50}
    others = {name: changes.pop(name) for name in list(changes) if name in WarningRules.__dataclass_fields__}
    return WarningRules(policy=Policy(**{**policy, **changes}), **others)  # type: ignore[arg-type]

"""A crowded installation for `pages`: a list of open dossiers, and the record of some of them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from features.record.delivery import Chunk
from features.record.record import Record
from serving.scoring.score_files import ListMeta, in_schema, write_scores
from serving.settings import Settings

AS_OF = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
UNITS, PROCEDURES, OFFICIALS, SECTORS = 168, 1_800, 6_000, 60
IN_RECORD = 4_000
"""Dossiers of the list whose events the record holds, so that their pages draw a clock and a timeline."""
_KINDS = ("received", "assigned", "papers_requested", "papers_supplied", "forwarded")
_STEPS = ("Tiếp nhận hồ sơ", "Phân công thụ lý", "Thẩm định hồ sơ", "Trình lãnh đạo ký")
_WORDS = (
    ("due_passed", 1.2, "36.5", "0", "Đã quá hạn 36,5 giờ làm việc", "36.5 working hours past the promise"),
    ("term_gone", 0.8, "1.33", "0.24", "Đã trôi qua 133 % thời hạn, thường lệ của thủ tục là 24 %", "133 % is gone"),
    ("holder_queue", -0.3, "12", "20", "Người giữ hồ sơ đang giữ 12 hồ sơ, thường lệ 20", "The holder has 12"),
)  # fmt: skip


def dossier_id(number: int) -> str:
    """The id of the dossier at a place of the list."""
    return f"H99.{number % UNITS}-260101-{number:06d}"


def make_crowd(settings: Settings, dossiers: int, in_record: int = IN_RECORD) -> None:
    """Writes list, and record of some of it, under the settings' home; the same for the same size."""
    rng = np.random.default_rng(1)
    record = Record(settings.record_url)
    record.append(_chunks(min(dossiers, in_record)), source="canonical", arrived_at=AS_OF)
    score = np.sort(rng.beta(0.6, 2.5, dossiers))[::-1].clip(0.001, 0.999)
    places = np.arange(dossiers)
    reasons = [
        {"code": code, "effect": effect, "value": value, "usual": usual, "n": 120, "vi": vi, "en": en}
        for code, effect, value, usual, vi, en in _WORDS
    ]
    table = in_schema(
        pa.table(
            {
                "dossier_id": [dossier_id(place) for place in range(dossiers)],
                "unit_code": [f"U{place % UNITS:03d}" for place in range(dossiers)],
                "official_id": [f"o-{place % OFFICIALS:018d}" for place in range(dossiers)],
                "procedure_code": [f"1.{place % PROCEDURES:06d}" for place in range(dossiers)],
                "sector_code": [f"S{place % SECTORS:02d}" for place in range(dossiers)],
                "as_of": [AS_OF] * dossiers,
                "score": score,
                "log_odds": np.log(score / (1 - score)),
                "base": np.full(dossiers, -1.8),
                "rank": places + 1,
                "left_hours": rng.normal(20, 40, dossiers),
                "due_at": [AS_OF + timedelta(hours=int(hours)) for hours in rng.integers(-90, 300, dossiers)],
                "received_at": [AS_OF - timedelta(hours=int(hours)) for hours in rng.integers(5, 700, dossiers)],
                "step": [_STEPS[place % len(_STEPS)] for place in range(dossiers)],
                "reasons": [reasons] * dossiers,
                "phase": ["running"] * dossiers,
            }
        )
    )
    meta = ListMeta("lateness", AS_OF, "20260302-1", "ab" * 32, record.version(), "cd" * 32, dossiers)
    write_scores(settings.scores, table, meta)


def _chunks(dossiers: int) -> list[Chunk]:
    units = [{"unit_code": f"U{n:03d}", "unit_name": f"Ủy ban nhân dân phường số {n}"} for n in range(UNITS)]
    procedures = [
        {"procedure_code": f"1.{n:06d}", "procedure_name": f"Cấp giấy phép theo thủ tục số {n} của tỉnh",
         "sector_code": f"S{n % SECTORS:02d}"}
        for n in range(PROCEDURES)
    ]  # fmt: skip
    sectors = [{"sector_code": f"S{n:02d}", "sector_name": f"Lĩnh vực {n}"} for n in range(SECTORS)]
    places, received = np.arange(dossiers), AS_OF - timedelta(days=12)
    facts = pa.table(
        {
            "dossier_id": [dossier_id(n) for n in range(dossiers)],
            "procedure_code": [f"1.{n % PROCEDURES:06d}" for n in range(dossiers)],
            "unit_code": [f"U{n % UNITS:03d}" for n in range(dossiers)],
            "channel": ["online"] * dossiers,
            "received_at": pa.array([received] * dossiers),
            "due_at": [AS_OF + timedelta(days=n % 9 - 3) for n in range(dossiers)],
        }
    )
    of, place = np.repeat(places, len(_KINDS)), np.tile(np.arange(len(_KINDS)), dossiers)
    begun = np.datetime64(received.replace(tzinfo=None), "us")
    events = pa.table(
        {
            "dossier_id": facts["dossier_id"].take(of),
            "kind": pa.array(_KINDS).take(place),
            "happened_at": pa.array(begun + place * np.timedelta64(30, "h"), pa.timestamp("us", "UTC")),
            "official_id": pa.array([f"o-{n:018d}" for n in range(OFFICIALS)]).take((of + place) % OFFICIALS),
            "unit_code": facts["unit_code"].take(of),
            "step": pa.array(_STEPS).take(place % len(_STEPS)),
        }
    )
    return [Chunk("unit", units, []), Chunk("sector", sectors, []), Chunk("procedure", procedures, []),
            Chunk("dossier", facts), Chunk("event", events)]  # fmt: skip

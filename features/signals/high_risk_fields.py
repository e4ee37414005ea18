"""The fields that the directives name as prone to harassment: built in, dated, and edited by a delivery.

A field is matched by the sector's name. A weight that the record gives for a sector (`sector.prior_weight`) goes before
the built-in one, so an office changes the list by delivering a row. The weight is an order of the directives, never
evidence about a person (domain.md 1.8, H19).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from features.record.utc import naive_utc

S1, S0, S3 = date(2018, 1, 1), date(2023, 1, 1), date(2022, 9, 29)


@dataclass(frozen=True)
class HighRiskField:
    """One field: words of which a sector's name holds one, its weight (0–1), its source, [valid_from, valid_to)."""

    name: str
    words: tuple[str, ...]
    weight: float
    source: str
    valid_from: date
    valid_to: date | None = None


_S0 = (
    "“các lĩnh vực có nguy cơ tiêu cực, nhũng nhiễu như: Đất đai, đầu tư, xây dựng, cấp phép kinh doanh” (S0 2c; S4 1đ)"
)
_S1 = "S1 1đ: các lĩnh vực dễ phát sinh nhũng nhiễu"
FIELDS: tuple[HighRiskField, ...] = (
    HighRiskField("land", ("đất đai", "địa chính"), 1.0, _S0, S1),
    HighRiskField("investment", ("đầu tư",), 1.0, _S0, S1),
    HighRiskField("construction", ("xây dựng",), 1.0, _S0, S1),
    HighRiskField("licensing", ("cấp phép kinh doanh", "đăng ký doanh nghiệp", "hộ kinh doanh",
                                "kinh doanh có điều kiện"), 0.9, _S0, S1),
    HighRiskField("planning", ("quy hoạch",), 0.8, _S1, S1),
    HighRiskField("tax", ("thuế",), 0.8, "S1 1đ; S3 7a", S1),
    HighRiskField("customs", ("hải quan",), 0.8, "S1 1đ; S3 7a", S1),
    HighRiskField("insurance", ("bảo hiểm",), 0.8, "S1 1đ; S3 7b", S1),
)  # fmt: skip


def field_of(sector_name: str | None, day: date) -> HighRiskField | None:
    """The field to which a sector of this name belongs on a day; None where the directives name none."""
    name = unicodedata.normalize("NFC", sector_name or "").lower()
    for one in FIELDS:
        valid = one.valid_from <= day and (one.valid_to is None or day < one.valid_to)
        if valid and any(word in name for word in one.words):
            return one
    return None


def directive_weights(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, float]:
    """The directives' weight (0–1) of every sector that has one, as known before `as_of`: delivered, else built in."""
    rows = con.execute(
        """SELECT sector_code, arg_max(sector_name, (known_at, row_id)) FILTER (sector_name IS NOT NULL),
                  max(prior_weight) FROM sector WHERE known_at < $as_of GROUP BY sector_code ORDER BY sector_code""",
        {"as_of": naive_utc(as_of)},
    ).fetchall()
    weights: dict[str, float] = {}
    for code, name, weight in rows:
        found = field_of(name, as_of.date())
        if weight is not None:
            weights[code] = float(weight)
        elif found is not None:
            weights[code] = found.weight
    return weights

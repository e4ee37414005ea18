"""Conduct lists of the drawn office: told and too small lines of officials, units and dossiers, in two tiers."""

from datetime import datetime
from pathlib import Path

from models.conduct import ConductLine
from serving.scoring import conduct_lists
from serving.settings import Settings
from tests.drawn_office import AS_OF, dossier_id, official_of, seal_plan, unit_of
from tests.drawn_people import staffed_office

WORDS = "12 trong 60 hồ sơ có dấu hiệu về yêu cầu bổ sung giấy tờ. Dấu hiệu cần kiểm tra, không phải kết luận."
FEW = "Chưa đủ dữ liệu: dưới 20 hồ sơ"


def draw_conduct(settings: Settings, as_of: datetime = AS_OF) -> None:
    """Officials o1 to o8: o1 told and flagged, o2 too small, others told; o3 also as a report by 2 people."""
    officials = [
        _line(rank, official=official_of(n), unit=unit_of(n), enough=n != 1, flag=n == 0)
        for rank, n in enumerate(range(8), 1)
    ]
    reported = [
        _line(rank, official=who, unit=unit, enough=True, n=people, tier="reported", low=None, high=None)
        for rank, who, unit, people in ((1, "o3", "x3", 2), (2, "o4", "x1.1", 3))
    ]
    units = [_line(1, unit="x1", enough=True, flag=True), _line(2, unit="x2", enough=False)]
    dossiers = [_line(1, unit=unit_of(0), dossier=dossier_id(0), enough=True, low=None, high=None)]
    found = {"official": [*officials, *reported], "unit": units, "dossier": dossiers}
    conduct_lists.write(found, settings.scores, as_of)


def draw_full_office(folder: Path) -> Settings:
    """The drawn office with everything that pages show: people, conduct lists, a sealed plan."""
    settings = staffed_office(folder)
    draw_conduct(settings)
    seal_plan(settings)
    return settings


def _line(
    rank: int, *, enough: bool, official: str | None = None, unit: str | None = None, dossier: str | None = None,
    flag: bool = False, n: int = 60, tier: str = "signal", low: float | None = 2.5, high: float | None = 4.5,
) -> ConductLine:  # fmt: skip
    told = (0.995, low, high, WORDS, "12 of 60 dossiers.") if enough else (None, None, None, FEW, "Not enough data")
    score, low, high, vi, en = told
    return ConductLine(official, unit, dossier, score, flag, n if enough else 7, low, high, rank, vi, en, tier)

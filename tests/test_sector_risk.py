"""Fields of work: the directives' list, dated and edited by a delivery; findings that lift a field it does not name."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals.high_risk_fields import FIELDS, directive_weights, field_of
from models.sector_risk import sector_risks, sector_weights

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "field"),
    [("Đất đai", "land"), ("Hoạt động xây dựng", "construction"), ("Quy hoạch đô thị", "planning"), ("Thuế", "tax"),
     ("Bảo hiểm xã hội", "insurance"), ("Hải quan", "customs"), ("Đầu tư", "investment"), ("Hộ tịch", None),
     ("Đăng ký doanh nghiệp", "licensing"), (None, None)],
)  # fmt: skip
def test_the_directives_fields_are_known_by_name(name: str | None, field: str | None) -> None:
    found = field_of(name, AS_OF.date())
    assert (found.name if found else None) == field


def test_no_field_holds_before_its_directive() -> None:
    assert all(field_of(word, date(2017, 12, 31)) is None for one in FIELDS for word in one.words)


def office(folder: Any) -> Any:
    """Two sectors of 60 pulled dossiers each: civil status with 30 findings, land with none."""
    sectors = [{"sector_code": "L", "sector_name": "Đất đai"}, {"sector_code": "H", "sector_name": "Hộ tịch"},
               {"sector_code": "X", "sector_name": "Xây dựng", "prior_weight": 0.2}]  # fmt: skip
    procedures = [{"procedure_code": f"P{code}", "procedure_name": code, "sector_code": code} for code in "LH"]
    at = (AS_OF - timedelta(days=30)).isoformat()
    dossiers, findings = [], []
    for code in "LH":
        for n in range(60):
            key = f"{code}{n}"
            dossiers.append({"dossier_id": key, "procedure_code": f"P{code}", "unit_code": "U", "received_at": at})
            kind = "harassment" if code == "H" and n < 30 else "none"
            findings.append({"finding_id": key, "inspection_id": "i", "dossier_id": key, "kind": kind,
                             "chosen_by": "draw", "probability": 0.5, "known_at": at})  # fmt: skip
    record = Record(folder / "record")
    visit = {"inspection_id": "i", "unit_code": "U", "visited_at": at, "known_at": at}
    chunks = [Chunk("sector", sectors), Chunk("procedure", procedures), Chunk("dossier", dossiers),
              Chunk("inspection", [visit]), Chunk("finding", findings)]  # fmt: skip
    record.append(chunks, source="t", arrived_at=AS_OF - timedelta(days=1))
    return record.connect()


def test_a_delivered_weight_goes_before_the_built_in_one(tmp_path: Path) -> None:
    assert directive_weights(office(tmp_path), AS_OF) == {"L": 1.0, "X": 0.2}


def test_findings_lift_a_field_that_no_directive_names_and_never_lower_one_that_is_named(tmp_path: Path) -> None:
    con = office(tmp_path)
    told = {one.sector_code: one for one in sector_risks(con, AS_OF)}
    assert (told["H"].found.n, told["H"].directive) == (60, 0.0)
    assert told["H"].found.low < 0.5 < told["H"].found.high
    assert 0.3 < told["H"].weight <= 1.0
    assert told["L"].weight == 1.0
    assert sector_weights(con, AS_OF).keys() == {"L", "H", "X"}

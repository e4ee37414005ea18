"""`python -m tests.bench deliveries`: days of small deliveries are taken in whole, merged, followed and counted."""

from pathlib import Path

import pytest
import typer

from features.record.record import Record
from models.artefact import save
from tests.bench.deliveries import campaign, deliveries, deliveries_section
from tests.bench.drawn_record import draw
from tests.drawn_model import drawn_model


def test_days_of_small_deliveries_are_taken_in_whole_and_told_by_quarters(tmp_path: Path) -> None:
    draw(tmp_path, 60, days=8)
    save(drawn_model(), tmp_path / "model")
    found = campaign(str(tmp_path), str(tmp_path / "model"), 8, 1)
    con = Record(tmp_path / "record").connect()
    assert con.sql("SELECT count(*) FROM dossier").fetchall() == [(60,)]
    assert {len(found[name]) for name in ("take in", "news", "merge", "living", "lying")} == {8}
    assert found["living"][-1] <= found["lying"][-1]
    section = deliveries_section(found, 100.0, 8, 1, 60)
    assert "score of all open dossiers, day 8" in {figure.name for figure in section.figures}
    assert sum(figure.name.startswith("exponent") for figure in section.figures) == 5


def test_days_that_have_no_quarters_are_refused_before_anything_is_drawn() -> None:
    with pytest.raises(typer.BadParameter, match="multiple of four"):
        deliveries(days=110)

"""A model is changed while others score with it: every answer is wholly the old one's or wholly the new one's."""

import json
import random
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from features.calendar.working_time import PLAIN_WEEK
from serving.scoring.online import OnlineScorer
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import AS_OF, draw_office

DOSSIER = {
    "dossier_id": "P-1", "procedure_code": "1.001000", "unit_code": "x1", "channel": "online",
    "received_at": AS_OF - timedelta(days=6), "due_at": AS_OF + timedelta(days=3),
}  # fmt: skip


def test_eight_threads_score_while_the_model_is_swapped(tmp_path: Path) -> None:
    settings = draw_office(tmp_path)
    shifts = {"v0": 0.0, "v1": 0.7, "v2": -0.4}
    for version, shift in shifts.items():
        ship(settings.models, drawn_model(shift), version)
    ship(settings.models, drawn_model(0.0), "v0")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    plain = desk.score(DOSSIER, [], AS_OF).log_odds
    stop = threading.Event()
    seen: dict[str, set[float]] = {}
    wrong: list[object] = []

    def work() -> None:
        while not stop.is_set():
            try:
                one = desk.score(DOSSIER, [], AS_OF)
                if abs(one.log_odds - plain - shifts[one.model_version]) > 1e-9:
                    wrong.append(one)
                seen.setdefault(one.model_version, set()).add(round(one.log_odds, 9))
            except Exception as error:  # any failure at all is what the test looks for
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        version = f"v{turn % 3}"
        ship(settings.models, drawn_model(shifts[version]), version)
        desk.champion.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert {version: len(values) for version, values in seen.items()} == {"v0": 1, "v1": 1, "v2": 1}


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign", "gone", "other hash", "pointer"])
def test_a_bad_model_is_refused_and_the_old_one_stays(tmp_path: Path, damage: str) -> None:
    settings = draw_office(tmp_path)
    ship(settings.models, drawn_model(), "v0")
    desk = OnlineScorer(settings, PLAIN_WEEK)
    desk.refresh(AS_OF)
    before = desk.score(DOSSIER, [], AS_OF)
    folder = settings.models / "lateness"
    sha256 = ship(settings.models, drawn_model(2.0), "v1", pointer="candidate")
    trees, manifest = folder / "v1" / "trees.txt", folder / "v1" / "manifest.json"
    if damage == "truncated":
        trees.write_bytes(trees.read_bytes()[:-300])
    elif damage == "flipped":
        data = bytearray(trees.read_bytes())
        data[random.Random(3).randrange(len(data))] ^= 4
        trees.write_bytes(bytes(data))
    elif damage == "foreign":
        trees.write_bytes(b"\x80\x04\x95" + b"pickle" * 50)
    elif damage == "gone":
        manifest.unlink()
    pointed = {"version": "v1", "sha256": "0" * 64 if damage == "other hash" else sha256}
    text = "{half" if damage == "pointer" else json.dumps(pointed)
    (folder / "champion.json").write_text(text)
    desk.refresh(AS_OF)
    after = desk.score(DOSSIER, [], AS_OF)
    assert after == before
    assert desk.champion.trouble
    ship(settings.models, drawn_model(2.0), "v2")
    desk.refresh(AS_OF)
    assert desk.score(DOSSIER, [], AS_OF).model_version == "v2"
    assert desk.champion.trouble is None

"""A small office of half a year, its record, and a model trained on it: what tests of training begin from."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from features.record.delivery import Chunk
from features.record.record import Record
from training.packaging import Trained
from training.run import train

ZERO = datetime(2026, 1, 5, 1, tzinfo=UTC)
CUTOFF = ZERO + timedelta(days=150)


def draw_record(url: Path, dossiers: int = 500) -> Record:
    """Half a year of one office: two procedures, two officials, the second of them slow with the second procedure."""
    rng = np.random.default_rng(0)
    dossier, event = [], []
    for number in range(dossiers):
        received = ZERO + timedelta(days=float(np.sort(rng.uniform(0, 180, 1))[0]))
        procedure, official = rng.integers(0, 2, 2)
        days = rng.gamma(4.0, 2.0 + 2.5 * procedure * official)
        name = f"d{number:04}"
        dossier.append({"dossier_id": name, "procedure_code": f"P{procedure}", "unit_code": "U",
                        "received_at": received, "due_at": received + timedelta(days=14)})  # fmt: skip
        event.append({"dossier_id": name, "kind": "assigned", "happened_at": received + timedelta(hours=1),
                      "official_id": f"o{official}", "step": "thẩm định"})  # fmt: skip
        if days < 60:
            event.append({"dossier_id": name, "kind": "decided", "happened_at": received + timedelta(days=float(days))})
    record = Record(url)
    record.append(
        [Chunk("dossier", dossier), Chunk("event", event)], source="drawn", arrived_at=ZERO + timedelta(days=300)
    )
    return record


@dataclass(frozen=True)
class Office:
    """A home with its record and the candidate trained at `CUTOFF`; tests that promote copy `home / "models"`."""

    home: Path
    record: Record
    trained: Trained


def trained_office(home: Path) -> Office:
    """The office under `home`."""
    record = draw_record(home / "record")
    return Office(home, record, train(record, CUTOFF, home / "models"))

"""A labelled sample drawn at random: two numbers and one category carry the truth, the rest is noise."""

import numpy as np
import pyarrow as pa

from training.sample import Sample

DAY = 86_400_000_000


def drawn_sample(dossiers: int = 600, *, seed: int = 0, strength: float = 1.5) -> Sample:
    """Three landmarks a dossier over 300 days, terms of 20 days; late where `used` and the procedure say so."""
    rng = np.random.default_rng(seed)
    received = np.sort(rng.integers(0, 300, dossiers)) * DAY
    procedure = rng.integers(0, 4, dossiers)
    load = rng.normal(size=dossiers)
    odds = strength * (load + procedure - 2.0)
    late = (rng.uniform(size=dossiers) < 1 / (1 + np.exp(-odds))).astype(float)
    number = np.repeat(np.arange(dossiers), 3)
    shares = np.tile([0.0, 0.3, 0.6], dossiers)
    as_of = received[number] + (shares * 20 * DAY).astype(np.int64) + 1
    rate = 1 / (1 + np.exp(-(procedure - 2.0)))
    matrix = pa.table({
        "dossier_id": [f"d{n:05}" for n in number],
        "as_of": pa.array(as_of, pa.timestamp("us", "UTC")),
        "procedure_code": [f"P{n}" for n in procedure[number]],
        "unit_code": ["U"] * len(number),
        "official_open": load[number],
        "promise_used": shares,
        "hours_left": (1 - shares) * 112,
        "procedure_late_rate": rate[number],
        "noise": rng.normal(size=len(number)),
        "unit_known": as_of / DAY,
    })  # fmt: skip
    return Sample(matrix, late[number], number, as_of, received[number], received[number] + 20 * DAY)

"""`next-day`: what one more landmark costs beside making every landmark again."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.contender import spend
from tests.bench.group import Card, Dossiers, bench, tell
from tests.bench.matrix import drawn
from tests.bench.section import Figure, Section

_LAST, _NEXT = "2025-12-27T00:00:00+00:00", "2026-01-03T00:00:00+00:00"
"""Within the last weeks of the three years that the drawn record spans."""


@bench.command("next-day")
def next_day(card: Card = None, dossiers: Dossiers = 50_000) -> None:
    """Weekly landmarks of three years and then one more, at 1× and 4× the dossiers; the cells are compared."""
    tell([next_day_section(dossiers)], card)


def next_day_section(dossiers: int) -> Section:
    """The extension by one landmark beside all landmarks anew, each in a process of its own."""
    here = "tests.bench.next_day:extend"
    figures = []
    for count in (dossiers, 4 * dossiers):
        with drawn(count) as folder, TemporaryDirectory(prefix="risk-next-day-") as out:
            spend("tests.bench.everything:take", folder=str(folder), record=f"{out}/record")
            spend(here, record=f"{out}/record", out=f"{out}/parts", to=_LAST)
            one = spend(here, record=f"{out}/record", out=f"{out}/parts", to=_NEXT)
            everything = spend(here, record=f"{out}/record", out=f"{out}/whole", to=_NEXT)
            same = same_parts(Path(out, "parts"), Path(out, "whole"))
        figures += [
            Figure(f"{count:,} dossiers, every landmark", "s", [everything.cpu], 1.0),
            Figure(f"{count:,} dossiers, one more", "s", [one.cpu], one.cpu / everything.cpu),
            Figure(f"{count:,} dossiers, looked at for one more", "", [one.answer]),
            Figure(f"{count:,} dossiers, parts with other cells", "", [same], None, "0", same == 0),
        ]
    words = (
        "Processor seconds of `risk matrix build`; weekly landmarks over three years, from the record's Delta tables."
    )
    return Section("One more landmark", words, figures)


def extend(record: str, out: str, to: str) -> int:
    """Brings the parts in `out` up to `to`; gives the dossiers that were looked at."""
    from datetime import datetime

    from features.record.record import Record
    from training.landmark_parts import extend as run

    return run(Record(record), Path(out), datetime.fromisoformat(to)).dossiers


def same_parts(one: Path, other: Path) -> int:
    """How many parts differ, or are in one folder alone."""
    import pyarrow.parquet as pq

    from training.part_manifest import parts

    ours, theirs = parts(one), parts(other)
    both = ours.keys() & theirs.keys()
    return len(ours.keys() ^ theirs.keys()) + sum(
        not pq.read_table(ours[at]).equals(pq.read_table(theirs[at])) for at in both
    )

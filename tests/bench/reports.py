"""`reports`: a month and a year of a whole province as Word and Excel, on a home and as the record grows."""

import math
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from tests.bench.contender import Spent, spend
from tests.bench.group import Card, bench, tell
from tests.bench.section import Figure, Section

LARGE = 2_000_000
"""Dossiers of three years at which a year must be made in five minutes; told by growth where it is not measured."""
_HERE = "tests.bench.reports"
_END, _MONTH = "2026-01-06T00:00:00+00:00", "2025-12"


@bench.command("reports")
def reports(
    ctx: typer.Context,
    card: Card = None,
    dossiers: Annotated[int, typer.Option(help="Of the smallest record; 4 and 16 times as many follow.")] = 12_500,
    month: Annotated[str, typer.Option(help="Of the home, such as 2026-10; no home is measured where left out.")] = "",
    as_of: Annotated[str, typer.Option(help="As known before this moment, for the home.")] = "",
) -> None:
    """A month and a year of the province as Word and Excel: processor seconds beyond imports, memory, growth."""
    figures: list[Figure] = []
    if month:
        settings = ctx.obj
        asked = {"record": settings.record_url, "database": settings.database_url, "month": month, "as_of": as_of}
        for kind, most in (("centre", 3.0), ("year", 30.0)):
            spent = [spend(f"{_HERE}:run", kind=kind, **asked) for _ in range(3)]
            seconds = [one.answer["cpu"] for one in spent]
            figures.append(
                Figure(f"{kind} of a home of {spent[0].answer['dossiers']:,} dossiers", "CPU s", seconds,
                       None, f"at most {most:g} s", sorted(seconds)[1] <= most)
            )  # fmt: skip
    runs = {kind: [_drawn(kind, dossiers * times) for times in (1, 4, 16)] for kind in ("centre", "year")}
    for kind, spent in runs.items():
        for one in spent:
            figures.append(Figure(f"{kind} of {one.answer['dossiers']:,} dossiers", "CPU s", [one.answer["cpu"]]))
        figures.append(Figure(f"{kind}, greatest memory of the largest", "MB", [spent[-1].peak]))
        power = math.log(spent[-1].answer["cpu"] / spent[-2].answer["cpu"], 4)
        figures.append(Figure(f"{kind}, exponent of growth (4× → 16×)", "", [power], None, "at most 1.1", power <= 1.1))
        if kind == "year":
            told = spent[-1].answer["cpu"] * (LARGE / spent[-1].answer["dossiers"]) ** max(power, 1.0)
            figures.append(
                Figure(f"year of {LARGE:,} dossiers, told by that growth", "CPU s", [told], None, "at most 300 s",
                       told <= 300)
            )  # fmt: skip
    words = (
        "Processor seconds of a report of the province, as Word and as Excel, without imports. Drawn records: three "
        "years, ten events a dossier, half of them late. The year of two million dossiers is not run: it is told by "
        "the growth above."
    )
    tell([Section("Reports", words, figures)], card)


def _drawn(kind: str, dossiers: int) -> Spent:
    folder = Path(mkdtemp(prefix="bench-reports-"))
    try:
        spend(f"{_HERE}:draw", folder=str(folder), dossiers=dossiers)
        return spend(
            f"{_HERE}:run", kind=kind, record=str(folder / "record"), database=f"sqlite:///{folder / 'state.db'}",
            month=_MONTH, as_of=_END,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)


def draw(folder: str, dossiers: int) -> None:
    """A record of so many drawn dossiers under `folder`."""
    from datetime import UTC, datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

    from features.record.delivery import Chunk
    from features.record.record import Record
    from tests.bench.drawn_record import draw as drawn

    home = Path(folder)
    drawn(home / "drawn", dossiers)
    chunks = []
    for name in ("dossier", "event"):
        table = pq.read_table(home / "drawn" / f"{name}.parquet").drop_columns(["row_id"])
        for column in [field.name for field in table.schema if str(field.type).startswith("timestamp")]:
            place = table.column_names.index(column)
            table = table.set_column(place, column, table[column].cast(pa.timestamp("us", "UTC")))
        chunks.append(Chunk(name, table))
    Record(home / "record").append(chunks, source="canonical", arrived_at=datetime(2026, 1, 6, tzinfo=UTC))


def run(kind: str, record: str, database: str, month: str, as_of: str) -> dict[str, float]:
    """Makes one report and both its files; gives processor seconds without imports, and how many dossiers there are."""
    import time
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    import docxtpl  # noqa: F401 -- imports are not counted
    import pandas  # noqa: F401
    import xlsxwriter  # noqa: F401

    import serving.documents.grid  # noqa: F401
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from serving.documents.letterhead import Letterheads
    from serving.read.register import Register
    from serving.reports.files import report_file
    from serving.reports.make import make
    from serving.state import open_state

    held, state = Record(record), open_state(database)
    moment = datetime.fromisoformat(as_of) if as_of else datetime.now(UTC)
    with held.connect(cutoff=moment) as con:
        (dossiers,) = con.execute("SELECT count(DISTINCT dossier_id) FROM dossier").fetchall()[0]
    begun = time.process_time()
    with state.reading() as session:
        report = make(held, session, kind, month, moment, VIETNAM)
    head = Letterheads().of(Register(), "", kind)
    for ending in (".docx", ".xlsx"):
        report_file(report, ending, ZoneInfo(VIETNAM.zone), head)
    return {"cpu": time.process_time() - begun, "dossiers": dossiers}

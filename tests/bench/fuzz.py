"""`fuzz`: damaged deliveries over all sources and generated requests; no crash, nothing lost, no 5xx."""

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from serving.cli.group import settings_of
from serving.settings import Settings
from tests.bench.group import Card, bench, tell
from tests.bench.section import Figure, Section

AT_ONCE = 250
"""Deliveries that one append takes in, as the files of one folder."""
_AT = datetime(2026, 11, 1, tzinfo=UTC)


@bench.command("fuzz")
def fuzz(
    ctx: typer.Context,
    card: Card = None,
    deliveries: Annotated[int, typer.Option(help="Damaged deliveries over all sources together.", min=0)] = 100_000,
    requests: Annotated[int, typer.Option(help="Generated requests, by schemathesis.", min=0)] = 10_000,
    seed: int = 1,
) -> None:
    """Damaged deliveries (read = appended + duplicates + rejected, always) and requests of the API's description."""
    sections = [delivery_section(deliveries, seed)] if deliveries else []
    if requests:
        sections.append(request_section(settings_of(ctx), requests, seed))
    tell(sections, card)


def delivery_section(deliveries: int, seed: int) -> Section:
    """The campaign of deliveries."""
    from tests.bench.damaged import SOURCES

    figures, crashed, uneven = [], 0, 0
    for place, source in enumerate(SOURCES):
        count = deliveries // len(SOURCES) + (place < deliveries % len(SOURCES))
        rows: Counter[str] = Counter()
        with TemporaryDirectory(prefix="risk-fuzz-") as folder:
            for start in range(0, count, AT_ONCE):
                here = Path(folder) / str(start)
                counts = taken_in(source, random.Random(f"{seed} {source} {start}"), here, min(AT_ONCE, count - start))
                crashed += isinstance(counts, str)
                if isinstance(counts, str):
                    typer.echo(f"{source}, from {start}: {counts}", err=True)
                else:
                    rows.update(counts)
                    uneven += counts["read"] != counts["appended"] + counts["duplicates"] + counts["rejected"]
        typer.echo(f"{source}: {count} deliveries, {dict(rows)}", err=True)
        figures.append(Figure(f"{source}: rows read of {count:,} deliveries ({rows['rejected']:,} rejected)", "",
                              [rows["read"]]))  # fmt: skip
    figures.append(Figure("crashes", "", [crashed], None, "0", crashed == 0))
    figures.append(Figure("read ≠ appended + duplicates + rejected", "", [uneven], None, "0", uneven == 0))
    return Section("Damaged deliveries", f"{deliveries:,} deliveries bent by chance, {AT_ONCE} an append.", figures)


def taken_in(source: str, chance: random.Random, folder: Path, count: int) -> dict[str, int] | str:
    """Counts of rows of `count` damaged deliveries taken into a record of their own, or what it crashed with."""
    from features.record.record import Record
    from features.sources import SOURCES, FeedOptions
    from serving.state.official_names import Names
    from tests.bench.damaged import SHEET_MAPPING, delivery

    for number in range(count):
        delivery(source, chance, folder / "in", number)
    mapping = Path(__file__).parents[2] / "features" / "sources" / "mappings" / "receipt.toml"
    if source == "table":
        mapping = folder / "mapping.toml"
        mapping.write_text(SHEET_MAPPING, "utf-8")
    options = FeedOptions(key=b"k" * 32, mapping=mapping if source in ("xes", "table") else None)
    parts = sorted((folder / "in").iterdir()) if source == "canonical" else [folder / "in"]
    try:
        chunks = Names().apart(chunk for part in parts for chunk in SOURCES[source].read(part, options))
        receipt = Record(folder / "record").append(chunks, source=source, arrived_at=_AT)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return {name: getattr(receipt, name) for name in ("read", "appended", "duplicates", "rejected")}


def request_section(settings: Settings, requests: int, seed: int) -> Section:
    """The campaign of requests: every route, generated from its description, by an analyst and by nobody."""
    from tests.bench.installation import install

    with TemporaryDirectory(prefix="risk-fuzz-") as folder:
        there = install(settings, Path(folder), 1_200)
        statuses = asked(there, requests, seed)
    failed = sum(count for status, count in statuses.items() if status >= 500 and status != 503)
    figures = [Figure(f"answered {status}", "", [count]) for status, count in sorted(statuses.items())]
    figures.append(Figure("requests", "", [sum(statuses.values())], None, f"at least {requests:,}",
                          sum(statuses.values()) >= requests))  # fmt: skip
    figures.append(Figure("5xx but 503", "", [failed], None, "0", failed == 0))
    return Section("Generated requests", "schemathesis over the whole description, by an analyst and unknown.", figures)


def asked(settings: Settings, requests: int, seed: int) -> Counter[int]:
    """How many answers had which status."""
    import hypothesis
    import schemathesis

    from serving.app import create_app
    from tests.bench.requests import bench_token

    app = Started(create_app(settings, poll_seconds=3600))
    token = bench_token(settings, "analyst")
    schema: Any = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    statuses: Counter[int] = Counter()
    each = -(-requests // (2 * len(operations)))
    for operation in operations:
        for headers in ({"Authorization": f"Bearer {token}"}, {}):
            _many(hypothesis, operation.as_strategy(), headers, each, seed, statuses)
    return statuses


class Started:
    """An application that has refreshed before the first request: schemathesis starts and ends it once for each."""

    def __init__(self, app: Any) -> None:
        app.state.context.refresh()
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI 3: answers the events of start and end itself."""
        if scope["type"] == "lifespan":
            for counts in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{counts}.complete"})
        else:
            await self._app(scope, receive, send)


def _many(hypothesis: Any, cases: Any, headers: dict[str, str], count: int, seed: int, statuses: Counter[int]) -> None:
    settings = hypothesis.settings(max_examples=count, deadline=None, database=None, print_blob=False,
                                   phases=[hypothesis.Phase.generate],
                                   suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip

    def one(case: Any) -> None:
        statuses[case.call(headers=headers).status_code] += 1

    hypothesis.seed(seed)(settings(hypothesis.given(cases)(one)))()

"""One section of the card of benchmarks: a table of figures, each with its spread and its ratio to a reference."""

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.atomic_file import replace_text


@dataclass(frozen=True)
class Figure:
    """Values of one thing over several runs. unit: of the values. ratio: to the reference that the section names.

    wanted: what must hold, in words; holds: whether it does (None: nothing is wanted).
    """

    name: str
    unit: str
    values: Sequence[float]
    ratio: float | None = None
    wanted: str = ""
    holds: bool | None = None

    @property
    def median(self) -> float:
        """The median over the runs."""
        return statistics.median(self.values)

    def row(self) -> str:
        """A line of the markdown table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.3g} ×"
        told = "" if self.holds is None else "✓" if self.holds else "✗"
        spread = f"{_number(min(self.values))} – {_number(max(self.values))}" if len(self.values) > 1 else ""
        return f"| {self.name} | {_number(self.median)} {self.unit} | {spread} | {ratio} | {self.wanted} {told} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Section:
    """Figures of one benchmark. words: what was run, and beside what the ratios stand."""

    title: str
    words: str
    figures: Sequence[Figure]

    def markdown(self) -> str:
        """The section as it stands on the card."""
        head = "| what | median | min – max | ratio | must hold |\n|---|---|---|---|---|"
        return "\n".join([f"## {self.title}", "", self.words, "", head, *(one.row() for one in self.figures), ""])


def write_card(path: Path, sections: Iterable[Section], now: datetime) -> None:
    """Puts the sections on the card with machine and date; sections of other names that stand there stay."""
    told = f"_{machine()}, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC_"
    put_sections(path, HEAD, {section.title: f"{section.markdown()}\n{told}\n" for section in sections})


def put_sections(path: Path, head: str, sections: Mapping[str, str]) -> None:
    """Puts sections (markdown by title) on a card under `head`, each in its place or last; the others stay."""
    kept: dict[str, str] = {}
    if path.exists():
        for part in path.read_text("utf-8").split("\n## ")[1:]:
            kept[part.split("\n", 1)[0]] = "## " + part.rstrip() + "\n"
    replace_text(path, "\n".join([head, *{**kept, **sections}.values()]))


HEAD = """# Benchmarks

Written by `python -m tests.bench … --card`. Ratios are to a reference measured in the same run; processor time is
user and system seconds of a process of its own.
"""


def machine() -> str:
    """The machine in one line: processors, memory, system, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )

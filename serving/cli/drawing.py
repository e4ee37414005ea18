"""What the command line draws: the risk list as a table, and the steps of a long way as a progress line."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from features.sources.vietnamese_number import decimal
from serving.scoring.risk_list import Page
from serving.scoring.score_files import ListMeta


def list_table(page: Page, meta: ListMeta, zone: ZoneInfo) -> Table:
    """The lines of `page` for a terminal, reasons in Vietnamese, times in `zone`."""
    when = meta.as_of.astimezone(zone).strftime("%d/%m/%Y %H:%M")
    maker = "quy tắc" if meta.rule else f"mô hình {meta.model_version}"
    table = Table(
        title=f"{len(page.lines)} / {page.total} hồ sơ đang giải quyết · {when} · {maker}",
        caption="Điểm rủi ro chỉ gợi ý thứ tự kiểm tra; không phải kết luận vi phạm.",
        show_lines=True,
    )
    for name in ("Hạng", "Hồ sơ", "Đơn vị", "Nguy cơ", "Còn (giờ làm việc)"):
        table.add_column(name, overflow="fold")
    table.add_column("Vì sao", ratio=1)
    for line in page.lines:
        left = "chờ người dân" if line.waits else decimal(line.left_hours)
        reasons = "\n".join(f"{'▲' if reason.effect > 0 else '▼'} {reason.vi}" for reason in line.reasons)
        table.add_row(str(line.rank), line.dossier_id, line.unit_code or "", f"{line.score:.0%}", left, reasons)
    return table


class Way:
    """A long way in named steps, with a bar that shows where it is and how long each step took."""

    def __init__(self, steps: int) -> None:
        self.console = Console()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=steps)

    def __enter__(self) -> "Way":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Shows a line of progress inside the present step."""
        self._progress.console.print(f"    {line}", style="dim", highlight=False, markup=False)

    def show(self, what: Table | str) -> None:
        """Shows a table or a line at the present place."""
        self._progress.console.print(what, highlight=False, markup=False, soft_wrap=isinstance(what, str))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Names the present step on the bar; when it is done prints its name and seconds."""
        self._progress.update(self._task, description=name)
        begun = perf_counter()
        yield
        self._progress.console.print(f"✓ {name} ({perf_counter() - begun:.1f} s)", highlight=False, markup=False)
        self._progress.advance(self._task)

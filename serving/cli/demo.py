"""`risk demo`: the whole way on one feed, from delivery to a served list with reasons."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from models.targets import MAIN
from serving.cli.delivery import LENGTH
from serving.cli.group import settings_of

if TYPE_CHECKING:
    from serving.cli.demo_month import Login

commands = typer.Typer()

RAW = (
    ("reference", "canonical"),
    ("roster", "roster"),
    ("dvcqg", "dvcqg"),
    ("opencps", "opencps"),
    ("petition", "petition"),
    ("rating", "rating"),
    ("inspectorate", "canonical"),
)
"""Deliveries of a made-up province in the order in which they build on each other: folder and source."""
SHOWN = 5
"""Lines of the list shown at the end."""


@commands.command()
def demo(
    ctx: typer.Context,
    feed: Annotated[Path | None, typer.Option(help="Canonical feed to run on; otherwise a made-up province.")] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after the list is made.")] = False,
    dossiers: Annotated[int, typer.Option(help="Size of the made-up province.", min=100)] = 3_000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65_535)] = 8000,
) -> None:
    """Go the whole way: (make up a province →) ingest → train → promote → score → list → serve."""
    from serving.cli import conduct
    from serving.cli.demo_month import DemoMonth
    from serving.cli.dossier_targets import DossierSteps, summary
    from serving.cli.drawing import Way, list_table
    from serving.cli.periods import telling_moment
    from serving.cli.serve import run_server
    from serving.scoring.risk_list import Filters, latest_list
    from serving.work.intake import take_in

    settings, steps = settings_of(ctx), DossierSteps(MAIN)
    deliveries = [(feed, "canonical")] if feed else [(settings.home / "demo" / name, source) for name, source in RAW]
    with Way(8 if feed else 9) as way:
        if feed is None:
            with way.step("Dựng tỉnh mẫu · make up a province"):
                _make_up(settings.home / "demo", dossiers, datetime.now(settings.zone).date())
        with way.step("Nạp dữ liệu · ingest"):
            for path, source in deliveries:
                receipt = take_in(settings, path, source, arrived_at=datetime.now(UTC))
                way.say(f"{path.name} ({source}): {receipt}")
        as_of = telling_moment(settings)
        with way.step(f"Học mô hình trễ hạn tại {as_of:%Y-%m-%d} · train"):
            made = steps.learn(settings, as_of, way.say)
            way.say(summary(made))
        with way.step("Đưa vào sử dụng · promote"):
            way.say(steps.promote(settings, "demo", way.say))
        with way.step("Chấm điểm hồ sơ đang mở · score"):
            way.say(steps.score(settings, as_of, way.say))
        with way.step("Lập danh sách · list"):
            risk_list = latest_list(settings.scores, MAIN.name)
            page = risk_list.page(Filters(ahead=True), size=SHOWN)
            way.show(list_table(page, risk_list.meta, settings.zone))
        with way.step("Tìm dấu hiệu phiền hà · conduct"):
            way.say(conduct.train(settings, as_of, way.say))
            way.say(conduct.promote(settings, "demo", way.say))
            way.say(conduct.score(settings, as_of, way.say))
        with way.step("Ghi vào MLflow · log the training run"):
            way.say(steps.log(settings, made, as_of))
        with way.step("Tài khoản của sáu vai trò và một tháng làm việc · accounts, plan, visits, answers"):
            logins = DemoMonth(settings, as_of, way.say).fill()
    for one in logins[:1]:
        way.show(f"Đăng nhập · log in: {one.login} / {one.password}")
    if logins:
        way.show(_logins(logins))
    if no_serve:
        way.show(f"Xem · to see it: risk --home {settings.home} serve --port {port}")
        return
    way.show(f"Danh sách, vài giây nữa · the list, in a few seconds: http://{host}:{port}/list")
    run_server(settings, host, port, workers=1)


def _logins(logins: "list[Login]") -> Table:
    """How to log in as each role, and what to try first."""
    table = Table(title="Đăng nhập · log in", show_lines=True)
    for name in ("Tên", "Mật khẩu", "Vai trò"):
        table.add_column(name, overflow="fold")
    table.add_column("Thử trước", ratio=1)
    for one in logins:
        table.add_row(one.login, one.password, one.role, one.first)
    return table


def _make_up(folder: Path, dossiers: int, today: date) -> None:
    """Writes a made-up province of 15 months until `today` as its systems would deliver it, traps and all."""
    from features.simulate import simulate

    simulate(seed=1, dossiers=dossiers, start=today - LENGTH, end=today).write(folder, format="raw")

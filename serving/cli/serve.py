"""`risk serve`: the pages and the API."""

import os
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.group import settings_of
from serving.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

commands = typer.Typer()


@commands.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65_535)] = 8000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the pages and the API until stopped."""
    run_server(settings_of(ctx), host, port, workers)


def run_server(settings: Settings, host: str, port: int, workers: int) -> None:
    """Runs the server until it is stopped; its processes find the installation through the environment."""
    import uvicorn

    from serving.connections import server_options

    os.environ["RISK_HOME"] = str(settings.home)
    with TemporaryDirectory(prefix="risk-metrics-") as metrics:  # of this start alone: counters begin at nothing
        if workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        uvicorn.run(
            "serving.cli.serve:server_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            **server_options(settings.trusted_proxies),
        )


class _NoPandas:
    """A finder that says of pandas what it says where that is not installed."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Nothing for any other module: the next finder is asked."""
        if name == "pandas":
            raise ModuleNotFoundError("a server has no use of pandas", name=name)


def server_app() -> "FastAPI":
    """The application of a server process; without pandas, which pyarrow would load wherever it is installed, for half
    a second of processor time.
    """
    sys.meta_path.insert(0, _NoPandas)
    from serving.app import app_from_env

    return app_from_env()

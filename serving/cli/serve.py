"""`risk serve`: the pages and the API."""

import os
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.settings import Settings

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
            "serving.server_process:app_from_env",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            **server_options(settings.trusted_proxies),
        )

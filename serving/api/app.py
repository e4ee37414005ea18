"""The server's application: routers, errors, limits, and the poll that takes over new lists and models."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from serving.api import health, lists, page, problem
from serving.api.limits import BodyLimit
from serving.api.state import Now, Serving, utc_now
from serving.settings import Settings

ROUTERS = (health.router, lists.router)
"""The nouns of the API, each under /api/v1."""


def create_app(settings: Settings, now: Now = utc_now, poll_seconds: float = 2.0) -> FastAPI:
    """The application over one installation.

    now: the clock. poll_seconds: how often new lists and models are looked for.
    """
    state = Serving(settings, now)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(state.refresh)
        poll = asyncio.create_task(_poll(state, poll_seconds))
        yield
        poll.cancel()

    app = FastAPI(
        title="dossier-risk",
        version="1",
        summary="Risk of public-service dossiers, with reasons.",
        description="Điểm rủi ro chỉ gợi ý thứ tự kiểm tra; không phải kết luận vi phạm. "
        "A score is a reason to look, never a finding about a person.",
        docs_url=None,  # its page loads scripts from elsewhere; the description itself is at /api/v1/openapi.json
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.serving = state
    problem.install(app)
    app.add_middleware(BodyLimit)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1")
    app.include_router(page.router)
    return app


def app_from_env() -> FastAPI:
    """The application of the installation that the environment names; what server processes start from."""
    return create_app(Settings.from_env())


async def _poll(state: Serving, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await run_in_threadpool(state.refresh)

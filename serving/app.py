"""The server's application: routers, errors, limits, and the poll that takes over new lists and models."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from features.calendar.vietnam import VIETNAM
from models.targets import MAIN
from serving.api import (
    accounts,
    cases,
    counted_dossiers,
    dossiers,
    events,
    finding_photos,
    health,
    inspections,
    intake,
    jobs,
    letters,
    lists,
    models,
    plans,
    portal,
    saved_views,
    scores,
    signals,
    warnings,
    watch,
    what_if,
)
from serving.api import answers as answer_routes
from serving.api import people as people_routes
from serving.api import reports as report_routes
from serving.api.limits import BodyLimit, PersonLimit
from serving.api.strict import ETags, describe, known_parameters
from serving.jobs.chain_heads import ChainHeads
from serving.pages.install import install as install_pages
from serving.pages.sub_path import SubPath
from serving.read import problem
from serving.read.read_model import ReadModel
from serving.settings import Settings
from serving.traces import Traces
from serving.use_cases.app_context import AppContext
from serving.use_cases.guard import guard
from serving.use_cases.served_state import Now, Serving, utc_now
from serving.work.contests import recompute
from serving.work.explanations import deliver_explanations
from serving.work.findings import deliver
from serving.work.people import People
from serving.work.trackers import Trackers

log = logging.getLogger(__name__)

ROUTERS = (
    health.router,
    jobs.router,
    watch.router,
    letters.router,
    lists.router,
    saved_views.router,
    dossiers.router,
    scores.router,
    events.router,
    people_routes.router,
    answer_routes.router,
    report_routes.router,
    signals.router,
    warnings.router,
    cases.router,
    finding_photos.router,
    accounts.router,
    counted_dossiers.router,
    intake.router,
    plans.router,
    models.router,
    inspections.router,
    what_if.router,
)
"""The nouns of the API, each under /api/v1."""


def create_app(
    settings: Settings,
    now: Now = utc_now,
    poll_seconds: float = 2.0,
    traces: Traces | None = None,
    at_once: bool = False,
) -> FastAPI:
    """The application over one installation.

    now: the clock. poll_seconds: how often new lists and models are looked for. traces: without them those that
    the settings ask for. at_once: answers as soon as lists, names and counts are read; what else is asked for waits for
    the rest, single scores are refused for these seconds.
    """
    traces = Traces.to(settings.otlp_endpoint) if traces is None else traces
    state = Serving(settings, now)
    people, read_model = People(settings, now), ReadModel(state.record, now)
    heads = ChainHeads(settings, people.receipts, now)
    state.desk.traces = traces

    def refresh(at_once: bool = True) -> None:
        state.refresh(at_once)
        latest = state.lists[MAIN.name].value
        read_model.refresh(latest, at_once)
        if read_model.states is not None:
            state.restate(*read_model.states, read_model.calendar)
            state.desk.prepare(read_model.states[0])
        if latest is not None:
            recompute(people.state, MAIN.name, latest)
        people.directory.refresh(people.state)
        people.receipts.unspool()
        heads.turn()
        people.remembered.refresh(people.state, MAIN.name, now())
        deliver(people.state, state.record, now=now())
        deliver_explanations(people.state, state.record, now=now())
        state.tidy()

    def begin() -> None:
        state.begin()
        latest = state.lists[MAIN.name].value
        read_model.begin(latest)
        if read_model.states is not None:
            state.restate(*read_model.states, read_model.calendar)
        people.directory.refresh(people.state)

    async def run() -> None:
        if at_once:
            await _try(refresh)
        await _poll(partial(refresh, at_once=False), poll_seconds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await _try(partial(people.adopt, now()))
        await _try(begin if at_once else refresh)
        poll = asyncio.create_task(run())
        yield
        poll.cancel()
        people.close()
        traces.close()

    app = FastAPI(
        title="dossier-risk",
        version="1",
        summary="Risk of public-service dossiers, with reasons.",
        description="Điểm rủi ro chỉ gợi ý thứ tự kiểm tra; không phải kết luận vi phạm. "
        "A score is a reason to look, never a finding about a person.",
        # its page loads scripts from elsewhere; the description itself is at /api/v1/openapi.json
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
        dependencies=[Depends(guard)],
        responses=problem.documented(401, 403, 429),
    )
    trackers = Trackers(state.record, people.state, VIETNAM, now)
    AppContext(state, people, read_model, trackers, refresh).install(app)
    problem.install(app)
    app.add_middleware(BodyLimit)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1", dependencies=[Depends(known_parameters)])
    app.include_router(portal.router)
    describe(app)
    install_pages(app)
    app.add_middleware(ETags)
    if settings.root_path:
        app.add_middleware(SubPath, root=settings.root_path)
    app.add_middleware(PersonLimit)
    app.add_middleware(watch.RequestMonitor)
    traces.watch(app, people.state.engine)
    return app


async def _poll(refresh: Callable[[], None], seconds: float) -> None:
    await asyncio.sleep(seconds * secrets.randbelow(100) / 100)  # or all processes would be busy at the same moment
    while True:
        await asyncio.sleep(seconds)
        await _try(refresh)


async def _try(refresh: Callable[[], None]) -> None:
    """Refreshes; whatever goes wrong, what was served before is served on, and the next poll tries again."""
    try:
        await run_in_threadpool(refresh)
    except Exception as error:  # a database or record that is away must not end the poll
        log.error("refresh failed: %s", type(error).__name__, exc_info=error)

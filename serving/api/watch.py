"""What is seen of every request from outside: an id, one log line, figures for Prometheus; and a door that closes
before the house is overfull.

A log line holds the route's template, never the path or the query: those may name a dossier.
"""

import logging
import re
import time
import uuid
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.route_table import template_of
from serving.jobs.job_status import job_statuses
from serving.jobs.run_log import RunLog
from serving.jobs.schedule import JobRules
from serving.read.problem import problem_response
from serving.use_cases.app_context import context_of, serving
from serving.use_cases.served_state import Serving

log = logging.getLogger("serving.requests")
router = APIRouter(tags=["health"])

MOST_AT_ONCE = 256
"""Requests in work at once in one process; more are told to come back."""

_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def _latest(name: str, words: str, labels: tuple[str, ...] | list[str] = ()) -> Gauge:
    """A figure that every process finds alike: of several the newest counts."""
    return Gauge(name, words, labels, multiprocess_mode="mostrecent")


REQUESTS = Counter("risk_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("risk_request_seconds", "Time to answer", ["route"], buckets=(0.005, 0.02, 0.05, 0.15, 0.5, 1, 5))
LIST_AGE = _latest("risk_list_age_seconds", "Age of the served list", ["target"])
DATA_AGE = _latest("risk_data_age_seconds", "Age of the newest news in the record")
JOB_SUCCESS = _latest("risk_job_last_success_timestamp_seconds", "End of the job's last run that succeeded", ["job"])
JOB_SECONDS = _latest("risk_job_last_run_seconds", "Length of the job's last run", ["job"])
JOB_NEXT = _latest("risk_job_next_timestamp_seconds", "When the job is due next", ["job"])
JOB_LATE = _latest("risk_job_late", "1 where the job has had no success for over two of its paces", ["job"])
JOB_FAILED = _latest("risk_job_last_run_failed", "1 where the job's last run failed or was killed", ["job"])
IN_WORK = Gauge("risk_requests_in_work", "Requests in work now", multiprocess_mode="livesum")


class RequestMonitor:
    """Gives each request an id (its own `X-Request-ID` where it has a sane one), counts and logs its answer.

    Above `most_at_once` requests in work it answers 503 with Retry-After, the health route excepted.
    """

    def __init__(self, app: ASGIApp, most_at_once: int = MOST_AT_ONCE) -> None:
        self.app = app
        self.most_at_once = most_at_once
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and watches its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        self._in_work += 1
        IN_WORK.set(self._in_work)
        try:
            if self._in_work > self.most_at_once and scope["path"] != "/api/v1/health":
                busy = problem_response(503, "Too many requests at once: try again shortly.", {"Retry-After": "1"})
                await busy(scope, receive, watched)
            else:
                await self.app(scope, receive, watched)
        finally:
            self._in_work -= 1
            IN_WORK.set(self._in_work)
            self._tell(scope, status, time.perf_counter() - begun, request_id)

    @staticmethod
    def _tell(scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = (template_of(Request(scope)) if "route" in scope else None) or "none"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "DELETE") else "other"
        REQUESTS.labels(method, route, status).inc()
        SECONDS.labels(route).observe(seconds)
        line = {"id": request_id, "method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
        log.info("request", extra={"fields": line})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, state: Annotated[Serving, Depends(serving)]) -> Response:
    """Counts, times and ages for Prometheus, of all processes of this server."""
    _tell_jobs(request, state)
    for target, scored in state.lists.items():
        if scored.value is not None:
            LIST_AGE.labels(target).set((state.now() - scored.value.meta.as_of).total_seconds())
    return Response(generate_latest(joined()), media_type=CONTENT_TYPE_LATEST)


def joined() -> CollectorRegistry:
    """The figures of this process, or those of all that share PROMETHEUS_MULTIPROC_DIR (`risk serve` sets it)."""
    registry = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(registry)
    except ValueError:  # one process alone
        return REGISTRY
    return registry


def _tell_jobs(request: Request, state: Serving) -> None:
    """Ages and runs into the gauges; while the database is away they stay as they were told last."""
    now, until = state.now(), context_of(request).read_model.register.data_until
    if until is not None:
        DATA_AGE.set((now - until).total_seconds())
    rules = JobRules.of(state.settings.home, state.settings.zone)
    with suppress(SQLAlchemyError):
        for one in job_statuses(rules, RunLog(context_of(request).people.state), now):
            JOB_LATE.labels(one.job).set(one.late)
            JOB_FAILED.labels(one.job).set(one.outcome in ("failed", "killed"))
            for gauge, at in ((JOB_SUCCESS, one.last_done), (JOB_NEXT, one.next_slot)):
                if at is not None:
                    gauge.labels(one.job).set(at.timestamp())
            if one.seconds is not None:
                JOB_SECONDS.labels(one.job).set(one.seconds)

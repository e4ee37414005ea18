"""Traces by OpenTelemetry: off unless the settings name a receiver; the extra `otel` brings the library.

A span tells what kind of work took how long: the route's template, the status, the kind of statement. Paths, queries,
values, addresses and who asks are not in it, for they may name a dossier or a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.route import template_of

Attribute = str | int | float | bool


class Traces:
    """Spans of one server process; `exporter` is where they go, None: nowhere, and nothing is imported."""

    def __init__(self, exporter: Any = None) -> None:
        self._tracer: Any = None
        self._provider: Any = None
        if exporter is None:
            return
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # our own provider, not the process's: MLflow brings one too, and what it tells is no business of this one
        self._provider = TracerProvider(resource=Resource({"service.name": "dossier-risk"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("dossier-risk")

    @classmethod
    def to(cls, endpoint: str) -> Traces:
        """Traces sent by OTLP over HTTP to `endpoint` (its base URL); "" for none. ValueError without the extra."""
        if not endpoint:
            return cls()
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise ValueError(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set: wanted the extra otel (uv sync --extra otel)"
            ) from error
        return cls(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))

    @property
    def on(self) -> bool:
        """Whether spans go anywhere."""
        return self._tracer is not None

    @contextmanager
    def span(self, name: str, **attributes: Attribute) -> Iterator[Any]:
        """A span around some work; of an error only its kind is told, for its words may name a person."""
        if self._tracer is None:
            yield None
            return
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as found:
            try:
                yield found
            except Exception as error:
                found.set_attribute("error.type", type(error).__name__)
                raise

    def watch(self, engine: Engine) -> None:
        """A span for every statement of the working state: its kind and the kind of database, nothing of its text."""
        if self._tracer is None:
            return

        def before(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: bool) -> None:
            kind = statement.split(None, 1)[0].upper()
            context.risk_span = self._tracer.start_span(
                f"database {kind}",
                attributes={"db.system.name": engine.dialect.name, "db.operation.name": kind},
            )

        def after(_: Any, __: Any, ___: str, ____: Any, context: Any, _____: bool) -> None:
            context.risk_span.end()

        def failed(error: Any) -> None:
            found = getattr(error.execution_context, "risk_span", None)
            if found is not None:
                found.set_attribute("error.type", type(error.original_exception).__name__)
                found.end()

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)
        event.listen(engine, "handle_error", failed)

    def close(self) -> None:
        """Sends what has not been sent."""
        if self._provider is not None:
            self._provider.shutdown()


class TracedRequests:
    """A span for every request, named by its method and its route's template."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self.app = app
        self.traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on within its span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.traces.span(scope["method"]) as found:

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    found.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self.app(scope, receive, told)
            route = (template_of(Request(scope)) if "route" in scope else None) or "none"
            found.update_name(f"{scope['method']} {route}")
            found.set_attribute("http.request.method", scope["method"])
            found.set_attribute("http.route", route)

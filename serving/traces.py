"""Traces by OpenTelemetry and its instrumentation of FastAPI: off unless the settings name a receiver.

The extra `otel` brings the libraries. What leaves is let through by name: what kind of work took how long, the route's
template, the status, the kind of statement. Paths, queries, statements, addresses, messages of errors and who asks are
not in it, for they may name a dossier or a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine, event

Attribute = str | int | float | bool

EXPORTED = frozenset({
    "http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code",
    "db.system.name", "db.operation.name", "error.type", "target",
})  # fmt: skip
"""Attributes that leave this machine, by the names of OpenTelemetry's conventions before and since they were stable."""


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
        self._provider.add_span_processor(BatchSpanProcessor(_Nameless(exporter)))
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
    def span(self, name: str, **attributes: Attribute) -> Iterator[None]:
        """A span around some work of ours."""
        if self._tracer is None:
            yield
            return
        with self._tracer.start_as_current_span(name, attributes=attributes):
            yield

    def watch(self, app: FastAPI, engine: Engine) -> None:
        """A span for every request of the app and every statement of the working state."""
        if self._tracer is None:
            return
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from opentelemetry.metrics import NoOpMeterProvider

        FastAPIInstrumentor.instrument_app(
            app, tracer_provider=self._provider, meter_provider=NoOpMeterProvider(), exclude_spans=["receive", "send"]
        )
        self._watch_statements(engine)

    def _watch_statements(self, engine: Engine) -> None:
        """OpenTelemetry's own instrumentation of SQLAlchemy refuses the version that we have (2.1; it wants < 2.1)."""

        def before(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: bool) -> None:
            kind = statement.split(None, 1)[0].upper()
            attributes = {"db.system.name": engine.dialect.name, "db.operation.name": kind}
            context.risk_span = self._tracer.start_span(kind, attributes=attributes)

        def after(_: Any, __: Any, ___: str, ____: Any, context: Any, _____: bool) -> None:
            context.risk_span.end()

        def failed(error: Any) -> None:
            found = getattr(error.execution_context, "risk_span", None)
            if found is not None:
                found.record_exception(error.original_exception)
                found.end()

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)
        event.listen(engine, "handle_error", failed)

    def close(self) -> None:
        """Sends what has not been sent."""
        if self._provider is not None:
            self._provider.shutdown()


class _Nameless:
    """An exporter that passes spans on with what `EXPORTED` lets through; of an error its kind alone."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[Any]) -> Any:
        """Passes the spans on."""
        return self._exporter.export([_nameless(span) for span in spans])

    def shutdown(self) -> None:
        """Ends the exporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Sends what waits."""
        return bool(self._exporter.force_flush(timeout_millis))


def _nameless(span: Any) -> Any:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    attributes = {name: value for name, value in span.attributes.items() if name in EXPORTED}
    for happened in span.events:
        if kind := happened.attributes.get("exception.type"):
            attributes["error.type"] = str(kind).rpartition(".")[2]
    return ReadableSpan(
        span.name, span.context, span.parent, span.resource, attributes, kind=span.kind,
        status=Status(span.status.status_code), start_time=span.start_time, end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip

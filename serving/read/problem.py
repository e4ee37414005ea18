"""Errors in one shape: RFC 9457 problem details (`application/problem+json`).

No answer repeats what was sent: a body may hold personal data.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from features.record.delta import RecordUnreachable
from serving.extras import advice, missing_extra

log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One field of a request that was not as wanted."""

    where: str = Field(examples=["body.dossier.received_at"])
    wanted: str = Field(examples=["Input should be a valid datetime"])


class ProblemDetails(BaseModel):
    """The shape of every error (RFC 9457)."""

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str | None = Field(None, examples=["No open dossier of this id on the latest list."])
    errors: list[FieldProblem] | None = None


class Problem(HTTPException):
    """An expected error: status, what was wanted, and what to do."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these error statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {
        status: {"model": ProblemDetails, "description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def problem_response(
    status: int, detail: str | None = None, headers: dict[str, str] | None = None, errors: Any = None
) -> Response:
    """The response that carries one problem."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {name: value for name, value in (("detail", detail), ("errors", errors)) if value is not None}
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


@contextmanager
def refused_as_problem() -> Iterator[None]:
    """What the state refuses (ValueError: an empty reason, a second answer) is a 422 with its words."""
    try:
        yield
    except ValueError as error:
        raise Problem(422, str(error)) from error


def _named(part: str | int) -> str:
    """A key of a request, where it is a name and no text that may tell of somebody."""
    return str(part) if re.fullmatch(r"[\w\[\]-]{1,60}", str(part), re.ASCII) else "…"


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem details answer."""

    @app.exception_handler(HTTPException)
    async def expected(_: Request, error: HTTPException) -> Response:
        detail = None if error.detail == HTTPStatus(error.status_code).phrase else error.detail
        return problem_response(error.status_code, detail, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def not_as_wanted(_: Request, error: RequestValidationError) -> Response:
        fields = [{"where": ".".join(map(_named, one["loc"])), "wanted": one["msg"]} for one in error.errors()[:20]]
        return problem_response(422, "The request is not as the API describes it.", errors=fields)

    @app.exception_handler(OperationalError)
    async def away(request: Request, error: Exception) -> Response:
        log.error("%s %s: the working state is away: %s", request.method, request.url.path, type(error).__name__)
        return problem_response(
            503, "The database can't be reached just now; try again shortly.", {"Retry-After": "10"}
        )

    @app.exception_handler(RecordUnreachable)
    async def store_away(request: Request, error: Exception) -> Response:
        log.error("%s %s: the record is away: %s", request.method, request.url.path, type(error).__name__)
        return problem_response(503, "The record's store does not answer just now.", {"Retry-After": "60"})

    @app.exception_handler(ModuleNotFoundError)
    async def not_installed(_: Request, error: Exception) -> Response:
        extra = missing_extra(error) if isinstance(error, ImportError) else None
        if extra is None:
            raise error
        return problem_response(501, f"For the administrator: {advice(extra)}.")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("%s %s failed: %s", request.method, request.url.path, type(error).__name__, exc_info=error)
        return problem_response(500, "The server failed; the log has the request's id.")

"""What every route of the API keeps to: no unknown parameter or key, an ETag on what was read, described rights."""

import hashlib
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.params import Form
from pydantic import BaseModel, ConfigDict, with_config
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.route_table import PUBLIC, action_of
from serving.read.problem import Problem
from serving.use_cases.app_context import context_of

ROOT = "/api/v1/"

_STRICT = ConfigDict(extra="forbid")

strict = with_config(_STRICT)
"""Decorates a dataclass that is posted: a key that it lacks is refused by name (422), never passed over."""


class StrictBody(BaseModel):
    """The same for a model that is posted."""

    model_config = _STRICT


async def known_parameters(request: Request) -> None:
    """Refuses a query parameter or field of a form that the route does not have (a filter that is misspelt would filter
    nothing), and a unit or sector that nobody ever named: 422 with what is known.
    """
    route = request.scope["route"]
    wanted = set(_parameters(route.dependant)) if hasattr(route, "dependant") else None
    if wanted is not None and set(request.query_params) - wanted:
        raise Problem(422, f"Unknown parameter. Known: {', '.join(sorted(wanted)) or 'none'}.")
    fields = {
        one.alias for one in getattr(route, "dependant", Dependant()).body_params if isinstance(one.field_info, Form)
    }
    if fields and set(await request.form()) - fields:  # parsed by now: the route reads the same
        raise Problem(422, f"Unknown field. Known: {', '.join(sorted(fields))}.")
    register = context_of(request).read_model.register
    for name, codes in (("unit", register.units), ("sector", register.sectors)):
        code = request.query_params.get(name)
        if code and codes and code not in codes:
            raise Problem(422, f"{name}: no such code is known.")


def _parameters(of: Dependant) -> Iterator[str]:
    yield from (one.alias for one in of.query_params)
    for more in of.dependencies:
        yield from _parameters(more)


class ETags:
    """Marks what `GET` under the API answers with a hash of its bytes (RFC 9110, strong), and answers 304 to whoever
    has them already. Who asked is on record either way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Holds the head of an answer back until its whole body is there; answers in pieces pass as they are."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(ROOT):
            await self.app(scope, receive, send)
            return
        held: Message | None = None

        async def marked(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] == 200:
                held = message
                return
            if held is not None and message["type"] == "http.response.body":
                head, held = held, None
                if not message.get("more_body", False):
                    body = message.get("body", b"")
                    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
                    headers = MutableHeaders(scope=head)
                    headers["etag"] = tag
                    if tag in (one.strip() for one in Headers(scope=scope).get("if-none-match", "").split(",")):
                        for name in ("content-length", "content-type"):
                            if name in headers:
                                del headers[name]
                        await send({**head, "status": 304})
                        await send({"type": "http.response.body", "body": b""})
                        return
                await send(head)
            await send(message)

        await self.app(scope, receive, marked)


def describe(app: FastAPI) -> None:
    """Adds the two ways of showing who asks, a token and a browser's session, to the description of each route."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title, version=app.version, summary=app.summary, description=app.description,
                routes=app.routes,
            )  # fmt: skip
            found.setdefault("components", {})["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer", "description": "Khóa máy · a token of an account"},
                "session": {"type": "apiKey", "in": "cookie", "name": "risk_session",
                            "description": "A browser's session; a change also carries X-CSRF-Token."},
            }  # fmt: skip
            for path, methods in found["paths"].items():
                for method, operation in methods.items():
                    if action_of(method.upper(), path) != PUBLIC:
                        operation["security"] = [{"token": []}, {"session": []}]
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]

"""Which rule a request falls under: the full path template of the route that took it.

A router that is included under a prefix keeps its own short path on the route itself (`scope["route"].path`),
so two routes of different prefixes may read alike there. The full templates come from the app's effective
routes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute


@dataclass(frozen=True)
class Template:
    """One route as it answers.

    Its methods, full path template, pattern, and the route object that requests carry.
    """

    methods: frozenset[str]
    path: str
    pattern: re.Pattern[str]
    route: Any


def templates(app: FastAPI) -> list[Template]:
    """Every API route of the app under its full path.

    Mounts and FastAPI's own description are not among them.
    """
    return list(_templates(app.routes))


def template_of(request: Request) -> str | None:
    """The full path template of the route that handles `request`; None (access is denied) where none is found."""
    app: FastAPI = request.app
    route_templates: list[Template] | None = getattr(app.state, "templates", None)
    route, path = request.scope["route"], request.scope["path"]
    for _ in range(2):
        if route_templates is None:  # the first request, or a route that was added since
            route_templates = app.state.templates = templates(app)
        for one in route_templates:
            if one.route is route and one.pattern.match(path):
                return one.path
        route_templates = None
    return None


def _templates(routes: Any) -> Iterator[Template]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield Template(frozenset(route.methods or ()), route.path, route.path_regex, route)
        elif hasattr(route, "effective_route_contexts"):
            for one in route.effective_route_contexts():
                yield Template(frozenset(one.methods or ()), one.path, one.path_regex, one.original_route)

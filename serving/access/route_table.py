"""Which route takes a request, and which action of `serving.access.permissions` it asks for; another answers nobody.

`tests/test_rights.py` walks every route of the app and fails on one that is missing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

PUBLIC = "public"  # routes that anybody may call: the door, the health; they show nothing of a dossier

_ONE_BY_ONE: dict[str, str] = {
    "GET /api/v1/health": PUBLIC,
    "GET /api/v1/ready": PUBLIC,
    "GET /api/v1/metrics": "metrics.read",
    "POST /portal/login": PUBLIC,  # the portal's exchange has sessions of its own, in the body
    "POST /portal/service": PUBLIC,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "GET /login/oidc": PUBLIC,
    "GET /login/oidc/callback": PUBLIC,
    "POST /logout": "session.end",
    "GET /": "home.read",
    "GET /list": "list.read",
    "POST /views": "view.write",
    "POST /views/{view_id}/drop": "view.write",
    "GET /api/v1/views": "view.write",
    "POST /api/v1/views": "view.write",
    "POST /api/v1/views/{view_id}/drop": "view.write",
    "GET /plan": "plan.read",
    "POST /plan/approve": "plan.approve",
    "GET /plan/visit": "plan.read",
    "GET /plan/make": "plan.write",
    "POST /plan/make": "plan.write",
    "GET /results": "plan.read",
    "POST /results/correct": "finding.write",
    "POST /results/remedy": "remedy.demand",
    "GET /self-inspections": "self.read",
    "GET /self-inspections/visit": "self.read",
    "POST /self-inspections/finding": "self.write",
    "POST /plan/photo": "finding.write",
    "GET /plan/photo/{photo_id}": "plan.read",
    "POST /plan/photo/{photo_id}/withdraw": "finding.write",
    "POST /self-inspections/photo": "self.write",
    "GET /self-inspections/photo/{photo_id}": "self.read",
    "POST /self-inspections/photo/{photo_id}/withdraw": "self.write",
    "POST /api/v1/findings/photos": "finding.write",
    "GET /api/v1/findings/photos": "plan.read",
    "GET /api/v1/findings/photos/{photo_id}": "plan.read",
    "GET /sw.js": PUBLIC,  # the script that keeps sheets on a phone: it holds nothing of anybody
    "GET /basis": "home.read",
    "GET /receipts/verify": "receipt.read",
    "GET /api/v1/plans": "plan.read",
    "POST /api/v1/plans": "plan.write",
    "POST /api/v1/plans/preview": "plan.write",
    "POST /api/v1/plans/{plan_id}/approve": "plan.approve",
    "GET /api/v1/self-inspections": "self.read",
    "POST /api/v1/self-inspections/findings": "self.write",
    "GET /api/v1/results": "plan.read",
    "POST /api/v1/results/correct": "finding.write",
    "POST /api/v1/results/remedy": "remedy.demand",
    "GET /api/v1/receipts/verify": "receipt.read",
    "POST /plan/finding": "finding.write",
    "GET /analyst": "analyst.read",
    "POST /analyst/promote": "model.promote",
    "POST /analyst/work": "model.train",
    "GET /api/v1/models/work": "analyst.read",
    "POST /api/v1/models/work": "model.train",
    "GET /dossier": "dossier.read",
    "POST /decisions": "decision.write",
    "POST /picks": "decision.write",
    "POST /decisions/undo": "decision.write",
    "POST /api/v1/decisions/undo": "decision.write",
    "GET /own": "own.read",
    "POST /contest": "contest.write",
    "GET /contests": "contest.read",
    "POST /contests/{contest_id}": "contest.answer",
    "GET /conduct": "harassment.read",
    "GET /evidence": "harassment.read",
    "GET /papers": "harassment.read",
    "GET /sectors": "harassment.read",
    "GET /unit": "unit.read",
    "GET /official": "official.read",
    "GET /explanations": "explanation.read",
    "POST /explanations/{slip_id}/explain": "explanation.write",
    "POST /explanations/{slip_id}/review": "explanation.review",
    "POST /explanations/{slip_id}/close": "explanation.close",
    "GET /apologies": "answer.read",
    "POST /apologies": "apology.write",
    "GET /apologies/{apology_id}.docx": "answer.read",
    "POST /apologies/{apology_id}/sent": "apology.write",
    "GET /consultations": "answer.read",
    "GET /letters/{kind}.{ending}": "answer.read",
    "GET /complaints": "answer.read",
    "GET /returns": "answer.read",
    "POST /marks": "mark.write",
    "GET /remedies": "answer.read",
    "POST /remedies/{remedy_id}": "remedy.write",
    "GET /reports": "report.read",
    "GET /reports/{kind}.{ending}": "report.read",
    "GET /reports/text": "report.write",
    "POST /reports/text": "report.write",
    "POST /publications": "publication.propose",
    "POST /publications/{pack_id}": "publication.approve",
    "GET /publications/{pack_id}.{ending}": "publication.read",
    "GET /api/v1/explanations": "explanation.read",
    "POST /api/v1/explanations/{slip_id}/explain": "explanation.write",
    "POST /api/v1/explanations/{slip_id}/review": "explanation.review",
    "POST /api/v1/explanations/{slip_id}/close": "explanation.close",
    "GET /api/v1/apologies": "answer.read",
    "GET /api/v1/consultations": "answer.read",
    "GET /api/v1/letters/{kind}.{ending}": "answer.read",
    "GET /api/v1/complaints": "answer.read",
    "GET /api/v1/returns": "answer.read",
    "GET /api/v1/remedies": "answer.read",
    "GET /api/v1/conduct": "harassment.read",
    "GET /api/v1/evidence": "harassment.read",
    "GET /api/v1/papers": "harassment.read",
    "POST /api/v1/marks": "mark.write",
    "GET /api/v1/reports": "report.read",
    "GET /api/v1/reports/{kind}.{ending}": "report.read",
    "POST /api/v1/publications": "publication.propose",
    "GET /api/v1/publications": "publication.read",
    "POST /api/v1/publications/{pack_id}": "publication.approve",
    "GET /api/v1/publications/{pack_id}.{ending}": "publication.read",
    "GET /api/v1/ledger/{dossier_id:path}": "dossier.read",
    "GET /cases": "case.read",
    "POST /cases/assign": "case.assign",
    "POST /cases/undo": "case.assign",
    "POST /cases/apologies": "apology.write",
    "GET /api/v1/cases": "case.read",
    "POST /api/v1/cases/assign": "case.assign",
    "POST /api/v1/cases/undo": "case.assign",
    "POST /api/v1/cases/apologies": "apology.write",
    "GET /board": "board.read",
    "GET /what-if": "what_if.read",
    "GET /api/v1/what-if": "what_if.read",
    "GET /api/v1/what-if/{dossier_id:path}": "what_if.read",
    "POST /warnings/undo": "warning.write",
    "POST /api/v1/warnings/undo": "warning.write",
    "GET /warnings": "warning.read",
    "GET /warnings/effect": "warning.effect",
    "GET /warnings/rules": "rule.read",
    "POST /warnings/rules": "rule.write",
    "GET /api/v1/warnings/rules": "rule.read",
    "POST /api/v1/warnings/rules": "rule.write",
    "POST /warnings/acknowledge": "warning.write",
    "GET /api/v1/warnings": "warning.read",
    "POST /api/v1/warnings/acknowledge": "warning.write",
    "GET /api/v1/warnings/effect": "warning.effect",
    "GET /leadership": "leadership.read",
    "GET /leadership/dossiers": "leadership.read",
    "GET /api/v1/standing/dossiers": "leadership.read",
    "GET /api/v1/standing/months": "leadership.read",
    "GET /receipts": "receipt.read",
    "GET /jobs": "job.read",
    "GET /api/v1/jobs": "job.read",
    "GET /intake": "intake.write",
    "POST /intake": "intake.write",
    "POST /intake/{token}": "intake.write",
    "POST /api/v1/deliveries/preview": "intake.write",
    "POST /api/v1/deliveries/{token}/confirm": "intake.write",
    "GET /accounts": "account.write",
    "POST /accounts": "account.write",
    "POST /accounts/{account_id}/close": "account.write",
    "POST /accounts/password": "account.write",
    "POST /team-leads": "account.write",
    "GET /api/v1/accounts": "account.write",
    "POST /api/v1/accounts": "account.write",
    "POST /api/v1/accounts/{account_id}/close": "account.write",
    "POST /api/v1/accounts/{account_id}/password": "account.write",
    "GET /api/v1/team-leads": "account.write",
    "POST /api/v1/team-leads": "account.write",
    "GET /api/v1/tokens": "token.write",
    "POST /api/v1/tokens": "token.write",
    "POST /api/v1/tokens/{token_id}/revoke": "token.write",
    "GET /password": "password.write",
    "POST /password": "password.write",
    "POST /sessions/end": "password.write",
    "POST /language": "language.write",
    "GET /tokens": "token.write",
    "POST /tokens": "token.write",
    "POST /tokens/{token_id}/revoke": "token.write",
    "GET /api/v1/standing": "leadership.read",
    "GET /api/v1/officials/{official_id}": "official.read",
    "GET /api/v1/contests": "contest.read",
    "POST /api/v1/contests": "contest.write",
    "POST /api/v1/contests/{contest_id}": "contest.answer",
    "POST /api/v1/decisions": "decision.write",
    "GET /api/v1/visits": "plan.read",
    "POST /api/v1/findings": "finding.write",
    "GET /api/v1/receipts": "receipt.read",
    "GET /api/v1/duties": "home.read",
    "GET /api/v1/board": "board.read",
    "GET /api/v1/own": "own.read",
    "GET /api/v1/sectors": "harassment.read",
    "GET /api/v1/deliveries": "intake.write",
    "GET /api/v1/deliveries/{delivery_id}/rejects": "intake.write",
    "GET /api/v1/reports/text": "report.write",
    "POST /api/v1/reports/text": "report.write",
    "POST /api/v1/findings/photos/{photo_id}/withdraw": "finding.write",
    "POST /api/v1/apologies/{letter_id}/sent": "apology.write",
    "POST /api/v1/remedies/{remedy_id}": "remedy.write",
    "GET /api/v1/models": "analyst.read",
    "POST /api/v1/models/promote": "model.promote",
    "GET /api/v1/list": "list.read",
    "GET /api/v1/dossiers/{dossier_id:path}": "dossier.read",
    "GET /api/v1/signals/{dossier_id:path}": "harassment.read",
    "POST /api/v1/score": "dossier.score",
    "POST /api/v1/events": "event.write",
}
LISTS = (
    "/list", "/conduct", "/board", "/own", "/plan", "/leadership", "/contests", "/receipts", "/warnings",
    "/results", "/papers", "/sectors", "/explanations", "/apologies", "/consultations", "/complaints", "/returns",
    "/remedies", "/cases", "/leadership/dossiers",
)  # fmt: skip
"""Pages whose list is also a file, `.csv`, `.xlsx` and `.docx`, under the right of the page."""

ROUTES: Mapping[str, str] = _ONE_BY_ONE | {f"GET {page}.{{ending}}": _ONE_BY_ONE[f"GET {page}"] for page in LISTS}
"""Route (method and path template) → action of `GRANTS`, or `PUBLIC`.

A route that is missing answers nobody.
"""


def action_of(method: str, path: str) -> str | None:
    """The action that a route asks for; None where no rule was written, which is a denial. HEAD reads as GET does."""
    return ROUTES.get(f"{'GET' if method == 'HEAD' else method} {path}")


@dataclass(frozen=True)
class Template:
    """One route as it answers. Its methods, full path template, pattern, and the route object that requests carry."""

    methods: frozenset[str]
    path: str
    pattern: re.Pattern[str]
    route: Any


def templates(app: FastAPI) -> list[Template]:
    """Every API route of the app under its full path. Mounts and FastAPI's own description are not among them."""
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

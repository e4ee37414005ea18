"""Which route asks for which action of `serving.access.permissions`; a route that is not here answers nobody.

`tests/test_rights.py` walks every route of the app and fails on one that is missing.
"""

from collections.abc import Mapping

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
    "GET /plan": "plan.read",
    "POST /plan/approve": "plan.approve",
    "GET /plan/visit": "plan.read",
    "POST /plan/finding": "finding.write",
    "GET /analyst": "analyst.read",
    "POST /analyst/promote": "model.promote",
    "GET /dossier": "dossier.read",
    "POST /decisions": "decision.write",
    "POST /picks": "decision.write",
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
    "GET /board": "board.read",
    "GET /warnings": "warning.read",
    "GET /warnings/effect": "warning.effect",
    "POST /warnings/acknowledge": "warning.write",
    "GET /api/v1/warnings": "warning.read",
    "POST /api/v1/warnings/acknowledge": "warning.write",
    "GET /api/v1/warnings/effect": "warning.effect",
    "GET /leadership": "leadership.read",
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
    "GET /password": "password.write",
    "POST /password": "password.write",
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
    "GET /api/v1/list": "list.read",
    "GET /api/v1/dossiers/{dossier_id:path}": "dossier.read",
    "GET /api/v1/signals/{dossier_id:path}": "harassment.read",
    "POST /api/v1/score": "dossier.score",
    "POST /api/v1/events": "event.write",
}
LISTS = (
    "/list", "/conduct", "/board", "/own", "/plan", "/leadership", "/contests", "/receipts", "/warnings",
    "/explanations", "/apologies", "/consultations", "/complaints", "/returns", "/remedies",
)  # fmt: skip
"""Pages whose list is also a file, `.xlsx` and `.docx`, under the right of the page."""

ROUTES: Mapping[str, str] = _ONE_BY_ONE | {f"GET {page}.{{ending}}": _ONE_BY_ONE[f"GET {page}"] for page in LISTS}
"""Route (method and path template) → action of `GRANTS`, or `PUBLIC`.

A route that is missing answers nobody.
"""


def action_of(method: str, path: str) -> str | None:
    """The action that a route asks for; None where no rule was written, which is a denial.

    HEAD reads as GET does.
    """
    return ROUTES.get(f"{'GET' if method == 'HEAD' else method} {path}")

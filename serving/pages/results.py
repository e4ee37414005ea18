"""`/results`: what visits found, corrected with a reason, put right until a day."""

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.targets import MAIN
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.pages.risk_list import stretch
from serving.read.finding_words import CAUSE_WORDS, KIND_WORDS
from serving.read.problem import Problem, refused_as_problem
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.remedies import remedies_of
from serving.use_cases.results import results_in, write_correction, write_remedy
from serving.work import findings, remediation

router = APIRouter(include_in_schema=False)

ROWS = 25
Id = Annotated[str, Form(alias="finding", max_length=400)]


@router.get("/results", response_class=HTMLResponse)
def show(
    request: Request,
    kind: Annotated[str, Query(max_length=20)] = "",
    dossier: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """The findings of the reader's scope, newest visit first."""
    reader = reader_of(request)
    found = [one for one in results_in(request, dossier) if not kind or one.kind == kind]
    shown = found[offset : offset + ROWS]
    note_look(
        request, "visit.read", {"page": "/results", "rows": len(shown)}, [f"dossier:{one.dossier_id}" for one in shown]
    )
    wishes = {"kind": kind, "dossier": dossier}
    listed = context_of(request).serving.listed(MAIN.name)
    return render(
        request, "results.html", title=_("Kết quả kiểm tra"), lines=shown, kind=kind, dossier=dossier,
        kinds=KIND_WORDS, causes=CAUSE_WORDS,
        linked={one.dossier_id for one in shown if listed is not None and listed.line(one.dossier_id) is not None},
        remedies=remedies_of(request, [one.finding_id for one in shown]), states=remediation.STATES,
        query=urlencode({name: value for name, value in wishes.items() if value}),
        may_write=reader.may("finding.write"), may_demand=reader.may("remedy.demand"),
        pages=stretch("/results", wishes, offset, len(shown), ROWS, len(found)),
    )  # fmt: skip


@router.post("/results/correct")
def correct(
    request: Request,
    finding_id: Id,
    kind: Annotated[str, Form(max_length=20)],
    because: Annotated[str, Form(max_length=2_000)],
    key: Key,
    severity: Annotated[str, Form(pattern="^[123]?$")] = "",
    confirmed: Annotated[str, Form(max_length=5)] = "",
    evidence: Annotated[str, Form(max_length=findings.LONGEST_NOTE)] = "",
    cause: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """A corrected version; the one before stays as it was said."""
    none = kind == "none"
    sure = None if none else {"yes": True, "no": False}.get(confirmed)
    with refused_as_problem():
        conclusion = findings.Conclusion(
            kind, int(severity) if severity and not none else None, sure, evidence, cause or None
        )
    return RedirectResponse(write_correction(request, finding_id, conclusion, because, key, "/results"), 303)


@router.post("/results/remedy")
def demand(
    request: Request,
    finding_id: Id,
    what: Annotated[str, Form(max_length=2_000)],
    due_on: Annotated[str, Form(max_length=10)],
    key: Key,
) -> Response:
    """What must be put right, until which day."""
    try:
        day = date.fromisoformat(due_on)
    except ValueError:
        raise Problem(422, "due_on: wanted a day to come") from None
    return RedirectResponse(write_remedy(request, finding_id, what, day, key, "/results"), 303)

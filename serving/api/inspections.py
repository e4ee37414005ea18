"""What inspections concluded, by API: results, corrections, remedies, and heads' own inspections."""

from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from serving.api.answer import answer
from serving.api.people import Done, FindingWish, Key
from serving.api.strict import StrictBody
from serving.read.finding_words import FindingKind
from serving.read.problem import documented, refused_as_problem
from serving.state import Finding
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.receipts import chain_faults
from serving.use_cases.results import results_in, write_correction, write_remedy
from serving.use_cases.visits import own_inspections, write_finding
from serving.work.findings import Conclusion

router = APIRouter(tags=["inspection"])


class CorrectionWish(StrictBody):
    """A conclusion in place of the one that stands, and why it differs."""

    finding_id: str = Field(max_length=400)
    kind: FindingKind
    severity: Literal[1, 2, 3] | None = None
    confirmed: bool | None = None
    evidence: str = Field("", max_length=4_000)
    cause: Literal["citizen", "consultation", "system", "law", "workload", "official"] | None = None
    because: str = Field(max_length=2_000)


class RemedyWish(StrictBody):
    """What must be put right, until which day."""

    finding_id: str = Field(max_length=400)
    what: str = Field(max_length=2_000)
    due_on: date


class ChainFault(BaseModel):
    """One thing that is wrong with the chain of receipts; seq 0: of no single receipt."""

    seq: int
    what: str


@router.get("/results", response_model=list[dict[str, Any]], responses=documented(422))
def results(request: Request) -> Response:
    """The findings that hold in the reader's scope, newest visit first; 200 at most."""
    found = results_in(request)[:200]
    note_look(
        request, "visit.read", {"page": "/results", "rows": len(found)}, [f"dossier:{x.dossier_id}" for x in found]
    )
    return answer([_finding(request, one) for one in found])


@router.post("/results/correct", response_model=Done, responses=documented(400, 404, 422))
def correct(request: Request, wish: CorrectionWish, key: Key) -> Response:
    """A corrected version; the one before stays as it was said."""
    with refused_as_problem():
        conclusion = Conclusion(wish.kind, wish.severity, wish.confirmed, wish.evidence, wish.cause)
    return answer(Done(write_correction(request, wish.finding_id, conclusion, wish.because, key, "/results")))


@router.post("/results/remedy", response_model=Done, responses=documented(400, 404, 422))
def remedy(request: Request, wish: RemedyWish, key: Key) -> Response:
    """Demands that something be put right."""
    return answer(Done(write_remedy(request, wish.finding_id, wish.what, wish.due_on, key, "/results")))


@router.get("/self-inspections", response_model=list[dict[str, Any]])
def self_inspections(request: Request) -> Response:
    """The inspections that heads of the reader's units owe by the latest plan, up to a week ahead; sheets from their
    hour on are at `/self-inspections/visit`.
    """
    visits = own_inspections(request)
    note_look(request, "self.read", {"rows": len(visits)}, [])
    return answer([{name: one[name] for name in ("visit_id", "unit_code", "at")} for one in visits])


@router.post("/self-inspections/findings", response_model=Done, responses=documented(400, 404, 422))
def conclude(request: Request, wish: FindingWish, key: Key) -> Response:
    """What a head found at an own inspection; whether it is confirmed is never the unit's own to say."""
    conclusion = (wish.kind, str(wish.severity or ""), None, wish.evidence, wish.cause or "", wish.step[:200])
    back = "/self-inspections"
    return answer(Done(write_finding(request, wish.visit_id, wish.dossier_id, conclusion, key, back, own=True)))


@router.get("/receipts/verify", response_model=list[ChainFault])
def verify(request: Request) -> Response:
    """Walks the whole chain of receipts; an empty list: it is sound."""
    return answer([{"seq": one.seq, "what": one.what} for one in chain_faults(request)])


def _finding(request: Request, one: Finding) -> dict[str, Any]:
    names = ("finding_id", "version", "inspection_id", "unit_code", "visited_at", "dossier_id", "official_id", "kind",
             "severity", "confirmed", "evidence", "cause", "step", "because", "recorded_at")  # fmt: skip
    named = official_name(request, one.official_id) if one.official_id else None
    return {name: getattr(one, name) for name in names} | {"official_name": named}

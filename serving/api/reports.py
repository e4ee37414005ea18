"""Reports of a month as files, and packs for publication with a second person's approval."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import strict
from serving.read.problem import documented
from serving.reports.make import KINDS
from serving.reports.text import MOST_SENTENCES
from serving.state import PublicationPack, ReportMade
from serving.use_cases import reports as use
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.reports import Ending, PackId

router = APIRouter(tags=["reports"])


@dataclass(frozen=True)
class Reports:
    """The kinds that may be made (name → words), and those made in the reader's scope, the latest first."""

    kinds: dict[str, str]
    made: list[dict[str, Any]]


@strict
@dataclass(frozen=True)
class ProposalWish:
    """What to publish: a month that has ended, as known at a moment (now where empty), and on what ground."""

    month: str
    reason: str
    as_of: str = ""


@strict
@dataclass(frozen=True)
class PackDecisionWish:
    """The second person's decision and its reason."""

    outcome: Literal["approved", "refused"]
    because: str


@strict
@dataclass(frozen=True)
class SentenceWish:
    """One sentence of a report: its part, its words, the key of the rows that its figure stands on."""

    part: str
    vi: str
    rows: str = ""


@strict
@dataclass(frozen=True)
class TextWish:
    """The text of one report, whole; kind, month, unit and as_of as of the report."""

    kind: str
    month: str
    as_of: str
    sentences: Annotated[list[SentenceWish], Field(max_length=MOST_SENTENCES)]
    unit: str = ""


@router.get("/reports", response_model=Reports)
def list_reports(request: Request) -> Response:
    """The kinds of reports, and the latest 50 made."""
    with context_of(request).people.state.reading() as session:
        made = use.made_in(session, reader_of(request))
    return answer(Reports({name: kind.vi for name, kind in KINDS.items()}, [_made(one) for one in made]))


@router.get("/reports/text", response_model=list[SentenceWish], responses=documented(404, 422))
def text(
    request: Request,
    kind: Annotated[str, Query(max_length=20)],
    month: Annotated[str, Query(max_length=7)],
    unit: Annotated[str, Query(max_length=120)] = "",
    as_of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The sentences of one report, as drafted or as written since."""
    found = use.report_in(request, kind, month, unit, as_of)
    note_look(request, "report.read", {"text": kind, "month": month})
    return answer([SentenceWish(one.part, one.vi, one.rows) for one in found.sentences])


@router.post("/reports/text", response_model=Done, responses=documented(400, 404, 422))
def write_text(request: Request, wish: TextWish, key: Key) -> Response:
    """Keep the text as written, and the draft beside it."""
    written = [(one.part, one.vi, one.rows) for one in wish.sentences]
    asked = (wish.kind, wish.month, wish.unit, wish.as_of)
    return answer(Done(use.write_report_text(request, asked, written, key, "/reports")))


@router.get("/reports/{kind}.{ending}", responses=documented(404, 422), response_class=Response)
def report(
    request: Request,
    kind: Annotated[str, Path(max_length=20)],
    ending: Ending,
    month: Annotated[str, Query(max_length=7)],
    unit: Annotated[str, Query(max_length=120)] = "",
    as_of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """One report as a file; the same kind, month, unit and as_of give the same bytes again."""
    return use.report_response(request, use.report_in(request, kind, month, unit, as_of), ending, "report.export")


@router.get("/publications", response_model=list[dict[str, Any]])
def list_packs(request: Request) -> Response:
    """The latest 50 packs; for those who see the whole province."""
    with context_of(request).people.state.reading() as session:
        found = use.packs_in(session, reader_of(request))
    return answer([_pack(one) for one in found])


@router.post("/publications", response_model=Done, responses=documented(400, 404, 422))
def propose(request: Request, wish: ProposalWish, key: Key) -> Response:
    """Proposes a pack; confirmed findings are all it can hold."""
    return answer(Done(use.write_proposal(request, wish.month, wish.as_of, wish.reason, key, "/reports")))


@router.post("/publications/{pack_id}", response_model=Done, responses=documented(400, 404, 422))
def decide(request: Request, pack_id: PackId, wish: PackDecisionWish, key: Key) -> Response:
    """A second person approves or refuses, once."""
    return answer(Done(use.write_decision(request, pack_id, wish.outcome, wish.because, key, "/reports")))


@router.get("/publications/{pack_id}.{ending}", responses=documented(404, 422), response_class=Response)
def pack(request: Request, pack_id: PackId, ending: Ending) -> Response:
    """The pack as a file: a marked draft before its approval."""
    return use.report_response(request, use.pack_in(request, pack_id), ending, "publication.export")


def _made(one: ReportMade) -> dict[str, Any]:
    names = ("kind", "month", "unit_code", "as_of", "record_version", "sha256", "made_at")
    return {name: getattr(one, name) for name in names}


def _pack(one: PublicationPack) -> dict[str, Any]:
    names = ("id", "month", "as_of", "record_version", "sha256", "reason", "proposed_at", "approved", "because",
             "decided_at")  # fmt: skip
    return {name: getattr(one, name) for name in names}

"""What late dossiers still owe: explanations, apologies, consultations, complaints, and the responsibility ledger."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from serving.access.permissions import Role
from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import strict
from serving.read.problem import documented
from serving.read.responsibility import CustodyInterval, Share
from serving.state import Apology
from serving.use_cases.answers import apologies_in, complaints_in, consultations_in, returned_in, write_mark
from serving.use_cases.apologies import write_sent
from serving.use_cases.app_context import context_of
from serving.use_cases.dossiers import case_in_scope
from serving.use_cases.explanations import slips_in, write_explanation, write_review
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.remedies import remedies_in, write_remedy_act
from serving.warnings.acknowledgement import WarningLine, warnings_about
from serving.work import remediation
from serving.work.apologies import ApologyStanding, letters
from serving.work.explanations import Explanation

_Held = TypeVar("_Held", CustodyInterval, Share)

router = APIRouter(tags=["answers"])

SlipId = Annotated[int, Path(ge=1, lt=2**31)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
MOST = 200


@strict
@dataclass(frozen=True)
class ExplanationWish:
    """Why a dossier was late."""

    cause: Literal["citizen", "consultation", "system", "law", "workload", "official"]
    text: str


@strict
@dataclass(frozen=True)
class ReviewWish:
    """The head's answer: accepted or returned."""

    outcome: Literal["accepted", "returned"]
    text: str = ""


@strict
@dataclass(frozen=True)
class ClosingWish:
    """The answer of the level above: closed or refused."""

    outcome: Literal["closed", "refused"]
    text: str = ""


@strict
@dataclass(frozen=True)
class RemedyActWish:
    """What is said of a remedy: the unit reports; who inspected accepts, refuses or extends it to a new day."""

    kind: Literal["reported", "accepted", "refused", "extended"]
    note: Annotated[str, Field(max_length=2_000)] = ""
    due_on: date | None = None


@strict
@dataclass(frozen=True)
class MarkWish:
    """What a person established: of a return, a consultation or a complaint, as its list names it (`subject`)."""

    subject: str
    field: str
    value: str
    note: str


@dataclass(frozen=True)
class LedgerAnswer:
    """Who held one dossier for how long, in working hours; `nameless_hours`: with the office, nobody named.

    warnings: what its heads were told in time, those that nobody answered among them.
    """

    dossier_id: str
    stays: list[CustodyInterval]
    shares: list[Share]
    nameless_hours: float
    warnings: list[WarningLine]


@router.get("/explanations", response_model=list[dict[str, Any]])
def list_explanations(request: Request) -> Response:
    """The first 200 explanation slips of the reader's scope, those that wait longest first."""
    context_of(request).trackers.of()
    found = slips_in(request, reader_of(request).scope)
    _looked(request, "/explanations", [one.slip.dossier_id for one in found], "explanation.read")
    return answer([_slip(request, one) for one in found])


@router.post("/explanations/{slip_id}/explain", response_model=Done, responses=documented(400, 404, 422))
def explain(request: Request, slip_id: SlipId, wish: ExplanationWish, key: Key) -> Response:
    """The official's explanation of a late dossier."""
    return answer(Done(write_explanation(request, slip_id, wish.cause, wish.text, key, "/explanations")))


@router.post("/explanations/{slip_id}/review", response_model=Done, responses=documented(400, 404, 422))
def review(request: Request, slip_id: SlipId, wish: ReviewWish, key: Key) -> Response:
    """The head accepts an explanation or asks for another."""
    return answer(Done(write_review(request, slip_id, wish.outcome, wish.text, key, "/explanations")))


@router.post("/explanations/{slip_id}/close", response_model=Done, responses=documented(400, 404, 422))
def close(request: Request, slip_id: SlipId, wish: ClosingWish, key: Key) -> Response:
    """The level above closes a slip or asks for another explanation."""
    return answer(Done(write_review(request, slip_id, wish.outcome, wish.text, key, "/explanations")))


@router.get("/apologies", response_model=list[dict[str, Any]], responses=documented(422))
def list_apologies(request: Request, offset: Offset = 0) -> Response:
    """Dossiers for which an apology is owed, 200 from `offset`: sent or not, promise kept or broken, our letters."""
    found = apologies_in(request)[offset : offset + MOST]
    with context_of(request).people.state.reading() as session:
        drawn = letters(session, [one.case.dossier_id for one in found])
    _looked(request, "/apologies", [one.case.dossier_id for one in found])
    return answer([_apology(one, drawn.get(one.case.dossier_id, [])) for one in found])


@router.post("/apologies/{letter_id}/sent", response_model=Done, responses=documented(400, 404, 422))
def send(request: Request, letter_id: SlipId, key: Key) -> Response:
    """Note that a letter of apology went out, once; drafts are made at `/cases/apologies`."""
    return answer(Done(write_sent(request, letter_id, key, "/apologies")))


@router.get("/consultations", response_model=list[dict[str, Any]], responses=documented(422))
def list_consultations(request: Request, offset: Offset = 0) -> Response:
    """Consultations that units of the scope asked or were asked, 200 from `offset`."""
    found = consultations_in(request)[offset : offset + MOST]
    _looked(request, "/consultations", [one.dossier_id for one in found])
    return answer([{"subject": one.subject, **asdict(one)} for one in found])


@router.get("/complaints", response_model=list[dict[str, Any]], responses=documented(422))
def list_complaints(request: Request, offset: Offset = 0) -> Response:
    """Complaints by their terms, 200 from `offset`, with how they sort; never who complained, nor the words.

    The dossier would tell a unit who spoke: its head is not given it.
    """
    found = complaints_in(request)[offset : offset + MOST]
    _looked(request, "/complaints", [one.dossier_id for one in found if one.dossier_id])
    sorted_by = context_of(request).trackers.sorting()
    unnamed = {"dossier_id": None} if reader_of(request).role is Role.UNIT_HEAD else {}
    return answer(
        [
            {
                "subject": one.subject,
                "late": one.late,
                **asdict(one),
                **unnamed,
                "sorting": sorted_by.get(one.complaint_id),
            }
            for one in found
        ]
    )


@router.get("/returns", response_model=list[dict[str, Any]], responses=documented(422))
def list_returns(request: Request, offset: Offset = 0) -> Response:
    """Dossiers sent back twice or more, 200 from `offset`; whose fault it was is a person's mark, never a count."""
    names = ("dossier_id", "unit_code", "procedure_code", "times_back", "former")
    found = returned_in(request)[offset : offset + MOST]
    _looked(request, "/returns", [one.dossier_id for one in found])
    return answer([{"subject": f"return:{one.dossier_id}", **{name: getattr(one, name) for name in names}}
                   for one in found])  # fmt: skip


@router.get("/remedies", response_model=list[remediation.RemedyStanding])
def list_remedies(request: Request) -> Response:
    """The first 200 remedies of the reader's units, the most urgent first."""
    found = remedies_in(request)[:MOST]
    note_look(request, "answer.read", {"page": "/remedies", "rows": len(found)})
    return answer(found)


@router.post("/marks", response_model=Done, responses=documented(400, 404, 422))
def mark(request: Request, wish: MarkWish, key: Key) -> Response:
    """Marks something tracked."""
    return answer(Done(write_mark(request, wish.subject[:400], wish.field, wish.value, wish.note, key, "/returns")))


@router.post("/remedies/{remedy_id}", response_model=Done, responses=documented(400, 404, 422))
def act_on_remedy(request: Request, remedy_id: SlipId, wish: RemedyActWish, key: Key) -> Response:
    """The unit reports what it did; who inspected accepts, refuses or gives more time."""
    return answer(Done(write_remedy_act(request, remedy_id, wish.kind, wish.note, wish.due_on, key, "/remedies")))


@router.get("/ledger/{dossier_id:path}", response_model=LedgerAnswer, responses=documented(404, 422))
def show_ledger(request: Request, dossier_id: Annotated[str, Path(max_length=200)]) -> Response:
    """The responsibility ledger of a dossier, open or ended, of the reader's scope; who looked is on record."""
    people = context_of(request).people
    _, held = case_in_scope(request, dossier_id)
    now = people.now()
    note_look(request, "ledger.read", {"dossier": dossier_id}, [f"dossier:{dossier_id}"])
    with people.state.reading() as session:
        warned = warnings_about(session, dossier_id, now)
    return answer(
        LedgerAnswer(
            held.dossier_id, _named(request, held.stays), _named(request, held.shares), held.nameless_hours, warned
        )
    )


def _named(request: Request, held: Iterable[_Held]) -> list[_Held]:
    return [
        replace(one, official_name=official_name(request, one.official_id)) if one.official_id else one for one in held
    ]


def _looked(request: Request, page: str, dossiers: list[str], action: str = "answer.read") -> None:
    detail = {"page": page, "rows": len(dossiers)}
    note_look(request, action, detail, [f"dossier:{one}" for one in dossiers])


def _slip(request: Request, one: Explanation) -> dict[str, Any]:
    names = ("id", "dossier_id", "unit_code", "official_id", "step", "missed_due_at", "over_hours", "outage_hours",
             "opened_at", "answer_due_at")  # fmt: skip
    return {
        **{name: getattr(one.slip, name) for name in names},
        "official_name": official_name(request, one.slip.official_id) if one.slip.official_id else None,
        "state": one.state, "overdue": one.overdue, "cause": one.cause, "text": one.text, "alike": one.alike,
    }  # fmt: skip


def _apology(one: ApologyStanding, drawn: Iterable[Apology]) -> dict[str, Any]:
    return {
        "dossier_id": one.case.dossier_id, "unit_code": one.case.unit_code, "first_due_at": one.case.first_due_at,
        "sent_at": one.sent_at, "new_due_at": one.new_due_at, "promise": one.promise, "in_time": one.in_time,
        "times": one.times,
        "letters": [{"id": it.id, "new_due_at": it.new_due_at, "sent_at": it.sent_at} for it in drawn],
    }  # fmt: skip

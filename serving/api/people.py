"""The people's side of the API: units' standing, officials, contests, decisions, findings, plans, receipts.

A write carries an `Idempotency-Key` (20 to 64 letters, digits, - or _): sending it again has no second
effect.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response

from serving.access.permissions import Scope
from serving.api.answer import answer
from serving.api.strict import strict
from serving.read.finding_words import FindingKind
from serving.read.official_sheet import OfficialSheet
from serving.read.on_time_statistics import Count
from serving.read.problem import Problem, documented
from serving.state import Contest, Receipt
from serving.use_cases.app_context import context_of
from serving.use_cases.contests import write_answer, write_contest
from serving.use_cases.decisions import undo_decisions, write_decisions
from serving.use_cases.dossiers import chosen_in_scope
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.receipts import receipts_for
from serving.use_cases.visits import visible_visits, write_finding
from serving.work import contests
from serving.work.contests import Upheld

router = APIRouter(tags=["people"])

Key = Annotated[str, Header(alias="Idempotency-Key", pattern="^[A-Za-z0-9_-]{20,64}$")]
Id = Annotated[str, Path(max_length=200)]


@dataclass(frozen=True)
class StandingAnswer:
    """Counts over the year before `until`: of all, by unit, by sector. `share` and `interval` null under 20 ended."""

    until: datetime | None
    total: dict[str, Any]
    units: list[dict[str, Any]]
    sectors: list[dict[str, Any]]


@dataclass(frozen=True)
class OfficialAnswer:
    """One official against peers who do the same procedures. Figures null where there is not enough to show."""

    official_name: str
    sheet: OfficialSheet
    enough: bool
    ratio: float | None
    interval: tuple[float, float] | None
    contests: Upheld


@strict
@dataclass(frozen=True)
class DecisionWish:
    """A decision about one dossier; the reason is kept."""

    dossier_id: str
    kind: Literal["pick", "dismiss", "override"]
    reason: str


@strict
@dataclass(frozen=True)
class ContestWish:
    """What is disputed: the code of a reason that was shown, or `fact`."""

    dossier_id: str
    about: str
    text: str


@strict
@dataclass(frozen=True)
class AnswerWish:
    """The answer to a contest."""

    outcome: Literal["upheld", "rejected"]
    text: str


@strict
@dataclass(frozen=True)
class FindingWish:
    """What a visit found on one dossier of its sheet; `none` is a finding too."""

    visit_id: str
    dossier_id: str
    kind: FindingKind
    severity: Literal[1, 2, 3] | None = None
    confirmed: bool | None = None
    evidence: str = ""
    cause: Literal["citizen", "consultation", "system", "law", "workload", "official"] | None = None
    step: str = ""


@dataclass(frozen=True)
class Done:
    """The act stands; `page` shows it."""

    page: str


@router.get("/standing", response_model=StandingAnswer)
def standing(request: Request) -> Response:
    """Units and sectors: received, late, open, with intervals and the progress points of the index 766."""
    found = context_of(request).read_model.standing
    return answer(
        StandingAnswer(
            found.until,
            _count(found.total),
            [_count(one) for one in found.units.values()],
            [_count(one) for one in found.sectors.values()],
        )
    )


@router.get("/officials/{official_id}", response_model=OfficialAnswer, responses=documented(404, 422))
def official(request: Request, official_id: Id) -> Response:
    """One official of a unit in the reader's scope; who looked is on record."""
    reader = reader_of(request)
    people, read_model = context_of(request).people, context_of(request).read_model
    unit = read_model.register.officials.get(official_id)
    if unit is None or not reader.scope.covers(unit):
        raise Problem(404, "No official of this key.")
    note_look(request, "official.read", {"official": official_id}, [f"official:{official_id}"])
    sheet = read_model.officials.of(official_id)
    with people.state.reading() as session:
        rate = contests.upheld_rate(session, Scope(units=frozenset(), official_id=official_id))
    enough = sheet.enough
    return answer(
        OfficialAnswer(
            official_name(request, official_id),
            sheet,
            enough,
            sheet.ratio if enough else None,
            sheet.interval if enough else None,
            rate,
        )
    )


@router.get("/contests", response_model=list[dict[str, Any]])
def list_contests(request: Request) -> Response:
    """The contests of the reader's scope, open ones first."""
    with context_of(request).people.state.reading() as session:
        found = contests.contests_in(session, reader_of(request).scope)
    about = [f"dossier:{one.dossier_id}" for one in found]
    note_look(request, "contest.read", {"rows": len(found)}, about)
    return answer([_contest(one) for one in found])


@router.post("/contests", response_model=Done, responses=documented(400, 404, 422, 503))
def contest(request: Request, wish: ContestWish, key: Key) -> Response:
    """Dispute a fact or a reason; the score stands frozen until it is answered and recomputed."""
    return answer(Done(write_contest(request, wish.dossier_id, wish.about, wish.text, key, "/contests")))


@router.post("/contests/{contest_id}", response_model=Done, responses=documented(400, 404, 422))
def answer_contest(request: Request, contest_id: Annotated[int, Path(ge=1)], wish: AnswerWish, key: Key) -> Response:
    """Answer a contest, once."""
    return answer(Done(write_answer(request, contest_id, wish.outcome, wish.text, key, "/contests")))


@router.post("/decisions", response_model=Done, responses=documented(400, 404, 422, 503))
def decide(request: Request, wish: DecisionWish, key: Key) -> Response:
    """Put a dossier into the plan, open or ended, set its score aside, or put it first in spite of it."""
    chosen = [chosen_in_scope(request, wish.dossier_id)]
    return answer(Done(write_decisions(request, chosen, wish.kind, wish.reason, key, "/list")))


@router.post("/decisions/undo", response_model=Done, responses=documented(400, 422, 503))
def undo(request: Request, key: Key) -> Response:
    """Take the reader's last decision back, within an hour; what stood before stands again."""
    return answer(Done(undo_decisions(request, key, "/list")))


@router.get("/visits", response_model=list[dict[str, Any]])
def visits(request: Request) -> Response:
    """The visits of the latest plan whose hour has come, in the reader's scope, with their sheets."""
    return answer(visible_visits(request))


@router.post("/findings", response_model=Done, responses=documented(400, 404, 422))
def conclude(request: Request, wish: FindingWish, key: Key) -> Response:
    """Write down what a visit found on one dossier of its sheet."""
    conclusion = (
        wish.kind, str(wish.severity or ""), wish.confirmed, wish.evidence, wish.cause or "", wish.step[:200],
    )  # fmt: skip
    return answer(Done(write_finding(request, wish.visit_id, wish.dossier_id, conclusion, key, "/plan")))


@router.get("/receipts", response_model=list[dict[str, Any]], responses=documented(422))
def receipts(
    request: Request,
    about: Annotated[str, Query(max_length=240)] = "",
    actor: Annotated[str, Query(max_length=120)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Receipts, newest first: of one person, or about one `dossier:ID`, `official:KEY`, `plan:ID`."""
    found = receipts_for(request, about=about, actor=actor, before=before)
    note_look(request, "receipt.read", {"about": about, "by": actor, "rows": len(found)})
    return answer([_receipt(one) for one in found])


def _count(count: Count) -> dict[str, Any]:
    return {**asdict(count), "share": count.share, "interval": count.interval, "progress": count.progress}


def _contest(one: Contest) -> dict[str, Any]:
    names = ("id", "dossier_id", "unit_code", "target", "about", "reason_code", "claim", "frozen_score", "opened_at",
             "outcome", "answer", "answered_at", "recomputed_score")  # fmt: skip
    return {name: getattr(one, name) for name in names}


def _receipt(one: Receipt) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("seq", "at", "actor", "action", "detail", "mac")}

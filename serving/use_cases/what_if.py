"""What handing work on would change, for whoever decides about it: one open dossier, or all of a unit together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import Request

from models.targets import MAIN
from serving.language import LazyText as lazy
from serving.read.problem import Problem
from serving.scoring.online import STARTING_SECONDS, Ended, OnlineScorer, Unready
from serving.scoring.risk_list import MOST_ROWS, Filters, RiskLine, RiskList
from serving.scoring.what_if import MOST_TO_ONE, Help, Reassignment, handed_on, helps, open_case, planned, promised
from serving.use_cases.app_context import context_of
from serving.use_cases.dossiers import line_in_scope
from serving.use_cases.guard import reader_of
from serving.use_cases.official_names import official_name

CANDIDATES = 5
"""Officials of the unit that are tried, those with the fewest open dossiers first."""
MOST_ASKED = 20
"""Officials of one question at most."""
CAVEAT = lazy("Ước tính từ hồ sơ đã qua bằng cách chấm điểm lại, không bảo đảm kết quả và không đánh giá ai.")


@dataclass(frozen=True)
class DossierWhatIf:
    """What handing one open dossier on would change, at `read_at`. caveat: what to keep in mind, for people."""

    dossier_id: str
    read_at: datetime
    model_version: str
    official_id: str | None
    options: list[Help]
    caveat: str = str(CAVEAT)


@dataclass(frozen=True)
class UnitWhatIf:
    """What handing on would change in a unit, at `read_at`.

    open: dossiers of the unit whose clock runs and that are not overdue; looked_at: of the 200 with the highest scores
    those with a promise and a holder, which were scored again. expected_late: how many of those are expected late as
    they stand. handing_on: among the officials of the unit; one_more: to a person more, who holds nothing yet. caveat:
    what to keep in mind, for people.
    """

    unit_code: str
    read_at: datetime
    model_version: str
    open: int
    looked_at: int
    expected_late: float
    handing_on: Reassignment
    one_more: Reassignment
    caveat: str = str(CAVEAT)

    @property
    def subjects(self) -> list[str]:
        """Whom and what the answer names, for the receipt of the look."""
        moves = [*self.handing_on.moves, *self.one_more.moves]
        people = [who for move in moves for who in (move.holder, move.help.official_id) if who]
        dossiers = [f"dossier:{move.dossier_id}" for move in moves]
        return list(dict.fromkeys([f"unit:{self.unit_code}", *dossiers, *(f"official:{who}" for who in people)]))


def helps_of(request: Request, line: RiskLine) -> list[Help]:
    """What handing the dossier on would save, most first: to the least loaded officials of its unit, or to one more.

    Nothing where single dossiers cannot be scored at once.
    """
    desk, risk_list = context_of(request).serving.desk, context_of(request).serving.risk_list(MAIN.name)
    if line.unit_code is None or line.waits or not desk.ready(risk_list.read_at):
        return []
    dossier, events = desk.history(line.dossier_id)
    if dossier is None:
        return []
    try:
        return helps(desk, dossier, events, risk_list.read_at, [*_least_loaded(request, line.unit_code), None])
    except (Ended, Unready):
        return []


def dossier_what_if(request: Request, dossier_id: str, officials: Sequence[str] = ()) -> DossierWhatIf:
    """What handing a dossier of the reader's scope to `officials` would change, be it good or bad, and to a person who
    is new; without any to the least loaded of its unit.

    Nothing of one that waits for the citizen, is overdue or has no holder. 422 for an official who is not of its unit,
    404 for a dossier that is not the reader's, 503 where single dossiers cannot be scored yet.
    """
    line, _ = line_in_scope(request, dossier_id, "what_if.read")
    desk, risk_list = _ready(request)
    for official in officials:
        if not _may_take(request, official, line.unit_code):
            raise Problem(422, "official_id: wanted officials of the dossier's unit.")
    asked = list(dict.fromkeys(officials)) or _least_loaded(request, line.unit_code)
    dossier, events = desk.history(dossier_id)
    options: list[Help] = []
    if dossier is not None and not line.waits:
        try:
            options = handed_on(desk, dossier, events, risk_list.read_at, [*asked, None])
        except Ended:
            options = []  # by news that the list does not show yet
        except Unready as error:
            raise Problem(503, str(error), {"Retry-After": str(error.seconds)}) from error
    named = [_named(request, one) for one in sorted(options, key=lambda one: one.after)]
    return DossierWhatIf(dossier_id, risk_list.read_at, risk_list.meta.model_version, line.official_id, named)


def unit_what_if(request: Request, unit_code: str) -> UnitWhatIf:
    """What handing on would change over the open dossiers of a unit of the reader's scope.

    404 for a unit that is not the reader's or unknown, 503 where single dossiers cannot be scored yet.
    """
    if unit_code not in units_of(request):
        raise Problem(404, "No unit of this code with open dossiers.")
    desk, risk_list = _ready(request)
    page = risk_list.page(Filters(unit=unit_code, ahead=True), 0, MOST_ROWS)
    histories = [desk.history(line.dossier_id) for line in page.lines]
    open_cases = [open_case(one, events, risk_list.read_at) for one, events in histories if one is not None]
    cases, scores = promised(desk, open_cases, risk_list.read_at)
    officials = _least_loaded(request, unit_code)
    share = -(-len(cases) // (len({case.holder for case in cases}) + 1))  # what one more would hold, were all alike
    handing_on, one_more = (
        _all_named(request, planned(desk, cases, risk_list.read_at, to, most))
        for to, most in ((officials, MOST_TO_ONE), ([None], share))
    )
    version = risk_list.meta.model_version
    return UnitWhatIf(
        unit_code, risk_list.read_at, version, page.total, len(cases), float(scores.sum()), handing_on, one_more
    )


def units_of(request: Request) -> dict[str, int]:
    """Units of the reader's scope with open dossiers whose promise can still be kept, and how many; most first."""
    scope = reader_of(request).scope_for("what_if.read")
    risk_list = context_of(request).serving.risk_list(MAIN.name)
    return dict(risk_list.counts(Filters(units=scope.units, ahead=True), "unit_code"))


def _named(request: Request, one: Help) -> Help:
    return replace(one, official_name=official_name(request, one.official_id)) if one.official_id else one


def _all_named(request: Request, plan: Reassignment) -> Reassignment:
    moves = [
        replace(move, holder_name=official_name(request, move.holder), help=_named(request, move.help))
        for move in plan.moves
    ]  # fmt: skip
    return replace(plan, moves=moves)


def _ready(request: Request) -> tuple[OnlineScorer, RiskList]:
    desk, risk_list = context_of(request).serving.desk, context_of(request).serving.risk_list(MAIN.name)
    if not desk.ready(risk_list.read_at):
        raise Problem(503, "The record is being read.", {"Retry-After": str(STARTING_SECONDS)})
    return desk, risk_list


def _least_loaded(request: Request, unit_code: str | None) -> list[str]:
    """Officials of a unit who hold open dossiers of it and have their post there, those with the fewest first."""
    risk_list = context_of(request).serving.risk_list(MAIN.name)
    if unit_code is None:
        return []
    lines = risk_list.page(Filters(unit=unit_code, waiting=None), 0, MOST_ROWS).lines
    loads = Counter(line.official_id for line in lines if line.official_id)
    fit = [name for name, _ in sorted(loads.items(), key=lambda pair: (pair[1], pair[0]))]
    return [name for name in fit if _may_take(request, name, unit_code)][:CANDIDATES]


def _may_take(request: Request, official_id: str, unit_code: str | None) -> bool:
    """Whether an official has a post in the unit, or above it in the reader's scope, and so could hold its dossiers."""
    register = context_of(request).read_model.register
    post = register.officials.get(official_id)
    if post is None or unit_code is None or official_id in register.gone:
        return False
    if not reader_of(request).scope_for("what_if.read").covers(post):
        return False  # of another's unit, which is not said
    return unit_code in register.tree.subtree(post)

"""Early warnings: the head's inbox, the acknowledgement, and what warnings changed."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from serving.api.answer import answer
from serving.api.people import Done, Key
from serving.api.strict import StrictBody, strict
from serving.read.problem import documented
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.warning_rules import WarningRulesWish, rules_now, write_rules
from serving.use_cases.warnings import effect_now, undo_acknowledgement, write_acknowledgement
from serving.warnings.acknowledgement import WarningLine, WarningStatus, warnings_of

router = APIRouter(prefix="/warnings", tags=["warnings"])


class RulesBody(WarningRulesWish, StrictBody):
    """The rules to put in force; what is left out takes its default, not what held before."""


@strict
@dataclass(frozen=True)
class AcknowledgementWish:
    """Warnings seen, by number, and what is done about them."""

    warnings: list[int]
    note: str = ""


@router.get("", response_model=list[WarningLine], responses=documented(422))
def list_warnings(
    request: Request,
    standing: WarningStatus = WarningStatus.OPEN,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Warnings told to the heads of the reader's units, 200 from `offset`; who looked is on record."""
    reader, people = reader_of(request), context_of(request).people
    with people.state.reading() as session:
        found = warnings_of(session, reader.scope.units, standing, offset=offset)
    note_look(
        request,
        "warning.read",
        {"warnings": [one.id for one in found], "standing": standing.value},
        [f"dossier:{one.dossier_id}" for one in found],
    )
    return answer(found)


@router.post("/acknowledge", response_model=Done, responses=documented(400, 404, 422))
def acknowledge(request: Request, wish: AcknowledgementWish, key: Key) -> Response:
    """Acknowledge warnings, at most 25 at once; those answered before stay as they are."""
    return answer(Done(write_acknowledgement(request, wish.warnings, wish.note, key, "/warnings")))


@router.post("/undo", response_model=Done, responses=documented(400, 422))
def undo(request: Request, key: Key) -> Response:
    """Take the reader's last acknowledgement back, within an hour."""
    return answer(Done(undo_acknowledgement(request, key, "/warnings")))


@router.get("/effect", response_model=dict[str, float | None])
def effect(request: Request) -> Response:
    """What warnings changed (`models.effect.Effect`): null figures where an arm holds fewer than 10 dossiers."""
    return answer(effect_now(request))


@router.get("/rules", response_model=dict[str, Any])
def rules(request: Request) -> Response:
    """The rules in force, the threshold that they give, and every change with its reason, the latest first."""
    wish, found = rules_now(request)
    sets = [{"set_at": one.set_at, "because": one.because, "hours": one.hours} for one in found]
    held = wish.model_dump(exclude={"because"})
    return answer({"rules": held, "threshold": wish.policy().costs.threshold, "sets": sets})


@router.post("/rules", response_model=Done, responses=documented(400, 422))
def set_rules(request: Request, wish: RulesBody, key: Key) -> Response:
    """Put rules in force from now on; what has fired stays as it was."""
    return answer(Done(write_rules(request, wish, key, "/warnings/rules")))

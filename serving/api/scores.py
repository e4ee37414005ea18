"""`POST /api/v1/score`: score and reasons of a posted dossier history, which need not be in the record."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.concurrency import run_in_threadpool

from features.matrix.online import Misfit
from serving.api.answer import answer
from serving.api.posted import PostedHistory
from serving.read.problem import Problem, documented
from serving.scoring.online import Ended, Scored, Unready
from serving.use_cases.app_context import serving
from serving.use_cases.served_state import Serving

router = APIRouter(tags=["score"])

SHORT = 200
"""Events up to which a score takes so little that it needs no thread of its own."""


@router.post("/score", response_model=Scored, responses=documented(400, 409, 413, 422, 503))
async def score(posted: PostedHistory, state: Annotated[Serving, Depends(serving)]) -> Response:
    """The risk that this dossier misses its lawful promise, as of `as_of`, with reasons.

    The same matrix cells and model as the list's. Queues and past rates are those of the record at the start
    of the local day of `as_of`; events known at `as_of` or later play no part.
    """
    zone = state.settings.zone
    dossier, events = posted.facts(zone)
    as_of = posted.as_of or state.now()
    as_of = as_of.replace(tzinfo=zone) if as_of.tzinfo is None else as_of
    if (dossier["known_at"] or dossier["received_at"]) >= as_of:
        raise Problem(422, "The dossier was not known at as_of: nothing can be said of it then.")
    try:
        if len(events) <= SHORT and state.desk.ready(as_of):
            return answer(state.desk.score(dossier, events, as_of))
        return answer(await run_in_threadpool(state.desk.score, dossier, events, as_of))
    except Ended:
        raise Problem(409, "The dossier has ended by then: there is nothing left to be late.") from None
    except Misfit as error:
        raise Problem(422, str(error)) from None
    except Unready as error:
        raise Problem(503, str(error), {"Retry-After": str(error.seconds)}) from None

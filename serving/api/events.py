"""`POST /api/v1/events`: news of dossiers goes into the record, and the dossiers' fresh scores come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from deltalake.exceptions import DeltaError
from fastapi import APIRouter, Depends, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from features.record.delivery import Chunk
from serving.api.answer import answer
from serving.api.posted import Id, PostedDossier, PostedEvent, aware
from serving.api.strict import StrictBody
from serving.read.problem import Problem, documented
from serving.scoring.online import Ended, OnlineScorer, Scored, Unready
from serving.use_cases.app_context import serving
from serving.use_cases.served_state import Serving

router = APIRouter(tags=["events"])

MOST_ROWS = 1_000
MOST_SCORES = 20


class NewsEvent(PostedEvent):
    """One event, with the dossier it happened to. `event_id` makes a second sending of it harmless."""

    dossier_id: Id
    event_id: Annotated[str | None, Field(max_length=200)] = None


class EventBatch(StrictBody):
    """New dossiers and events. What does not say since when it is known is known from now on."""

    dossiers: list[PostedDossier] = Field(default=[], max_length=MOST_ROWS)
    events: list[NewsEvent] = Field(default=[], max_length=MOST_ROWS)


@dataclass(frozen=True)
class NewsAnswer:
    """What became of the rows (read = appended + known + rejected), and fresh scores.

    scores: of the first `MOST_SCORES` dossiers named, those that are open; the others come with the next
    list.
    """

    read: int
    appended: int
    known: int
    rejected: int
    delivery_id: str
    scores: list[Scored]


@router.post("/events", response_model=NewsAnswer, responses=documented(400, 413, 422, 503))
async def take_news(news: EventBatch, state: Annotated[Serving, Depends(serving)]) -> Response:
    """Appends the rows to the record in one delivery, whole or not at all, and scores what they concern anew."""
    if not news.dossiers and not news.events:
        raise Problem(422, "Wanted at least one dossier or event.")
    return answer(await run_in_threadpool(_take, news, state))


def _take(news: EventBatch, state: Serving) -> NewsAnswer:
    zone, now = state.settings.zone, state.now()
    dossiers = [
        aware({name: getattr(one, name) for name in PostedDossier.model_fields} | one.attributes(), zone)
        for one in news.dossiers
    ]
    events = [aware({name: getattr(one, name) for name in NewsEvent.model_fields}, zone) for one in news.events]
    chunks = [Chunk(name, rows) for name, rows in (("dossier", dossiers), ("event", events)) if rows]
    try:
        receipt = state.record.append(chunks, source="api", arrived_at=now, live=True, tidy=False)
    except (OSError, DeltaError) as error:
        raise Problem(503, "The record can't be written just now.", {"Retry-After": "10"}) from error
    accepted = [[row | {"known_at": row["known_at"] or now} for row in rows] for rows in (dossiers, events)]
    if receipt.appended != receipt.read or not state.desk.remember(receipt.version, *accepted):
        state.desk.refresh(now)  # rows that were there before or refused, or news of others: the record alone knows
    named = list(dict.fromkeys(row["dossier_id"] for row in (*dossiers, *events)))[:MOST_SCORES]
    scores = list(_scores(state.desk, named, now + timedelta(microseconds=1)))  # just after: the news is known
    return NewsAnswer(receipt.read, receipt.appended, receipt.duplicates, receipt.rejected, receipt.delivery_id, scores)


def _scores(desk: OnlineScorer, named: list[str], as_of: datetime) -> Iterator[Scored]:
    for dossier_id in named:
        dossier, events = desk.history(dossier_id)
        if dossier is None:
            continue
        try:
            yield desk.score(dossier, events, as_of)
        except (Ended, Unready):
            continue

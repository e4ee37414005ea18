"""One act of one person: effect, receipt and the form's key in one transaction, once, however often it is sent."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy import update
from sqlalchemy.orm import Session

from serving.read.problem import refused_as_problem
from serving.state import Submission
from serving.state.engine import insert_once
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of

_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}")


def idempotent_write(
    request: Request,
    key: str,
    action: str,
    outcome: str,
    effect: Callable[[Session], Mapping[str, Any]],
    subjects: Iterable[str] = (),
) -> str:
    """Does `effect` for the reader and writes the receipt of `action` with the detail that it gives; where it led.

    key: of the form or request; a key that was used before has no second effect, and what the first led to is
    returned. outcome: where this act leads. Problem 422 for what `effect` refuses (ValueError), with nothing written.
    """
    people, reader = context_of(request).people, reader_of(request)
    now = people.now()
    with refused_as_problem(), people.state.writing() as session:
        earlier = _claim(session, key, reader.account_id, now)
        if earlier is not None:
            return earlier
        link = people.receipts.append(session, reader.login, action, effect(session), now=now, subjects=subjects)
        session.execute(update(Submission).where(Submission.key == key).values(outcome=outcome))
    people.receipts.anchor(link)
    return outcome


def _claim(session: Session, key: str, account_id: int, now: datetime) -> str | None:
    """None when this is the first sending of the form; otherwise where the first one led.

    Called first in the transaction of the effect: a second sending waits for the first one's commit here.
    """
    if not _KEY.fullmatch(key):
        raise ValueError("the form carries no key: open the page again")
    if insert_once(session, Submission, key=key, account_id=account_id, sent_at=now, outcome=""):
        return None
    sent = session.get_one(Submission, key)
    if sent.account_id != account_id:
        raise ValueError("the form's key was used by another account: open the page again")
    return sent.outcome

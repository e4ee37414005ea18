"""Forms that are sent twice: a double click, a reload, a retry after a lost answer have one effect."""

import re
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from serving.state import Submission
from serving.state.insert_once import insert_once

_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}")


def claim(session: Session, key: str, account_id: int, *, now: datetime) -> str | None:
    """None when this is the first sending of the form; otherwise where the first one led.

    Call it first in the transaction of the effect: a second sending waits for the first one's commit here.
    Raises ValueError for a key that no page of ours gave out, or that another account has used.
    """
    if not _KEY.fullmatch(key):
        raise ValueError("the form carries no key: open the page again")
    if insert_once(session, Submission, key=key, account_id=account_id, sent_at=now, outcome=""):
        return None
    sent = session.get_one(Submission, key)
    if sent.account_id != account_id:
        raise ValueError("the form's key was used by another account: open the page again")
    return sent.outcome


def settle(session: Session, key: str, outcome: str) -> str:
    """Note where the claimed form led, in the transaction of its effect; returns `outcome`."""
    session.execute(update(Submission).where(Submission.key == key).values(outcome=outcome))
    return outcome

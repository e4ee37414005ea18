"""One act of one person: effect, receipt and the form's key in one transaction.

Once, however often it is sent.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from serving.use_cases.guard import Reader
from serving.work.people import People
from serving.work.submission import claim, settle


def idempotent_write(
    people: People,
    reader: Reader,
    key: str,
    action: str,
    outcome: str,
    effect: Callable[[Session], Mapping[str, Any]],
    subjects: Iterable[str] = (),
) -> str:
    """Does `effect` and writes the receipt of `action` with the detail that it gives; returns where it led.

    key: of the form or request; a key that was used before has no second effect, and what the first led to is
    returned. outcome: where this act leads. Raises what `effect` raises (ValueError for what the state
    refuses), with nothing written.
    """
    now = people.now()
    with people.state.writing() as session:
        earlier = claim(session, key, reader.account_id, now=now)
        if earlier is not None:
            return earlier
        link = people.receipts.append(session, reader.login, action, effect(session), now=now, subjects=subjects)
        settle(session, key, outcome)
    people.receipts.anchor(link)
    return outcome

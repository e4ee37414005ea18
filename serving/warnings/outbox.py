"""The outbox: messages are put in with the rows they are about, in one transaction, and sent by whoever claims them.

Exactly one effect: `key` names the message, to whom and where, so the same message is put in once; a claim is a
lease, so two senders never hold one message; and the key goes with the message, so that a receiver can drop the
repetition that follows a crash between sending and noting (no sender can rule that one out).
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from serving.state import OutboxMessage
from serving.state.insert_once import insert_once
from serving.warnings.channels import CHANNELS
from serving.warnings.rules import WarningRules
from serving.warnings.words import Text

LEASE = timedelta(minutes=5)
"""Longer than any channel's time limit."""
MOST_ATTEMPTS = 12


def put(
    session: Session, rules: WarningRules, about: str, kind: str, to_unit: str, text: Text, *, now: datetime,
    not_before: datetime, to_inspectors: bool = False,
) -> int:  # fmt: skip
    """Put a message in for every address of a unit's head, or of those who inspect it; gives how many were new.

    about: what the message is about.
    """
    added = 0
    for channel, address in rules.reaches(to_unit, to_inspectors):
        key = hashlib.sha256("\0".join((kind, about, to_unit, channel, address)).encode()).hexdigest()
        added += insert_once(
            session, OutboxMessage, key=key, kind=kind, channel=channel, to_unit=to_unit,
            address=alias(address) if CHANNELS[channel].secret else address, subject=text.subject, body=text.body,
            created_at=now, not_before=not_before, attempts=0, trouble="",
        )  # fmt: skip
    return added


def alias(address: str) -> str:
    """What stands in the outbox for an address that holds a secret."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def claim(session: Session, *, now: datetime, without: Collection[str] = ()) -> OutboxMessage | None:
    """The next message that is due and nobody else's, leased to the caller; None when there is none.

    without: addresses that are to be left alone.
    """
    free = or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= now)
    waiting = and_(OutboxMessage.sent_at.is_(None), OutboxMessage.dead_at.is_(None), free)
    # a message that outlived all attempts took its senders down with it
    session.execute(
        update(OutboxMessage)
        .where(waiting, OutboxMessage.attempts >= MOST_ATTEMPTS)
        .values(dead_at=now, trouble="every attempt was cut short")
    )
    message = session.scalar(
        select(OutboxMessage)
        .where(waiting, OutboxMessage.not_before <= now, OutboxMessage.address.not_in(without))
        .order_by(OutboxMessage.not_before, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if message is not None:
        message.leased_until = now + LEASE
        message.attempts += 1
        session.flush()
    return message


def note_sent(session: Session, message_id: int, *, now: datetime) -> None:
    """The message was handed over."""
    session.execute(
        update(OutboxMessage).where(OutboxMessage.id == message_id).values(sent_at=now, leased_until=None, trouble="")
    )


def note_failed(session: Session, message: OutboxMessage, trouble: str, *, now: datetime) -> None:
    """The message could not be handed over: later again, at doubling distances, until it is given up on."""
    later = now + timedelta(minutes=min(2**message.attempts, 8 * 60))
    values: dict[str, Any] = {"leased_until": None, "not_before": later, "trouble": trouble[:200]}
    if message.attempts >= MOST_ATTEMPTS:
        values["dead_at"] = now
    session.execute(
        update(OutboxMessage).where(OutboxMessage.id == message.id, OutboxMessage.sent_at.is_(None)).values(**values)
    )


def dead(session: Session, most: int = 50) -> Iterable[OutboxMessage]:
    """The messages that were given up on, latest first."""
    query = select(OutboxMessage).where(OutboxMessage.dead_at.is_not(None)).order_by(OutboxMessage.id.desc())
    return list(session.scalars(query.limit(most)))

"""The outbox: messages are put in with the rows they are about, in one transaction, and sent by whoever claims them.

Exactly one effect: `key` names the message, to whom and where, so the same message is put in once; a claim is a
lease, so two senders never hold one message; and the key goes with the message, so that a receiver can drop the
repetition that follows a crash between sending and noting (no sender can rule that one out).
"""

import hashlib
import logging
from collections.abc import Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from serving.state import OutboxMessage, State
from serving.state.engine import insert_once
from serving.warnings.channels import CHANNELS, Channels, Undelivered
from serving.warnings.quiet import Quiet
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


log = logging.getLogger(__name__)

MOST_AT_ONCE = 64
"""Messages on their way at once."""


@dataclass(frozen=True)
class Sent:
    """How many messages were handed over, and how many attempts failed and will be made again."""

    sent: int = 0
    failed: int = 0


def send(state: State, channels: Channels, quiet: Quiet, *, now: datetime) -> Sent:
    """Sends everything that is due; nothing in quiet hours. A message of a channel that is not set up waits.

    Each address has at most one message on its way, beside those of others: a slow receiver delays nobody else. One
    that took none is left alone until the next turn.
    """
    sent = failed = 0
    resting: set[str] = set()
    with ThreadPoolExecutor(MOST_AT_ONCE, "outbox") as pool:
        under_way: dict[Future[str | None], OutboxMessage] = {}
        while quiet.open(now):
            message = None
            if len(under_way) < MOST_AT_ONCE:
                with state.writing() as session:
                    busy = resting | {one.address for one in under_way.values()}
                    message = claim(session, now=now, without=busy)
            if message is not None:
                under_way[pool.submit(_hand_over, channels, message)] = message
                continue
            if not under_way:
                break
            for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                message = under_way.pop(done)
                trouble = done.result()
                with state.writing() as session:
                    if trouble is None:
                        note_sent(session, message.id, now=now)
                        sent += 1
                    else:
                        note_failed(session, message, trouble, now=now)
                        failed += 1
                        resting.add(message.address)
                        log.warning("message %s by %s was not handed over: %s", message.id, message.channel, trouble)
    return Sent(sent, failed)


def _hand_over(channels: Channels, message: OutboxMessage) -> str | None:
    channel = channels.get(message.channel)
    if channel is None:
        return "this channel is not set up here"
    try:
        channel(message)
    except Undelivered as error:
        return str(error)
    except Exception as error:  # one message that no channel foresaw must not hold up the others
        log.error("message %s by %s", message.id, message.channel, exc_info=error)
        return f"{message.channel}: {type(error).__name__}"
    return None

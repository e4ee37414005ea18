"""Sends what the outbox holds: to one address one message after the other, each under a lease of its own."""

import logging
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from serving.state import OutboxMessage, State
from serving.warnings import outbox
from serving.warnings.channels import Channels, Undelivered
from serving.warnings.quiet import Quiet

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
                    message = outbox.claim(session, now=now, without=busy)
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
                        outbox.note_sent(session, message.id, now=now)
                        sent += 1
                    else:
                        outbox.note_failed(session, message, trouble, now=now)
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

"""Ways to a head's desk. Each hands one message over with its key, or raises `Undelivered`."""

from collections.abc import Callable, Mapping

from serving.state import OutboxMessage


class Undelivered(Exception):
    """A message could not be handed over; says why without addresses and contents."""


Channel = Callable[[OutboxMessage], None]
Channels = Mapping[str, Channel]
"""channel name → what hands a message over."""

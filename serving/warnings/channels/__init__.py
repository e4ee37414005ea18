"""Ways to a head's desk. Each hands one message over with its key, or raises `Undelivered`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from serving.state import OutboxMessage


class Undelivered(Exception):
    """A message could not be handed over; says why without addresses and contents."""


Channel = Callable[[OutboxMessage], None]
Channels = Mapping[str, Channel]
"""channel name → what hands a message over."""


@dataclass(frozen=True)
class ChannelKind:
    """A way that the rules may name.

    module: its `open_channel(settings, rules, now)` gives the `Channel`, None where it is not set up. needs: the
    section of the rules without which nobody is told this way. secret: its addresses hold secrets, so the outbox knows
    them by an alias alone and the file of rules must be closed to others.
    """

    module: str
    needs: str = ""
    secret: bool = False


CHANNELS: Mapping[str, ChannelKind] = {
    "mail": ChannelKind("serving.warnings.channels.mail", needs="mail"),
    "webhook": ChannelKind("serving.warnings.channels.webhook"),
    "chat": ChannelKind("serving.warnings.channels.chat", secret=True),
}
"""By the name that addresses stand under in the rules; another is a module and a line here."""


def opened(*set_up_by: object) -> Channels:
    """The channels that are set up, by name. `set_up_by`: settings, rules, now (see `ChannelKind`)."""
    found = {name: import_module(kind.module).open_channel(*set_up_by) for name, kind in CHANNELS.items()}
    return {name: channel for name, channel in found.items() if channel is not None}

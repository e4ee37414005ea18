"""Chat through Apprise: Mattermost, Telegram, Zalo gateways and whatever else it knows, by URL."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from serving.settings import Settings
from serving.state import OutboxMessage
from serving.warnings.channels import Undelivered
from serving.warnings.outbox import alias
from serving.warnings.rules import WarningRules


@dataclass(frozen=True)
class Chat:
    """Sends to the Apprise URLs of the rules; the outbox knows them by their aliases alone."""

    urls: Iterable[str]

    def __call__(self, message: OutboxMessage) -> None:
        """Sends one message; its number stands in it, for chats drop no repetitions."""
        import apprise  # slow to import, wanted only where chat is

        url = next((one for one in self.urls if alias(one) == message.address), None)
        if url is None:
            raise Undelivered("chat: the address is no longer in the rules")
        sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, storage_mode="memory"))
        if not sender.add(url):
            raise Undelivered("chat: not an address that Apprise knows")
        if not sender.notify(title=message.subject, body=f"{message.body}\n[{message.key[:12]}]"):
            raise Undelivered("chat: the service did not take it")


def open_channel(settings: Settings, rules: WarningRules, now: datetime) -> Chat:
    """The channel to every chat that the rules name."""
    return Chat([url for of in rules.addresses.values() for url in of.get("chat", ())])

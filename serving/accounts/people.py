"""What the app holds about the people who use it: their state, their receipts, the keys.

The identity provider.
"""

from collections.abc import Callable
from datetime import datetime

from features.key_file import key_file
from serving.accounts.oidc import Provider
from serving.accounts.token import Grants
from serving.receipt_witness import Witness
from serving.receipts import Receipts
from serving.remembered import Remembered
from serving.settings import Settings
from serving.state import open_state


class People:
    """One per server process.

    now: the clock. provider: the identity provider, None where none is configured. login_key: under which
    typed login names are kept. remembered: what is shown while the state is away. grants: of tokens.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.now = now
        self.state = open_state(settings.database_url)
        self.receipts = Receipts(self.state, Witness(settings.keys, settings.home / "receipts"))
        self.remembered = Remembered()
        self.grants = Grants(self.state)
        self.login_key = key_file(settings.keys / "logins.key")
        self.provider = Provider(settings.oidc) if settings.oidc else None

    def close(self) -> None:
        """Give back the connections."""
        self.state.close()

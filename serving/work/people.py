"""What the app holds about the people who use it: their state, their receipts, the keys. The identity provider."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from features.key_file import key_file
from serving.access.token import Grants
from serving.read.official_directory import OfficialDirectory
from serving.settings import Settings
from serving.state import open_state
from serving.work.chain_anchor import Witness
from serving.work.fallback_cache import FallbackCache
from serving.work.receipts import Receipts
from serving.work.witnessed_files import adopt

if TYPE_CHECKING:
    from serving.access.oidc import Provider


class People:
    """One per server process.

    now: the clock. provider: the identity provider, None where none is configured. login_key: under which
    typed login names are kept. remembered: what is shown while the state is away. directory: names of officials.
    grants: of tokens.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.now = now
        self._home = settings.home
        self.state = open_state(settings.database_url)
        self.receipts = Receipts(self.state, Witness(settings.keys, settings.home / "receipts"))
        self.remembered = FallbackCache()
        self.directory = OfficialDirectory()
        self.grants = Grants(self.state)
        self.login_key = key_file(settings.keys / "logins.key")
        self.provider: Provider | None = None
        if settings.oidc:  # its libraries cost a tenth of a start
            from serving.access import oidc

            self.provider = oidc.Provider(settings.oidc)

    def adopt(self, now: datetime) -> None:
        """Write receipts for the rows and files that are older than receipts of them, once."""
        self.receipts.adopt(now=now)
        adopt(self._home, self.receipts, now=now)

    def close(self) -> None:
        """Give back the connections."""
        self.state.close()

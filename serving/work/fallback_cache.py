"""What a process remembers of the working state, for the time when that is away: pages stay readable, nothing else.

Whoever was let in during the last hour may go on reading; the marks on the lists are those last seen, and the page
says of when they are. Every look is spooled by the receipts (`serving.work.receipts.Receipts.record`) and joins the
chain when the state is back. Writes answer 503.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from serving.access.permissions import Scope
from serving.access.secret import digest
from serving.access.session import LONGEST_IDLE, BrowserSession
from serving.state import State
from serving.work.contests import Upheld, all_frozen_scores, frozen_scores, upheld_rate
from serving.work.decisions import DecisionKind, all_latest_decisions, latest_decisions

AWAY = OperationalError
"""What SQLAlchemy raises when the database can't be reached, is locked for too long or broke off."""

_MARKS_EVERY = timedelta(seconds=30)
_MOST_STAYS = 5_000


class FallbackCache:
    """One per server process. at: when the working state was last read; None before the first time."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self._frozen: dict[str, float] = {}
        self._decided: dict[str, DecisionKind] = {}
        self._stays: OrderedDict[str, tuple[datetime, BrowserSession]] = OrderedDict()
        self._turn = threading.Lock()

    def note(self, token: str, stay: BrowserSession, now: datetime) -> None:
        """Remember who was let in with a session's token; the token itself is not stored."""
        with self._turn:
            self._stays[digest(token)] = now, stay
            self._stays.move_to_end(digest(token))
            if len(self._stays) > _MOST_STAYS:
                self._stays.popitem(last=False)

    def forget(self, token: str) -> None:
        """Remember a token no longer: its session was ended."""
        with self._turn:
            self._stays.pop(digest(token), None)

    def stay(self, token: str, now: datetime) -> BrowserSession | None:
        """Who was let in with this token within the last hour."""
        with self._turn:
            seen_at, stay = self._stays.get(digest(token), (None, None))
        return stay if seen_at is not None and now - seen_at <= LONGEST_IDLE else None

    def refresh(self, state: State, target: str, now: datetime) -> None:
        """Read the marks on the list of `target` again, at most twice a minute."""
        if self.at is not None and now - self.at < _MARKS_EVERY:
            return
        with state.reading() as session:
            frozen, decided = all_frozen_scores(session, target), all_latest_decisions(session, target)
        self._frozen, self._decided, self.at = frozen, decided, now

    @staticmethod
    def upheld_rate(state: State, scope: Scope) -> Upheld:
        """How often contests in the scope were right; nothing answered yet where the state is away."""
        try:
            with state.reading() as session:
                return upheld_rate(session, scope)
        except AWAY:
            return Upheld(0, 0, 0)

    def marks(self, state: State, target: str, ids: Iterable[str]) -> tuple[dict[str, float], dict[str, DecisionKind]]:
        """Frozen scores and what those who inspect last decided of these dossiers: as they are, or as last seen."""
        wanted = list(ids)
        try:
            with state.reading() as session:
                return frozen_scores(session, target, wanted), latest_decisions(session, target, wanted)
        except AWAY:
            frozen = {key: self._frozen[key] for key in wanted if key in self._frozen}
            return frozen, {key: self._decided[key] for key in wanted if key in self._decided}

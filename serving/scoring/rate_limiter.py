"""How often what costs much may be done again: as often as there is news, but for no more than a tenth of the time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

SHARE = 0.1


class RateLimiter:
    """Says when the next turn is due: after one that took a second, nine seconds later.

    share: of the time that turns may take.
    """

    def __init__(self, share: float = SHARE) -> None:
        self._due = 0.0
        self._share = share

    def due(self) -> bool:
        """Whether enough time has passed since the last turn."""
        return time.monotonic() >= self._due

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Measures one turn, whether it succeeds or not."""
        begun = time.monotonic()
        try:
            yield
        finally:
            ended = time.monotonic()
            self._due = ended + (ended - begun) * (1 / self._share - 1)

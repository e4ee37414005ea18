"""The last good version of something that others replace on disk: a list, a model."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from models.artefact import ArtefactError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Reloadable(Generic[T]):
    """Holds the last good version; `refresh` looks for a new one and changes over in one step or not at all.

    Readers take `value` once and work with what they got: a swap in the middle never mixes two versions.
    """

    def __init__(self, name: str, sign: Callable[[], str], load: Callable[[], T]) -> None:
        """name: for messages. sign: a short text that changes when there is a new version. load: reads it
        whole.

        Both may raise OSError or ValueError; the old version then stays, and `trouble` says what is wrong.
        """
        self.name = name
        self.value: T | None = None
        self.trouble: str | None = None
        self._sign = sign
        self._load = load
        self._seen: str | None = None
        self._turn = threading.Lock()

    def refresh(self) -> bool:
        """Takes over a new version where there is one; True when it did. A version that failed is not tried
        again.
        """
        with self._turn:
            try:
                sign = self._sign()
            except (OSError, ValueError) as error:
                self._note(error)
                return False
            if sign == self._seen:
                return False
            try:
                value = self._load()
            except FileNotFoundError as error:
                self._note(error)  # may be on its way: looked for again
                return False
            except (OSError, ValueError, ArtefactError) as error:
                self._seen = sign
                self._note(error)
                return False
            self.value, self._seen, self.trouble = value, sign, None
            log.info("took over %s", self.name)
            return True

    def _note(self, error: Exception) -> None:
        trouble = str(error)
        if trouble != self.trouble:
            if self.value is None and isinstance(error, FileNotFoundError):
                log.info("%s: %s", self.name, trouble)  # nothing was made yet: no fault
            else:
                log.warning("%s: %s; the last good one stays", self.name, trouble)
        self.trouble = trouble

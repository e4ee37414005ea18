"""Loops compiled by numba and kept on disk, so that an installation compiles once and not each process (seconds)."""

from collections.abc import Callable
from typing import Any

import numba

Loop = Callable[..., None]


def compiled(function: Loop) -> Loop:
    """The loop, compiled at its first call; it runs beside other threads.

    The machine code is kept where numba keeps it (beside the source, or under NUMBA_CACHE_DIR or the user's own cache)
    and made anew when the source or the processor is another one. Where nothing can be written, now or later, or a
    file was left empty, each process compiles.
    """
    alone: Any = numba.njit(nogil=True)(function)
    try:
        kept: Any = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder that can be written
        return alone  # type: ignore[no-any-return]

    def run(*arrays: Any) -> None:
        try:
            kept(*arrays)
        except (OSError, EOFError):  # of the files of the cache, so before the loop began
            alone(*arrays)

    return run

"""Loops compiled by numba and kept on disk, so that an installation compiles once and not each process (seconds)."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    """The loop, compiled at its first call; it runs beside other threads.

    The machine code is kept where numba keeps it (beside the source, or under NUMBA_CACHE_DIR or the user's own cache)
    and made anew when the source or the processor is another one; where nothing can be written each process compiles.
    """
    try:
        made: Any = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder that can be written
        made = numba.njit(nogil=True)(function)
    return made  # type: ignore[no-any-return]

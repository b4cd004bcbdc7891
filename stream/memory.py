"""Memory of a process that holds millions of long-lived objects and folds large arrays now and then."""

from __future__ import annotations

import ctypes
import gc

YOUNG_OBJECTS = 200_000
"""A batch of requests allocates about this many; at Python's default the collector would run a hundred times in it."""
OLD_ROUNDS = 100
"""Full collections walk the whole state (seconds, with a million accounts), and the state has no cycles."""


def relax_collector() -> None:
    """Collect rarely, and leave what is already there alone."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, OLD_ROUNDS)


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Return what was freed to the system, where the C library does so when asked (glibc).

    It keeps the pieces that a tick's arrays leave between long-lived ones, some 600 bytes an account: about 5 ms.
    """
    if _trim is not None:
        _trim(0)

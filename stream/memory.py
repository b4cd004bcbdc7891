"""Garbage collection that suits a process which holds millions of long-lived objects."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 200_000
"""A batch of requests allocates about this many; at Python's default the collector would run a hundred times in it."""
OLD_ROUNDS = 100
"""Full collections walk the whole state (seconds, with a million accounts), and the state has no cycles."""


def relax_collector() -> None:
    """Collect rarely, and leave what is already there alone."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, OLD_ROUNDS)

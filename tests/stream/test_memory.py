"""Freed memory goes back to the system."""

import ctypes
import resource
from pathlib import Path

import numpy as np
import pytest

from stream.memory import give_back


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_what_lies_free_between_living_pieces_is_given_back() -> None:
    pieces = [np.ones(12_000) for _ in range(2_000)]  # 96 kB each: below the size that is mapped by itself
    living = pieces[::2]
    del pieces
    before = resident()
    give_back()
    assert resident() < before - 50_000_000
    assert sum(piece[0] for piece in living) == 1_000

"""Distinct counts that can be joined: HyperLogLog registers (Flajolet et al., AofA 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REGISTERS = 16
"""A standard error of 1.04 / √16, 26 %: enough for a logarithm."""
_ALPHA = 0.673
_MULTIPLIERS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


def register_and_rank(values: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Return which register each 64-bit value falls in, and its rank there, shape (B,) each."""
    mixed = values.astype(np.uint64)
    for multiplier in _MULTIPLIERS:
        mixed = (mixed ^ (mixed >> np.uint64(33))) * multiplier
    mixed ^= mixed >> np.uint64(33)
    rest = (mixed << np.uint64(4)) | np.uint64(1 << 3)
    rank = (64 - np.floor(np.log2(rest.astype(np.float64)))).clip(1, 60).astype(np.uint8)
    return (mixed >> np.uint64(60)).astype(np.intp), rank


def distinct(registers: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return about how many different values went into each row of registers (B, 16), shape (B,)."""
    raw = _ALPHA * REGISTERS**2 / np.exp2(-registers.astype(np.float64)).sum(1)
    empty = (registers == 0).sum(1)
    small = (raw <= 2.5 * REGISTERS) & (empty > 0)
    return np.where(small, REGISTERS * np.log(REGISTERS / np.maximum(empty, 1)), raw)

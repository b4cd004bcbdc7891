"""XXH64 of a part of a byte buffer, compiled: the same numbers as `detectors.hashing.digest` gives for strings.

The algorithm is Yann Collet's; see the specification in the xxHash repository, doc/xxhash_spec.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined

_ONE, _TWO = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_THREE, _FOUR, _FIVE = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)
_WORD32 = np.uint64(0xFFFF_FFFF)
PADDING = 8
"""Bytes that a buffer must have after the last one that is looked at."""


def _load(typing_context, buffer, place):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(buffer, types.int64), generate


load: Any = intrinsic(_load)
"""load(buffer, place): the eight bytes from there on as a number, the first the lowest; for compiled code only."""


@inlined
def _rotated(number: np.uint64, bits: int) -> np.uint64:
    return (number << np.uint64(bits)) | (number >> np.uint64(64 - bits))


@inlined
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _rotated(lane + word * _TWO, 31) * _ONE


@inlined
def _merged(number: np.uint64, lane: np.uint64) -> np.uint64:
    return (number ^ _round(np.uint64(0), lane)) * _ONE + _FOUR


@compiled("uint64(Array(uint8, 1, 'C', readonly=True), int64, int64)")
def xxh64(buffer: NDArray, start: int, end: int) -> np.uint64:
    """Return the XXH64, seed 0, of the bytes from `start` to before `end`; see `PADDING`."""
    place = start
    if end - start >= 32:
        one, two, three, four = _ONE + _TWO, _TWO, np.uint64(0), np.uint64(0) - _ONE
        while place + 32 <= end:
            one, two = _round(one, load(buffer, place)), _round(two, load(buffer, place + 8))
            three, four = _round(three, load(buffer, place + 16)), _round(four, load(buffer, place + 24))
            place += 32
        number = _rotated(one, 1) + _rotated(two, 7) + _rotated(three, 12) + _rotated(four, 18)
        number = _merged(_merged(_merged(_merged(number, one), two), three), four)
    else:
        number = _FIVE
    number += np.uint64(end - start)
    while place + 8 <= end:
        number = _rotated(number ^ _round(np.uint64(0), load(buffer, place)), 27) * _ONE + _FOUR
        place += 8
    if place + 4 <= end:
        number = _rotated(number ^ ((load(buffer, place) & _WORD32) * _ONE), 23) * _TWO + _THREE
        place += 4
    while place < end:
        number = _rotated(number ^ (np.uint64(buffer[place]) * _FIVE), 11) * _ONE
        place += 1
    number = (number ^ (number >> np.uint64(33))) * _TWO
    number = (number ^ (number >> np.uint64(29))) * _THREE
    return number ^ (number >> np.uint64(32))

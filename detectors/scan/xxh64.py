"""XXH64 of a part of a byte buffer, compiled: the same numbers as `detectors.hashing.digest` gives for strings.

The algorithm is Yann Collet's; see the specification in the xxHash repository, doc/xxhash_spec.md.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_ONE, _TWO = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_THREE, _FOUR, _FIVE = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)
_WORD32 = np.uint64(0xFFFF_FFFF)
BYTES = types.Array(types.uint8, 1, "C", readonly=True)
"""The type of a buffer."""
PADDING = 8
"""Bytes that a buffer must have after the last one that is looked at."""


@intrinsic
def load(typing_context, buffer, place):  # type: ignore[no-untyped-def] # numba reads the arguments' types itself
    """Return the eight bytes from `place` on as a number, the first the lowest."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(buffer, types.int64), generate


@njit(inline="always")
def _rotated(number, bits):  # type: ignore[no-untyped-def]
    return (number << np.uint64(bits)) | (number >> np.uint64(64 - bits))


@njit(inline="always")
def _round(lane, word):  # type: ignore[no-untyped-def]
    return _rotated(lane + word * _TWO, 31) * _ONE


@njit(inline="always")
def _merged(number, lane):  # type: ignore[no-untyped-def]
    return (number ^ _round(np.uint64(0), lane)) * _ONE + _FOUR


@njit(types.uint64(BYTES, types.int64, types.int64), nogil=True, cache=True)
def xxh64(buffer, start, end):  # type: ignore[no-untyped-def]
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

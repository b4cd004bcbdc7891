"""64-bit hashes that are the same in every process, unlike `hash`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh64_digest, xxh64_intdigest

_HEXADECIMAL = re.compile("[0-9a-fA-F]*")


def digest(value: str) -> int:
    """Return the XXH64 of a string's UTF-8 bytes.

    >>> digest("hydra")
    11080845389862602191
    """
    return xxh64_intdigest(value.encode())


def digests(values: Sequence[str]) -> NDArray[np.uint64]:
    """Return the `digest` of each string, shape (len(values),).

    >>> digests(["hydra"]).tolist() == [digest("hydra")]
    True
    """
    return np.frombuffer(b"".join(map(xxh64_digest, map(str.encode, values))), ">u8").astype(np.uint64)


def bit(value: str) -> int:
    """Return one of 64 bits by the value's hash."""
    return 1 << (digest(value) >> 58)


def hexadecimals(values: Sequence[str | None]) -> NDArray[np.uint64]:
    """Return the numbers that hexadecimal digits stand for, 0 for anything else, shape (len(values),)."""
    known = list(filter(None, values))
    filled = known if len(known) == len(values) else [value or "0000000000000000" for value in values]
    digits = "".join(filled)
    if set(map(len, known)) <= {16} and _HEXADECIMAL.fullmatch(digits):
        return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)
    return np.array([_hexadecimal(value) for value in values], np.uint64)


def _hexadecimal(value: str | None) -> int:
    if not value:
        return 0
    try:
        return int(value, 16) & 0xFFFF_FFFF_FFFF_FFFF
    except ValueError:
        return 0


def network(address: str) -> str:
    """Return the /24 of an IPv4 address or the /48 of an IPv6 one; anything else stands for itself.

    >>> network("192.0.2.17"), network("2001:db8:7:1::9"), network("2001:db8::1")
    ('192.0.2', '2001:db8:7', '2001:db8:0')
    """
    if ":" not in address:
        return address.rpartition(".")[0] or address
    head, compressed, _ = address.lower().partition("::")
    groups = head.split(":") if head else []
    if compressed:
        groups += ["0"] * (3 - len(groups))
    return ":".join(group.lstrip("0") or "0" for group in groups[:3])

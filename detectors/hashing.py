"""64-bit hashes that are the same in every process, unlike `hash`."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest


def digest(value: str) -> int:
    """Return the XXH3-64 of a string's UTF-8 bytes.

    >>> digest("hydra")
    4585773104027416731
    """
    return xxh3_64_intdigest(value.encode())

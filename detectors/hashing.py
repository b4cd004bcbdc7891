"""64-bit hashes that are the same in every process, unlike `hash`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_digest, xxh3_64_intdigest


def digest(value: str) -> int:
    """Return the XXH3-64 of a string's UTF-8 bytes.

    >>> digest("hydra")
    4585773104027416731
    """
    return xxh3_64_intdigest(value.encode())


def digests(values: Sequence[str]) -> NDArray[np.uint64]:
    """Return the `digest` of each string, shape (len(values),).

    >>> digests(["hydra"]).tolist() == [digest("hydra")]
    True
    """
    return np.frombuffer(b"".join(map(xxh3_64_digest, map(str.encode, values))), ">u8").astype(np.uint64)

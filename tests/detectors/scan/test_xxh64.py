"""The compiled hash is that of the package."""

import numpy as np
import pytest
from xxhash import xxh64_intdigest

from detectors.scan.xxh64 import PADDING, xxh64


@pytest.mark.parametrize("start", range(9))
def test_every_length_at_every_place(start: int) -> None:
    data = np.random.default_rng(start).bytes(320)
    buffer = np.frombuffer(data + bytes(PADDING), np.uint8)
    for length in range(300):
        assert xxh64(buffer, start, start + length) == xxh64_intdigest(data[start : start + length]), length


def test_what_follows_does_not_count() -> None:
    one, other = (np.frombuffer(b"hydra" + rest, np.uint8) for rest in (b"\x00" * PADDING, b"\xff" * PADDING))
    assert xxh64(one, 0, 5) == xxh64(other, 0, 5)

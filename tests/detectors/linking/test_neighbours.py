"""SimHashes that are near each other, against looking at all pairs."""

import numpy as np
import pytest

from detectors.linking import neighbours as module
from detectors.linking.neighbours import BANDS, Neighbours

DISTANCE = 6


def near(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return SimHashes, many of them a few bits from one another."""
    centres = rng.integers(1, 2**64, 20, np.uint64)
    chosen = centres[rng.integers(0, len(centres), count)]
    for _ in range(5):
        chosen ^= np.uint64(1) << rng.integers(0, 64, count, np.uint64)
    return chosen


def all_pairs(known: np.ndarray, new: np.ndarray) -> set[tuple[int, int]]:
    everything, found = np.concatenate([known, new]), set()
    for number, simhash in enumerate(new):
        for place in range(len(known) + number):
            other = everything[place]
            band = any(
                (simhash >> shift) & np.uint64(0xFFFF) == (other >> shift) & np.uint64(0xFFFF) for shift in BANDS
            )
            if band and int(simhash ^ other).bit_count() <= DISTANCE:
                found.add((number, place))
    return found


@pytest.mark.parametrize(("tail", "pairs"), [(4_096, 1_000_000), (30, 1_000_000), (30, 7)])
def test_they_are_found_as_by_looking_at_all_pairs(monkeypatch: pytest.MonkeyPatch, tail: int, pairs: int) -> None:
    monkeypatch.setattr(module, "TAIL", tail)
    monkeypatch.setattr(module, "PAIRS", pairs)
    rng, found, known = np.random.default_rng(2), Neighbours(DISTANCE), np.zeros(0, np.uint64)
    for count in (0, 50, 1, 40, 60):
        new = near(rng, count)
        number, place = found.of(new)
        assert set(zip(number.tolist(), place.tolist(), strict=True)) == all_pairs(known, new)
        assert (np.diff(number * 10_000 + place) > 0).all()
        found.add(new)
        known = np.concatenate([known, new])
    assert len(found) == len(known)
    assert found[7] == int(known[7])


@pytest.mark.parametrize("tail", [4_096, 30])
def test_a_crowd_in_one_band_is_compared_with_its_earliest_alone(monkeypatch: pytest.MonkeyPatch, tail: int) -> None:
    monkeypatch.setattr(module, "TAIL", tail)
    monkeypatch.setattr(module, "CROWD", 50)
    rng, found = np.random.default_rng(3), Neighbours(DISTANCE)
    crowd = rng.integers(0, 2**48, 120, np.uint64) | np.uint64(0xABCD << 48)
    for part in np.split(crowd[:100], [40, 45]):
        found.add(part)
    beyond_the_crowded_band = np.uint64(1 | 1 << 16 | 1 << 32)
    number, place = found.of(np.append(crowd[[10, 60]] ^ beyond_the_crowded_band, crowd[99]))
    assert list(zip(number.tolist(), place.tolist(), strict=True)) == [(0, 10), (2, 99)]

"""Loops over the requests of a tick against the plain way of saying the same."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from detectors import tallies
from detectors.compiled import by_row
from detectors.partials import CAPABILITIES, FAMILIES

ACCOUNTS, REQUESTS = 7, 400


@pytest.fixture(params=range(3))
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


@pytest.fixture
def grouped(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order, _, start = by_row(rng.integers(0, ACCOUNTS, REQUESTS), ACCOUNTS)
    return order, start


def groups(grouped: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    return np.split(grouped[0], grouped[1][1:-1])


def test_sums_by_group(rng: np.random.Generator, grouped: tuple[np.ndarray, np.ndarray]) -> None:
    counts = rng.integers(0, 1_000_000, (REQUESTS, 3)).astype(np.float32)
    masks = rng.integers(0, 1 << len(CAPABILITIES), REQUESTS).astype(np.uint16)
    slots = rng.integers(0, 1 << 63, (REQUESTS, 2)).astype(np.uint64)
    sums, wanted, joined = tallies.tally(*grouped, counts, masks, slots)
    bits = (masks[:, None] >> np.arange(len(CAPABILITIES))) & 1
    for group, mine in enumerate(groups(grouped)):
        assert sums[group].tolist() == counts[mine].sum(0, dtype=np.float64).astype(np.float32).tolist()
        assert wanted[group].tolist() == bits[mine].sum(0).tolist()
        assert joined[group].tolist() == np.bitwise_or.reduce(slots[mine]).tolist()
    assert np.array_equal(tallies.capabilities_of(*grouped, masks), wanted)


def test_extremes_of_groups(rng: np.random.Generator, grouped: tuple[np.ndarray, np.ndarray]) -> None:
    times = rng.integers(0, 1_000, REQUESTS)
    kinds = rng.integers(0, 2, (REQUESTS, 4)).astype(np.float32)
    maps = rng.integers(0, 1 << 63, (REQUESTS, 3)).astype(np.uint64)
    first, last, sums, union = tallies.extremes(*grouped, times, kinds, maps)
    for group, mine in enumerate(groups(grouped)):
        assert (first[group], last[group]) == (times[mine].min(), times[mine].max())
        assert sums[group].tolist() == kinds[mine].sum(0).tolist()
        assert union[group].tolist() == np.bitwise_or.reduce(maps[mine]).tolist()


def test_groups_in_another_order(grouped: tuple[np.ndarray, np.ndarray]) -> None:
    chosen = np.array([5, 0, 3])
    order, start = tallies.rearranged(*grouped, chosen)
    parts = groups(grouped)
    assert [part.tolist() for part in np.split(order, start[1:-1])] == [parts[group].tolist() for group in chosen]
    assert start[-1] == len(order)


def test_uses_and_their_contents(rng: np.random.Generator, grouped: tuple[np.ndarray, np.ndarray]) -> None:
    values = rng.integers(0, 5, (REQUESTS, len(FAMILIES))).astype(np.uint64)
    contents = rng.integers(0, 40, REQUESTS).astype(np.uint64)
    expected = defaultdict(list)
    for group, mine in enumerate(groups(grouped)):
        for one in mine.tolist():
            for family in np.flatnonzero(values[one]).tolist():
                expected[group * len(FAMILIES) + family, int(values[one, family])].append(one)
    requests, start, owner = tallies.uses_of(*grouped, values)
    value = values[requests[start[:-1]], owner % len(FAMILIES)]
    assert list(zip(owner.tolist(), value.tolist(), strict=True)) == sorted(expected)
    parts = np.split(requests, start[1:-1])
    assert [part.tolist() for part in parts] == [expected[key] for key in sorted(expected)]

    wanted, most = owner % len(FAMILIES) == 0, 20
    listed, per_use = tallies.contents_of(requests, start, wanted, owner // len(FAMILIES), contents, most)
    plain, left = [], Counter(dict.fromkeys(range(ACCOUNTS), most))
    for part, use, here in zip(parts, owner.tolist(), wanted.tolist(), strict=True):
        greatest = {content >> 1: content for content in sorted(contents[part].tolist()) if content}
        mine = sorted(greatest.values())[: left[use // len(FAMILIES)]] if here else []
        left[use // len(FAMILIES)] -= len(mine)
        plain.append(mine)
    assert per_use.tolist() == list(map(len, plain))
    assert listed.tolist() == [content for mine in plain for content in mine]


def test_mixes(rng: np.random.Generator, grouped: tuple[np.ndarray, np.ndarray]) -> None:
    names, failed = rng.integers(-1, 6, (REQUESTS, 2)), rng.random(REQUESTS) < 0.3
    expected, failures = Counter(), Counter()
    for group, mine in enumerate(groups(grouped)):
        for one in mine.tolist():
            for kind in range(2):
                if names[one, kind] >= 0:
                    expected[group, kind, int(names[one, kind])] += 1
                    failures[group, kind, int(names[one, kind])] += bool(failed[one])
    *keys, requests, away = (column.tolist() for column in tallies.mixes_of(*grouped, names, failed, 6))
    assert list(zip(*keys, strict=True)) == sorted(expected)
    assert requests == [expected[key] for key in sorted(expected)]
    assert away == [failures[key] for key in sorted(expected)]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 127, 128, 129, 1_000, 12_345])
def test_numbers_are_added_as_numpy_adds_them(rng: np.random.Generator, count: int) -> None:
    values = rng.exponential(size=count + 3) ** 9
    assert tallies.pairwise_sum(values, 3, count) == np.add.reduce(values[3:])


def test_moments_of_gaps(rng: np.random.Generator, grouped: tuple[np.ndarray, np.ndarray]) -> None:
    order, start = grouped
    times, before = np.sort(rng.integers(1, 900_000, REQUESTS)), rng.integers(0, 2, ACCOUNTS)
    moments, last = tallies.gap_moments(order, start, times, before)
    for group, mine in enumerate(groups(grouped)):
        every = np.concatenate([[before[group]], times[mine]])
        gaps = np.diff(every)[every[:-1] > 0] / 1000
        assert moments[group] == pytest.approx([len(gaps), gaps.sum(), (gaps**2).sum()])
        assert last[group] == times[mine[-1]]

"""Loops over the requests of a tick, a group of them at a time: sums, uses of values, contents, mixes, gaps.

Groups are laid end to end: `order` (R,) are positions of requests, those of group g from `start[g]` to before
`start[g + 1]`. Sums are made in double precision and rounded once: exact up to 2^53, so that no order is better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, sort_by_key
from detectors.linking.handovers import FAILED_BIT
from detectors.partials import CAPABILITIES, FAMILIES

_CAPABILITIES, _FAMILIES = len(CAPABILITIES), len(FAMILIES)
_FLAG = np.uint64(FAILED_BIT)
BLOCK = 8


@compiled("Tuple((int64[::1], int64[::1]))(int64[::1], int64[::1], int64[::1])")
def rearranged(order: NDArray, start: NDArray, groups: NDArray) -> tuple[NDArray, NDArray]:
    """Return `order` and `start` of `groups` (G,), in that order."""
    starts, total = np.zeros(len(groups) + 1, np.int64), 0
    for place in range(len(groups)):
        total += start[groups[place] + 1] - start[groups[place]]
        starts[place + 1] = total
    result = np.empty(total, np.int64)
    for place in range(len(groups)):
        first = start[groups[place]]
        for to in range(starts[place], starts[place + 1]):
            result[to] = order[first + to - starts[place]]
    return result, starts


@compiled(
    "Tuple((float32[:,::1], float32[:,::1], uint64[:,::1]))"
    "(int64[::1], int64[::1], float32[:,::1], uint16[::1], uint64[:,::1])"
)
def tally(
    order: NDArray, start: NDArray, counts: NDArray, masks: NDArray, slots: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Sum requests by group.

    Args:
        counts: of each request, shape (B, C).
        masks: a bit per capability, shape (B,).
        slots: masks of `detectors.slots`, shape (B, W).

    Returns:
        Counts (G, C), requests per capability (G, 10) and slots with a request (G, W).
    """
    groups, columns, words = len(start) - 1, counts.shape[1], slots.shape[1]
    sums = np.zeros((groups, columns), np.float32)
    wanted = np.zeros((groups, _CAPABILITIES), np.float32)
    joined = np.zeros((groups, words), np.uint64)
    held = np.zeros(columns)
    for group in range(groups):
        first, end = start[group], start[group + 1]
        for column in range(columns):
            held[column] = 0.0
        for place in range(first, end):
            one = order[place]
            for column in range(columns):
                held[column] += counts[one, column]
            for word in range(words):
                joined[group, word] |= slots[one, word]
            mask = np.int64(masks[one])
            for bit in range(_CAPABILITIES):
                wanted[group, bit] += (mask >> bit) & 1
        for column in range(columns):
            sums[group, column] = held[column]
    return sums, wanted, joined


@compiled("float32[:,::1](int64[::1], int64[::1], uint16[::1])")
def capabilities_of(order: NDArray, start: NDArray, masks: NDArray) -> NDArray:
    """Return the requests of each group per capability, shape (G, 10); `masks` (B,) have a bit for each."""
    wanted = np.zeros((len(start) - 1, _CAPABILITIES), np.float32)
    for group in range(len(start) - 1):
        for place in range(start[group], start[group + 1]):
            mask = np.int64(masks[order[place]])
            for bit in range(_CAPABILITIES):
                wanted[group, bit] += (mask >> bit) & 1
    return wanted


@compiled(
    "Tuple((int64[::1], int64[::1], float32[:,::1], uint64[:,::1]))"
    "(int64[::1], int64[::1], int64[::1], float32[:,::1], uint64[:,::1])"
)
def extremes(
    order: NDArray, start: NDArray, times: NDArray, kinds: NDArray, bitmaps: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return each group's first and last time (G,), the sums of `kinds` (B, K) and the union of `bitmaps` (B, V)."""
    groups = len(start) - 1
    first, last = np.empty(groups, np.int64), np.empty(groups, np.int64)
    sums, union = np.zeros((groups, kinds.shape[1]), np.float32), np.zeros((groups, bitmaps.shape[1]), np.uint64)
    for group in range(groups):
        low = high = times[order[start[group]]]
        for place in range(start[group], start[group + 1]):
            one = order[place]
            low, high = min(low, times[one]), max(high, times[one])
            for column in range(kinds.shape[1]):
                sums[group, column] += kinds[one, column]
            for column in range(bitmaps.shape[1]):
                union[group, column] |= bitmaps[one, column]
        first[group], last[group] = low, high
    return first, last, sums, union


@compiled("Tuple((int64[::1], int64[::1], int64[::1]))(int64[::1], int64[::1], uint64[:,::1])")
def uses_of(order: NDArray, start: NDArray, values: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Group requests by account, family and value, in that order.

    Args:
        order, start: the requests of each account, in the order of their arrival.
        values: of each request in each family, 0 for none, shape (B, F).

    Returns:
        The requests (R,), where each use begins and the end of all (U + 1,), and account · F + family of each use (U,).
    """
    most, total = 0, 0
    for group in range(len(start) - 1):
        most = max(most, start[group + 1] - start[group])
    for one in order:
        for family in range(_FAMILIES):
            total += values[one, family] != 0
    keys, spare_keys = np.empty(most, np.uint64), np.empty(most, np.uint64)
    places, spare_places = np.empty(most, np.int64), np.empty(most, np.int64)
    requests, starts, owner = np.empty(total, np.int64), np.empty(total + 1, np.int64), np.empty(total, np.int64)
    at, uses = 0, 0
    for group in range(len(start) - 1):
        for family in range(_FAMILIES):
            count = 0
            for place in range(start[group], start[group + 1]):
                value = values[order[place], family]
                if value != 0:
                    keys[count], places[count] = value, order[place]
                    count += 1
            sort_by_key(keys, places, count, spare_keys, spare_places)
            for place in range(count):
                if place == 0 or keys[place] != keys[place - 1]:
                    starts[uses], owner[uses] = at, group * _FAMILIES + family
                    uses += 1
                requests[at] = places[place]
                at += 1
    starts[uses] = at
    return requests, starts[: uses + 1].copy(), owner[:uses].copy()


@compiled("Tuple((uint64[::1], int64[::1]))(int64[::1], int64[::1], boolean[::1], int64[::1], uint64[::1], int64)")
def contents_of(
    requests: NDArray, start: NDArray, wanted: NDArray, account: NDArray, contents: NDArray, most: int
) -> tuple[NDArray, NDArray]:
    """List the different contents of each use, ascending; of two that differ in the lowest bit the greater.

    Args:
        requests, start: of each use, see `uses_of`.
        wanted: which uses, shape (U,).
        account: of each use, equal ones together, shape (U,).
        contents: of each request, 0 for none, shape (B,).
        most: contents listed of one account.

    Returns:
        The contents, end to end, and how many there are of each use (U,).
    """
    longest, total = 0, 0
    for use in range(len(account)):
        if wanted[use]:
            longest = max(longest, start[use + 1] - start[use])
            total += start[use + 1] - start[use]
    keys, spare_keys = np.empty(longest, np.uint64), np.empty(longest, np.uint64)
    places, spare_places = np.empty(longest, np.int64), np.empty(longest, np.int64)
    listed, per_use = np.empty(total, np.uint64), np.zeros(len(account), np.int64)
    at, mine = 0, 0
    for use in range(len(account)):
        if use == 0 or account[use] != account[use - 1]:
            mine = 0
        if not wanted[use]:
            continue
        count = 0
        for place in range(start[use], start[use + 1]):
            content = contents[requests[place]]
            if content != 0:
                keys[count] = content
                count += 1
        sort_by_key(keys, places, count, spare_keys, spare_places)
        for place in range(count):
            if (place == count - 1 or (keys[place + 1] ^ keys[place]) > _FLAG) and mine < most:
                listed[at] = keys[place]
                at, mine = at + 1, mine + 1
                per_use[use] += 1
    return listed[:at].copy(), per_use


@compiled(
    "Tuple((int64[::1], int64[::1], int64[::1], float32[::1], float32[::1]))"
    "(int64[::1], int64[::1], int64[:,::1], boolean[::1], int64)"
)
def mixes_of(
    order: NDArray, start: NDArray, names: NDArray, failed: NDArray, different: int
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """Count the requests of each group per kind of name and name.

    Args:
        names: of each request, a number below `different` per kind, −1 for none, shape (B, K).
        failed: which requests failed, shape (B,).

    Returns:
        Group, kind, name, requests and failed requests of each different (group, kind, name), in that order.
    """
    total = 0
    for one in order:
        for kind in range(names.shape[1]):
            total += names[one, kind] >= 0
    group_of, kind_of, name_of = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    requests, failures = np.zeros(total, np.float32), np.zeros(total, np.float32)
    place_of, stamp, rounds, at = np.zeros(different, np.int64), np.full(different, -1, np.int64), 0, 0
    for group in range(len(start) - 1):
        for kind in range(names.shape[1]):
            first = at
            for place in range(start[group], start[group + 1]):
                name = names[order[place], kind]
                if name >= 0 and stamp[name] != rounds:
                    stamp[name] = rounds
                    to = at
                    while to > first and name_of[to - 1] > name:
                        name_of[to] = name_of[to - 1]
                        to -= 1
                    name_of[to] = name
                    at += 1
            for place in range(first, at):
                group_of[place], kind_of[place] = group, kind
                place_of[name_of[place]] = place
            for place in range(start[group], start[group + 1]):
                name = names[order[place], kind]
                if name >= 0:
                    requests[place_of[name]] += 1
                    failures[place_of[name]] += failed[order[place]]
            rounds += 1
    return group_of[:at].copy(), kind_of[:at].copy(), name_of[:at].copy(), requests[:at].copy(), failures[:at].copy()


@compiled("float64(float64[::1], int64, int64)")
def pairwise_sum(values: NDArray, first: int, count: int) -> float:
    """Return the sum of `count` values from `first` on, added in the order in which numpy adds them."""
    if count < BLOCK:
        total = -0.0
        for place in range(first, first + count):
            total += values[place]
        return total
    if count <= 128:
        r0, r1, r2, r3 = values[first], values[first + 1], values[first + 2], values[first + 3]
        r4, r5, r6, r7 = values[first + 4], values[first + 5], values[first + 6], values[first + 7]
        place = BLOCK
        while place < count - count % BLOCK:
            at = first + place
            r0, r1, r2, r3 = r0 + values[at], r1 + values[at + 1], r2 + values[at + 2], r3 + values[at + 3]
            r4, r5, r6, r7 = r4 + values[at + 4], r5 + values[at + 5], r6 + values[at + 6], r7 + values[at + 7]
            place += BLOCK
        total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
        for at in range(first + place, first + count):
            total += values[at]
        return total
    half = count // 2
    half -= half % BLOCK
    return pairwise_sum(values, first, half) + pairwise_sum(values, first + half, count - half)


@compiled("Tuple((float64[:,::1], int64[::1]))(int64[::1], int64[::1], int64[::1], int64[::1])")
def gap_moments(order: NDArray, start: NDArray, times: NDArray, before: NDArray) -> tuple[NDArray, NDArray]:
    """Return number, sum and sum of squares of the gaps between the requests of each group, in s, and its last time.

    Args:
        order, start: the requests of each group by time.
        before: the time of the request before a group's first, 0 for none, shape (G,).
    """
    groups, longest = len(start) - 1, 0
    for group in range(groups):
        longest = max(longest, start[group + 1] - start[group])
    gaps, squares = np.empty(longest), np.empty(longest)
    moments, last = np.zeros((groups, 3)), np.empty(groups, np.int64)
    for group in range(groups):
        previous, first, count = before[group], start[group], start[group + 1] - start[group]
        for place in range(count):
            now = times[order[first + place]]
            gap = 0.0
            if previous > 0:
                gap = max(now - previous, 0) / 1000.0
                moments[group, 0] += 1
            gaps[place], squares[place] = gap, gap * gap
            previous = now
        last[group] = previous
        moments[group, 1] = gaps[0] + pairwise_sum(gaps, 1, count - 1) if count > 1 else gaps[0]
        moments[group, 2] = squares[0] + pairwise_sum(squares, 1, count - 1) if count > 1 else squares[0]
    return moments, last

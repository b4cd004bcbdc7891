"""What happens to events on their way to the stream: some come late, some twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stream.simulate.events import EVENT, mix
from stream.simulate.figures import DUPLICATE_SHARE, LATE_SHARE, Quantiles
from stream.simulate.world import SLICE_MS, World

DELAY_S = Quantiles((0, 0.5, 0.9, 1), (1, 15, 100, 1800))
"""How late the late ones are; assumed, nine in ten within what the detectors wait by default."""


def deliver(world: World) -> Iterator[np.ndarray]:
    """Yield the rows of `world` in order of arrival, six hours at a time, each with the number of its event.

    The second copy of a request has the first one's number and is marked as `copy`; it comes within a minute of it.
    """
    rng, done = world.rng("transport"), 0
    waiting, due = np.empty(0, EVENT), np.empty(0, np.int64)
    for start, rows in zip(range(world.start, world.end, SLICE_MS), world.slices(), strict=True):
        n = len(rows)
        rows["id"] = mix(np.arange(done, done + n, dtype=np.uint64) + (np.uint64(world.seed) << np.uint64(36)))
        done += n
        late = rng.random(n) < LATE_SHARE
        arrival = rows["time"] + np.where(late, DELAY_S.draw(rng, n) * 1000, 0).astype(np.int64)
        twice = np.flatnonzero(rng.random(n) < DUPLICATE_SHARE)
        copies = rows[twice]
        copies["copy"] = 1
        rows = np.concatenate([waiting, rows, copies])
        due = np.concatenate([due, arrival, arrival[twice] + rng.integers(1, 60_000, len(twice))])
        now = due < start + SLICE_MS
        waiting = rows[~now]
        yield rows[now][np.argsort(due[now], kind="stable")]
        due = due[~now]
    yield waiting[np.argsort(due, kind="stable")]

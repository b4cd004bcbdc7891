"""The benchmark of verdicts: nothing is learnt before it was said, and a liar cannot be missed in its figures."""

from __future__ import annotations

import numpy as np

from detectors.evidence.fusion import NAMES
from detectors.evidence.reweighing import DAY_MS
from detectors.linking.members import TEMPLATE
from tests.benchmarks.detection.feedback import FORTNIGHT_MS, Course, Office, outcome
from tests.benchmarks.detection.judged import Row, World

HELPFUL, HARMFUL = NAMES.index("links"), NAMES.index("cohort")


def world(seed: int) -> World:
    """Campaigns with strong links among honest groups of new accounts, all of them loud, and many quiet groups."""
    rng = np.random.default_rng(seed)
    rows = []
    for group in range(100):
        guilty, loud = group < 8, group < 20
        nats = rng.normal(1.0 if loud else -1.0, 0.3, len(NAMES))
        nats[HELPFUL] += 3.0 if guilty else 0.0
        nats[HARMFUL] += 3.0 if loud and not guilty else 0.0
        name = f"campaign {group}" if guilty else ""
        rows += [Row(day * DAY_MS + group, group, nats.tolist(), loud, TEMPLATE, 40.0, 2, name) for day in range(1, 13)]
    rows.sort(key=lambda row: row.time)
    return World(f"world {seed}", rows[0].time, rows[-1].time, [f"campaign {number}" for number in range(8)], rows)


WORLDS = [world(seed) for seed in range(8)]


def test_nobody_answering_teaches_nothing_and_right_answers_help() -> None:
    nobody = outcome(WORLDS, Office("", silent=True), 20.0, 0)
    right = outcome(WORLDS, Office("", 0.0), 20.0, 0)
    assert (nobody.confirmed, nobody.dismissed, nobody.moved) == (0, 0, 0)
    assert right.confirmed > 10
    assert right.dismissed > 10
    assert right.precision > nobody.precision
    liar = outcome(WORLDS, Office("", silent=True, liar=True), 20.0, 0)
    assert liar.moved > 0.0
    assert liar.precision - nobody.precision < (right.precision - nobody.precision) / 4


def test_verdicts_count_from_when_they_were_given() -> None:
    course = Course(Office("", 0.0), 20.0, 0)
    for number, one in enumerate(WORLDS[:3]):
        course.world(number, one)
        known = [label["time"] for label in course.labels.state()]
        assert max(known, default=0) <= (number + 1) * FORTNIGHT_MS
    assert course.labels.multipliers(3 * FORTNIGHT_MS, len(NAMES))[HELPFUL] > 1.0
    assert course.labels.multipliers(3 * FORTNIGHT_MS, len(NAMES))[HARMFUL] < 1.0

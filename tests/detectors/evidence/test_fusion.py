"""What must show before a group is reported, whatever its total."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.evidence.fusion import NAMES, Fusion


def telling(**nats: float) -> bool:
    raw = np.zeros((len(NAMES), 1))
    for name, value in nats.items():
        raw[NAMES.index(name)] = value
    return bool(Fusion.is_telling(raw)[0])


@pytest.mark.parametrize(
    ("nats", "expected"),
    [
        ({"links": 5.0, "evenness": 3.0, "cohort": 2.0}, False),
        ({"links": 2.0, "capability": 1.0}, True),
        ({"links": 2.0, "capability": 0.9}, False),
        ({"links": 1.9, "capability": 1.0}, False),
        ({"elicitation": 2.0}, True),
        ({"capability": 0.5, "shared_prompts": 0.5, "links": 2.0}, True),
        ({"capability": -0.5, "elicitation": 0.4, "links": 5.0}, False),
        ({"capability": 0.5, "relay": 2.0, "links": 5.0, "evenness": 3.0}, False),
        ({"capability": -0.5, "replay": 2.0}, True),
    ],
)
def test_a_purpose_or_a_harvest_and_what_honest_crowds_do_not_do(nats: dict[str, float], expected: bool) -> None:
    assert telling(**nats) is expected

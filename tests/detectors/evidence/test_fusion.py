"""What must show before a group is reported, whatever its total."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.evidence.fusion import NAMES, TELLING, Fusion


def telling(templates: int = 8, **nats: float) -> bool:
    raw, statistics = np.zeros((2, len(NAMES), 1))
    statistics[NAMES.index("shared_prompts")] = np.log2(templates)
    for name, value in nats.items():
        raw[NAMES.index(name)] = value
    return bool(Fusion.is_telling(raw, statistics)[0])


@pytest.mark.parametrize(
    ("nats", "expected"),
    [
        ({"links": 5.0, "evenness": 3.0, "cohort": 2.0}, False),
        ({"links": 2.0, "capability": 1.0}, True),
        ({"links": 2.0, "capability": 0.9}, False),
        ({"links": 1.9, "capability": 1.0}, False),
        ({"elicitation": 2.0}, True),
        ({"elicitation": 3.3, "links": -0.7}, False),
        ({"elicitation": 3.3, "links": -0.7, "shared_prompts": 2.0}, True),
        ({"capability": 0.5, "shared_prompts": 0.5, "links": 2.0}, True),
        ({"capability": -0.5, "elicitation": 0.4, "links": 5.0}, False),
        ({"capability": 0.5, "relay": 2.0, "links": 5.0, "evenness": 3.0}, False),
        ({"capability": -0.5, "replay": 2.0}, True),
    ],
)
def test_a_purpose_or_a_harvest_and_what_honest_crowds_do_not_do(nats: dict[str, float], expected: bool) -> None:
    assert telling(**nats) is expected


@pytest.mark.parametrize(
    ("templates", "cohort", "expected"), [(4, 0.0, False), (4, -0.5, False), (5, 0.0, True), (4, 0.5, True)]
)
def test_the_few_templates_of_an_agent_are_no_list_of_work(templates: int, cohort: float, expected: bool) -> None:
    assert telling(templates, shared_prompts=2.5, links=5.0, capability=0.8, cohort=cohort) is expected


def test_only_those_families_decide_that_are_asked_when_nothing_else_is_wanted() -> None:
    rng = np.random.default_rng(1)
    raw, statistics = rng.normal(0.0, 1.5, (2, len(NAMES), 400))
    others = np.setdiff1d(np.arange(len(NAMES)), TELLING)
    found = Fusion.is_telling(raw, statistics)
    raw[others], statistics[others] = 9.0, 9.0
    assert Fusion.is_telling(raw, statistics).tolist() == found.tolist()
    assert 0.1 < found.mean() < 0.9

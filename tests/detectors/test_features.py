"""Features stay finite and in [0, 1] whatever the windows hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.accounts import RING
from detectors.features import NAMES, features, squash
from detectors.partials import CAPABILITIES, COUNTS, FEATURES

ROWS = 3
AMOUNT = st.one_of(st.just(0.0), st.floats(0, 1e12))
DISTINCT = st.fixed_dictionaries(
    {name: arrays.arrays(float, ROWS, elements=st.floats(0, 4_000)) for name in ("template", "content", "network")}
)


def table(columns: int) -> st.SearchStrategy[np.ndarray]:
    return arrays.arrays(np.float64, (ROWS, columns), elements=AMOUNT)


@given(table(len(RING)), table(len(RING)), table(len(CAPABILITIES)), table(3), DISTINCT)
def test_finite_and_between_0_and_1(
    hour: np.ndarray, day: np.ndarray, capabilities: np.ndarray, gaps: np.ndarray, distinct: dict
) -> None:
    found = features(hour, day, capabilities, gaps, distinct)
    assert found.shape == (ROWS, FEATURES)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


def one(**changes: dict[str, float]) -> dict[str, float]:
    """Return the features of an account with ten requests in the last hour and day, changed as told."""
    window = {"requests": 10.0, "input_tokens": 100.0, "output_tokens": 100.0} | changes.pop("window", {})
    row = np.array([[window.get(name, 0.0) for name in RING]])
    gaps = np.array([list(changes.pop("gaps", {"n": 0, "sum": 0, "squares": 0}).values())], float)
    capabilities = np.array([[changes.get("capabilities", {}).get(name, 0.0) for name in CAPABILITIES]])
    distinct = {"template": 1.0, "content": 1.0, "network": 1.0} | changes.get("distinct", {})
    found = features(row, row, capabilities, gaps, {name: np.array([value]) for name, value in distinct.items()})
    return dict(zip(NAMES, found[0].tolist(), strict=True))


def test_names_match_the_schema() -> None:
    assert len(NAMES) == FEATURES
    assert RING[: len(COUNTS)] == COUNTS


def test_slot_filling_is_one_template_with_many_contents() -> None:
    assert one(distinct={"template": 1.0, "content": 10.0})["slot_filling"] == pytest.approx(0.9)
    assert one(distinct={"template": 10.0, "content": 10.0})["slot_filling"] == 0


def test_clockwork_is_regular_and_unknown_is_not() -> None:
    assert one(gaps={"n": 9, "sum": 90, "squares": 900})["regularity"] == pytest.approx(1.0)
    assert one(gaps={"n": 2, "sum": 20, "squares": 200})["regularity"] == pytest.approx(1 / 11)


def test_shares() -> None:
    found = one(window={"refused": 5, "multi_turn": 4, "elicited": 3, "status_429": 1, "status_403": 1})
    assert found["single_turn_share"] == pytest.approx(0.6)
    assert found["elicitation_share"] == pytest.approx(0.3)
    assert found["quota_share"] == pytest.approx(0.2)
    assert one(capabilities={"rubric_grading": 3, "coding": 1})["rubric_share"] == pytest.approx(0.75)
    assert one(capabilities={"rubric_grading": 3, "coding": 1})["code_agent_share"] == pytest.approx(0.25)


def test_all_of_the_day_in_one_hour_is_a_burst() -> None:
    assert one()["burst"] > 0.95


def test_squash_saturates_at_the_cap() -> None:
    assert squash([0.0, 99.0, 1e9, -5.0], 99).tolist() == [0.0, 1.0, 1.0, 0.0]

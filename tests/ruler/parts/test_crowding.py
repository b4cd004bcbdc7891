"""Crowding: alike in everything is dense, alike by chance is not, and memory is bounded."""

import numpy as np
import pytest

from detectors.errors import StateError, StateVersionError
from tests.benchmarks.detection.parts.candidates.crowding import Crowding

FEATURES = ["rate", "share", "depth", "hour"]


def people(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((count, len(FEATURES)))


def farm(count: int, seed: int = 2) -> np.ndarray:
    """Return accounts of one hand: the same everything, to a thousandth."""
    return np.array([0.31, 0.62, 0.17, 0.88]) + np.random.default_rng(seed).normal(0, 0.001, (count, 4))


def test_a_farm_is_denser_than_the_people_around_it() -> None:
    model = Crowding(FEATURES, window_size=4096)
    model.learn_many(people(2_000))
    model.learn_many(farm(40))
    inside, outside = model.score_many(farm(40, 5)), model.score_many(people(500, 6))
    assert inside.min() > outside.max()


def test_density_is_an_exact_count_where_nothing_collides() -> None:
    model = Crowding(["x"], chains=1, levels=1, window_size=1000)
    model.learn_many(np.full((30, 1), 0.25))
    alone = model.score_many(np.array([[0.99], [0.25]]))
    assert alone[1] == pytest.approx(np.log(30.5 / (30 + 256)))
    assert alone[0] in (pytest.approx(np.log(0.5 / 286)), pytest.approx(np.log(30.5 / 286)))


def test_the_first_rows_look_alone() -> None:
    model = Crowding(FEATURES)
    first = model.score_many(farm(1))[0]
    model.learn_many(np.concatenate([people(900), farm(100)]))
    assert first < model.score_many(farm(1))[0]


def test_counts_cover_one_to_two_windows() -> None:
    model = Crowding(FEATURES, window_size=100)
    covered = []
    for _ in range(7):
        model.learn_many(people(50))
        covered.append(model.rows)
    assert covered == [50, 100, 150, 100, 150, 100, 150]


def test_learning_in_any_batches_is_the_same() -> None:
    rows, probe = people(530), people(50, 9)
    whole, pieces = Crowding(FEATURES, window_size=200), Crowding(FEATURES, window_size=200)
    whole.learn_many(rows)
    for start in range(0, len(rows), 37):
        pieces.learn_many(rows[start : start + 37])
    assert whole.score_many(probe).tolist() == pieces.score_many(probe).tolist()


def test_scoring_learns_nothing_and_empty_batches_are_fine() -> None:
    model = Crowding(FEATURES)
    model.learn_many(people(100))
    before = model.state()
    model.score_many(people(20))
    model.learn_many(np.empty((0, 4)))
    assert model.score_many(np.empty((0, 4))).shape == (0,)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


def test_a_restored_model_goes_on_as_if_nothing_had_happened() -> None:
    first, second = Crowding(FEATURES, window_size=150), Crowding(FEATURES, window_size=150, seed=4)
    first.learn_many(people(220))
    second.load_state(first.state())
    for model in (first, second):
        model.learn_many(people(220, 3))
    assert first.score_many(people(30)).tolist() == second.score_many(people(30)).tolist()


def test_wrong_use_is_refused() -> None:
    model = Crowding(FEATURES)
    with pytest.raises(ValueError, match="missing"):
        model.learn_many(np.full((1, 4), np.nan))
    for sizes in ({"features": []}, {"chains": 0}, {"width": 1000}):
        with pytest.raises(ValueError, match="must not"):
            Crowding(**{"features": FEATURES, **sizes})
    with pytest.raises(StateVersionError):
        model.load_state({**model.state(), "version": np.array(99)})
    with pytest.raises(StateError, match="features"):
        model.load_state(Crowding(FEATURES[::-1]).state())
    with pytest.raises(StateError, match="levels"):
        model.load_state(Crowding(FEATURES, levels=3).state())

"""Novelty: odd rows score high whatever their unit, and ordinary ones keep to their rank."""

import numpy as np
import pytest

from detectors.errors import StateError, StateVersionError
from tests.benchmarks.detection.parts.candidates.novelty import MIN_ROWS, Novelty, Ring

FEATURES = ["requests", "share", "seconds"]


def rows(count: int, seed: int = 1) -> np.ndarray:
    """Return rows of very different units, heavy tails among them."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.lognormal(3, 1, count), rng.beta(2, 5, count), 1e6 * rng.standard_t(3, count)], axis=1)


def trained(count: int = 3_000, **sizes: int) -> Novelty:
    model = Novelty(FEATURES, **{"window": 1024, **sizes})
    for start in range(0, count, 100):
        model.learn_many(rows(count)[start : start + 100])
    return model


def test_odd_rows_score_above_ordinary_ones() -> None:
    model = trained()
    odd = np.array([[5e5, 0.99, 9e7], [0.01, 0.0, -9e7]])
    assert model.score_many(odd).min() > np.quantile(model.score_many(rows(500, 7)), 0.99)


def test_ordinary_rows_keep_to_the_ranks_they_claim() -> None:
    scores = trained(6_000).score_many(rows(4_000, 7))
    for nats in (0.5, 1.0, 2.0):
        assert (scores >= nats).mean() == pytest.approx(np.exp(-nats), rel=0.35)


def test_tails_name_the_feature_and_do_not_depend_on_its_unit() -> None:
    model = trained()
    tails = model.tails(np.array([[20.0, 0.99, 0.0]]))
    assert tails.argmax() == 1
    other = Novelty(FEATURES, 1024)
    unit = np.array([1e-3, 50.0, 7.0])
    other.learn_many(rows(3_000) * unit)
    assert other.tails(np.array([[20.0, 0.99, 0.0]]) * unit).tolist() == tails.tolist()


def test_silent_until_enough_is_known() -> None:
    model = Novelty(FEATURES)
    model.learn_many(rows(MIN_ROWS - 1))
    assert model.score_many(rows(5)).tolist() == [0.0] * 5


def test_a_constant_feature_that_changes_is_odd() -> None:
    model = Novelty(FEATURES)
    for start in range(0, 1_500, 100):
        part = rows(1_500)[start : start + 100]
        part[:, 1] = 0.0
        model.learn_many(part)
    usual = np.median(rows(1_500), axis=0)
    same, changed = model.score_many(np.array([[usual[0], 0.0, usual[2]], [usual[0], 0.3, usual[2]]]))
    assert changed > same


def test_scoring_learns_nothing_and_empty_batches_are_fine() -> None:
    model = trained(1_000)
    before = model.state()
    model.score_many(rows(20))
    model.learn_many(np.empty((0, 3)))
    assert model.score_many(np.empty((0, 3))).shape == (0,)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


def test_a_restored_model_goes_on_as_if_nothing_had_happened() -> None:
    first, second = trained(1_300), Novelty(FEATURES, 1024, seed=5)
    second.load_state(first.state())
    for model in (first, second):
        model.learn_many(rows(400, 8))
    assert first.score_many(rows(50, 9)).tolist() == second.score_many(rows(50, 9)).tolist()


def test_state_of_another_model_is_refused() -> None:
    model = trained(600)
    with pytest.raises(StateVersionError):
        model.load_state({**model.state(), "version": np.array(99)})
    with pytest.raises(StateError):
        Novelty(FEATURES, window=512).load_state(model.state())


def test_a_ring_keeps_the_latest_rows() -> None:
    ring = Ring(4, 1)
    for start in (0, 3, 6):
        ring.learn_many(np.arange(start, start + 3, dtype=float)[:, None])
    assert ring.sorted().ravel().tolist() == [5.0, 6.0, 7.0, 8.0]
    ring.learn_many(np.arange(100.0)[:, None])
    assert ring.sorted().ravel().tolist() == [96.0, 97.0, 98.0, 99.0]
    assert len(ring) == 4

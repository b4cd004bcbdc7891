"""The numpy half-space trees against River's: the same trees, the same masses, the same scores."""

from __future__ import annotations

import numpy as np
import pytest
from river import anomaly

from detectors.errors import StateError, StateVersionError
from detectors.models.half_space_trees import HalfSpaceTrees

FEATURES = ["rate", "age", "share", "burst"]


def make_rows(n: int, seed: int = 7) -> np.ndarray:
    """Return ordinary rows with outliers strewn in, shape (n, 4)."""
    rng = np.random.default_rng(seed)
    rows = rng.beta(2, 6, (n, len(FEATURES)))
    rows[rng.random(n) < 0.05] = rng.random(len(FEATURES))
    return rows


def river_scores(rows: np.ndarray, batch: int, **sizes: int) -> list[float]:
    """Score a batch, then learn it, with River one row at a time; NaN is left out of the row."""
    model = anomaly.HalfSpaceTrees(**sizes)
    scores: list[float] = []
    for start in range(0, len(rows), batch):
        dicts = [{k: float(v) for k, v in zip(FEATURES, x, strict=True) if v == v} for x in rows[start : start + batch]]
        scores += [model.score_one(x) for x in dicts]
        for x in dicts:
            model.learn_one(x)
    return scores


def numpy_scores(rows: np.ndarray, batch: int, **sizes: int) -> list[float]:
    model = HalfSpaceTrees(FEATURES, **sizes)
    scores: list[float] = []
    for start in range(0, len(rows), batch):
        scores += model.score_many(rows[start : start + batch]).tolist()
        model.learn_many(rows[start : start + batch])
    return scores


@pytest.mark.parametrize(
    ("n_trees", "height", "window_size", "batch"),
    [
        (10, 8, 250, 125),
        (25, 8, 256, 256),
        (5, 4, 100, 300),
        (3, 1, 7, 5),
        (7, 6, 100, 64),
        (1, 9, 50, 1),
        (4, 3, 1, 9),
    ],
)
def test_scores_equal_rivers_to_the_last_bit(n_trees: int, height: int, window_size: int, batch: int) -> None:
    sizes = {"n_trees": n_trees, "height": height, "window_size": window_size, "seed": 42}
    rows = make_rows(900)
    expected = river_scores(rows, batch, **sizes)
    assert numpy_scores(rows, batch, **sizes) == expected
    assert len(set(expected)) > 1


def test_missing_values_follow_the_heavier_child_like_rivers() -> None:
    sizes = {"n_trees": 6, "height": 5, "window_size": 60, "seed": 3}
    rows = make_rows(400)
    rows[5:][np.random.default_rng(1).random((395, 4)) < 0.1] = np.nan
    assert numpy_scores(rows, 33, **sizes) == river_scores(rows, 33, **sizes)


def test_limits_and_one_row_calls_equal_rivers() -> None:
    limits = {"rate": (0.0, 50.0), "age": (-10.0, 10.0)}
    ours = HalfSpaceTrees(FEATURES, 5, 4, 20, limits, 9)
    theirs = anomaly.HalfSpaceTrees(5, 4, 20, limits, 9)
    for x in make_rows(100):
        row = dict(zip(FEATURES, (x * [50, 20, 1, 1] - [0, 10, 0, 0]).tolist(), strict=True))
        assert ours.score_one(row) == theirs.score_one(row)
        ours.learn_one(row)
        theirs.learn_one(row)


def test_the_order_of_columns_does_not_matter() -> None:
    rows, order = make_rows(300), [2, 0, 3, 1]
    straight, turned = HalfSpaceTrees(FEATURES, seed=1), HalfSpaceTrees([FEATURES[i] for i in order], seed=1)
    straight.learn_many(rows)
    turned.learn_many(rows[:, order])
    assert straight.score_many(rows).tolist() == turned.score_many(rows[:, order]).tolist()


def test_a_rare_row_scores_higher_than_an_ordinary_one() -> None:
    model = HalfSpaceTrees(FEATURES, seed=1)
    model.learn_many(np.random.default_rng(0).beta(2, 6, (500, 4)))
    ordinary, rare = model.score_many(np.array([[0.2] * 4, [0.98] * 4]))
    assert rare > ordinary


def test_silent_until_the_first_window_is_full() -> None:
    model = HalfSpaceTrees(FEATURES, window_size=10, seed=1)
    model.learn_many(make_rows(9))
    assert model.score_many(make_rows(3)).tolist() == [0.0] * 3
    model.learn_many(make_rows(1))
    assert model.score_many(make_rows(3)).min() > 0


def test_scoring_learns_nothing_and_empty_batches_are_fine() -> None:
    model = HalfSpaceTrees(FEATURES, seed=1)
    before = model.state()
    model.score_many(make_rows(50))
    model.learn_many(np.empty((0, 4)))
    assert model.score_many(np.empty((0, 4))).shape == (0,)
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())


def test_a_restored_model_goes_on_as_if_nothing_had_happened() -> None:
    rows = make_rows(600)
    first = HalfSpaceTrees(FEATURES, window_size=100, seed=1)
    first.learn_many(rows[:330])
    second = HalfSpaceTrees(FEATURES, window_size=100, seed=2)
    saved = first.state()
    second.load_state(saved)
    for model in (first, second):
        model.learn_many(rows[330:])
    assert first.score_many(rows).tolist() == second.score_many(rows).tolist()
    assert int(saved["counter"]) == 30


def test_state_of_another_model_is_refused() -> None:
    model = HalfSpaceTrees(FEATURES, n_trees=3, seed=1)
    with pytest.raises(StateVersionError):
        model.load_state({**model.state(), "version": np.array(99)})
    with pytest.raises(StateError, match="features"):
        model.load_state(HalfSpaceTrees(FEATURES[::-1], n_trees=3, seed=1).state())
    with pytest.raises(StateError, match="n_trees"):
        model.load_state(HalfSpaceTrees(FEATURES, n_trees=4, seed=1).state())
    with pytest.raises(StateError, match="window_size"):
        model.load_state(HalfSpaceTrees(FEATURES, n_trees=3, window_size=9, seed=1).state())


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="features"):
        HalfSpaceTrees(["a", "a"])
    with pytest.raises(ValueError, match="height"):
        HalfSpaceTrees(["a"], height=0)
    with pytest.raises(ValueError, match="shape"):
        HalfSpaceTrees(FEATURES).score_many(np.zeros((2, 3)))


def test_river_can_clone_it() -> None:
    model = HalfSpaceTrees(FEATURES, 5, 4, 20, {"rate": (0.0, 2.0)}, 9)
    model.learn_many(make_rows(100))
    copy = model.clone()
    assert copy.score_many(make_rows(3)).tolist() == [0.0] * 3
    copy.learn_many(make_rows(100))
    assert copy.score_many(make_rows(50)).tolist() == model.score_many(make_rows(50)).tolist()

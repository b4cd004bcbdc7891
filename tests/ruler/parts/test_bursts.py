"""Bursts against the paper's formula, one event at a time with exact counts."""

import numpy as np
import pytest

from detectors.errors import StateError, StateVersionError
from tests.benchmarks.detection.parts.candidates.bursts import Bursts, edge_key


def plain(ticks: np.ndarray, keys: np.ndarray, fading: float) -> list[list[float]]:
    """Score event by event with dictionaries in place of sketches."""
    current: list[dict[int, float]] = [{} for _ in range(keys.shape[1])]
    total: list[dict[int, float]] = [{} for _ in range(keys.shape[1])]
    scores, latest = [], int(ticks[0])
    for tick, row in zip(ticks.tolist(), keys.tolist(), strict=True):
        if tick > latest:
            gone = fading ** (tick - latest)
            current = [{key: count * gone for key, count in counts.items()} for counts in current]
            latest = tick
        t, line = tick - int(ticks[0]) + 1, []
        powers = fading ** np.arange(t)
        for kind, key in enumerate(row):
            a = current[kind][key] = current[kind].get(key, 0.0) + 1
            s = total[kind][key] = total[kind].get(key, 0.0) + 1
            expected, spread = s / t * powers.sum(), s / t * (powers**2).sum()
            line.append(0.0 if t == 1 or a <= expected else (a - expected) ** 2 / spread * t / (t - 1))
        scores.append(line)
    return scores


def stream(events: int = 600, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ticks = np.sort(rng.integers(5, 60, events))
    return ticks, rng.zipf(1.6, (events, 2)).clip(max=40).astype(np.uint64)


def scored(model: Bursts, ticks: np.ndarray, keys: np.ndarray, batch: int = 10**6) -> np.ndarray:
    parts = []
    for tick in np.unique(ticks):
        mine = keys[ticks == tick]
        parts += [model.update(int(tick), mine[start : start + batch]) for start in range(0, len(mine), batch)]
    return np.concatenate(parts)


@pytest.mark.parametrize("fading", [0.0, 0.5, 1.0])
def test_scores_are_those_of_the_formula(fading: float) -> None:
    ticks, keys = stream()
    scores = scored(Bursts(2, fading), ticks, keys)
    assert scores == pytest.approx(np.array(plain(ticks, keys, fading)), rel=1e-12)
    assert (scores > 0).any(0).all()


def test_without_fading_the_formula_is_the_papers() -> None:
    ticks, keys = stream()
    model = Bursts(1, fading=0.0)
    for tick in np.unique(ticks):
        mine = keys[ticks == tick, :1]
        score = model.update(int(tick), mine)[-1, 0]
        a, s = float((mine == mine[-1]).sum()), float((keys[ticks <= tick, 0] == mine[-1, 0]).sum())
        t = float(tick - ticks[0] + 1)
        assert score == pytest.approx(0.0 if t == 1 or a < s / t else ((a - s / t) * t) ** 2 / (s * (t - 1)))


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_any_batch_size_gives_the_same_scores(batch: int) -> None:
    ticks, keys = stream()
    whole = scored(Bursts(2, width=32), ticks, keys)
    assert scored(Bursts(2, width=32), ticks, keys, batch).tolist() == whole.tolist()


def test_a_burst_outscores_what_was_always_busy() -> None:
    model, steady, burst = Bursts(), np.full((20, 1), 1, np.uint64), np.full((20, 1), 2, np.uint64)
    for tick in range(50):
        model.update(tick, steady)
    usual, sudden = model.update(50, steady)[-1, 0], model.update(50, burst)[-1, 0]
    assert sudden > 100 * usual
    assert model.score_many(burst)[0, 0] == sudden


def test_falling_silent_is_no_burst() -> None:
    model = Bursts(fading=0.0)
    for tick in range(50):
        model.update(tick, np.full((20, 1), 1, np.uint64))
    assert model.update(50, np.full((1, 1), 1, np.uint64)).item() == 0.0


def test_collisions_can_only_raise_a_count() -> None:
    narrow, wide = Bursts(1, depth=1, width=2), Bursts(1, width=4096)
    keys = np.arange(64, dtype=np.uint64)[:, None]
    for model in (narrow, wide):
        model.update(0, keys)
    assert narrow.state()["total"].sum() == 64
    assert narrow.state()["total"].min() > 1
    assert wide.state()["total"].max() <= 2


def test_a_restored_model_goes_on_as_if_nothing_had_happened() -> None:
    ticks, keys = stream()
    whole = scored(Bursts(2), ticks, keys)
    first, second = Bursts(2), Bursts(2, seed=9)
    half = ticks <= 30
    scored(first, ticks[half], keys[half])
    second.load_state(first.state())
    assert scored(second, ticks[~half], keys[~half]).tolist() == whole[half.sum() :].tolist()


def test_wrong_use_is_refused() -> None:
    model = Bursts(2)
    model.update(3, np.ones((1, 2), np.uint64))
    with pytest.raises(ValueError, match="after tick 3"):
        model.update(2, np.ones((1, 2), np.uint64))
    with pytest.raises(ValueError, match="2 keys"):
        model.update(3, np.ones((1, 3), np.uint64))
    for sizes in ({"kinds": 0}, {"width": 100}, {"fading": 1.5}):
        with pytest.raises(ValueError, match="must be"):
            Bursts(**sizes)
    with pytest.raises(StateError):
        Bursts(3).load_state(model.state())
    with pytest.raises(StateVersionError):
        model.load_state({**model.state(), "version": np.array(99)})


def test_an_empty_batch_changes_nothing_but_the_tick() -> None:
    model = Bursts()
    assert model.update(0, np.zeros((0, 1), np.uint64)).shape == (0, 1)
    assert model.state()["total"].sum() == 0


def test_edge_keys_differ_by_direction_and_rarely_collide() -> None:
    source, destination = np.divmod(np.arange(250_000), 500)
    keys = edge_key(source, destination)
    assert len(np.unique(keys)) == 250_000
    assert edge_key(np.array([1]), np.array([2])) != edge_key(np.array([2]), np.array([1]))

"""What an account's traffic looks like as numbers in 0 … 1, from what the group stage keeps of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import Graph

CAPS = (1_000.0, 100_000.0, 20_000.0)
"""Requests a day, input tokens and output tokens a request that map to 1 (DETECTION §8: φ(v; c) = ln(1+v)/ln(1+c))."""
FREQUENCIES = 128
BANDWIDTH = 0.5
BLOCK = 64
"""Profiles worked on at once: what is made of them stays in the processor's cache, and products as small as these are
made by one thread, so that their last bits do not depend on how many there are."""


def profile(graph: Graph, rows: NDArray) -> NDArray[np.float64]:
    """Return the profiles of accounts, shape (len(rows), 17): rate, lengths, habits and capability shares."""
    table = graph.accounts
    counts = table["counts"][rows].astype(np.float64)
    requests = np.maximum(counts[:, 0], 1e-9)
    rate = graph.daily(requests, table["first"][rows], table["last"][rows])
    sizes = np.stack([rate, counts[:, 1] / requests, counts[:, 2] / requests], axis=1)
    squashed = np.minimum(np.log1p(sizes) / np.log1p(np.array(CAPS)), 1.0)
    habits = np.minimum(counts[:, [4, 5, 9, 10]] / requests[:, None], 1.0)
    wants = np.minimum(table["capabilities"][rows] / requests[:, None], 1.0)
    return np.concatenate([squashed, habits, wants], axis=1)


def embed(profiles: NDArray) -> NDArray[np.float32]:
    """Return random Fourier features of a Gaussian kernel (Rahimi and Recht, NIPS 2007), shape (len(profiles), 256).

    The inner product of two rows approximates exp(−‖x − y‖² / (2 · 0.5²)), that of one with itself is 1. In single
    precision, which is fifteen times as fast: what the features approximate they miss by far more than they lose.
    """
    single, directions = profiles.astype(np.float32), _directions(profiles.shape[1])
    features = np.empty((len(single), 2 * FREQUENCIES), np.float32)
    root = np.sqrt(FREQUENCIES)
    for start in range(0, len(single), BLOCK):
        part, phase = features[start : start + BLOCK], single[start : start + BLOCK] @ directions
        np.cos(phase, out=part[:, :FREQUENCIES])
        np.sin(phase, out=part[:, FREQUENCIES:])
        part /= root
    return features


@lru_cache
def _directions(dimensions: int) -> NDArray[np.float32]:
    return (np.random.default_rng(0).normal(size=(dimensions, FREQUENCIES)) / BANDWIDTH).astype(np.float32)

"""Accounts that do the same: cells in the space of what they ask for and how much they send and get.

Paraphrased prompts, fresh cards and residential exits leave nothing to link by; what paid-for extraction cannot vary
without paying for it is the work itself. Accounts whose requests want the same capabilities, with prompts and answers
of the same length, fall into one cell; a cell is a candidate group like any other, to be judged by all the evidence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import Graph

MIN_REQUESTS = 5.0
"""Requests an account needs before its averages mean anything."""
HALF = 0.5
"""A capability, or a habit, is an account's own when at least this share of its requests has it."""
BIN = 1.0
"""Width of a cell in ln(tokens per request): a factor e."""
SHIFTS = (0.0, 0.5)
"""Two grids, half a cell apart, so that no group lies on the edges of both."""
LARGEST_HOUSE = 5
"""Accounts of one organisation in one cell from which on they are a customer with keys, not a crowd."""


def cells(graph: Graph, rows: NDArray, shift: float) -> NDArray[np.int64]:
    """Return the number of each account's cell, shape (len(rows),), −1 for too little traffic; equal in every run.

    Args:
        rows: account rows.
        shift: of the grid, in cells.
    """
    counts = graph.accounts["counts"][rows].astype(np.float64)
    requests = np.maximum(counts[:, 0], 1e-9)
    wants = graph.accounts["capabilities"][rows] >= HALF * requests[:, None]
    habits = counts[:, [4, 5, 9, 10]] >= HALF * requests[:, None]
    bits = np.concatenate([wants, habits], axis=1)
    code = bits @ (np.int64(1) << np.arange(bits.shape[1], dtype=np.int64))
    for tokens in (counts[:, 1], counts[:, 2]):
        place = np.floor(np.log1p(tokens / requests) / BIN + shift).astype(np.int64)
        code = code << 5 | np.clip(place, 0, 31)
    known = (counts[:, 0] >= MIN_REQUESTS) & (wants[:, :-1].any(1) | habits[:, 2])
    return np.where(known, code << 1 | int(shift > 0), -1)


def crowds(graph: Graph, code: NDArray, min_accounts: int) -> NDArray[np.int64]:
    """Return `code` with −1 for cells of too few accounts, and for customers with many keys in one cell.

    Args:
        code: cell of each account, shape (accounts,).
    """
    house = graph.accounts["organization"][: len(code)]
    pair = code * np.int64(1 << 20) + (house % np.uint64(1 << 20)).astype(np.int64)
    _, inverse, count = np.unique(pair, return_inverse=True, return_counts=True)
    code = np.where((house > 0) & (count[inverse] >= LARGEST_HOUSE), -1, code)
    _, inverse, count = np.unique(code, return_inverse=True, return_counts=True)
    return np.where(count[inverse] >= min_accounts, code, -1)

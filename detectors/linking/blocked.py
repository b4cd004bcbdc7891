"""Which model and access path an account was turned away from, and how much it still uses them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.updates import since_update
from detectors.partials import COUNTS
from detectors.windows import Table, decay
from detectors.windows.table import Column

HALF_LIFE_MS = 14 * 86_400_000
MIXES = ("models", "paths")
"""The mixes of `graph.accounts` by the kinds of `partials.SCHEMA`."""
FAILURES = [COUNTS.index(name) for name in ("refused", "status_429", "status_403")]
COLUMNS: dict[str, Column] = {"blocked_name": ("i1", (len(MIXES),)), "blocked": ("f4", (len(MIXES), 2))}
"""Per kind of mix: the name most failures fell on, and the failures (beyond those of other names) with the name's share
of the mix at each, summed (18 bytes)."""


def note_failures(accounts: Table, rows: NDArray, columns: dict[str, NDArray], end_ms: int) -> None:
    """Take in the failures of one tick: refusals, 429 and 403; call when the mixes, but not yet `updated`, are.

    One counter per account follows the name that most failures fall on (Boyer–Moore majority vote).

    Args:
        rows: the tick's accounts, ascending positions as in `mix_account`.
        columns: the tick's (`partials.SCHEMA`).
        end_ms: end of the tick.
    """
    for kind, mix in enumerate(MIXES):
        mine = np.flatnonzero((columns["mix_kind"] == kind) & (columns["mix_failed"] > 0))
        if not len(mine):
            continue
        name, failed, account = (columns[f"mix_{of}"][mine] for of in ("name", "failed", "account"))
        order = mine[np.lexsort((name, -failed, account))]
        _, first = np.unique(columns["mix_account"][order], return_index=True)
        top = order[first]
        who = rows[columns["mix_account"][top]]
        _vote(accounts, who, kind, columns["mix_name"][top], columns["mix_failed"][top], mix, end_ms)


def _vote(accounts: Table, who: NDArray, kind: int, name: NDArray, failed: NDArray, mix: str, end_ms: int) -> None:
    held = accounts["blocked"][who, kind] * decay(since_update(accounts, who, end_ms), HALF_LIFE_MS)[:, None]
    share = accounts[mix][who, name] / np.maximum(accounts[mix][who].sum(1), 1e-9)
    same = (accounts["blocked_name"][who, kind] == name) | (held[:, 0] <= 0)
    over = np.where(same, 0.0, failed - held[:, 0])
    kept = np.where(same, 1.0, np.maximum(1.0 - failed / np.maximum(held[:, 0], 1e-9), 0.0))[:, None]
    gained = np.where(same, failed, np.maximum(over, 0.0))
    accounts["blocked"][who, kind] = held * kept + np.stack([gained, gained * share], axis=1)
    accounts["blocked_name"][who, kind] = np.where(same | (over > 0), name, accounts["blocked_name"][who, kind])


def drops(accounts: Table, rows: NDArray, kind: int) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """Return the name that turned each account away, the failures, and how much of its share is gone, −1 … 1."""
    mix = accounts[MIXES[kind]][rows].astype(np.float64)
    name = accounts["blocked_name"][rows, kind].astype(np.int64)
    failures = accounts["blocked"][rows, kind, 0].astype(np.float64)
    then = accounts["blocked"][rows, kind, 1] / np.maximum(failures, 1e-9)
    now = mix[np.arange(len(rows)), name] / np.maximum(mix.sum(1), 1e-9)
    return name, failures, np.where(failures > 0, then - now, 0.0)


def failing(counts: NDArray) -> NDArray[np.float64]:
    """Return the share of the requests that are refused or answered 429 or 403, by rows of `counts` (B, 11)."""
    return np.minimum(counts[:, FAILURES].sum(1, dtype=np.float64) / np.maximum(counts[:, 0], 1e-9), 1.0)

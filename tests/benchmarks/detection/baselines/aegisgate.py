"""Fixed rules in the manner of AegisGate's distillation detector, with its published constants (DOMAIN §3.2).

Of an account's last hour: more than 100 prompts +0.30; more than 30 % with the same start +0.25; more than 60 % that
ask for the chain of thought +0.35; more than 5 addresses +0.15; flagged from 0.60. Two accounts are coordinated when
half the Jaccard index of their addresses plus half that of their prompts' starts is above 0.70.

Our events differ: the template's hash stands for the hash of the first 50 characters, the elicitation flags for the
phrases, the last hour is the clock's, and pairs are compared once a day. An account with fewer than 5 prompts in the
hour has no ratio (ours: else one prompt alone would do). A day's flagged accounts, by rule or by pair, are one alert,
as with the other detectors of accounts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests.benchmarks.detection.alerts import Flags, Outcome, by_day, in_order
from tests.benchmarks.detection.baselines import Settings
from tests.benchmarks.detection.columns import DAY_MS, ELICITED, HOUR_MS, Columns, lengths, runs

NAME = "AegisGate rules"
FLAG, PAIR = 0.6, 0.7
LEAST_PROMPTS = 5


def detect(columns: Columns, settings: Settings) -> Outcome:
    """Return the alerts of the rules."""
    flags = in_order([_rules(columns), _pairs(columns)])
    return by_day(NAME, columns.ids, flags, FLAG)


def _rules(columns: Columns) -> Flags:
    hour = columns.time // HOUR_MS
    order, start = runs(columns.account, hour)
    size = lengths(start, len(order))
    elicited = np.add.reduceat(columns.counts[order, ELICITED], start)
    enough = size >= LEAST_PROMPTS
    same = _most_frequent(columns, columns.values["template"], hour)
    score = 0.30 * (size > 100) + 0.25 * (enough & (same > 0.3 * size)) + 0.35 * (enough & (elicited > 0.6 * size))
    score += 0.15 * (_different(columns, columns.values["address"], hour) > 5)
    end = (hour[order[start]] + 1) * HOUR_MS
    by_time = np.argsort(end, kind="stable")
    return Flags(end[by_time], columns.account[order[start]][by_time], np.round(score[by_time], 6))


def _counts(columns: Columns, value: NDArray, hour: NDArray) -> tuple[NDArray, NDArray]:
    """Return the size of each run of (account, hour, value), and where each (account, hour) begins among them."""
    order, start = runs(columns.account, hour, value)
    account, when = columns.account[order[start]], hour[order[start]]
    changed = np.concatenate([[True], (np.diff(account) != 0) | (np.diff(when) != 0)])
    size = np.where(value[order[start]] > 0, lengths(start, len(order)), 0)
    return size, np.flatnonzero(changed)


def _most_frequent(columns: Columns, value: NDArray, hour: NDArray) -> NDArray[np.int64]:
    """Return how often the most frequent known value of each account and hour occurs."""
    size, start = _counts(columns, value, hour)
    return np.asarray(np.maximum.reduceat(size, start))


def _different(columns: Columns, value: NDArray, hour: NDArray) -> NDArray[np.int64]:
    """Return how many different known values each account and hour has."""
    size, start = _counts(columns, value, hour)
    return np.asarray(np.add.reduceat((size > 0).astype(np.int64), start))


def _pairs(columns: Columns) -> Flags:
    """Return the accounts of coordinated pairs, at the end of each day."""
    found = []
    day = columns.time // DAY_MS
    for number in np.unique(day).tolist():
        mine = np.flatnonzero(day == number)
        address, template = (_incidence(columns, name, mine) for name in ("address", "template"))
        common = (address @ address.T).tocoo()
        one, other = (side[common.row < common.col] for side in (common.row, common.col))
        strong = (_jaccard(address, one, other) + _jaccard(template, one, other)) / 2 > PAIR
        accounts = np.unique(np.concatenate([one[strong], other[strong]]))
        time = np.full(len(accounts), (number + 1) * DAY_MS)
        found.append(Flags(time, accounts.astype(np.int64), np.ones(len(accounts))))
    return in_order(found)


def _incidence(columns: Columns, name: str, rows: NDArray) -> csr_array:
    value = columns.values[name][rows]
    rows, value = rows[value > 0], value[value > 0]
    _, dense = np.unique(value, return_inverse=True)
    pairs = np.unique(np.stack([columns.account[rows], dense]), axis=1)
    shape = (len(columns.ids), int(dense.max(initial=0)) + 1)
    return csr_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=shape)


def _jaccard(incidence: csr_array, one: NDArray, other: NDArray) -> NDArray[np.float64]:
    """Return the Jaccard index of the values of each pair of accounts."""
    size = np.asarray(incidence.sum(axis=1)).ravel()
    common = np.asarray(incidence[one].multiply(incidence[other]).sum(axis=1)).ravel()
    index: NDArray[np.float64] = common / np.maximum(size[one] + size[other] - common, 1)
    return index

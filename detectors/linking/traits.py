"""What an account is seen to be and do beyond its traffic: small figures for the evidence families to read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.linking import blocked
from detectors.linking.updates import since_update, updated_ms
from detectors.partials import COUNTS, ELICITATIONS, VARIETIES
from detectors.windows import Table, decay
from detectors.windows.registers import REGISTERS, distinct, register_and_rank
from detectors.windows.table import Column

DAY_MS = 86_400_000
PERIOD_MS = 14 * DAY_MS
"""Bitmaps keep the current and the previous period."""
BITS = 64
REFUSED, ELICITED = COUNTS.index("refused"), COUNTS.index("elicited")

COLUMNS: dict[str, Column] = {
    "variety": ("u8", (2, len(VARIETIES))),
    "refused": ("u1", (2, REGISTERS)),
    "handed": ("f4", (2, 2, 2)),
    "first_day": ("f4", ()),
    "elicitations": ("f4", (len(ELICITATIONS),)),
    **blocked.COLUMNS,
}
"""By period: `variety`, bitmaps of the hashes of the languages, countries and user agents seen (48 bytes); `refused`,
HyperLogLog registers of the elicitation templates that were refused (32 bytes); `handed`, see `handovers` (32 bytes).
`first_day`: requests within 24 hours of the first sight (4 bytes); `elicitations`: decayed requests with each kind of
elicitation (16 bytes)."""


def note(accounts: Table, rows: NDArray, columns: dict[str, NDArray], end_ms: int) -> None:
    """Take in what one tick says of the accounts in `rows`, after its mixes and before its traffic are added.

    Args:
        accounts: the account table; `updated` still says which tick of each was the one before.
        columns: the tick's (`partials.SCHEMA`).
        end_ms: end of the tick.
    """
    for name in ("variety", "refused", "handed"):
        turn(accounts[name], rows, updated_ms(accounts, rows), end_ms)
    accounts["variety"][rows, 0] |= columns["variety"]
    first = accounts["first"][rows]
    early = (first == 0) | (columns["first"] < first + DAY_MS)
    np.add.at(accounts["first_day"], rows[early], columns["counts"][early, 0])
    held = accounts["elicitations"][rows] * decay(since_update(accounts, rows, end_ms), PERIOD_MS)[:, None]
    accounts["elicitations"][rows] = held + columns["elicitations"]
    blocked.note_failures(accounts, rows, columns, end_ms)


def note_refusals(accounts: Table, rows: NDArray, templates: NDArray[np.uint64], counts: NDArray) -> None:
    """Remember which templates with elicitation requests were refused; call after `note`.

    Args:
        rows: the account of each use of a template, shape (U,).
        templates: families (`linking.templates`), shape (U,).
        counts: their traffic in the tick, shape (U, 11).
    """
    told = np.minimum(counts[:, ELICITED], counts[:, REFUSED]) > 0
    register, rank = register_and_rank(templates[told])
    np.maximum.at(accounts["refused"][:, 0], (rows[told], register), rank)


def refusals(accounts: Table, rows: NDArray) -> NDArray[np.float64]:
    """Return about how many different elicitation templates each account had refused, two to four weeks, (B,)."""
    return distinct(accounts["refused"][rows].max(1))


def turn(maps: NDArray, rows: NDArray, updated: NDArray, end_ms: int) -> None:
    """Begin a new period in `maps` (rows, 2, …) where no tick of this one was added yet.

    Args:
        rows: which maps, shape (B,).
        updated: end of the latest tick added to each, ms, shape (B,).
        end_ms: end of the tick that is to be added.
    """
    behind = (end_ms - 1) // PERIOD_MS - (updated - 1) // PERIOD_MS
    turned = rows[behind > 0]
    maps[turned, 1] = maps[turned, 0]
    maps[turned, 0] = 0
    maps[rows[behind > 1], 1] = 0


def varieties(accounts: Table, rows: NDArray) -> NDArray[np.float64]:
    """Return about how many languages, countries and user agents each account has, shape (B, 3); 0 is not known.

    Linear counting in 64 bits (Whang et al., ACM TODS 15(2), 1990).
    """
    maps = accounts["variety"][rows]
    return counted(np.bitwise_count(maps[:, 0] | maps[:, 1]))


def counted(set_bits: NDArray) -> NDArray[np.float64]:
    """Return about how many different values set so many of 64 bits, of any shape; 0 of none."""
    share = np.minimum(set_bits.astype(np.float64), BITS - 0.5) / BITS
    return np.where(set_bits > 0, np.maximum(-BITS * np.log1p(-share), 1.0), 0.0)


def hours_of_day(hours: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return how many hours of the day are marked in either period, `hours` of shape (B, 2) (`graph`), shape (B,)."""
    return np.bitwise_count(hours[:, 0] | hours[:, 1]).astype(np.int64)


def agents(accounts: Table, rows: NDArray) -> NDArray[np.uint64]:
    """Return which of the 64 buckets of user agents each account uses, a bit for each, shape (B,)."""
    maps = accounts["variety"][rows, :, VARIETIES.index("agent")]
    return np.asarray(maps[:, 0] | maps[:, 1], np.uint64)


@compiled("float64[:,::1](uint64[::1], int64[::1], float64[::1], int64)")
def sum_bits(words: NDArray, group: NDArray, weight: NDArray, groups: int) -> NDArray:
    """Sum the weights (B,) of the words (B,) in which each bit is set, by their groups, shape (groups, 64)."""
    total = np.zeros((groups, BITS))
    for place in range(len(words)):
        for bit in range(BITS):
            if (words[place] >> np.uint64(bit)) & np.uint64(1):
                total[group[place], bit] += weight[place]
    return total

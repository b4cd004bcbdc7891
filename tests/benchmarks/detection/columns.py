"""A run's events as columns, decoded once for all baselines.

Identifiers, hashes and counts are the product's own (`detectors.columns`), and so are the sixteen features of each
account and hour (`detectors.stages.account`, with ticks of an hour): a baseline sees what the product sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.columns import Extractor
from detectors.hashing import digest
from detectors.partials import FAMILIES
from detectors.request import Request, decode_batch
from detectors.scan.requests import gather
from detectors.settings import DetectorSettings, WindowSettings
from detectors.stages.account import AccountStage
from stream.reader import LineReader

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
END_OF_TIME_MS = 1 << 52
INPUT_TOKENS, OUTPUT_TOKENS, REFUSED, ELICITED = 1, 2, 6, 9
"""Columns of `counts`, in the order of `detectors.partials.COUNTS`."""
VERIFIED = ("contract", "document")


@dataclass(frozen=True)
class Hourly:
    """One row per account and hour with a request, in the order of time; `end` is when the hour ends, ms."""

    account: NDArray[np.int64]
    end: NDArray[np.int64]
    features: NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """All requests in the order of time, a second copy of an event left out.

    `account` numbers `ids`; a hash of 0 is a missing value. `values` has the families of `detectors.partials`, networks
    as /24 or /48, and `simhash`, `address`, `organization`; `counts` is (N, 11), see `detectors.partials.COUNTS`.
    """

    ids: list[str]
    time: NDArray[np.int64]
    account: NDArray[np.int64]
    model: NDArray[np.int64]
    capabilities: NDArray[np.int64]
    counts: NDArray[np.float32]
    values: dict[str, NDArray[np.uint64]]
    china: NDArray[np.bool_]
    verified: NDArray[np.bool_]
    """Per account: whether it passed a document check or is under contract."""
    hourly: Hourly

    @property
    def days(self) -> float:
        """Length of the run."""
        return float(self.time[-1] - self.time[0]) / DAY_MS


def read(path: Path) -> Columns:
    """Decode the events of `path`: JSON Lines, plain, gzip or zstd.

    Raises:
        InputError: the file cannot be read.
    """
    reader = _Reader()
    for batch in LineReader(str(path)):
        requests, _, _ = decode_batch(batch.lines, END_OF_TIME_MS)
        if requests:
            reader.add(requests)
    return reader.columns()


class _Reader:
    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._verified: set[int] = set()
        self._extract = Extractor()
        self._stage = AccountStage(DetectorSettings(windows=WindowSettings(tick_s=3600)))
        self._parts: list[dict[str, NDArray]] = []
        self._hourly: list[tuple[NDArray, NDArray, NDArray]] = []
        self._read = 0

    def add(self, requests: list[Request]) -> None:
        part = self._extract(gather(requests))
        number = self._number
        part["account"] = np.array([number.setdefault(r.account_id, len(number)) for r in requests], np.int64)
        part["address"] = np.array([digest(r.client_address) if r.client_address else 0 for r in requests], np.uint64)
        part["china"] = np.array([r.client_geo_country == "CN" for r in requests], bool)
        part["event"] = np.array([digest(r.event_id) for r in requests], np.uint64)
        self._verified.update(number[r.account_id] for r in requests if r.account_verification in VERIFIED)
        self._parts.append(part)
        self._take(self._stage.process(requests, np.arange(self._read, self._read + len(requests))))
        self._read += len(requests)

    def _take(self, partials: list) -> None:
        for partial in partials:
            if partial.accounts:
                rows = np.array([self._number[name] for name in partial.accounts], np.int64)
                end = np.full(len(rows), (partial.tick + 1) * HOUR_MS)
                self._hourly.append((rows, end, partial.column("features").astype(np.float64)))

    def columns(self) -> Columns:
        self._take(self._stage.advance())
        joined = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        _, first = np.unique(joined["event"], return_index=True)
        rows = first[np.argsort(joined["time"][first], kind="stable")]
        joined = {name: column[rows] for name, column in joined.items()}
        verified = np.zeros(len(self._number), bool)
        verified[list(self._verified)] = True
        names = (*FAMILIES, "simhash", "address", "organization")
        return Columns(
            ids=list(self._number),
            time=joined["time"],
            account=joined["account"],
            model=joined["model"].astype(np.int64),
            capabilities=joined["capabilities"].astype(np.int64),
            counts=joined["counts"],
            values={name: joined[name] for name in names},
            china=joined["china"],
            verified=verified,
            hourly=Hourly(*(np.concatenate(column) for column in zip(*self._hourly, strict=True))),
        )


def runs(*keys: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return an order that puts equal rows of `keys` together, stable otherwise, and where each run of them starts."""
    order = np.lexsort(keys[::-1])
    changed = np.zeros(max(len(order) - 1, 0), bool)
    for key in keys:
        changed |= key[order][1:] != key[order][:-1]
    return order, np.flatnonzero(np.concatenate([[len(order) > 0], changed]))


def lengths(start: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Return the length of each run that begins at `start`."""
    return np.diff(np.append(start, total))


@dataclass(frozen=True)
class Uses:
    """Each account's use of each value, in the order of first use (ms), and every event that is one."""

    first: NDArray[np.int64]
    account: NDArray[np.int64]
    value: NDArray[np.int64]
    family: NDArray[np.int64]
    event_time: NDArray[np.int64]
    event_use: NDArray[np.int64]


def uses(columns: Columns, names: tuple[str, ...]) -> Uses:
    """Return who used which of the values called `names`, numbered together; missing values are left out."""
    parts: list[tuple[NDArray, ...]] = []
    dealt = made = 0
    for number, field in enumerate(names):
        known = np.flatnonzero(columns.values[field] > 0)
        _, dense = np.unique(columns.values[field][known], return_inverse=True)
        order, start = runs(columns.account[known], dense)
        rows = known[order[start]]
        of_event = np.empty(len(known), np.int64)
        of_event[order] = np.repeat(np.arange(len(start)), lengths(start, len(order))) + made
        family = np.full(len(start), number)
        account, value = columns.account[rows], dense[order[start]] + dealt
        parts.append((columns.time[rows], account, value, family, columns.time[known], of_event))
        dealt += int(dense.max(initial=-1)) + 1
        made += len(start)
    first, account, value, family, event_time, event_use = (np.concatenate(c) for c in zip(*parts, strict=True))
    order = np.argsort(first, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    by_time = np.argsort(event_time, kind="stable")
    return Uses(
        first[order], account[order], value[order], family[order], event_time[by_time], place[event_use[by_time]]
    )

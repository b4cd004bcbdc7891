"""What happened: the events of a run and the truth about its accounts, read once for any number of detectors.

An account of a campaign may serve others as well. Its label then tells how many of its `requests` are `exchanges` of
the campaign, and each of its requests counts as that share of an exchange. A second copy of an event, by its
`event.id`, is no request.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import time_ns
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.request import FUTURE_MS
from stream.errors import InputError
from stream.evaluate.records import UNREADABLE, records
from stream.reader import LineReader

DAY_MS = 86_400_000
HONEST = "honest"


class _Label(msgspec.Struct, rename={"account": "account.id"}):
    campaign: str | None
    account: str | None = None
    kind: str = ""
    exchanges: int | None = None
    requests: int | None = None


class _Event(msgspec.Struct, gc=False, rename={"account": "account.id", "id": "event.id"}):
    account: str
    time: Annotated[int, msgspec.Meta(ge=0)]
    id: str | None = None


@dataclass(frozen=True)
class Truth:
    """The labels: `campaign` of every account that is in one, `kind` of every account."""

    campaign: dict[str, str]
    kind: dict[str, str]
    members: dict[str, list[str]]
    """Accounts of each campaign, campaigns in the order of the file."""
    weight: dict[str, float]
    """Share of an account's requests that are the campaign's, where not all of them are."""


@dataclass(frozen=True)
class Traffic:
    """One run. Times in Unix ms; memory grows with the accounts and with the campaigns' exchanges (16 bytes each)."""

    truth: Truth
    events: int
    bad_lines: int
    first: int
    last: int
    times: dict[str, NDArray[np.int64]]
    """Sorted times of the requests of every campaign account."""

    @property
    def days(self) -> float:
        """Length of the run."""
        return max((self.last - self.first) / DAY_MS, 1e-9)


def load(events: Path, labels: Path) -> Traffic:
    """Read the events, in one pass, and the labels; JSON Lines, plain, `.gz` or `.zst`.

    An event that cannot be read, or that is yet to come, is counted and passed over, as `replay` does.

    Raises:
        InputError: a file cannot be read or holds nothing, or a line of the labels is not what it should be.
    """
    truth = _truth(labels)
    seen: dict[str, array[int]] = defaultdict(lambda: array("q"))
    decoder, campaign = msgspec.json.Decoder(_Event), truth.campaign
    count, bad, first, last, latest = 0, 0, 1 << 62, 0, time_ns() // 1_000_000 + FUTURE_MS
    for line in chain.from_iterable(batch.lines for batch in LineReader(str(events))):
        try:
            event = decoder.decode(line)
        except UNREADABLE:
            bad += 1
            continue
        time = event.time
        if time > latest:
            bad += 1
            continue
        count += 1
        if time < first:
            first = time
        if time > last:
            last = time
        if event.account in campaign:
            seen[event.account].extend((time, hash(event.id) if event.id else count))
    if not count:
        raise InputError(f"{events}: no event in it")
    times = {account: _distinct(values) for account, values in seen.items()}
    return Traffic(truth, count, bad, first, last, times)


def _distinct(pairs: array[int]) -> NDArray[np.int64]:
    """Return the sorted times of (time, id) pairs, the first of each id."""
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    _, first = np.unique(rows[:, 1], return_index=True)
    return np.sort(rows[first, 0])


def _truth(path: Path) -> Truth:
    truth = Truth({}, {}, {}, {})
    for label in records(path, _Label):
        if label.campaign is not None:
            truth.members.setdefault(label.campaign, [])
        elif label.account is None:
            raise InputError(f"{path}: a label names neither an account nor a campaign")
        if label.account is None or label.account in truth.kind:
            continue
        truth.kind[label.account] = label.kind
        if label.campaign is not None:
            truth.campaign[label.account] = label.campaign
            truth.members[label.campaign].append(label.account)
            if label.exchanges is not None and label.requests:
                truth.weight[label.account] = min(label.exchanges / label.requests, 1.0)
    if not truth.kind:
        raise InputError(f"{path}: no account has a label")
    return truth

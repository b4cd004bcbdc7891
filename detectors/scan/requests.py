"""Requests as columns: what the stages work on, from bytes or from `Request` structs.

Plainly valid events go through compiled code (`scanner`), all others through `detectors.request`, which alone decides
what is refused; both give the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from detectors.hashing import bit, digest, digests, hexadecimals, network
from detectors.partials import CAPABILITIES, ELICITATIONS
from detectors.request import FUTURE_MS, FUTURE_TIME, MAX_BYTES, Reject, Request, decode_batch
from detectors.scan.fields import BIT as BIT_KIND
from detectors.scan.fields import HASHES, KINDS, LISTED, LISTS, MISSING, NUMBERS, TABLE, TEXTS
from detectors.scan.scanner import scan
from detectors.scan.xxh64 import PADDING

_BITS = tuple({name: 1 << place for place, name in enumerate(names)} for names in (CAPABILITIES, ELICITATIONS))


class Requests:
    """B valid requests, a row each.

    Attributes:
        hashes: of texts and identifiers, 0 where not known, shape (B, len(HASHES)); see `hash`.
        numbers: `MISSING` where not known, shape (B, len(NUMBERS)); see `number`.
        lists: masks of capabilities and elicitations with the bit `LISTED` where any was named, and whether the answer
            was refused, shape (B, 3).
    """

    def __init__(self, buffer: bytes, hashes: NDArray, places: NDArray, numbers: NDArray, lists: NDArray) -> None:
        self._buffer, self._places = buffer, places
        self.hashes, self.numbers, self.lists = hashes, numbers, lists

    def __len__(self) -> int:
        return len(self.hashes)

    def hash(self, name: str) -> NDArray[np.uint64]:
        """Return a column of `HASHES`, shape (B,); of an address that of its network, and 64 bits where those do."""
        return self.hashes[:, HASHES.index(name)]

    def number(self, name: str) -> NDArray[np.int64]:
        """Return a column of `NUMBERS`, shape (B,)."""
        return self.numbers[:, NUMBERS.index(name)]

    def text(self, name: str, row: int) -> str:
        """Return one of `TEXTS` of one request, "" where it is not known."""
        start, end = self._places[row, TEXTS.index(name)].tolist()
        return self._buffer[start:end].decode()

    def chosen(self, rows: NDArray) -> Requests:
        """Return the requests of some rows, or of those marked."""
        return Requests(self._buffer, self.hashes[rows], self._places[rows], self.numbers[rows], self.lists[rows])

    def put(self, rows: NDArray, others: Requests) -> None:
        """Put others in the place of some."""
        self._places[rows] = others._places + len(self._buffer)
        self._buffer += others._buffer
        self.hashes[rows], self.numbers[rows], self.lists[rows] = others.hashes, others.numbers, others.lists


def decode(
    values: Sequence[bytes | None], latest_ms: int | Sequence[int], max_bytes: int = MAX_BYTES
) -> tuple[Requests, NDArray[np.int64], list[Reject]]:
    """Decode `values` and sort the good from the bad; nothing in a value makes it raise.

    Args:
        values: record values; None (no value) is refused as `not_json`.
        latest_ms: record time of each value, or one wall-clock time for all, Unix ms.
        max_bytes: longer values are refused unread.

    Returns:
        The accepted requests, their indices in the batch, and the refusals; both in the order of the batch.

    Raises:
        ValueError: `latest_ms` is a sequence of another length than `values`.
    """
    if not isinstance(latest_ms, int) and len(latest_ms) != len(values):
        raise ValueError(f"{len(latest_ms)} record times for {len(values)} values")
    known = [value if value is not None else b"" for value in values] if None in values else values
    length = np.fromiter(map(len, known), np.int64, len(values))  # type: ignore[arg-type]
    end = np.cumsum(length)
    found, unusual = _scanned(b"".join(known) + bytes(PADDING), end - length, end)  # type: ignore[arg-type]
    unusual |= length > max_bytes
    times = found.number("time")
    latest = np.asarray(latest_ms, np.int64)
    future = ~unusual & (times > latest + FUTURE_MS)
    rejects = [Reject(index, *FUTURE_TIME) for index in np.flatnonzero(future).tolist()]
    kept = ~(unusual | future)
    slow = np.flatnonzero(unusual)
    if len(slow):
        waiting = slow.tolist()
        bounds = latest_ms if isinstance(latest_ms, int) else [latest_ms[index] for index in waiting]
        requests, indices, refused = decode_batch([values[index] for index in waiting], bounds, max_bytes)
        rows = slow[np.array(indices, np.int64)]
        found.put(rows, gather(requests))
        kept[rows] = True
        rejects += [Reject(waiting[reject.index], reject.reason, reject.detail) for reject in refused]
        rejects.sort(key=attrgetter("index"))
    accepted = np.flatnonzero(kept)
    return found if len(accepted) == len(values) else found.chosen(accepted), accepted, rejects


def _scanned(buffer: bytes, start: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[Requests, NDArray[np.bool_]]:
    """Return the events of `buffer`, and which of them were not scanned."""
    rows = len(start)
    found = Requests(
        buffer,
        np.zeros((rows, len(HASHES)), np.uint64),
        np.zeros((rows, len(TEXTS), 2), np.int64),
        np.full((rows, len(NUMBERS)), MISSING),
        np.zeros((rows, 3), np.uint16),
    )
    data = np.frombuffer(buffer, np.uint8)
    return found, scan(data, start, end, TABLE, found.hashes, found._places, found.numbers, found.lists)


def gather(requests: Sequence[Request]) -> Requests:
    """Return decoded requests as columns."""
    rows = len(requests)
    hashes = np.zeros((rows, len(HASHES)), np.uint64)
    parts: list[bytes] = []
    lengths = np.zeros((rows, len(TEXTS)), np.int64)
    for column, name in enumerate(HASHES):
        values = list(map(attrgetter(name), requests))
        hashes[:, column] = _hashed(name, values)
        if column < len(TEXTS):
            encoded = [value.encode() if value else b"" for value in values]
            lengths[:, column] = list(map(len, encoded))
            parts += encoded
    end = np.cumsum(lengths.T.reshape(-1)).reshape(len(TEXTS), rows).T
    numbers = np.array(
        [[MISSING if value is None else value for value in map(attrgetter(name), requests)] for name in NUMBERS],
        np.int64,
    ).T.reshape(rows, len(NUMBERS))
    lists = np.array([_masks(request) for request in requests], np.uint16).reshape(rows, 3)
    return Requests(b"".join(parts), hashes, np.stack([end - lengths, end], axis=2), numbers.copy(), lists)


def _hashed(name: str, values: Sequence[str | None]) -> NDArray[np.uint64]:
    if name == "prompt_simhash":
        return hexadecimals(values)
    if name == "client_address":
        return np.array([digest(network(value)) if value else 0 for value in values], np.uint64)
    if name == "prompt_language":
        return np.array([bit(value.partition("-")[0].lower()) if value else 0 for value in values], np.uint64)
    if KINDS[name] == BIT_KIND:
        return np.array([bit(value) if value else 0 for value in values], np.uint64)
    known = list(filter(None, values))
    hashes = np.zeros(len(values), np.uint64)
    hashes[np.fromiter(map(bool, values), bool, len(values))] = digests(known)
    return hashes


def _masks(request: Request) -> tuple[int, int, bool]:
    masks = []
    for name, bits in zip(LISTS, _BITS, strict=True):
        names = getattr(request, name)
        masks.append(sum(bits.get(each, 0) for each in set(names)) | 1 << LISTED if names else 0)
    return masks[0], masks[1], request.response_refused is True

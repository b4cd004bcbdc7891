"""From a batch of requests to columns: one numpy array per thing that the windows count."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import numbered, plain
from detectors.hashing import network
from detectors.partials import CAPABILITIES, COUNTS, ELICITATIONS
from detectors.scan.fields import MISSING
from detectors.scan.requests import Requests

CACHE_ENTRIES = 1 << 18
OTHER = "(other)"
MAX_NAME = 128
"""Longer names of models, plans and paths are cut: they travel in every partial and snapshot."""
CUSTOMERS = {"plan": "account_plan", "verification": "account_verification", "pathway": "account_signup_pathway"}
MIXED = {"model": "gen_ai_request_model", "access_path": "access_path"}
IDENTIFIERS = {"payment_fingerprint": "payment", "device_fingerprint": "device", "client_address": "network"}
VARIED = ("prompt_language", "client_geo_country", "user_agent_original")
MOST_MIXED = np.iinfo(np.int16).max
"""Different models and access paths of the ticks that are open: one more than the largest of their numbers fits too."""
Columns = dict[str, NDArray]


class Names:
    """Numbers for the few different models, plans and paths; −1 is not known, and the excess shares one number.

    Args:
        limit: how many numbers there are.
    """

    def __init__(self, limit: int = 1024) -> None:
        self.limit = limit
        self.known: list[str] = []
        self._numbers: dict[str, int] = {}
        self._codes: dict[str | None, int] = {None: -1}
        self._by_hash: dict[int, int] = {0: -1}

    def _code(self, name: str | None) -> int:
        if name not in self._codes:
            if len(self._codes) > CACHE_ENTRIES:
                self._codes = {None: -1}
            self._codes[name] = self._new(str(name)[:MAX_NAME])
        return self._codes[name]

    def _new(self, name: str) -> int:
        if name not in self._numbers and self.full:
            name = OTHER
        if name not in self._numbers:
            self._numbers[name] = len(self.known)
            self.known.append(name)
        return self._numbers[name]

    @property
    def full(self) -> bool:
        """Tell whether every further name shares one number."""
        return len(self.known) >= self.limit - 1

    def rename(self, number: int, name: str) -> None:
        """Let a number stand for a name that had none of its own; what it stood for shares that of the excess."""
        self._know([name if place == number else known for place, known in enumerate(self.known)])

    def keep(self, used: NDArray) -> NDArray[np.int16]:
        """Forget all names but those whose numbers are in `used`; return the new number of each old one.

        −1 for those forgotten, and at the end for the −1 of no name.
        """
        kept = np.unique(used[used >= 0])
        new = np.full(len(self.known) + 1, -1, np.int16)
        new[kept] = np.arange(len(kept))
        self._know([self.known[number] for number in kept.tolist()])
        return new

    def _know(self, names: list[str]) -> None:
        self.known, self._numbers = names, {name: number for number, name in enumerate(names)}
        self._codes, self._by_hash = {None: -1}, {0: -1}

    def codes(self, names: Sequence[str | None]) -> NDArray[np.int16]:
        """Return the numbers of `names`, shape (len(names),)."""
        return np.array([self._code(name) for name in names], np.int16)

    def of(self, requests: Requests, name: str) -> NDArray[np.int16]:
        """Return the numbers of one of `scan.fields.NAMES` of the requests, shape (len(requests),)."""
        if len(self._by_hash) > CACHE_ENTRIES:
            self._by_hash = {0: -1}
        hashes = plain(requests.hash(name), np.uint64)
        place, first = numbered(hashes)
        unique = hashes[first].tolist()
        for number, at in zip(unique, first.tolist(), strict=True):
            if number not in self._by_hash:
                self._by_hash[number] = self._code(requests.text(name, at))
        return np.array([self._by_hash[number] for number in unique], np.int16)[place]


class Extractor:
    """Turns requests into columns.

    Args:
        key: when given, payment, device and network identifiers are first keyed with HMAC-SHA-256.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self._keyed: dict[str, dict[int, int]] = {name: {0: 0} for name in IDENTIFIERS}
        self.names, self.mixed = Names(), Names(MOST_MIXED)
        """What customers are, and what they ask for: those names are their own text, and are forgotten again."""

    def __call__(self, requests: Requests) -> Columns:
        """Return the columns of `requests`; hashes of missing values are 0, missing counts 0.

        A prompt without a skeleton's hash has its SimHash for a template.
        """
        template, simhash = requests.hash("prompt_template"), requests.hash("prompt_simhash")
        created = requests.number("account_created")
        kinds = requests.lists[:, 1, None] >> np.arange(len(ELICITATIONS), dtype=np.uint16) & 1
        return {
            "time": requests.number("time").copy(),
            "created": np.where(created == MISSING, -1, created),
            **{column: self.names.of(requests, name) for column, name in CUSTOMERS.items()},
            **{column: self.mixed.of(requests, name) for column, name in MIXED.items()},
            "organization": requests.hash("organization_id").copy(),
            "template": np.where(template > 0, template, simhash),
            "simhash": simhash.copy(),
            "content": requests.hash("prompt_content").copy(),
            **{column: self._identifiers(requests, name) for name, column in IDENTIFIERS.items()},
            "signature": requests.hash("thinking_signature_hash").copy(),
            "variety": np.stack([requests.hash(name) for name in VARIED], axis=1),
            "capabilities": requests.lists[:, 0] & np.uint16((1 << len(CAPABILITIES)) - 1),
            "counts": _counts(requests),
            "elicitations": kinds.astype(np.float32),
        }

    def _identifiers(self, requests: Requests, name: str) -> NDArray[np.uint64]:
        hashes = plain(requests.hash(name), np.uint64)
        if self._key is None:
            return hashes
        cache = self._keyed[name]
        if len(cache) > CACHE_ENTRIES:
            cache.clear()
            cache[0] = 0
        place, first = numbered(hashes)
        unique = hashes[first].tolist()
        for number, row in zip(unique, first.tolist(), strict=True):
            if number not in cache:
                text = requests.text(name, row)
                text = network(text) if name == "client_address" else text
                cache[number] = int.from_bytes(hmac.digest(self._key, text.encode(), "sha256")[:8], "little")
        return np.array([cache[number] for number in unique], np.uint64)[place]


def _counts(requests: Requests) -> NDArray[np.float32]:
    """Return the columns named by `COUNTS`, shape (B, 11)."""
    counts = np.empty((len(requests), len(COUNTS)), np.float32)
    status = requests.number("http_response_status_code")
    parts = (
        1.0,
        _known(requests.number("gen_ai_usage_input_tokens")),
        _known(requests.number("gen_ai_usage_output_tokens")),
        _known(requests.number("gen_ai_usage_reasoning_output_tokens")),
        _known(requests.number("tools_count")),
        requests.number("gen_ai_usage_image_input_tokens") > 0,
        requests.lists[:, 2] > 0,
        status == 429,
        status == 403,
        requests.lists[:, 1] > 0,
        requests.number("conversation_turn") > 1,
    )
    for position, part in enumerate(parts):
        counts[:, position] = part
    return counts


def _known(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(numbers == MISSING, 0.0, numbers.astype(np.float64))


def select(columns: Columns, chosen: NDArray[np.bool_]) -> Columns:
    """Return the chosen rows of every column."""
    return {name: column[chosen] for name, column in columns.items()}

"""From a batch of requests to columns: one numpy array per thing that the windows count."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.hashing import digest, digests
from detectors.partials import CAPABILITIES, COUNTS, ELICITATIONS
from detectors.request import Request

CACHE_ENTRIES = 1 << 18
MAX_NAME = 128
"""Longer names of models, plans and paths are cut: they travel in every partial and snapshot."""
_CAPABILITY_BIT = {name: 1 << position for position, name in enumerate(CAPABILITIES)}
_ELICITATION_BIT = {name: 1 << position for position, name in enumerate(ELICITATIONS)}
_GETTERS = {name: attrgetter(name) for name in Request.__struct_fields__}
_HEXADECIMAL = re.compile("[0-9a-fA-F]*")
Columns = dict[str, NDArray]


class Cache(dict):
    """A function's results by argument, emptied when full; a missing argument (None) gives `missing`."""

    def __init__(self, function: Callable[[Any], int], missing: int = 0) -> None:
        super().__init__({None: missing})
        self._function, self._missing_value = function, missing

    def __missing__(self, argument: Any) -> int:
        if len(self) > CACHE_ENTRIES:
            self.clear()
            self[None] = self._missing_value
        result = self[argument] = self._function(argument)
        return result


class Names:
    """Numbers for the few different models, plans and paths; −1 is not known, and the excess shares one number.

    Args:
        limit: how many numbers there are.
    """

    def __init__(self, limit: int = 1024) -> None:
        self.limit = limit
        self.known: list[str] = []
        self._codes = Cache(self._new, missing=-1)

    def _new(self, name: str) -> int:
        name = name[:MAX_NAME]
        if len(self.known) >= self.limit - 1:
            name = "(other)"
        if name in self.known:
            return self.known.index(name)
        self.known.append(name)
        return len(self.known) - 1

    def codes(self, names: Sequence[str | None]) -> NDArray[np.int16]:
        """Return the numbers of `names`, shape (len(names),)."""
        return np.fromiter(map(self._codes.__getitem__, names), np.int16, len(names))


class _Fields:
    """One attribute of every request at a time."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = requests

    def __getitem__(self, name: str) -> list[Any]:
        return list(map(_GETTERS[name], self._requests))


class Extractor:
    """Turns requests into columns, the identifiers in them into 64-bit hashes.

    Args:
        key: when given, payment, device and network identifiers are first keyed with HMAC-SHA-256.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self.names = Names()
        self._identifier = Cache(self._hash_identifier)
        self._network = Cache(lambda address: self._hash_identifier(network(address)))
        self._language = Cache(lambda tag: _bit(tag.partition("-")[0].lower()))
        self._bit = Cache(_bit)
        self._elicitations = Cache(lambda names: sum(_ELICITATION_BIT.get(name, 0) for name in set(names)))
        self._capabilities = Cache(lambda names: sum(_CAPABILITY_BIT.get(name, 0) for name in set(names)))

    def _hash_identifier(self, value: str) -> int:
        if self._key is None:
            return digest(value)
        return int.from_bytes(hmac.digest(self._key, value.encode(), "sha256")[:8], "little")

    def __call__(self, requests: Sequence[Request]) -> Columns:
        """Return the columns of `requests`; hashes of missing values are 0, missing counts 0.

        A prompt without a skeleton's hash has its SimHash for a template.
        """
        field = _Fields(requests)
        status = _numbers(field["http_response_status_code"])
        template, simhash = _hashes(field["prompt_template"]), _hexadecimals(field["prompt_simhash"])
        created = field["account_created"]
        return {
            "time": np.array(field["time"], np.int64),
            "created": np.array([-1 if value is None else value for value in created], np.int64),
            "plan": self.names.codes(field["account_plan"]),
            "verification": self.names.codes(field["account_verification"]),
            "pathway": self.names.codes(field["account_signup_pathway"]),
            "model": self.names.codes(field["gen_ai_request_model"]),
            "access_path": self.names.codes(field["access_path"]),
            "organization": _hashes(field["organization_id"]),
            "template": np.where(template > 0, template, simhash),
            "simhash": simhash,
            "content": _hashes(field["prompt_content"]),
            "payment": self._identifiers(field["payment_fingerprint"]),
            "device": self._identifiers(field["device_fingerprint"]),
            "network": _lookup(self._network, field["client_address"]),
            "signature": _hashes(field["thinking_signature_hash"]),
            "variety": np.stack(
                [
                    _lookup(self._language, field["prompt_language"]),
                    _lookup(self._bit, field["client_geo_country"]),
                    _lookup(self._bit, field["user_agent_original"]),
                ],
                axis=1,
            ),
            "capabilities": self._masks(field["prompt_capabilities"]),
            "counts": _counts(field, status),
            "elicitations": self._kinds(field["prompt_elicitation"]),
        }

    def _identifiers(self, values: Sequence[str | None]) -> NDArray[np.uint64]:
        return _hashes(values) if self._key is None else _lookup(self._identifier, values)

    def _masks(self, lists: Sequence[Sequence[str] | None]) -> NDArray[np.uint16]:
        get = self._capabilities
        return np.array([get[tuple(names)] if names else 0 for names in lists], np.uint16)

    def _kinds(self, lists: Sequence[Sequence[str] | None]) -> NDArray[np.float32]:
        get = self._elicitations
        masks = np.array([get[tuple(names)] if names else 0 for names in lists], np.uint8)
        return ((masks[:, None] >> np.arange(len(ELICITATIONS), dtype=np.uint8)) & 1).astype(np.float32)


def _bit(value: str) -> int:
    """Return one of 64 bits by the value's hash."""
    return 1 << (digest(value) >> 58)


def _counts(field: _Fields, status: NDArray) -> NDArray[np.float32]:
    """Return the columns named by `COUNTS`, shape (B, 11)."""
    counts = np.empty((len(status), len(COUNTS)), np.float32)
    parts = (
        1.0,
        _numbers(field["gen_ai_usage_input_tokens"]),
        _numbers(field["gen_ai_usage_output_tokens"]),
        _numbers(field["gen_ai_usage_reasoning_output_tokens"]),
        _numbers(field["tools_count"]),
        _numbers(field["gen_ai_usage_image_input_tokens"]) > 0,
        np.array([value is True for value in field["response_refused"]]),
        status == 429,
        status == 403,
        np.array([bool(value) for value in field["prompt_elicitation"]]),
        _numbers(field["conversation_turn"]) > 1,
    )
    for position, part in enumerate(parts):
        counts[:, position] = part
    return counts


def _numbers(values: Sequence[int | None]) -> NDArray[np.float64]:
    if values.count(None) == len(values):
        return np.zeros(len(values))
    return np.nan_to_num(np.array(values, np.float64))


def _hashes(values: Sequence[str | None]) -> NDArray[np.uint64]:
    known = list(filter(None, values))
    if len(known) == len(values):
        return digests(known)
    hashes = np.zeros(len(values), np.uint64)
    hashes[np.fromiter(map(bool, values), bool, len(values))] = digests(known)
    return hashes


def _lookup(cache: Cache, values: Sequence[str | None]) -> NDArray[np.uint64]:
    return np.fromiter(map(cache.__getitem__, values), np.uint64, len(values))


def _hexadecimals(values: Sequence[str | None]) -> NDArray[np.uint64]:
    known = list(filter(None, values))
    filled = known if len(known) == len(values) else [value or "0000000000000000" for value in values]
    digits = "".join(filled)
    if set(map(len, known)) <= {16} and _HEXADECIMAL.fullmatch(digits):
        return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)
    return np.array([_hexadecimal(value) for value in values], np.uint64)


def _hexadecimal(value: str | None) -> int:
    if not value:
        return 0
    try:
        return int(value, 16) & 0xFFFF_FFFF_FFFF_FFFF
    except ValueError:
        return 0


def network(address: str) -> str:
    """Return the /24 of an IPv4 address or the /48 of an IPv6 one; anything else stands for itself.

    >>> network("192.0.2.17"), network("2001:db8:7:1::9"), network("2001:db8::1")
    ('192.0.2', '2001:db8:7', '2001:db8:0')
    """
    if ":" not in address:
        return address.rpartition(".")[0] or address
    head, compressed, _ = address.lower().partition("::")
    groups = head.split(":") if head else []
    if compressed:
        groups += ["0"] * (3 - len(groups))
    return ":".join(group.lstrip("0") or "0" for group in groups[:3])


def select(columns: Columns, chosen: NDArray[np.bool_]) -> Columns:
    """Return the chosen rows of every column."""
    return {name: column[chosen] for name, column in columns.items()}


def chosen(requests: Sequence[Request], keep: NDArray[np.bool_]) -> list[Request]:
    """Return the kept requests."""
    return list(compress(requests, keep))

"""What the scanner knows of each key of a request event, as arrays that compiled code reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.hashing import digests
from detectors.partials import CAPABILITIES, ELICITATIONS
from detectors.request import KEYS, MAX_ID, Request
from detectors.scan.xxh64 import PADDING

TEXT, HASH, BIT, LANGUAGE, ADDRESS, SIMHASH, CHECKED, NUMBER, ANY_NUMBER, BOOLEAN, LIST, NEVER = range(12)
"""Kinds of values: text that may be asked for and its hash; the hash alone; one of 64 bits by the hash; the same of a
language; the hash of an address's network; 16 hexadecimal digits; text and numbers of which only the type matters;
true or false; a list of names; and what only `detectors.request` reads."""

KINDS = {
    "event_id": TEXT, "account_id": TEXT, "gen_ai_request_model": TEXT, "account_plan": TEXT,
    "account_verification": TEXT, "account_signup_pathway": TEXT, "access_path": TEXT,
    "payment_fingerprint": TEXT, "device_fingerprint": TEXT, "client_address": ADDRESS,
    "organization_id": HASH, "prompt_template": HASH, "prompt_content": HASH,
    "thinking_signature_hash": HASH, "prompt_simhash": SIMHASH,
    "prompt_language": LANGUAGE, "client_geo_country": BIT, "user_agent_original": BIT,
    "api_key_id": CHECKED, "gen_ai_operation_name": CHECKED, "gen_ai_conversation_id": CHECKED,
    "time": NUMBER, "account_created": NUMBER, "conversation_turn": NUMBER, "gen_ai_usage_input_tokens": NUMBER,
    "gen_ai_usage_output_tokens": NUMBER, "gen_ai_usage_reasoning_output_tokens": NUMBER,
    "gen_ai_usage_image_input_tokens": NUMBER, "tools_count": NUMBER, "http_response_status_code": NUMBER,
    "client_asn": ANY_NUMBER, "gen_ai_request_max_tokens": ANY_NUMBER,
    "response_refused": BOOLEAN, "prompt_capabilities": LIST, "prompt_elicitation": LIST, "prompt_text": NEVER,
}  # fmt: skip
TEXTS = tuple(name for name, kind in KINDS.items() if kind in (TEXT, ADDRESS))
HASHES = (*TEXTS, *(name for name, kind in KINDS.items() if kind in (HASH, SIMHASH, LANGUAGE, BIT)))
NUMBERS = tuple(name for name, kind in KINDS.items() if kind == NUMBER)
LISTS = ("prompt_capabilities", "prompt_elicitation")
NAMES = ("gen_ai_request_model", "account_plan", "account_verification", "account_signup_pathway", "access_path")
"""Texts that get small numbers."""
ANY_SIGN = ("account_created", "client_asn", "http_response_status_code")
REQUIRED = ("event_id", "time", "account_id", "gen_ai_request_model")
MISSING = np.iinfo(np.int64).min
LISTED = 15
"""The bit of a list's mask that tells that it was there and not empty."""
SLOTS = 256


class Table(NamedTuple):
    """Arrays over the F known keys.

    Attributes:
        text: the keys end to end, padded.
        start, length: of each key in `text`.
        slots: open addressing by `fingerprint`: field numbers, −1 for none.
        kind: of the value.
        column: where it goes among `HASHES`, `NUMBERS` or `LISTS`; −1 for nowhere.
        least: smallest number allowed.
        most: longest text allowed, bytes.
        required: 1 bits of the fields without which there is no request.
        listed: hashes of the names that have bits, (2, 10), 0 for none.
    """

    text: NDArray[np.uint8]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    slots: NDArray[np.int64]
    kind: NDArray[np.int64]
    column: NDArray[np.int64]
    least: NDArray[np.int64]
    most: NDArray[np.int64]
    required: np.uint64
    listed: NDArray[np.uint64]


def _column(name: str) -> int:
    places = [names.index(name) for names in (HASHES, NUMBERS, LISTS) if name in names]
    return places[0] if places else -1


def _least(name: str) -> int:
    if name in ANY_SIGN:
        return int(MISSING) + 1
    return 1 if name == "conversation_turn" else 0


def _table() -> Table:
    fields = Request.__struct_fields__
    keys = [KEYS[name].encode() if name in KEYS else name.encode() for name in fields]
    length = np.array([len(key) for key in keys])
    slots = np.full(SLOTS, -1)
    for number, key in enumerate(keys):
        slot = fingerprint(key)
        while slots[slot] >= 0:
            slot = (slot + 1) % SLOTS
        slots[slot] = number
    listed = np.zeros((2, max(len(CAPABILITIES), len(ELICITATIONS))), np.uint64)
    for row, names in zip(listed, (CAPABILITIES, ELICITATIONS), strict=True):
        row[: len(names)] = digests(names)
    short = {"event_id", "account_id", *NAMES}
    return Table(
        text=np.frombuffer(b"".join(keys) + bytes(PADDING), np.uint8),
        start=np.cumsum(length) - length,
        length=length,
        slots=slots,
        kind=np.array([KINDS[name] for name in fields]),
        column=np.array([_column(name) for name in fields]),
        least=np.array([_least(name) for name in fields]),
        most=np.array([MAX_ID if name in short else 1 << 20 for name in fields]),
        required=np.uint64(sum(1 << fields.index(name) for name in REQUIRED)),
        listed=listed,
    )


def fingerprint(key: bytes) -> int:
    """Return the slot where the search for a key begins; compiled code does the same sum."""
    size = len(key)
    return (size + 7 * key[0] + 31 * key[size // 2] + 13 * key[size - 1]) % SLOTS


TABLE = _table()

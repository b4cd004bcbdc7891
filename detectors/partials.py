"""What the account stage hands to the group stage: one tick of one partition, as columns.

`accounts` are the accounts active in the tick, sorted; the other columns are of two kinds. Per account (A rows):
what the account is, its traffic, its window features. Per use (U rows): one account's traffic through one attribute
value in the tick, pointing at its account by `use_account`. A use of the template family lists the hashes of its
contents: `use_contents` of them each, end to end in `contents`.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.slots import WORDS

FAMILIES = ("template", "payment", "device", "network", "signature")
PLACES = ("payment", "device", "network")
"""The families that tell who stands behind an account, not what it does."""
CAPABILITIES = (
    "reasoning", "coding", "tool_use", "agentic", "vision",
    "computer_use", "data_analysis", "rubric_grading", "policy_rewrite", "other",
)  # fmt: skip
ELICITATIONS = ("chain_of_thought", "trace_reconstruction", "reasoning_tags", "filter_evasion")
COUNTS = (
    "requests", "input_tokens", "output_tokens", "reasoning_tokens", "tools", "images",
    "refused", "status_429", "status_403", "elicited", "multi_turn",
)  # fmt: skip
FEATURES = 16
MAX_CONTENTS = 8_000
"""Different contents listed of one account in a tick."""
VARIETIES = ("language", "country", "agent")

SCHEMA: dict[str, tuple[str, tuple[int, ...]]] = {
    "created": ("i8", ()),
    "first": ("i8", ()),
    "last": ("i8", ()),
    "plan": ("i2", ()),
    "verification": ("i2", ()),
    "pathway": ("i2", ()),
    "organization": ("u8", ()),
    "counts": ("f4", (len(COUNTS),)),
    "capabilities": ("f4", (len(CAPABILITIES),)),
    "slots": ("u8", (WORDS,)),
    "features": ("f4", (FEATURES,)),
    "variety": ("u8", (len(VARIETIES),)),
    "elicitations": ("f4", (len(ELICITATIONS),)),
    "mix_account": ("i4", ()),
    "mix_kind": ("i1", ()),
    "mix_name": ("i2", ()),
    "mix_requests": ("f4", ()),
    "mix_failed": ("f4", ()),
    "use_account": ("i4", ()),
    "use_family": ("i1", ()),
    "use_value": ("u8", ()),
    "use_simhash": ("u8", ()),
    "use_counts": ("f4", (len(COUNTS),)),
    "use_capabilities": ("f4", (len(CAPABILITIES),)),
    "use_slots": ("u8", (WORDS,)),
    "use_contents": ("i4", ()),
    "contents": ("u8", ()),
}
"""Dtype and trailing shape of each column. `mix_*` rows count an account's requests per model (kind 0) or access
path (kind 1), and those refused or answered 429 or 403; `slots` and `use_slots` are masks of `detectors.slots`;
`variety` has a bit of 64 set for each value of `VARIETIES`; the lowest bit of `contents` says that the account was
answered 429 or 403; `plan`, `verification`, `pathway` and `mix_name` are positions in `names`, -1 when not known."""


class Partial(msgspec.Struct, array_like=True):
    """Part `chunk` of what one partition saw in tick number `tick`.

    A partition closes ticks in order, so this also says that it has closed every tick up to `tick`. `idle` says that
    nothing is waiting in the partition, which must then not hold the others up.
    """

    partition: int
    tick: int
    chunk: int
    last_chunk: bool
    idle: bool
    accounts: list[str] = []
    names: list[str] = []
    columns: dict[str, bytes] = {}

    def column(self, name: str) -> NDArray:
        """Return one column of `SCHEMA`."""
        dtype, shape = SCHEMA[name]
        return np.frombuffer(self.columns.get(name, b""), dtype).reshape(-1, *shape)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Partial)


def encode(partial: Partial) -> bytes:
    """Return the partial as MessagePack."""
    return _encoder.encode(partial)


def decode(data: bytes) -> Partial:
    """Return the partial that `encode` wrote.

    Raises:
        msgspec.DecodeError: `data` is something else.
    """
    return _decoder.decode(data)

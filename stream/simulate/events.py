"""Rows of drawn traffic, and their encoding as request events.

A row holds numbers and indexes into tables of ready-made JSON fragments, so that a million events cost seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

EVENT = np.dtype(
    [
        ("id", "u8"),
        ("time", "i8"),
        ("account", "i4"),
        ("exit", "i4"),
        ("device", "i4"),
        ("agent", "i4"),
        ("model", "i4"),
        ("language", "i4"),
        ("shape", "i4"),
        ("template", "u8"),
        ("simhash", "u8"),
        ("content", "u8"),
        ("conversation", "u8"),
        ("signature", "u8"),
        ("turn", "i4"),
        ("max_tokens", "i4"),
        ("input", "i4"),
        ("output", "i4"),
        ("reasoning", "i4"),
        ("image", "i4"),
        ("status", "i2"),
        ("refused", "i1"),
        ("own", "i1"),
        ("copy", "i1"),
    ]
)
"""One request. Indexes `exit` … `shape` point into `Fragments`; -1 means absent. Tokens -1 mean not reported.

`signature` is the reasoning signature that the request replays, 0 for none. `own` is 0 where a campaign's account
serves somebody else, `copy` 1 where a producer sends an event again; neither is written.
"""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)


def mix(values: np.ndarray | int) -> np.ndarray:
    """Return the SplitMix64 finaliser of `values`: a bijection on 64 bits that hides their order."""
    z = np.atleast_1d(np.asarray(values)).astype(np.uint64) * _GOLDEN + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _M1
    z = (z ^ (z >> np.uint64(27))) * _M2
    return z ^ (z >> np.uint64(31))


def blank(n: int) -> np.ndarray:
    """Return `n` rows with everything optional absent and status 200."""
    rows = np.zeros(n, EVENT)
    for name in ("exit", "device", "agent", "language", "shape", "reasoning", "image"):
        rows[name] = -1
    rows["status"] = 200
    rows["own"] = 1
    return rows


class Fragments:
    """An interned table of JSON fragments; the last entry is empty, so that index -1 adds nothing."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def add(self, text: str) -> int:
        """Return the index of `text`, adding it when new."""
        return self._index.setdefault(text, len(self._index))

    def table(self) -> list[str]:
        """Return the fragments in order, then the empty one."""
        return [*self._index, ""]

    def __len__(self) -> int:
        return len(self._index)


def _number(key: str, values: np.ndarray, absent: int) -> list[str]:
    return ["" if v == absent else f',"{key}":{v}' for v in values.tolist()]


def encode(rows: np.ndarray, tables: dict[str, list[str]]) -> Iterator[bytes]:
    """Yield one JSON line per row.

    Args:
        rows: (n,) array of EVENT.
        tables: the fragments by column: account, exit, device, agent, model, language, shape.
    """
    parts = {name: list(map(table.__getitem__, rows[name].tolist())) for name, table in tables.items()}
    tail = zip(
        _number("gen_ai.request.max_tokens", rows["max_tokens"], 0),
        _number("gen_ai.usage.reasoning.output_tokens", rows["reasoning"], -1),
        _number("gen_ai.usage.image.input_tokens", rows["image"], -1),
        [f',"thinking_signature.hash":"{v:016x}"' if v else "" for v in rows["signature"].tolist()],
        strict=True,
    )
    columns = zip(
        rows["id"].tolist(),
        rows["time"].tolist(),
        parts["account"],
        parts["model"],
        parts["exit"],
        parts["device"],
        parts["agent"],
        parts["language"],
        parts["shape"],
        rows["template"].tolist(),
        rows["simhash"].tolist(),
        rows["content"].tolist(),
        rows["conversation"].tolist(),
        rows["turn"].tolist(),
        rows["input"].tolist(),
        rows["output"].tolist(),
        rows["status"].tolist(),
        rows["refused"].tolist(),
        tail,
        strict=True,
    )
    for (
        eid,
        time,
        account,
        model,
        exit_,
        device,
        agent,
        language,
        shape,
        template,
        simhash,
        content,
        conversation,
        turn,
        tin,
        tout,
        status,
        refused,
        (limit, reasoning, image, signature),
    ) in columns:
        talk = f',"gen_ai.conversation.id":"{conversation:016x}","conversation.turn":{turn}' if conversation else ""
        yield (
            f'{{"event.id":"{eid:016x}","time":{time}{account}{model}{exit_}{device}{agent}'
            f'{talk}{limit},"gen_ai.usage.input_tokens":{tin},"gen_ai.usage.output_tokens":{tout}{reasoning}{image}'
            f',"http.response.status_code":{status},"prompt.template":"{template:016x}"'
            f',"prompt.simhash":"{simhash:016x}","prompt.content":"{content:016x}"{language}{shape}{signature}'
            f',"response.refused":{"true" if refused else "false"}}}\n'
        ).encode()

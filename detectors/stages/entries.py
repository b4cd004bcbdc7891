"""Snapshot entries that are written again only when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

CHUNK_BYTES = 500_000
PIECE = 8_192


class Entries:
    """Remembers the digest of each entry that was written."""

    def __init__(self) -> None:
        self._written: dict[str, int] = {}

    def changed(self, parts: Mapping[str, Any]) -> dict[str, bytes]:
        """Return the encoded parts that differ from what was written last, large ones in chunks.

        An empty value deletes a key: its part is no more, or has become shorter.
        """
        entries: dict[str, bytes] = {}
        digests: dict[str, int] = {}
        for name, part in parts.items():
            blob = part if isinstance(part, bytes) else msgspec.msgpack.encode(part)
            for start in range(0, len(blob), CHUNK_BYTES):
                key, chunk = f"rest/{name}/{start // CHUNK_BYTES}", blob[start : start + CHUNK_BYTES]
                digests[key] = xxh3_64_intdigest(chunk)
                if digests[key] != self._written.get(key):
                    entries[key] = chunk
        entries |= dict.fromkeys(self._written.keys() - digests.keys(), b"")
        self._written = digests
        return entries

    def load(self, items: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
        """Return the encoded parts by name, in the order of their numbers, and count them as written."""
        kept = {key: value for key, value in items if key.startswith("rest/")}
        self._written = {key: xxh3_64_intdigest(value) for key, value in kept.items()}
        parts: dict[str, bytes] = {}
        for key in sorted(kept, key=lambda key: [(word.zfill(9), word) for word in key.split("/")[1:]]):
            name = key[5:].rpartition("/")[0]
            parts[name] = parts.get(name, b"") + kept[key]
        return parts


def pieces(name: str, things: list[Any], size: int = PIECE) -> dict[str, list[Any]]:
    """Cut a list that grows at its end into parts of which only the last changes."""
    return {f"{name}/{start // size}": things[start : start + size] for start in range(0, len(things), size)}


def joined(parts: Mapping[str, bytes], name: str) -> list[Any]:
    """Return the list that `pieces` cut."""
    found = [data for key, data in parts.items() if key.rpartition("/")[0] == name]
    return [thing for data in found for thing in msgspec.msgpack.decode(data, strict=False)]

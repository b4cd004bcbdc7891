"""The first entry of a stage's snapshot: which schema wrote it, and how far it had come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from detectors.errors import StateVersionError


def header_entry(schema: int, fields: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the snapshot entry that `open_snapshot` checks."""
    return {"header": msgspec.msgpack.encode({"schema": schema, **fields})}


def open_snapshot(
    items: Iterable[tuple[str, bytes]], schema: int, stage: str
) -> tuple[dict[str, bytes], dict[str, Any]] | None:
    """Return a snapshot's entries without the deleted ones, and its header; None for an empty snapshot.

    Raises:
        StateVersionError: the snapshot is of another schema.
    """
    entries = {key: value for key, value in items if value}
    if not entries:
        return None
    header: dict[str, Any] = msgspec.msgpack.decode(entries["header"])
    if header["schema"] != schema:
        raise StateVersionError(f"{stage} state has schema {header['schema']}, this version reads {schema}")
    return entries, header

"""Reads the JSON Lines that are held against each other: labels, alerts, decisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from stream.errors import InputError
from stream.reader import LineReader

T = TypeVar("T")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a line may raise."""


def records(path: Path, form: type[T]) -> Iterator[T]:
    """Yield one `form` per line of `path`, plain, `.gz` or `.zst`.

    Raises:
        InputError: the file cannot be read, or a line, named by its number, is not what it should be.
    """
    decoder = msgspec.json.Decoder(form)
    for batch in LineReader(str(path)):
        for number, line in zip(batch.numbers, batch.lines, strict=True):
            try:
                yield decoder.decode(line)
            except UNREADABLE as error:
                raise InputError(f"{path}, line {number}: {error}") from error

"""Output files: JSON Lines flushed batch by batch, and whole texts that appear at once or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from stream.errors import OutputError


class JsonLinesFile:
    """Objects to one JSON Lines file, in whole lines, flushed with every call.

    Args:
        path: the file, emptied at once; None for a file that swallows what is written.

    Raises:
        OutputError: at construction or later, when the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._encoder = msgspec.json.Encoder()
        if path is not None:
            try:
                self._file = Path(path).open("wb")  # noqa: SIM115
            except OSError as error:
                raise OutputError(f"{path}: {error.strerror or error}") from None

    def write(self, items: Iterable[Any]) -> None:
        """Append one line per item."""
        if self._file is None:
            return
        data = self._encoder.encode_lines(list(items))
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            failed, self._file = self._file, None
            with suppress(OSError):
                failed.close()
            raise OutputError(f"{self.path}: {error.strerror or error}") from None

    def __enter__(self) -> JsonLinesFile:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()


def check_writable(path: str | os.PathLike[str] | None) -> None:
    """Refuse a path that `write_text` could not write, before any work is done.

    Raises:
        OutputError: the folder is missing or closed to us, or the path is a folder.
    """
    if path is None:
        return
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{path}: Is a directory")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: No such file or directory")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise OutputError(f"{path}: Permission denied")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path`; a regular file is replaced at once, so that no reader sees half of it.

    Raises:
        OutputError: the file cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(file.name).chmod(0o666 & ~mask)
        Path(file.name).replace(target)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from None

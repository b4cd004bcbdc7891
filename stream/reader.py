"""Reads JSON Lines fast: batches of raw lines from plain, gzip and zstd files and from standard input.

What a file holds is told by its first bytes, not by its name. Blank lines are skipped, a last line needs no newline,
and a carriage return before the newline is left to the JSON decoder, to which it is white space. A line longer than
the limit is cut one byte past it, so that the decoder sees that it is too long while memory stays bounded.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import zstandard

from stream.errors import InputError

STDIN = "-"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINE_LIMIT = 1 << 20
"""Bytes of the longest line that is handed on whole."""
BATCH_LINES = 8192
CHUNK = 4 << 20
"""Bytes split at once: about one batch of ordinary events."""
COMPRESSED_STEP = 4096
"""Compressed bytes fed at once. The worst zstd block grows 32,000-fold, so 4 KiB cannot become more than 128 MiB."""
PIPE_PATIENCE_S = 0.05
"""How long a pipe may pause before what came is handed on."""


class Batch(NamedTuple):
    """Lines without their newline, and the number of each in its file, from 1."""

    lines: list[bytes]
    numbers: Sequence[int]


class _Engine(Protocol):
    """What `zlib.decompressobj` and its zstd twin have in common: one member or frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class LineReader:
    """The lines of one file, to be iterated once.

    Args:
        path: the file, or "-" for standard input.
        limit: bytes of the longest line that is handed on whole.

    Raises:
        InputError: at once when the file cannot be opened; while iterating, after all that could be read was handed
            on, when it is corrupt, cut short or fails.
    """

    def __init__(self, path: str, limit: int = LINE_LIMIT) -> None:
        self.path = path
        self.limit = limit
        self.position = 0
        """Bytes of the file taken so far, as they stand on disk."""
        if path == STDIN and sys.stdin is None:
            raise InputError("-: standard input is closed")
        try:
            self._file: BinaryIO = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches of at most `BATCH_LINES` lines, in order."""
        number = 1
        try:
            for lines in _split(_chunks(self._file), self.limit):
                if number == 1:
                    lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
                for start in range(0, len(lines), BATCH_LINES):
                    part = lines[start : start + BATCH_LINES]
                    self.position = _position(self._file)
                    yield _without_blanks(part, number)
                    number += len(part)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            raise InputError(f"{self.path}: cannot be read after line {number - 1}: {error}") from None
        finally:
            if self.path != STDIN:
                self._file.close()


def check_readable(paths: Sequence[str]) -> int | None:
    """Refuse a missing or unreadable file before any is read.

    Returns:
        The size of all files in bytes, None when one of them is no regular file.

    Raises:
        InputError: names the first file that cannot be read.
    """
    total: int | None = 0
    for path in paths:
        if path == STDIN:
            total = None
            continue
        try:
            status = os.stat(path)  # noqa: PTH116
            if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                Path(path).open("rb").close()
                total = None if total is None else total + status.st_size
            else:
                total = None
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None
    return total


def _position(file: BinaryIO) -> int:
    try:
        return file.tell()
    except (OSError, ValueError):
        return 0


def _without_blanks(lines: list[bytes], first: int) -> Batch:
    if b"" in lines or b"\r" in lines:
        kept = [(number, line) for number, line in enumerate(lines, first) if line not in (b"", b"\r")]
        return Batch([line for _, line in kept], [number for number, _ in kept])
    return Batch(lines, range(first, first + len(lines)))


def _split(chunks: Iterator[bytes], limit: int) -> Iterator[list[bytes]]:
    """Yield the complete lines of each chunk; what follows the last newline waits for the next one."""
    tail = b""
    overlong = False
    for chunk in chunks:
        lines = chunk.split(b"\n")
        lines[0] = tail if overlong else tail + lines[0]
        tail = lines.pop()
        overlong = len(tail) > limit
        if overlong:
            tail = tail[: limit + 1]
        if lines:
            yield lines
    if tail:
        yield [tail]


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    head = file.peek(4)[:4] if isinstance(file, io.BufferedReader) else b""
    if head[:2] == b"\x1f\x8b":
        yield from _gathered(_decompressed(file, lambda: zlib.decompressobj(wbits=31)))
    elif head == b"\x28\xb5\x2f\xfd":
        yield from _gathered(_decompressed(file, zstandard.ZstdDecompressor().decompressobj))
    else:
        read = _pipe_reader(file) or file.read
        while chunk := read(CHUNK):
            yield chunk


def _decompressed(file: BinaryIO, new: Callable[[], _Engine]) -> Iterator[bytes]:
    """Yield what the members or frames of `file` decompress to, however many there are."""
    engine: _Engine | None = None
    while data := file.read(COMPRESSED_STEP):
        while data:
            engine = engine or new()
            piece = engine.decompress(data)
            if piece:
                yield piece
            data = engine.unused_data.lstrip(b"\0") if engine.eof else b""
            if engine.eof:
                engine = None
    if engine is not None:
        raise EOFError("the compressed data end in the middle")


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces to chunks; on an error, hand on what came before it."""
    waiting: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= CHUNK:
                yield b"".join(waiting)
                waiting, size = [], 0
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        failure: Exception | None = error
    else:
        failure = None
    if waiting:
        yield b"".join(waiting)
    if failure:
        raise failure


def _pipe_reader(file: BinaryIO) -> Callable[[int], bytes] | None:
    """A `read` that does not wait for a full chunk when the writer pauses; None for regular files."""
    try:
        descriptor = file.fileno()
    except (OSError, ValueError, AttributeError):
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode) or not isinstance(file, io.BufferedReader):
        return None

    def read(size: int) -> bytes:
        parts = [file.read1(size)]
        total = len(parts[0])
        while parts[-1] and total < size and select.select([descriptor], [], [], PIPE_PATIENCE_S)[0]:
            parts.append(file.read1(size - total))
            total += len(parts[-1])
        return b"".join(parts)

    return read

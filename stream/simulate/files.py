"""Files to write to, compressed by suffix."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard


@contextmanager
def writer(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Open `path` and yield its write function; `.gz` and `.zst` are compressed, `-` is standard output.

    Raises:
        OSError: the file cannot be written.
    """
    if str(path) == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
    elif path.suffix == ".gz":
        # mtime 0 and no name: the same events give the same bytes
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as file:
            yield file.write
    elif path.suffix == ".zst":
        with path.open("wb") as raw, zstandard.ZstdCompressor(level=3).stream_writer(raw) as zst:
            yield zst.write
    else:
        with path.open("wb", buffering=1 << 20) as plain:
            yield plain.write

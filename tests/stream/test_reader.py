import gzip
import io
import os
import random
import sys
import threading
import time
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import reader
from stream.errors import InputError
from stream.reader import LineReader


def lines_of(path, **options):
    """Return what the reader yields as (number, line) pairs."""
    return [pair for batch in LineReader(str(path), **options) for pair in zip(batch.numbers, batch.lines, strict=True)]


def stored(tmp_path, data, name="events.jsonl"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_lines_are_numbered_from_one_and_the_last_needs_no_newline(tmp_path):
    assert lines_of(stored(tmp_path, b"a\nb\nc")) == [(1, b"a"), (2, b"b"), (3, b"c")]


def test_blank_lines_are_skipped_but_counted(tmp_path):
    assert lines_of(stored(tmp_path, b"\na\r\n\r\n\nb\n\n")) == [(2, b"a\r"), (5, b"b")]


def test_an_empty_file_has_no_lines(tmp_path):
    assert lines_of(stored(tmp_path, b"")) == []


def test_a_byte_order_mark_is_dropped(tmp_path):
    assert lines_of(stored(tmp_path, b"\xef\xbb\xbf{}\n{}")) == [(1, b"{}"), (2, b"{}")]


@pytest.mark.parametrize("name", ["events.gz", "events.zst", "misnamed.jsonl"])
@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compressed_files_are_told_by_their_content(tmp_path, name, compress):
    expected = [(number, b'{"n":%d}' % number) for number in range(1, 20_001)]
    data = b"".join(line + b"\n" for _, line in expected)
    assert lines_of(stored(tmp_path, compress(data), name)) == expected


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_members_one_after_the_other_are_one_file(tmp_path, compress):
    assert lines_of(stored(tmp_path, compress(b"a\nb") + compress(b"c\nd\n"))) == [(1, b"a"), (2, b"bc"), (3, b"d")]


def read_until_error(path):
    """Return the lines that the reader yields before it fails, and the failure."""
    seen = []
    try:
        for batch in LineReader(str(path)):
            seen += batch.lines
    except InputError as error:
        return seen, str(error)
    return seen, None


def incompressible_lines(count):
    noise = random.Random(1).randbytes(count * 40).hex().encode()
    return [noise[start : start + 80] for start in range(0, len(noise), 80)]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_what_comes_before_the_cut_is_handed_on(tmp_path, compress):
    lines = incompressible_lines(20_000)
    packed = compress(b"\n".join(lines))
    seen, error = read_until_error(stored(tmp_path, packed[: len(packed) // 2], "cut"))
    assert seen == lines[: len(seen)]
    assert len(seen) > 5000
    assert error.endswith(f"cut: cannot be read after line {len(seen)}: the compressed data end in the middle")


def test_a_damaged_gzip_is_an_error_of_the_input(tmp_path):
    packed = bytearray(gzip.compress(b"\n".join(incompressible_lines(20_000))))
    packed[-6] ^= 0xFF
    seen, error = read_until_error(stored(tmp_path, bytes(packed), "bad"))
    assert len(seen) > 5000
    assert "incorrect data check" in error


def test_what_follows_a_zstd_frame_and_is_none_is_an_error_of_the_input(tmp_path):
    seen, error = read_until_error(stored(tmp_path, zstandard.compress(b"a\nb\n") + b"not zstd at all", "bad"))
    assert seen == [b"a", b"b"]
    assert "cannot be read after line 2" in error


def test_a_long_line_is_cut_one_byte_past_the_limit_and_the_next_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "CHUNK", 64)
    data = b"a\n" + b"x" * 5000 + b"\nb\n" + b"y" * 1000
    assert lines_of(stored(tmp_path, data), limit=100) == [(1, b"a"), (2, b"x" * 101), (3, b"b"), (4, b"y" * 101)]


def test_a_gigantic_line_takes_bounded_memory(tmp_path):
    path = tmp_path / "events.jsonl.zst"
    compressor = zstandard.ZstdCompressor().compressobj()
    block = b"x" * (1 << 20)
    with path.open("wb") as file:
        for _ in range(512):
            file.write(compressor.compress(block))
        file.write(compressor.compress(b"\nshort\n") + compressor.flush())
    tracemalloc.start()
    lengths = [len(line) for _, line in lines_of(path)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lengths == [reader.LINE_LIMIT + 1, 5]
    assert peak < 300 << 20


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=60),
    st.integers(1, 50),
    st.booleans(),
)
def test_chunks_of_any_size_give_the_same_lines(lines, chunk, final_newline):
    data = b"\n".join(lines) + (b"\n" if final_newline else b"")
    pieces = [data[start : start + chunk] for start in range(0, len(data), chunk)]
    found = [line for part in reader._split(iter(pieces), 1000) for line in part]
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert found == expected


def test_standard_input_is_handed_on_while_the_writer_pauses(monkeypatch):
    read_end, write_end = os.pipe()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(os.fdopen(read_end, "rb")))
    release = threading.Event()

    def writer():
        os.write(write_end, b"first\nsec")
        release.wait(10)
        os.write(write_end, b"ond\n")
        os.close(write_end)

    thread = threading.Thread(target=writer)
    thread.start()
    batches = iter(LineReader("-"))
    started = time.monotonic()
    assert next(batches).lines == [b"first"]
    assert time.monotonic() - started < 5
    release.set()
    assert [batch.lines for batch in batches] == [[b"second"]]
    thread.join()


def test_missing_and_unreadable_files_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"missing\.jsonl: No such file"):
        reader.check_readable([str(stored(tmp_path, b"")), str(tmp_path / "missing.jsonl")])
    with pytest.raises(InputError, match="Is a directory"):
        reader.check_readable([str(tmp_path)])
    with pytest.raises(InputError, match="No such file"):
        LineReader(str(tmp_path / "missing.jsonl"))


def test_the_size_of_regular_files_is_known(tmp_path):
    paths = [str(stored(tmp_path, b"12345", "a")), str(stored(tmp_path, b"123", "b"))]
    assert reader.check_readable(paths) == 8
    assert reader.check_readable([*paths, "-"]) is None


def test_the_position_reaches_the_size(tmp_path):
    path = stored(tmp_path, gzip.compress(b"line\n" * 100_000))
    source = LineReader(str(path))
    assert sum(len(batch.lines) for batch in source) == 100_000
    assert source.position == path.stat().st_size

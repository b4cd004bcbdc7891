import json
import os
import stat

import pytest

from stream.errors import OutputError
from stream.files import JsonLinesFile, check_writable, write_text


def test_lines_can_be_read_as_soon_as_they_are_written(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("old\n")
    with JsonLinesFile(path) as file:
        assert path.read_bytes() == b""
        file.write([{"a": 1}, {"a": 2}])
        file.write([])
        assert [json.loads(line) for line in path.read_bytes().splitlines()] == [{"a": 1}, {"a": 2}]
        file.write([{"a": 3}])
    assert path.read_bytes() == b'{"a":1}\n{"a":2}\n{"a":3}\n'


def test_no_path_swallows_what_is_written():
    with JsonLinesFile(None) as file:
        file.write([{"a": 1}])


def test_a_text_replaces_the_file_as_a_whole_with_ordinary_rights(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_text(path, "new ü")
    assert path.read_text(encoding="utf-8") == "new ü"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_can_go_to_a_device():
    write_text("/dev/null", "text")


@pytest.mark.parametrize("open_it", [JsonLinesFile, check_writable])
def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path, open_it):
    with pytest.raises(OutputError, match=r"missing/out: No such file or directory"):
        open_it(tmp_path / "missing" / "out")
    with pytest.raises(OutputError, match="Is a directory"):
        open_it(tmp_path)


def test_a_full_disk_is_told_in_one_line():
    with JsonLinesFile("/dev/full") as file, pytest.raises(OutputError, match=r"/dev/full: No space left"):
        file.write([{"a": 1}])

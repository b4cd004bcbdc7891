"""Partials survive the wire."""

import msgspec
import pytest

from detectors.partials import SCHEMA, Partial, decode, encode
from tests.detectors.made import partial


def test_round_trip() -> None:
    one = partial(3, [("a", "template", 7), ("b", "payment", 8)], 2)
    again = decode(encode(one))
    assert again == one
    assert again.accounts == ["a", "b"]
    assert again.column("use_value").tolist() == [7, 8]
    assert again.column("use_account").tolist() == [0, 1]


def test_a_missing_column_is_empty() -> None:
    empty = Partial(0, 1, 0, True, True)
    for name, (dtype, shape) in SCHEMA.items():
        assert empty.column(name).shape == (0, *shape)
        assert empty.column(name).dtype == dtype


def test_something_else_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(b"\x00not a partial")

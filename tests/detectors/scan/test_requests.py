"""Both ways from bytes to columns give the same, whatever is in the bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from detectors.partials import CAPABILITIES, ELICITATIONS
from detectors.request import FUTURE_MS, KEYS, Request, decode_batch
from detectors.scan.fields import HASHES, LISTED, MISSING, TABLE, TEXTS
from detectors.scan.requests import Requests, decode, gather
from detectors.scan.scanner import scan
from detectors.scan.xxh64 import PADDING

NOW = 1_800_000_000_000
NUMBERS = [
    "time", "account.created", "client.asn", "conversation.turn", "gen_ai.request.max_tokens",
    "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.image.input_tokens", "tools.count", "http.response.status_code",
]  # fmt: skip
LISTS = {"prompt.capabilities": CAPABILITIES, "prompt.elicitation": ELICITATIONS}
FIELDS = [KEYS.get(name, name) for name in Request.__struct_fields__]
STRINGS = [name for name in FIELDS if name not in (*NUMBERS, *LISTS, "response.refused")]
ADDRESSES = [
    "192.0.2.17", "2001:db8:7:1::9", "2001:DB8::1", "::1", "::", "fe80:", ":1:2", "1:2:3:4:5:6:7:8", "0:00:0001::",
    "::ffff:1.2.3.4", "odd", ".", ".5", "1.", "a:b", "1::2::3",
]  # fmt: skip

plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
text = st.one_of(plain, plain, st.text(max_size=6), st.sampled_from(ADDRESSES), st.just("x" * 200), st.none())
number = st.one_of(
    st.integers(0, 9_999), st.integers(), st.none(), st.floats(allow_nan=False), st.just(10**18), st.just(-1)
)
simhash = st.integers(0, 2**64 - 1).map("{:016x}".format) | plain
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | plain, lambda inner: st.lists(inner) | st.dictionaries(plain, inner)
)


def value(key: str) -> st.SearchStrategy[Any]:
    if key in NUMBERS:
        usual: st.SearchStrategy[Any] = number
    elif key in LISTS:
        usual = st.lists(st.sampled_from(LISTS[key]) | plain, max_size=4) | st.none()
    elif key == "response.refused":
        usual = st.booleans() | st.none()
    elif key == "prompt.simhash":
        usual = simhash
    elif key == "client.address":
        usual = st.sampled_from(ADDRESSES) | text
    elif key == "prompt.language":
        usual = st.sampled_from(["en", "pt-BR", "PT", "-", "zh-Hans-CN"]) | text
    else:
        usual = text
    return st.integers(0, 19).flatmap(lambda roll: anything if roll == 0 else usual)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """One event in some order of keys, often valid, with what JSON allows between the tokens."""
    keys = draw(st.lists(st.sampled_from([key for key in FIELDS if key != "prompt.text"]), unique=True, max_size=12))
    pairs = [(key, draw(value(key))) for key in keys]
    needed = {"event.id": "e1", "time": NOW, "account.id": "a", "gen_ai.request.model": "m"}
    if draw(st.integers(0, 9)):
        pairs += [(key, ordinary) for key, ordinary in needed.items() if key not in keys]
    pairs += draw(st.lists(st.tuples(plain, anything), max_size=2))
    pairs = draw(st.permutations(pairs))
    gap = draw(st.sampled_from(["", "", " ", "\t", "\n ", "\r\n"]))
    ascii_only = draw(st.booleans())
    members = [f"{json.dumps(k)}{gap}:{gap}{json.dumps(v, ensure_ascii=ascii_only)}" for k, v in pairs]
    line = f"{gap}{{{gap}{f'{gap},{gap}'.join(members)}{gap}}}{gap}"
    return line.encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An event with a few bytes changed, taken out or put in."""
    data = bytearray(draw(events()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        piece = draw(
            st.sampled_from([b"", b'"', b"\\", b",", b"}", b"{", b"0", b"-", b"\x00", b"\xc3", b" ", b":", b"e1"])
        )
        data[at : at + draw(st.integers(0, 2))] = piece
    return bytes(data)


def same(one: Requests, other: Requests) -> None:
    assert len(one) == len(other)
    for name in HASHES:
        assert one.hash(name).tolist() == other.hash(name).tolist(), name
    assert one.numbers.tolist() == other.numbers.tolist()
    assert one.lists.tolist() == other.lists.tolist()
    for name in TEXTS:
        assert [one.text(name, row) for row in range(len(one))] == [other.text(name, row) for row in range(len(one))]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(events() | damaged() | st.none(), max_size=6), st.sampled_from([NOW, NOW - FUTURE_MS - 1]))
@example([b'{"event.id":"e","time":1,"account.id":"a","gen_ai.request.model":"m","prompt.text":"Solve 17"}'], NOW)
@example([b'{"event.id":"e","event.id":"f","time":1,"account.id":"a","gen_ai.request.model":"m"}'], NOW)
@example([b'{"event.id":"e","time":01,"account.id":"a","gen_ai.request.model":"m"}'], NOW)
@example([b'{"event.id":"e","time":1,"account.id":"a","gen_ai.request.model":"m","x":1.5e3,"y":[{}]}'], NOW)
def test_the_scanner_and_msgspec_agree(lines: list[bytes | None], latest: int) -> None:
    found, accepted, rejects = decode(lines, latest, 4_096)
    requests, indices, refused = decode_batch(lines, latest, 4_096)
    assert accepted.tolist() == list(indices)
    assert rejects == refused
    same(found, gather(requests))


def line(**fields: Any) -> bytes:
    ordinary = {"event.id": "e1", "time": NOW, "account.id": "a", "gen_ai.request.model": "m"}
    return json.dumps(ordinary | {key.replace("__", "."): value for key, value in fields.items()}).encode()


def unusual(*lines: bytes) -> list[bool]:
    """Tell which lines the scanner leaves to msgspec."""
    length = np.array([len(one) for one in lines])
    end, empty = np.cumsum(length), gather([])
    buffer = np.frombuffer(b"".join(lines) + bytes(PADDING), np.uint8)
    arrays = [
        np.zeros((len(lines), *part.shape[1:]), part.dtype) for part in (empty.hashes, empty.numbers, empty.lists)
    ]
    places = np.zeros((len(lines), len(TEXTS), 2), np.int64)
    return scan(buffer, end - length, end, TABLE, arrays[0], places, arrays[1], arrays[2]).tolist()


def test_ordinary_events_are_scanned() -> None:
    whole = {"client.address": "2001:db8::1", "prompt.simhash": "0f" * 8, "prompt.capabilities": ["coding"]}
    assert (
        unusual(line(), line(**whole), line(**{"some.thing": "else", "more": 7, "none": None, "yes": True}))
        == [False] * 3
    )


def test_what_needs_care_is_not() -> None:
    careful = [
        line(prompt__text="hi"),
        line(user_agent="ü"),
        line(account__plan=""),
        line(tools__count=-1),
        b"",
        b"{}",
        b"[]",
    ]
    assert all(unusual(*careful))


def test_texts_and_numbers_can_be_asked_for() -> None:
    found, _, _ = decode([line(account__plan="pro", tools__count=3), line(account__plan="é")], NOW)
    assert [found.text("account_plan", row) for row in range(2)] == ["pro", "é"]
    assert found.number("tools_count").tolist() == [3, MISSING]
    assert [found.chosen(np.array([1])).text("account_plan", 0), found.text("access_path", 0)] == ["é", ""]


def test_an_unknown_capability_is_named_all_the_same() -> None:
    found, _, _ = decode([line(prompt__elicitation=["hypnosis"]), line(prompt__elicitation=[])], NOW)
    assert found.lists[:, 1].tolist() == [1 << LISTED, 0]


@pytest.mark.parametrize("lines", [[], [None], [b""]])
def test_nothing_gives_nothing(lines: list[bytes | None]) -> None:
    found, accepted, rejects = decode(lines, NOW)
    assert (len(found), accepted.tolist(), len(rejects)) == (0, [], len(lines))


def test_as_many_record_times_as_values() -> None:
    with pytest.raises(ValueError, match="2 record times for 1 values"):
        decode([line()], [NOW, NOW])

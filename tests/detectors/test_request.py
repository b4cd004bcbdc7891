"""Decoding request events: what is accepted, what is refused and why, and that nothing ever raises."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.request import FUTURE_MS, MAX_BYTES, REASONS, Request, decode_batch

NOW = 1_780_000_000_000
REQUIRED = {"event.id": "e1", "time": NOW, "account.id": "a1", "gen_ai.request.model": "m1"}
FULL = REQUIRED | {
    "organization.id": "o1",
    "api_key.id": "k1",
    "account.created": NOW - 5,
    "account.plan": "pro",
    "account.verification": "phone",
    "account.signup_pathway": "research",
    "access.path": "first_party",
    "payment.fingerprint": "p1",
    "device.fingerprint": "d1",
    "client.address": "2001:db8::1",
    "client.asn": 64500,
    "client.geo.country": "SG",
    "user_agent.original": "sdk/1",
    "gen_ai.operation.name": "chat",
    "gen_ai.conversation.id": "c1",
    "conversation.turn": 2,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.image.input_tokens": 0,
    "tools.count": 3,
    "http.response.status_code": 200,
    "prompt.template": "t1",
    "prompt.simhash": "00000000000000ff",
    "prompt.content": "x1",
    "prompt.language": "en",
    "prompt.capabilities": ["coding"],
    "prompt.elicitation": [],
    "thinking_signature.hash": "s1",
    "response.refused": False,
}
COUNTS = [
    "gen_ai.request.max_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.image.input_tokens",
    "tools.count",
]


def value(**changes: Any) -> bytes:
    """Return an event with the four required keys and `changes`, `__` in a name standing for a dot."""
    return json.dumps(REQUIRED | {key.replace("__", "."): item for key, item in changes.items()}).encode()


def with_keys(keys: dict[str, Any]) -> bytes:
    return json.dumps(REQUIRED | keys).encode()


def refusal(data: bytes | None, **options: Any) -> tuple[str, str]:
    requests, indices, rejects = decode_batch([data], NOW, **options)
    assert (requests, list(indices), len(rejects), rejects[0].index) == ([], [], 1, 0)
    return rejects[0].reason, rejects[0].detail


def accepted(data: bytes) -> Request:
    requests, indices, rejects = decode_batch([data], NOW)
    assert (indices, rejects) == (range(1), [])
    return requests[0]


def test_every_key_of_the_contract_reaches_its_attribute() -> None:
    request = accepted(with_keys(FULL))
    for key, expected in FULL.items():
        assert getattr(request, key.replace(".", "_")) == expected
    assert set(Request.__struct_encode_fields__) == set(FULL) | {"prompt.text"}


def test_missing_and_null_mean_not_known() -> None:
    plain = accepted(value())
    assert plain == accepted(with_keys({key: None for key in FULL if key not in REQUIRED}))
    assert plain.tools_count is None
    assert plain.response_refused is None


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b" ",
        b"{",
        b'{"event.id": "e1"',
        b"not json",
        b"\xff\xfe",
        b'{"event.id": "\xff"}',
        b'{"x": "\xff", ' + value()[1:],
        b'{"x": NaN, ' + value()[1:],
        b'{"tools.count": Infinity, ' + value()[1:],
        value() + b" x",
        b"\xef\xbb\xbf" + value(),
        b"[1,",
        b"[" * 100_000,
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b", " + value()[1:],
        b'{"time": "x", oops',
        b"{'event.id': 1}",
    ],
)
def test_not_json(data: bytes | None) -> None:
    assert refusal(data)[0] == "not_json"


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"1", b"null", b"true", b"[" + value() + b"]"])
def test_not_an_object(data: bytes) -> None:
    assert refusal(data)[0] == "not_an_object"


@pytest.mark.parametrize("key", REQUIRED)
def test_missing_key_is_named(key: str) -> None:
    data = json.dumps({k: v for k, v in REQUIRED.items() if k != key}).encode()
    assert refusal(data) == ("missing_key", key)


@pytest.mark.parametrize("key", ["event.id", "account.id", "gen_ai.request.model"])
def test_empty_required_string_counts_as_missing(key: str) -> None:
    reason, detail = refusal(with_keys({key: ""}))
    assert (reason, key in detail) == ("missing_key", True)


@pytest.mark.parametrize(
    ("key", "item"),
    [
        *((key, None) for key in REQUIRED),
        ("event.id", 7),
        ("time", str(NOW)),
        ("time", float(NOW) + 0.5),
        ("time", True),
        ("time", -1),
        ("time", 2**63),
        ("time", 10**40),
        ("account.created", -(10**30)),
        ("account.plan", 1),
        ("client.asn", "64500"),
        ("tools.count", 1.5),
        ("tools.count", True),
        ("tools.count", 2**64),
        ("response.refused", "no"),
        ("response.refused", 0),
        ("prompt.capabilities", "coding"),
        ("prompt.capabilities", ["coding", 1]),
        ("prompt.elicitation", {}),
        ("prompt.text", ["secret"]),
    ],
)
def test_wrong_type_is_named(key: str, item: object) -> None:
    assert refusal(with_keys({key: item})) == ("wrong_type", key)


@pytest.mark.parametrize(("key", "item"), [*((key, -1) for key in COUNTS), ("conversation.turn", 0)])
def test_negative_count_is_named(key: str, item: int) -> None:
    reason, detail = refusal(with_keys({key: item}))
    assert (reason, detail.partition(":")[0]) == ("negative_count", key)
    assert accepted(with_keys({key: item + 1}))


@pytest.mark.parametrize("key", ["event.id", "account.id"])
def test_ids_have_at_most_128_characters(key: str) -> None:
    assert accepted(with_keys({key: "é" * 128}))
    reason, detail = refusal(with_keys({key: "é" * 129}))
    assert (reason, key in detail, "é" in detail) == ("too_long", True, False)


def test_too_large() -> None:
    padding = b" " * (MAX_BYTES - len(value()))
    assert accepted(value() + padding)
    assert refusal(value() + padding + b" ")[0] == "too_large"
    assert refusal(b"\xff" * 11, max_bytes=10)[0] == "too_large"


def test_an_hour_ahead_is_the_limit_for_one_clock_or_one_per_value() -> None:
    ahead = [value(event__id=str(i), time=NOW + FUTURE_MS + i) for i in range(3)]
    requests, indices, rejects = decode_batch(ahead, NOW)
    assert ([r.event_id for r in requests], indices) == (["0"], [0])
    assert [(r.index, r.reason) for r in rejects] == [(1, "future_time"), (2, "future_time")]
    for latest in ([NOW, NOW + 1, NOW + 2], np.array([NOW, NOW + 1, NOW + 9])):
        requests, indices, rejects = decode_batch(ahead, latest)
        assert (len(requests), indices, rejects) == (3, range(3), [])
    requests, indices, rejects = decode_batch([b"", *ahead[:2]], [NOW + 9**9, NOW, NOW])
    assert ([r.event_id for r in requests], indices) == (["0"], [1])
    assert [(r.index, r.reason) for r in rejects] == [(0, "not_json"), (2, "future_time")]


def test_record_times_must_match_the_values() -> None:
    with pytest.raises(ValueError, match="2 record times for 1 values"):
        decode_batch([value()], [NOW, NOW])


def test_bad_values_leave_their_neighbours_alone() -> None:
    values = [b"", value(event__id="x"), b"[]", value(event__id="y"), value(event__id="z"), None]
    requests, indices, rejects = decode_batch(values, NOW)
    assert [r.event_id for r in requests] == ["x", "y", "z"]
    assert indices == [1, 3, 4]
    assert [(r.index, r.reason) for r in rejects] == [(0, "not_json"), (2, "not_an_object"), (5, "not_json")]
    assert decode_batch([], NOW) == ([], range(0), [])
    assert decode_batch([], []) == ([], range(0), [])


def test_unknown_keys_repeats_and_odd_optional_content_are_no_reason_to_refuse() -> None:
    odd = {"prompt.simhash": "zz", "client.address": "nowhere", "account.verification": "?", "x": [{"y": 1e308}]}
    assert accepted(with_keys(odd)).prompt_simhash == "zz"
    assert accepted(value()[:-1] + b', "event.id": "last", "event.id2": 10e999, "\\u0000": {}}').event_id == "last"
    assert accepted('{"ключ": "значение", '.encode() + value()[1:]).event_id == "e1"


def test_prompt_text_fills_what_is_missing_and_is_dropped() -> None:
    text = "Solve this step by step: how many apples has Sam? SECRETWORD"
    request = accepted(with_keys({"prompt.text": text, "prompt.language": "xx", "prompt.capabilities": []}))
    assert request.prompt_text is None
    assert (request.prompt_language, request.prompt_capabilities) == ("xx", [])
    assert request.prompt_elicitation == ["chain_of_thought"]
    assert all((request.prompt_template, request.prompt_simhash, request.prompt_content))
    assert "SECRETWORD" not in repr(request)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_prompt_tells_nothing(text: str) -> None:
    request = accepted(with_keys({"prompt.text": text}))
    assert (request.prompt_text, request.prompt_template, request.prompt_language) == (None, None, None)


def test_no_detail_quotes_content() -> None:
    for data in (
        with_keys({"prompt.text": "SECRET", "tools.count": "SECRET"}),
        with_keys({"prompt.text": "SECRET", "time": -1}),
        b'{"prompt.text": "SECRET", ' + b"\xff",
        b'{"SECRET": 1}',
        b'"SECRET',
        with_keys({"event.id": "SECRET" * 100}),
    ):
        assert "SECRET" not in "".join(refusal(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds(
    lambda changes, drop: json.dumps({k: v for k, v in (REQUIRED | changes).items() if k not in drop}).encode(),
    st.dictionaries(st.sampled_from([*FULL, "prompt.text", "other"]), JSON, max_size=3),
    st.sets(st.sampled_from(list(REQUIRED)), max_size=1),
)
CUT = st.builds(lambda data, at: data[: at % (len(data) + 1)], EVENTS, st.integers(0, 500))


@given(
    st.lists(st.none() | st.binary(max_size=60) | EVENTS | CUT | st.just(value()), max_size=12),
    st.integers(0, 2 * NOW),
    st.integers(0, 200),
)
def test_any_bytes_are_sorted_into_accepted_and_refused(
    values: list[bytes | None], latest_ms: int, max_bytes: int
) -> None:
    for limit in (MAX_BYTES, max_bytes):
        requests, indices, rejects = decode_batch(values, latest_ms, limit)
        assert len(requests) == len(indices)
        assert sorted([*indices, *(r.index for r in rejects)]) == list(range(len(values)))
        assert all(r.reason in REASONS for r in rejects)
        assert all(0 <= r.time <= latest_ms + FUTURE_MS and r.prompt_text is None for r in requests)
        alone = [decode_batch([data], latest_ms, limit) for data in values]
        assert [r for batch in alone for r in batch[0]] == requests
        assert [(r.reason, r.detail) for batch in alone for r in batch[2]] == [(r.reason, r.detail) for r in rejects]

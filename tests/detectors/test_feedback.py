"""Verdicts: what is one, and which of several counts."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from detectors.errors import FeedbackError
from detectors.feedback import DAY_MS, DISMISSED_MS, Book, Verdict, decode

NOW = 1_700_000_000_000


def verdict(kind: str = "dismissed", value: str = "c", time: int = NOW, **more: Any) -> Verdict:
    fields: dict[str, Any] = {"scope": "campaign", "by": "ann", "reason": "a class", **more}
    return Verdict(verdict=kind, value=value, time=time, **fields)


def written(**changes: Any) -> bytes:
    fields = {"verdict": "dismissed", "scope": "campaign", "value": "c", "by": "a", "reason": "r", "time": 5}
    return msgspec.json.encode({key: value for key, value in (fields | changes).items() if value != "absent"})


def test_a_verdict_survives_json_with_the_keys_of_the_contract() -> None:
    one = verdict("allow", scope="account", until=NOW + DAY_MS)
    assert set(msgspec.json.decode(msgspec.json.encode(one))) == {
        "verdict", "scope", "value", "by", "reason", "until", "time",
    }  # fmt: skip
    assert decode(msgspec.json.encode(one)) == one


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "truncated"),
        (b"[1]", "object"),
        (b"\xff", "malformed"),
        (written(verdict="denied"), "verdict"),
        (written(scope="planet"), "scope"),
        (written(value=""), "value"),
        (written(value="x" * 129), "value"),
        (written(by="absent"), "by"),
        (written(reason=""), "reason"),
        (written(time=-1), "time"),
        (written(time="now"), "time"),
        (written(until=5), "until"),
        (written(untill=9), "untill"),
        (written(verdict="allow", scope="account"), "until"),
        (written(verdict="allow", until=9), "scope"),
    ],
)
def test_what_is_no_verdict_is_refused_by_field(data: bytes, named: str) -> None:
    with pytest.raises(FeedbackError, match=named):
        decode(data)


def test_the_latest_counts_in_whatever_order_they_come() -> None:
    several = [verdict(time=NOW), verdict("confirmed", time=NOW + 1), verdict("confirmed", time=NOW + 1, by="bob")]
    for order in itertools.permutations([*several, several[0]]):
        book = Book()
        for one in order:
            book.add(one)
        assert list(book) == [several[2]]


def test_a_repeat_is_no_news() -> None:
    book = Book()
    assert book.add(verdict())
    assert not book.add(verdict())
    assert not book.add(verdict(time=NOW - 1, by="bob"))
    assert book.add(verdict(value="d", time=NOW - 1))


def test_verdicts_expire_by_the_time_of_events_and_appeals_always_do() -> None:
    book = Book()
    for one in (
        verdict("allow", "x", scope="account", until=NOW + DAY_MS),
        verdict("dismissed", "y", scope="account"),
        verdict("confirmed", "z", scope="account"),
        verdict(),
    ):
        book.add(one)
    names = [[one.value for one in book.standing("account", NOW + time)] for time in (0, DAY_MS, DISMISSED_MS)]
    assert names == [["x", "y", "z"], ["y", "z"], ["z"]]
    assert book.standing("campaign", NOW + 10 * DISMISSED_MS)
    book.forget(NOW + DISMISSED_MS)
    assert sorted(one.value for one in book) == ["c", "z"]


def test_what_stands_on_a_subject_is_the_latest_of_both_names_of_a_campaign() -> None:
    book, later = Book(), verdict("confirmed", "c", scope="cluster", time=NOW + 1, until=NOW + DAY_MS)
    for one in (verdict(), later, verdict("allow", "c", scope="account", until=NOW + 1)):
        book.add(one)
    assert book.about("campaign", "c", NOW) == book.about("cluster", "c", NOW) == later
    assert book.about("campaign", "c", NOW + DAY_MS) == verdict()
    assert [book.about("account", "c", NOW + time) is None for time in (0, 1)] == [False, True]
    assert book.about("organization", "c", NOW) is None


def test_the_book_survives_a_restart() -> None:
    book, other = Book(), Book()
    for one in (verdict(), verdict("allow", scope="organization", until=NOW + 1)):
        book.add(one)
    other.load(msgspec.msgpack.decode(msgspec.msgpack.encode(book.state())))
    assert list(other) == list(book)

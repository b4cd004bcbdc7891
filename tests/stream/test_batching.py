from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from stream.batching import BatchStrategy, Consumer

A, B = TP("requests", 0), TP("requests", 1)


def record(offset: int) -> Any:
    return SimpleNamespace(offset=offset, timestamp=1000 + offset, timestamp_type=1, value=b"%d" % offset)


def test_one_batch_per_partition_and_fetch() -> None:
    strategy = BatchStrategy()
    fetched = {A: [record(3), record(4), record(9)], B: [record(0)]}
    batches = dict(strategy.iterate(fetched))
    assert list(batches) == [A, B]
    assert batches[A].value == fetched[A]
    assert (batches[A].topic, batches[A].partition, batches[A].offset, batches[A].timestamp) == ("requests", 0, 9, 1009)


def test_tells_what_was_handed_over_before_it_is_taken() -> None:
    strategy = BatchStrategy()
    strategy.iterate({A: [record(3), record(4)], B: []})
    assert strategy.handed_over == {A: 4}


def test_a_partition_without_records_gives_no_batch() -> None:
    assert list(BatchStrategy().iterate({A: []})) == []


@pytest.fixture
def consumer() -> Consumer:
    """The accounts of offsets alone: what Faust's constructor needs besides takes a whole application."""
    made = Consumer.__new__(Consumer)
    made._acked, made._unacked_messages = defaultdict(list), set()
    made._committed_offset = defaultdict(lambda: None)
    return made


def test_commits_what_is_checkpointed_and_only_once(consumer: Consumer) -> None:
    consumer.checkpointed(A, 9_999)
    consumer.checkpointed(A, 19_999)
    assert consumer._filter_committable_offsets([A]) == {A: 20_000}
    assert consumer._filter_committable_offsets([A]) == {}


class Message(SimpleNamespace):
    __hash__ = object.__hash__


def test_an_acknowledgement_by_faust_commits_nothing(consumer: Consumer) -> None:
    message = Message(tp=A, topic="requests", offset=7, acked=False)
    consumer._unacked_messages.add(message)
    consumer.ack(message)
    assert message.acked
    assert not consumer._unacked_messages
    assert consumer._filter_committable_offsets([A]) == {}

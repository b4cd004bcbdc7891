"""One Faust message per partition and fetch, and commits that follow the worker's checkpoints.

Faust spends some 80 µs on each message before an agent sees it, so the scheduling strategy hands it a whole fetch as
one message: `value` is the list of records, `offset` the last one's. Progress is told by `Consumer.checkpointed`
alone. Faust's own accounts of acknowledged offsets are set aside: they expect every offset to be a message of its
own, and they acknowledge events of a generation that has ended, which nobody has processed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

FETCH_WAIT_MS = 50
"""How long a fetch waits for data. Faust's 1.5 s would also hold up a partition whose records had not yet been taken
over when the fetch went out for the others: a tenth of the throughput, or less."""


class Batch(NamedTuple):
    """The records of one partition from one fetch, with the attributes of a record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    value: list[Any]
    headers: tuple[Any, ...] = ()
    key: bytes | None = None
    checksum: int | None = None
    serialized_key_size: int = 0
    serialized_value_size: int = 0


class BatchStrategy(DefaultSchedulingStrategy):
    """Yields one `Batch` per partition and fetch; `handed_over` tells the last offset that left it, by partition."""

    def __init__(self) -> None:
        self.handed_over: dict[TP, int] = {}

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """Yield the batches in the order of `records`."""
        batches = [(tp, _batch(tp, fetched)) for tp, fetched in records.items() if fetched]
        for tp, batch in batches:
            self.handed_over[tp] = batch.offset
        return iter(batches)


def _batch(tp: TP, records: list[Any]) -> Batch:
    last = records[-1]
    return Batch(tp.topic, tp.partition, last.offset, last.timestamp, last.timestamp_type, records)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with shorter fetches, to which the records of aborted transactions do not exist."""

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        return consumer


class Consumer(driver.Consumer):
    """Faust's consumer with three hooks of the worker, and commits of what is checkpointed.

    `app.before_revoked()` and `app.after_assigned(partitions)` are called at rebalances.
    """

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def checkpointed(self, tp: TP, offset: int) -> None:
        """Let the next commit say that everything up to `offset` is durable."""
        self._acked[tp] = [offset]

    def _new_offset(self, tp: TP) -> int | None:
        acked, self._acked[tp] = self._acked[tp], []
        return acked[-1] + 1 if acked else None

    def ack(self, message: Any) -> bool:
        """Only forget the message: `checkpointed` is what counts."""
        message.acked = True
        self._unacked_messages.discard(message)
        return False

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Ignore gaps: offsets between two batches hold nothing to process."""

    def on_buffer_full(self, tp: TP) -> None:
        """Keep the partition: a full stream already holds up the fetch, and Faust would sleep for a second."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the worker checkpoint and commit before Faust forgets the partitions."""
        if not self.app.should_stop:
            self.stop_flow()
            self.app.flow_control.suspend()
            self.app.flow_control.clear()
            await self.app.before_revoked()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the worker make the partitions' stages before Faust fetches."""
        self.scheduler.handed_over.clear()
        if not self.app.should_stop:
            await self.app.after_assigned(assigned)
        await super().on_partitions_assigned(assigned, generation_id)


class Transport(driver.Transport):
    """Faust's aiokafka transport with this module's consumer."""

    Consumer = Consumer

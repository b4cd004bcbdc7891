"""The state of one partition of a stage, kept in a compacted topic: written in transactions, read back when assigned.

A checkpoint is one transaction: the entries that changed and, under the key `@position`, the last offset of the
source that they cover. The transactional id names group, stage and partition, so that opening a changelog fences
whoever held the partition before, and ends what they left half written. Results that must not come after those of a
later owner, as the decisions in a compacted topic, go through the same fence (`Changelog.send`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, ProducerFenced
from aiokafka.structs import RecordMetadata

from stream import clients
from stream.config import KafkaSettings
from stream.errors import CheckpointError, FencedError
from stream.handlers import Message

POSITION_KEY = b"@position"
MAX_ENTRY_BYTES = 900_000
"""Brokers take records of 1 MiB unless told otherwise; the headers need some of it."""
STALL_S = 30.0
TRANSACTION_TIMEOUT_MS = 120_000

_Record = tuple[str, bytes | None, bytes | None, int | None]
"""Topic, key, value and partition, None to choose it by the key."""


class Position(msgspec.Struct, frozen=True):
    """How far the state goes: `offset` is the last one of the source's partition that it covers, -1 for none."""

    group: str
    source: str
    partitions: int
    offset: int
    version: int = 1


class Restored(NamedTuple):
    """The latest entries, the last offset that they cover, and how many after it are gone that nobody read.

    No entries, not even an empty dict, when nobody has written since the end that was asked about.
    """

    entries: dict[str, bytes] | None
    offset: int
    missed: int = 0


class Mark(NamedTuple):
    """The last offset of the source that a state covers, and where its changelog ended then."""

    offset: int
    end: int


class Changelog:
    """The changelog of one partition.

    Args:
        kafka: how to reach the broker, and the consumer group.
        stage: the name of the stage, part of the transactional id.
        topic: the compacted topic.
        source: the topic whose partition of the same number the stage reads.
        partition: the partition of both topics.
        partitions: how many partitions the source has.
    """

    def __init__(self, kafka: KafkaSettings, stage: str, topic: str, source: str, partition: int, partitions: int):
        self.kafka = kafka
        self.source = TopicPartition(source, partition)
        self.target = TopicPartition(topic, partition)
        self.partitions = partitions
        self.transactional_id = f"{kafka.group_id}-{kafka.topic_prefix}{stage}-{partition}"
        self.end = -1
        """Where the changelog ends if nobody else writes to it; -1 while that is unknown."""
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Become the only writer: whoever opened the same changelog before can no longer write to it."""
        self._producer = AIOKafkaProducer(
            **clients.aiokafka(self.kafka),
            transactional_id=self.transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            compression_type=clients.AIOKAFKA_COMPRESSION,
            max_batch_size=512 << 10,
            max_request_size=1 << 20,
        )
        await self._producer.start()

    async def close(self) -> None:
        """Let go of the connection; an open transaction ends when the next owner opens the changelog."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def write(self, entries: Mapping[str, bytes], offset: int) -> None:
        """Write one checkpoint; when this returns it is durable and covers the source up to `offset`.

        Args:
            entries: what changed; an empty value deletes its entry.
            offset: the last offset of the source that is part of the state.

        Raises:
            FencedError: another worker has taken over.
            CheckpointError: an entry is too large.
        """
        for key, value in entries.items():
            if len(value) > MAX_ENTRY_BYTES:
                raise CheckpointError(f"{self._name}: entry {key} has {len(value)} bytes, over {MAX_ENTRY_BYTES}")
        position = Position(self.kafka.group_id, self.source.topic, self.partitions, offset)
        records: dict[bytes, bytes | None] = {key.encode(): value or None for key, value in entries.items()}
        records[POSITION_KEY] = msgspec.json.encode(position)
        topic, partition = self.target
        last = (await self._transact((topic, key, value, partition) for key, value in records.items()))[-1]
        self.end = last.offset + 2  # behind the last record stands the mark of the transaction

    async def send(self, messages: Sequence[Message]) -> None:
        """Send results in order; when this returns all are delivered, and before those of any later owner.

        Raises:
            FencedError: another worker has taken over, and nothing was delivered.
        """
        if messages:
            prefix = self.kafka.topic_prefix
            await self._transact((prefix + topic, key, value, None) for topic, key, value in messages)

    async def _transact(self, records: Iterable[_Record]) -> list[RecordMetadata]:
        assert self._producer is not None, "opened before written"
        try:
            async with self._producer.transaction():
                return await self._send(records)
        except ProducerFenced as error:
            raise FencedError(f"{self._name}: another worker has taken over this partition") from error

    async def _send(self, records: Iterable[_Record]) -> list[RecordMetadata]:
        assert self._producer is not None
        sent: list[Awaitable[RecordMetadata]] = []
        try:
            for topic, key, value, partition in records:
                sent.append(await self._producer.send(topic, value, key=key, partition=partition))
        except IllegalOperation:  # the transaction ended meanwhile, and those sent before say why
            await asyncio.gather(*sent)
            raise
        return await asyncio.gather(*sent)

    async def restore(self, kept: Mark | None = None) -> Restored:
        """Read the state back, once the changelog is open, so that every transaction of an earlier owner has ended.

        Args:
            kept: of the state that this process still has; nothing is read when the changelog ends where it did then.

        Raises:
            CheckpointError: the state belongs to something else, was truncated, or does not reach the group's
                committed offset.
        """
        async with AIOKafkaConsumer(
            **clients.aiokafka(self.kafka),
            group_id=self.kafka.group_id,  # to ask what is committed; with `assign` it never joins
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=8 << 20,
        ) as consumer:
            committed = await consumer.committed(self.source) or 0  # before the state, which is written before it
            self.end = (await consumer.end_offsets([self.target]))[self.target]
            current = kept is not None and kept.end == self.end
            entries = {} if current else await self._read(consumer)
            begin = (await consumer.beginning_offsets([self.source]))[self.source]
            end = (await consumer.end_offsets([self.source]))[self.source]
        position = kept.offset if kept and current else self._position(entries.pop(POSITION_KEY, None))
        if committed > position + 1:
            raise CheckpointError(
                f"{self._name} covers {self._source} up to offset {position}, but the group {self.kafka.group_id} "
                f"has committed {committed}: state is missing"
            )
        if position >= end:
            raise CheckpointError(
                f"{self._name} covers {self._source} up to offset {position}, but that ends at {end}: "
                "the topic was made anew"
            )
        missed = max(0, begin - position - 1) if position >= 0 else 0
        latest = None if current else {key.decode(): value for key, value in entries.items()}
        return Restored(latest, position, missed)

    async def _read(self, consumer: AIOKafkaConsumer) -> dict[bytes, bytes]:
        """Return the latest committed value of each key."""
        consumer.assign([self.target])
        begin = (await consumer.beginning_offsets([self.target]))[self.target]
        if begin > 0:  # compaction never moves the beginning
            raise CheckpointError(f"{self._name} was truncated: it begins at offset {begin}, so state is missing")
        entries: dict[bytes, bytes] = {}
        loop = asyncio.get_running_loop()
        progress = loop.time()
        while await consumer.position(self.target) < self.end:
            fetched = await consumer.getmany(self.target, timeout_ms=500, max_records=50_000)
            for record in fetched.get(self.target, ()):
                if record.value is None:
                    entries.pop(record.key, None)
                else:
                    entries[record.key] = record.value
                progress = loop.time()
            if loop.time() - progress > STALL_S:
                raise CheckpointError(f"{self._name} cannot be read: nothing for {STALL_S:.0f} s")
        return entries

    def _position(self, value: bytes | None) -> int:
        if value is None:
            return -1
        try:
            position = msgspec.json.decode(value, type=Position)
        except msgspec.DecodeError as error:
            raise CheckpointError(f"{self._name}: {POSITION_KEY.decode()} cannot be read: {error}") from None
        expected = Position(self.kafka.group_id, self.source.topic, self.partitions, position.offset)
        for field in ("version", "group", "source", "partitions"):
            found, wanted = getattr(position, field), getattr(expected, field)
            if found != wanted:
                raise CheckpointError(f"{self._name} was written for {field} {found}, not {wanted}")
        return position.offset

    @property
    def _name(self) -> str:
        return f"{self.target.topic}/{self.target.partition}"

    @property
    def _source(self) -> str:
        return f"{self.source.topic}/{self.source.partition}"

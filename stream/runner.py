"""One assigned partition at work: its stage, its changelog, and the order in which things become durable.

Results are delivered first, then the state, then the offsets: a crash in between repeats results, which carry the
same ids, and loses none. When the clock closes ticks there is no input that would repeat the results, so there the
state goes first, holding them as pending.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from faust.types import TP

from stream import clients
from stream.checkpoint import Changelog, Mark
from stream.config import KafkaSettings
from stream.handlers import Message, Stage
from stream.memory import give_back
from stream.metrics import Metrics

log = logging.getLogger(__name__)

IDLE_TICK_S = 1.0


class Handler(Protocol):
    """`handlers.AccountHandler` or `handlers.GroupHandler`."""

    @property
    def stage(self) -> Stage:
        """The stage, whose state the runner keeps."""

    def process(self, records: Sequence[Any]) -> list[Message]:
        """Return what follows from `records`."""

    def advance(self, now_ms: int) -> list[Message]:
        """Return what follows from nothing waiting."""

    def pending(self) -> list[Message]:
        """Return what must be sent again after a restore."""

    def forget(self) -> None:
        """Take the stage out of the metrics."""


class Kept(NamedTuple):
    """A handler that a rebalance has left without work, and what its stage covers."""

    handler: Handler
    mark: Mark


class Outlet:
    """Sends messages and waits until the broker has them.

    Args:
        kafka: how to reach the broker, and the prefix of the topics.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            **clients.aiokafka(self.kafka),
            enable_idempotence=True,
            compression_type=clients.AIOKAFKA_COMPRESSION,
            linger_ms=2,
            max_batch_size=256 << 10,
            max_request_size=1 << 20,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def send(self, messages: Sequence[Message]) -> None:
        """Send in order; when this returns all are delivered.

        Raises:
            aiokafka.errors.KafkaError: one could not be delivered.
        """
        if messages:
            assert self._producer is not None, "started before used"
            sent = [
                await self._producer.send(self.kafka.topic_prefix + topic, value, key=key)
                for topic, key, value in messages
            ]
            await asyncio.gather(*sent)


class Runner:
    """Runs one partition.

    Args:
        tp: the partition.
        handler: its stage behind the handler of its topic.
        changelog: where its state is kept.
        outlet: where results go; the changelog itself when a late one of an earlier owner would do harm.
        kafka: when to checkpoint, and from when on it is idle.
        metrics: told of batches and checkpoints.
        checkpointed: called with the partition and the offset that a checkpoint covers.
        kept: what this process had of the partition before a rebalance.
    """

    def __init__(
        self,
        tp: TP,
        handler: Handler,
        changelog: Changelog,
        outlet: Outlet | Changelog,
        kafka: KafkaSettings,
        metrics: Metrics,
        checkpointed: Callable[[TP, int], None],
        kept: Kept | None = None,
    ) -> None:
        self.tp = tp
        self.handler = handler
        self.changelog = changelog
        self.outlet = outlet
        self.kafka = kafka
        self.metrics = metrics
        self.checkpointed = checkpointed
        self.kept = kept
        """What this process had of the partition before a rebalance; from `close` on, what it has after it."""
        self.position = -1
        """Last offset taken in."""
        self.durable = -1
        """Last offset that a checkpoint covers."""
        self.ready = asyncio.Event()
        """Set when restored, and when closed."""
        self.closed = False
        self._lock = asyncio.Lock()
        self._since = 0
        self._checkpoint_at = self._record_at = self._idle_at = time.monotonic()

    async def restore(self) -> None:
        """Take over the partition: fence the last owner, read the state, repeat what it may not have sent.

        A stage that was kept over a rebalance goes on as it is if nobody else has had the partition meanwhile.

        Raises:
            CheckpointError: the state does not fit.
            detectors.errors.StateError: the state cannot be restored.
        """
        started = time.monotonic()
        await self.changelog.open()
        kept, self.kept = self.kept, None
        entries, offset, missed = await self.changelog.restore(kept and kept.mark)
        if missed:
            log.error("%s/%d: %d records were deleted before they were read", self.tp.topic, self.tp.partition, missed)
            self.metrics.missed(self.tp.topic, missed)
        how = "kept" if entries is None else f"{len(entries)} entries restored"
        if kept is not None and entries is None:
            self.handler = kept.handler
        else:
            self.handler.stage.restore((entries or {}).items())
            entries = None
            give_back()
            await self.outlet.send(self.handler.pending())
        self.position = self.durable = offset
        self._checkpoint_at = self._record_at = self._idle_at = time.monotonic()
        log.info(
            "%s/%d: %s in %.1f s, going on after offset %d",
            self.tp.topic, self.tp.partition, how, self._record_at - started, offset,
        )  # fmt: skip
        self.ready.set()

    async def process(self, records: Sequence[Any]) -> None:
        """Take in one batch; records that the state covers already are passed over."""
        await self.ready.wait()
        async with self._lock:
            if self.closed:
                return
            started = self._record_at = time.monotonic()
            if records[0].offset <= self.position:
                records = [record for record in records if record.offset > self.position]
            if records:
                await self.outlet.send(self.handler.process(records))
                self.position = records[-1].offset
                self._since += len(records)
                self.metrics.batch(time.monotonic() - started)
            elif self.position == self.durable:
                self.checkpointed(self.tp, self.durable)  # the last owner may have died before it said so
            if self._due():
                await self._checkpoint()

    async def between(self, work: Callable[[], list[Message]]) -> None:
        """Let the stage do something between two batches, and send what follows; nothing once the runner is closed."""
        async with self._lock:
            if not self.closed:
                await self.outlet.send(work())

    async def tick(self, drained: Callable[[], Awaitable[int | None]]) -> None:
        """Do what time asks for: a checkpoint, or closing ticks when nothing is waiting.

        Args:
            drained: returns the end of the partition when it holds nothing that has not been taken in, None otherwise.
        """
        if not self.ready.is_set():
            return
        async with self._lock:
            if not self.closed and self._due():
                await self._checkpoint()
        now, position = time.monotonic(), self.position
        if now - self._record_at < self.kafka.idle_timeout_s or now - self._idle_at < IDLE_TICK_S:
            return
        self._idle_at = now
        end = await drained()
        if end is not None:
            async with self._lock:
                if not self.closed and self.position == position:
                    self.position = max(position, end - 1)  # the marks of transactions are done with too
                    await self._advance()

    async def _advance(self) -> None:
        messages = self.handler.advance(time.time_ns() // 1_000_000)
        if messages:
            await self._checkpoint()
            await self.outlet.send(messages)

    async def close(self, *, checkpoint: bool) -> None:
        """End the work, with a last checkpoint if wanted; a batch under way is finished first."""
        if checkpoint and self.ready.is_set():
            async with self._lock:
                self.closed = True
                if self.position > self.durable:
                    await self._checkpoint()
                self.kept = Kept(self.handler, Mark(self.durable, self.changelog.end))
        self.abandon()
        await self.changelog.close()

    def abandon(self) -> None:
        """End the work at once: what no checkpoint covers will be read again."""
        self.closed = True
        self.ready.set()
        self.handler.forget()

    def _due(self) -> bool:
        waited = time.monotonic() - self._checkpoint_at
        return self.position > self.durable and (
            waited >= self.kafka.checkpoint_interval_s or self._since >= self.kafka.checkpoint_requests
        )

    async def _checkpoint(self) -> None:
        started = time.monotonic()
        await self.changelog.write(self.handler.stage.snapshot(), self.position)
        self.durable = self.position
        self.checkpointed(self.tp, self.position)
        self._since = 0
        self._checkpoint_at = time.monotonic()
        self.metrics.checkpoint(self._checkpoint_at - started)
        give_back()

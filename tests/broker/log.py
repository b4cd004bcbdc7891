"""Reading and writing topics in tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from stream.checkpoint import Changelog, Restored
from stream.config import KafkaSettings


def write(settings: KafkaSettings, topic: str, values: Iterable[tuple[int, bytes | None]], **producer: Any) -> None:
    """Write (partition, value) pairs to a topic named without the prefix."""

    async def run() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap_servers, max_request_size=4 << 20, **{"linger_ms": 2} | producer
        ) as client:
            name = settings.topic_prefix + topic
            sent = [await client.send(name, value, key=b"key", partition=partition) for partition, value in values]
            await asyncio.gather(*sent)

    asyncio.run(run())


def write_lines(settings: KafkaSettings, topic: str, path: Path, key: str) -> None:
    """Write the lines of a file of JSON objects, each to the partition of its value of `key`."""

    async def run() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap_servers, linger_ms=20, compression_type="lz4", max_batch_size=512 << 10
        ) as client:
            name, sent = settings.topic_prefix + topic, []
            with path.open("rb") as lines:
                for line in lines:
                    sent.append(await client.send(name, line.rstrip(), key=msgspec.json.decode(line)[key].encode()))
                    if len(sent) == 20_000:
                        await asyncio.gather(*sent)
                        sent.clear()
            await asyncio.gather(*sent)

    asyncio.run(run())


def read(settings: KafkaSettings, topic: str, partitions: int = 1) -> list[ConsumerRecord]:
    """Return everything that is in a topic now."""

    async def run() -> list[ConsumerRecord]:
        found: list[ConsumerRecord] = []
        async with AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers,
            group_id=None,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
        ) as client:
            wanted = [TopicPartition(settings.topic_prefix + topic, number) for number in range(partitions)]
            client.assign(wanted)
            ends = await client.end_offsets(wanted)
            while any([await client.position(tp) < ends[tp] for tp in wanted]):
                for records in (await client.getmany(timeout_ms=200)).values():
                    found.extend(records)
        return found

    return asyncio.run(run())


def state(settings: KafkaSettings, partition: int, stage: str = "account") -> Restored:
    """Return the durable state of a partition of a stage."""
    source, partitions = ("requests", settings.partitions) if stage == "account" else ("partials", 1)
    prefix = settings.topic_prefix
    changelog = Changelog(settings, stage, f"{prefix}{stage}-state", prefix + source, partition, partitions)
    return asyncio.run(changelog.restore())


def counts(settings: KafkaSettings) -> dict[str, int]:
    """Return the durable count of each account."""
    found: dict[str, int] = {}
    for partition in range(settings.partitions):
        entries = state(settings, partition).entries
        found.update({name: int(value) for name, value in entries.items() if name != "idle"})
    return found


def until(condition: Callable[[], bool], timeout_s: float = 40.0, interval_s: float = 0.3) -> None:
    """Wait for `condition`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(interval_s)


def length(settings: KafkaSettings, topic: str, partitions: int = 1) -> int:
    """Return how many offsets a topic has given out."""

    async def run() -> int:
        async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, group_id=None) as client:
            wanted = [TopicPartition(settings.topic_prefix + topic, number) for number in range(partitions)]
            return sum((await client.end_offsets(wanted)).values())

    return asyncio.run(run())


def configure(settings: KafkaSettings, topic: str, configs: dict[str, str]) -> None:
    """Set configurations of a topic, named in full."""
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
    admin.close()

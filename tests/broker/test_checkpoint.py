from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka import KafkaAdminClient

from stream import topics
from stream.checkpoint import MAX_ENTRY_BYTES, Changelog, Mark, Restored
from stream.config import KafkaSettings
from stream.errors import CheckpointError, FencedError
from stream.handlers import Message
from tests.broker import log


def changelog(settings: KafkaSettings, partition: int = 1) -> Changelog:
    prefix = settings.topic_prefix
    return Changelog(settings, "account", f"{prefix}account-state", f"{prefix}requests", partition, settings.partitions)


@asynccontextmanager
async def opened(settings: KafkaSettings) -> AsyncIterator[Changelog]:
    made = changelog(settings)
    await made.open()
    try:
        yield made
    finally:
        await asyncio.wait_for(made.close(), 5)


@pytest.fixture
def filled(made: KafkaSettings) -> KafkaSettings:
    log.write(made, topics.REQUESTS, [(1, b"x")] * 10)
    return made


def test_restores_the_latest_entries_and_the_offset(filled: KafkaSettings) -> None:
    async def run() -> Restored:
        async with opened(filled) as target:
            await target.write({"a": b"1", "b": b"1" * MAX_ENTRY_BYTES, "c": b"1"}, 3)
            await target.write({"a": b"2", "b": b""}, 5)
            await target.write({}, 9)
        return await changelog(filled).restore()

    assert asyncio.run(run()) == Restored({"a": b"2", "c": b"1"}, 9)


def test_what_nobody_else_has_touched_is_not_read_again(filled: KafkaSettings) -> None:
    async def again(mark: Mark) -> Restored:
        async with opened(filled) as target:
            return await target.restore(mark)

    async def run() -> None:
        async with opened(filled) as target:
            await target.write({"a": b"1", "b": b"1"}, 3)
            await target.write({"a": b"2"}, 5)
        mark = Mark(5, target.end)
        assert await again(mark) == await again(mark) == Restored(None, 5)
        async with opened(filled) as other:
            await other.write({"b": b"3"}, 5)
        assert await again(mark) == Restored({"a": b"2", "b": b"3"}, 5)
        restored = changelog(filled)
        await restored.restore()
        assert await again(Mark(5, restored.end)) == Restored(None, 5)

    asyncio.run(run())


def test_an_empty_changelog_starts_at_the_beginning(made: KafkaSettings) -> None:
    assert asyncio.run(changelog(made).restore()) == Restored({}, -1)


def test_a_zombie_cannot_write_after_the_new_owner_has_opened(filled: KafkaSettings) -> None:
    async def run() -> Restored:
        async with opened(filled) as zombie:
            await zombie.write({"a": b"old"}, 1)
            async with opened(filled) as heir:
                with pytest.raises(CheckpointError, match="account-state/1: another worker has taken over"):
                    await zombie.write({"a": b"zombie"}, 9)
                await heir.write({"b": b"new"}, 2)
        return await changelog(filled).restore()

    assert asyncio.run(run()) == Restored({"a": b"old", "b": b"new"}, 2)


def test_a_zombie_cannot_say_anything_after_the_new_owner_has_opened(filled: KafkaSettings) -> None:
    def decision(value: bytes) -> list[Message]:
        return [Message(topics.DECISIONS, b"account:a", value)]

    async def run() -> None:
        async with opened(filled) as zombie:
            await zombie.send(decision(b"revision 1"))
            async with opened(filled) as heir:
                await heir.send(decision(b"revision 2"))
                with pytest.raises(FencedError, match="account-state/1: another worker has taken over"):
                    await zombie.send(decision(b"revision 1"))

    asyncio.run(run())
    assert [record.value for record in log.read(filled, topics.DECISIONS)] == [b"revision 1", b"revision 2"]


def test_a_zombie_that_learns_of_it_between_two_messages_says_why(filled: KafkaSettings) -> None:
    async def run() -> None:
        async with opened(filled) as zombie, opened(filled):
            client = zombie._producer.client
            known = client._wait_on_metadata

            async def slow(topic: str) -> object:
                if topic.endswith(topics.DECISIONS):
                    await asyncio.sleep(1)
                return await known(topic)

            client._wait_on_metadata = slow
            with pytest.raises(FencedError, match="another worker has taken over"):
                await zombie.send([Message(topics.ALERTS, b"a", b"1"), Message(topics.DECISIONS, b"a", b"2")])

    asyncio.run(run())
    assert not log.read(filled, topics.ALERTS)
    assert not log.read(filled, topics.DECISIONS)


def test_half_a_checkpoint_is_none(filled: KafkaSettings) -> None:
    async def run() -> Restored:
        async with opened(filled) as dying:
            await dying.write({"a": b"whole", "b": b"whole"}, 1)
            await dying._producer.begin_transaction()
            await dying._send([(dying.target.topic, b"a", b"half", dying.target.partition)])
            async with opened(filled) as heir:
                return await heir.restore()

    assert asyncio.run(run()) == Restored({"a": b"whole", "b": b"whole"}, 1)


def test_too_large_an_entry_is_named(filled: KafkaSettings) -> None:
    async def run() -> None:
        async with opened(filled) as target:
            await target.write({"big": b"1" * (MAX_ENTRY_BYTES + 1)}, 1)

    with pytest.raises(CheckpointError, match="entry big has 900001 bytes"):
        asyncio.run(run())


async def _write_and_restore(settings: KafkaSettings, reader: KafkaSettings) -> Restored:
    async with opened(settings) as target:
        await target.write({"a": b"1"}, 5)
    return await changelog(reader).restore()


def test_state_of_another_group_is_refused(filled: KafkaSettings) -> None:
    other = msgspec.structs.replace(filled, group_id="other")
    with pytest.raises(CheckpointError, match=f"account-state/1 was written for group {filled.group_id}, not other"):
        asyncio.run(_write_and_restore(filled, other))


def test_another_number_of_partitions_is_refused(filled: KafkaSettings) -> None:
    fewer = msgspec.structs.replace(filled, partitions=2)
    with pytest.raises(CheckpointError, match="was written for partitions 4, not 2"):
        asyncio.run(_write_and_restore(filled, fewer))


def test_state_beyond_the_end_of_the_source_is_refused(made: KafkaSettings) -> None:
    log.write(made, topics.REQUESTS, [(1, b"x")] * 5)
    with pytest.raises(CheckpointError, match="up to offset 5, but that ends at 5: the topic was made anew"):
        asyncio.run(_write_and_restore(made, made))


@pytest.mark.parametrize(("committed", "refused"), [(6, False), (7, True)])
def test_state_that_does_not_reach_the_committed_offset_is_refused(
    filled: KafkaSettings, committed: int, refused: bool
) -> None:
    async def commit() -> None:
        async with AIOKafkaConsumer(
            bootstrap_servers=filled.bootstrap_servers, group_id=filled.group_id, enable_auto_commit=False
        ) as client:
            source = TopicPartition(f"{filled.topic_prefix}requests", 1)
            client.assign([source])
            await client.commit({source: committed})

    asyncio.run(commit())
    if refused:
        with pytest.raises(CheckpointError, match=r"requests/1 up to offset 5, .* has committed 7: state is missing"):
            asyncio.run(_write_and_restore(filled, filled))
    else:
        assert asyncio.run(_write_and_restore(filled, filled)).offset == 5


def test_records_deleted_before_they_were_read_are_told(filled: KafkaSettings) -> None:
    source = TopicPartition(f"{filled.topic_prefix}requests", 1)
    admin = KafkaAdminClient(bootstrap_servers=filled.bootstrap_servers)
    admin.delete_records({source: 8})
    admin.close()
    assert asyncio.run(_write_and_restore(filled, filled)) == Restored({"a": b"1"}, 5, missed=2)


def test_a_truncated_changelog_is_refused_even_if_its_position_is_there(filled: KafkaSettings) -> None:
    target = TopicPartition(f"{filled.topic_prefix}account-state", 1)

    async def run() -> None:
        async with opened(filled) as writer:
            await writer.write({"a": b"1"}, 5)
            truncate(filled, target, 1)
            await writer.write({"b": b"1"}, 6)
        await changelog(filled).restore()

    with pytest.raises(CheckpointError, match="account-state/1 was truncated: it begins at offset 1, so state is miss"):
        asyncio.run(run())


def truncate(settings: KafkaSettings, target: TopicPartition, before: int) -> None:
    log.configure(settings, target.topic, {"cleanup.policy": "delete"})
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.delete_records({target: before})
    admin.close()

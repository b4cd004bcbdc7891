"""The worker on a real Kafka, with stages that count: what happens to it must not change what it counts."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream import topics
from stream.config import KafkaSettings
from tests.broker import log
from tests.broker.counting import EVERY, request

ACCOUNTS = 40
Start = Callable[..., "object"]


def requests(settings: KafkaSettings, first: int, number: int) -> list[tuple[int, bytes]]:
    """As the gateway writes them: an account's requests all go to one partition."""
    found = []
    for i in range(first, first + number):
        account = i % ACCOUNTS
        found.append((account % settings.partitions, request(i, f"account-{account}")))
    return found


def settled(settings: KafkaSettings, number: int) -> Callable[[], bool]:
    return lambda: sum(log.counts(settings).values()) >= number


def expected(number: int) -> dict[str, int]:
    return {f"account-{account}": number // ACCOUNTS for account in range(ACCOUNTS)}


def told(settings: KafkaSettings, number: int) -> Callable[[], bool]:
    """The group stage has heard of `number` requests."""
    return lambda: len(alert_ids(settings)) >= number // EVERY


def alert_ids(settings: KafkaSettings, campaign: str = "partition") -> Counter[str]:
    found = (msgspec.json.decode(record.value) for record in log.read(settings, topics.ALERTS))
    return Counter(alert["alert_id"] for alert in found if alert["campaign_id"].startswith(campaign))


def test_counts_every_request_once_and_passes_results_on(made: KafkaSettings, start: Start) -> None:
    log.write(made, topics.REQUESTS, requests(made, 0, 20_000))
    worker = start(made)
    log.until(settled(made, 20_000))
    log.until(told(made, 20_000))
    assert worker.terminate() == 0
    assert log.counts(made) == expected(20_000)
    assert set(alert_ids(made).values()) == {1}


def test_kill_in_mid_stream_changes_nothing(made: KafkaSettings, start: Start) -> None:
    log.write(made, topics.REQUESTS, requests(made, 0, 20_000))
    assert start(made, CRASH_AT="1800").wait() == -signal.SIGKILL
    log.write(made, topics.REQUESTS, requests(made, 20_000, 20_000))
    assert start(made, CRASH_AT="6700").wait() == -signal.SIGKILL
    worker = start(made)
    log.until(settled(made, 40_000))
    log.until(told(made, 40_000))
    assert worker.terminate() == 0
    assert log.counts(made) == expected(40_000)
    assert len(alert_ids(made)) == 40_000 // EVERY


def test_two_workers_share_and_take_over(made: KafkaSettings, start: Start) -> None:
    first = start(made)
    log.write(made, topics.REQUESTS, requests(made, 0, 10_000))
    log.until(settled(made, 10_000))
    second = start(made)
    log.until(lambda: second.output.count(f"{made.topic_prefix}requests/") == 2)
    log.write(made, topics.REQUESTS, requests(made, 10_000, 10_000))
    log.until(settled(made, 20_000))
    first.kill()
    log.write(made, topics.REQUESTS, requests(made, 20_000, 12_000))
    log.until(settled(made, 32_000))
    log.until(told(made, 32_000))
    assert second.terminate() == 0
    assert log.counts(made) == expected(32_000)
    assert len(alert_ids(made)) == 32_000 // EVERY


def test_bad_records_go_to_the_dead_letters_once_each(made: KafkaSettings, start: Start) -> None:
    good = request(0, "a")
    bad = {
        b"{": "not_json",
        b"[1]": "not_an_object",
        b'{"event.id":"x"}': "missing_key",
        request(1, "a", **{"organization.id": 3}): "wrong_type",
        request(2, "a", **{"tools.count": -1}): "negative_count",
        request(3, "a", **{"gen_ai.conversation.id": "c" * (1 << 20)}): "too_large",
        request(4, "b" * 129): "too_long",
        request(10**14, "a"): "future_time",
    }
    log.write(made, topics.REQUESTS, [(0, value) for value in (*bad, None, good)])
    worker = start(made)
    log.until(lambda: log.state(made, 0).offset == 9)
    assert worker.terminate() == 0
    letters = [msgspec.json.decode(record.value) for record in log.read(made, topics.DEAD_LETTER)]
    assert {letter["offset"]: letter["reason"] for letter in letters} == dict(enumerate([*bad.values(), "not_json"]))
    assert len(letters) == 9
    assert {(letter["topic"], letter["partition"]) for letter in letters} == {(f"{made.topic_prefix}requests", 0)}
    assert log.counts(made) == {"a": 1}


def test_bad_records_alone_move_the_group_on(made: KafkaSettings, start: Start) -> None:
    log.write(made, topics.REQUESTS, [(0, b"{")] * 300)
    worker = start(made)
    log.until(lambda: log.state(made, 0).offset == 299)
    assert worker.terminate() == 0
    second = start(made)
    log.until(lambda: "requests/0: " in second.output)
    assert second.terminate() == 0
    assert len(log.read(made, topics.DEAD_LETTER)) == 300


def test_silent_partitions_tell_the_group_stage_once(made: KafkaSettings, start: Start) -> None:
    worker = start(made)
    log.until(lambda: len(alert_ids(made, "idle")) == made.partitions)
    assert worker.terminate() == 0
    second = start(made)
    log.until(lambda: log.length(made, topics.PARTIALS) == 2 * made.partitions)
    assert second.terminate() == 0
    assert list(alert_ids(made, "idle").values()) == [1] * made.partitions


def test_transactions_are_counted_when_they_commit_and_committed_to_the_end(made: KafkaSettings, start: Start) -> None:
    """Marks of transactions are offsets without a record; those that abort are as if they had not been."""
    servers, name = made.bootstrap_servers, made.topic_prefix + topics.REQUESTS

    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=made.group_id) as client:
            for number in range(40):
                await client.begin_transaction()
                await client.send_and_wait(name, request(number, "ab"[number % 2]), partition=0)
                await (client.abort_transaction() if number % 2 else client.commit_transaction())

    async def committed() -> int:
        async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=made.group_id) as client:
            return await client.committed(TopicPartition(name, 0)) or 0

    asyncio.run(write())
    worker = start(made)
    log.until(lambda: len(alert_ids(made, "idle")) == made.partitions)
    log.until(lambda: asyncio.run(committed()) == 80)
    assert worker.terminate() == 0
    assert log.counts(made) == {"a": 20}
    second = start(made)
    log.until(lambda: "requests/0: " in second.output)
    assert second.terminate() == 0


@pytest.mark.parametrize("held", [0, 5_000])
def test_sigterm_ends_within_ten_seconds(made: KafkaSettings, start: Start, held: int) -> None:
    slow = msgspec.structs.replace(made, checkpoint_interval_s=600.0)
    log.write(made, topics.REQUESTS, requests(made, 0, held))
    worker = start(slow)
    log.until(lambda: log.length(made, topics.PARTIALS) >= held // EVERY and "requests/3: " in worker.output)
    assert worker.terminate(10.0) == 0
    assert log.counts(made) == (expected(held) if held else {})


def test_the_unexpected_ends_the_worker_before_anything_is_acknowledged(made: KafkaSettings, start: Start) -> None:
    good = requests(made, 0, 4_000)
    log.write(made, topics.REQUESTS, good)
    worker = start(made)
    log.until(settled(made, 4_000))
    poison = {**msgspec.json.decode(good[1][1]), "event.id": "poison"}
    log.write(made, topics.REQUESTS, [(1, msgspec.json.encode(poison))])
    assert worker.wait() == 70
    assert "unexpected RuntimeError" in worker.output
    assert start(made).wait() == 70
    assert log.counts(made) == expected(4_000)


def test_missing_topics_are_refused_by_name(settings: KafkaSettings, start: Start) -> None:
    worker = start(settings)
    assert worker.wait(20) == 2
    assert f"{settings.topic_prefix}requests: missing" in worker.output
    assert f"{settings.topic_prefix}group-state: missing" in worker.output


def test_another_number_of_partitions_is_refused_by_name(made: KafkaSettings, start: Start) -> None:
    worker = start(msgspec.structs.replace(made, partitions=3))
    assert worker.wait(20) == 2
    assert f"{made.topic_prefix}requests: has 4 partitions, expected 3" in worker.output


def test_a_stopped_worker_that_wakes_up_late_changes_nothing(made: KafkaSettings, start: Start) -> None:
    log.write(made, topics.REQUESTS, requests(made, 0, 8_000))
    zombie = start(made)
    log.until(settled(made, 8_000))
    os.kill(zombie.popen.pid, signal.SIGSTOP)
    heir = start(made)
    log.write(made, topics.REQUESTS, requests(made, 8_000, 8_000))
    log.until(settled(made, 16_000))
    os.kill(zombie.popen.pid, signal.SIGCONT)
    log.write(made, topics.REQUESTS, requests(made, 16_000, 8_000))
    log.until(settled(made, 24_000))
    log.until(told(made, 24_000))
    assert heir.terminate() == 0
    assert log.counts(made) == expected(24_000)
    assert len(alert_ids(made)) == 24_000 // EVERY

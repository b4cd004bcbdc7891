"""What a worker finds when it starts: topics, state and input that do not fit together."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from kafka import KafkaAdminClient, TopicPartition

from stream import clients, topics
from stream.checkpoint import Changelog
from tests.broker import log
from tests.broker.kafka import free_port
from tests.faults.experiments import experiment
from tests.faults.oracle import Verdict
from tests.faults.rig import Rig, scrape


@contextmanager
def _admin(rig: Rig) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**clients.kafka_python(rig.settings))
    try:
        yield admin
    finally:
        admin.close()


def delete(rig: Rig, *names: str) -> None:
    full = [rig.settings.topic_prefix + name for name in names]
    with _admin(rig) as admin:
        admin.delete_topics(full)
        rig.until(lambda: not set(full) & set(admin.list_topics()), "topics to be deleted")


def _refused(rig: Rig, expected: str) -> None:
    """Start a worker, which must end with 2 and say why."""
    worker = rig.start()
    status = rig.dead(worker)
    rig.check(status == 2, f"status {status}, not 2, where {expected!r} was to be said")
    rig.check(re.search(expected, worker.output) is not None, f"{expected!r} is not in {worker.output[-300:]!r}")
    rig.check("Traceback" not in worker.output, f"a traceback instead of {expected!r}")


def _some_work(rig: Rig) -> None:
    rig.send(len(rig.lines) // 3)
    worker = rig.start()
    rig.drain()
    rig.stop(worker)


@experiment(14, quick=True)
def truncated_changelog(rig: Rig) -> None:
    """A changelog truncated, deleted, made anew; a topic missing: refused by name, with status 2."""
    _some_work(rig)
    prefix = rig.settings.topic_prefix
    target = TopicPartition(f"{prefix}account-state", 2)
    log.configure(rig.settings, target.topic, {"cleanup.policy": "delete"})
    with _admin(rig) as admin:
        admin.delete_records({target: 5})
    _refused(rig, f"{prefix}account-state/2 was truncated: it begins at offset 5")
    delete(rig, topics.GROUP_STATE)
    _refused(rig, f"{prefix}group-state: missing")
    topics.create(rig.settings)
    delete(rig, topics.ACCOUNT_STATE)
    topics.create(rig.settings)
    _refused(rig, r"(account-state/\d covers|group-state/0 covers) .* has committed \d+: state is missing")


@experiment(14)
def missing_topics(rig: Rig) -> None:
    """Each topic missing in turn, and another number of partitions: refused by name, with status 2."""
    prefix = rig.settings.topic_prefix
    for topic in topics.topics(rig.settings):
        delete(rig, topic.name.removeprefix(prefix))
        _refused(rig, f"{topic.name}: missing")
        topics.create(rig.settings)
    with _admin(rig) as admin:
        admin.create_partitions({f"{prefix}requests": 6})
    _refused(rig, f"{prefix}requests: has 6 partitions, expected 4")


@experiment(15)
def retention_overrun(rig: Rig) -> None:
    """Requests deleted before they were read: counted, said aloud, and the rest is read."""
    _some_work(rig)
    before = log.length(rig.settings, topics.REQUESTS, rig.settings.partitions)
    rig.send()
    target = TopicPartition(rig.settings.topic_prefix + topics.REQUESTS, 0)
    with _admin(rig) as admin:
        admin.delete_records({target: before // 2})
    port = free_port()
    worker = rig.start(HYDRAWATCH_METRICS__PORT=str(port))
    rig.ready(worker, rig.settings.partitions + 1)
    rig.drain()
    metrics = scrape(port)
    missed = metrics.get(f'hydrawatch_missed_records_total{{topic="{target.topic}"}}', 0)
    rig.check(missed > 0, "the metric says nothing")
    rig.check("were deleted before they were read" in worker.output, "the log says nothing")
    rig.stop(worker)
    rig.remarks.append(f"{missed:,.0f} records missed, and said so")


@experiment(17)
def recovery_time(rig: Rig) -> Verdict:
    """The time to restore the state of 10,000 and of 100,000 accounts."""
    event = msgspec.json.decode(rig.lines[0])
    rig.send()
    for count in (10_000, 90_000):
        rig.send(lines=[
            msgspec.json.encode({**event, "event.id": f"r{count}-{n}", "account.id": f"r{count}-{n}"})
            for n in range(count)
        ])  # fmt: skip
        worker = rig.start()
        rig.drain()
        rig.stop(worker)
        began = time.monotonic()
        worker = rig.start()
        rig.ready(worker, rig.settings.partitions + 1)
        seconds = [float(found) for found in re.findall(r"restored in ([\d.]+) s", worker.output)]
        took = time.monotonic() - began
        rig.remarks.append(f"{count:,} more accounts: restored in {max(seconds):.1f} s, {took:.1f} s from the start")
        rig.stop(worker)
    return rig.finish()


@experiment(19, quick=True)
def unknown_state_version(rig: Rig) -> None:
    """State of a later version: refused with a message, by the account and by the group stage; never reset."""
    _some_work(rig)
    prefix, kafka = rig.settings.topic_prefix, rig.settings
    for stage, source, partitions in (("group", topics.PARTIALS, 1), ("account", topics.REQUESTS, kafka.partitions)):
        target = f"{prefix}{stage}-state"
        kept = log.state(kafka, 0, stage)
        header = msgspec.msgpack.decode(kept.entries["header"])
        changelog = Changelog(kafka, stage, target, prefix + source, 0, partitions)
        later = msgspec.msgpack.encode({**header, "schema": 99})
        asyncio.run(_write(changelog, {"header": later}, kept.offset))
        length = log.length(kafka, f"{stage}-state", partitions)
        _refused(rig, f"{stage} state has schema 99")
        rig.check(log.length(kafka, f"{stage}-state", partitions) == length, f"{target} was written to")
        asyncio.run(_write(changelog, {"header": kept.entries["header"]}, kept.offset))
    verdict = rig.finish()
    rig.check(verdict.exact, f"not exact after the version was mended: {verdict.notes}")


async def _write(changelog: Changelog, entries: dict[str, bytes], offset: int) -> None:
    await changelog.open()
    try:
        await changelog.write(entries, offset)
    finally:
        await changelog.close()

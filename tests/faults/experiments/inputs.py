"""Input as it should not be: poison, giants, repeats, disorder, skewed clocks and keys, gaps."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from detectors.settings import DetectorSettings
from stream import clients, topics
from tests.benchmarks.malformed import breakers
from tests.broker import log
from tests.faults import oracle
from tests.faults.experiments import experiment
from tests.faults.oracle import Verdict
from tests.faults.rig import Rig

MIB = 1 << 20
LAST_MS = 2 * 3_600_000
"""Findings of the last part of a log may have no next judgement that would make them."""


@experiment(7, quick=True)
def poison(rig: Rig) -> Verdict:
    """Every kind of bad record, two hundred in a row and between good ones: to the dead letters, by reason."""
    event = msgspec.json.decode(rig.lines[0])
    bad = [break_(event) for ways in breakers(int(time.time() * 1000)).values() for break_ in ways]
    row = (bad * 10)[:200]
    half = len(rig.lines) // 2
    mixed = list(itertools.chain.from_iterable(itertools.zip_longest(rig.lines[:half], bad)))
    rig.send(lines=[line for line in mixed if line is not None])
    rig.send(lines=[line for line in row if len(line) < MIB])
    log.write(rig.settings, topics.REQUESTS, [(1, None), (2, b"")])
    rig.sent = half
    rig.start()
    verdict = rig.finish()
    letters = Counter(msgspec.json.decode(r.value)["reason"] for r in log.read(rig.settings, topics.DEAD_LETTER))
    rig.remarks.append(f"dead letters: {', '.join(f'{n} {reason}' for reason, n in sorted(letters.items()))}")
    rig.check(len(letters) == 8, "not every reason was met")
    return verdict


@experiment(8)
def oversize(rig: Rig) -> Verdict:
    """Events just below and just above 1 MiB, and an account with 20,000 templates in one tick."""
    event = msgspec.json.decode(rig.lines[0])

    def sized(name: str, size: int) -> bytes:
        line = msgspec.json.encode({**event, "event.id": name, "user_agent.original": ""})
        return line[:-1] + b',"later":"' + b"x" * (size - len(line) - 11) + b'"}'

    rig.send(100)
    rig.send(lines=[sized("below", MIB), sized("above", MIB + 1), sized("far", MIB + MIB // 2)], linger_ms=0)
    many = [
        msgspec.json.encode({**event, "event.id": f"t{n}", "account.id": "busy", "prompt.template": f"template-{n}",
                             "prompt.content": f"content-{n}"})
        for n in range(20_000)
    ]  # fmt: skip
    rig.send(lines=many)
    rig.start()
    verdict = rig.finish()
    letters = [msgspec.json.decode(r.value) for r in log.read(rig.settings, topics.DEAD_LETTER)]
    rig.check([letter["reason"] for letter in letters] == ["too_large"] * 2, f"dead letters: {letters}")
    return verdict


def _without_faults(rig: Rig, lines: Iterable[bytes]) -> dict[str, int]:
    """Return the ids of alerts and decisions that follow from `lines` as they stand, without a broker, and their ms."""
    records = [_Record(rig.partition(line), n, line, int(time.time() * 1000)) for n, line in enumerate(lines)]
    found = oracle.expected(oracle.by_partition(records, rig.settings.partitions), DetectorSettings())  # type: ignore[arg-type]
    said = {**found.alerts, **found.decisions}
    return {identity: _when(msgspec.json.decode(value)) for identity, value in said.items()}


class _Record(msgspec.Struct):
    partition: int
    offset: int
    value: bytes
    timestamp: int


def _when(said: dict[str, Any]) -> int:
    return int(said["time"] if "alert_id" in said else said["from"])


def _found(rig: Rig) -> dict[str, int]:
    """Return the ids of the alerts and decisions that the workers wrote, and their ms."""
    ids = ((topics.ALERTS, "alert_id"), (topics.DECISIONS, "decision_id"))
    said = [(name, msgspec.json.decode(r.value)) for topic, name in ids for r in log.read(rig.settings, topic)]
    return {one[name]: _when(one) for name, one in said}


@experiment(9, quick=True)
def repeats(rig: Rig) -> Verdict:
    """A tenth of the input twice, a whole partition twice, and the group's offsets set back by 1,000."""
    rig.send()
    again = rig.random.sample(range(len(rig.lines)), len(rig.lines) // 10)
    rig.send(lines=[rig.lines[number] for number in sorted(again)])
    rig.send(lines=[line for line in rig.lines if rig.partition(line) == 1])
    worker = rig.start()
    rig.drain()
    rig.stop(worker)
    before = rig.said(topics.ALERTS)
    asyncio.run(_set_back(rig, 1_000))
    verdict = rig.finish()
    rig.check(verdict.repeats == 0, f"{verdict.repeats} repeats of {before} alerts")
    rig.check(_found(rig).keys() == _without_faults(rig, rig.lines).keys(), "repeats changed what was found")
    return verdict


async def _set_back(rig: Rig, by: int) -> None:
    topic, kafka = rig.settings.topic_prefix + topics.REQUESTS, rig.settings
    places = [TopicPartition(topic, number) for number in range(kafka.partitions)]
    async with AIOKafkaConsumer(**clients.aiokafka(kafka), group_id=kafka.group_id, enable_auto_commit=False) as client:
        client.assign(places)
        committed = {place: await client.committed(place) or 0 for place in places}
        await client.commit({place: max(0, offset - by) for place, offset in committed.items()})


def _shuffled(rig: Rig, within_s: float) -> list[bytes]:
    times = [msgspec.json.decode(line)["time"] + rig.random.uniform(0, within_s * 1000) for line in rig.lines]
    return [line for _, line in sorted(zip(times, rig.lines, strict=True))]


@experiment(10, quick=True)
def disorder(rig: Rig) -> Verdict:
    """Out of order by up to 60 s, one event an hour late, one a day ahead: the same findings as in order.

    What one judgement just misses the next one finds; those of a log's last two hours are not compared.
    """
    lines = _shuffled(rig, 60)
    middle = msgspec.json.decode(lines[len(lines) // 2])
    late = {**middle, "event.id": "late", "account.id": "late", "time": middle["time"] - 3_600_000}
    ahead = {**middle, "event.id": "ahead", "account.id": "ahead", "time": middle["time"] + 86_400_000}
    lines[len(lines) // 2 : len(lines) // 2] = [msgspec.json.encode(late), msgspec.json.encode(ahead)]
    rig.send(lines=lines)
    rig.sent = len(rig.lines)
    rig.start()
    verdict = rig.finish()
    same, ordered = _found(rig), _without_faults(rig, rig.lines)
    end = msgspec.json.decode(rig.lines[-1])["time"] - LAST_MS
    early = {identity for identity, ms in (ordered | same).items() if ms < end and ordered.get(identity, 0) < end}
    different = early & (same.keys() ^ ordered.keys())
    rig.remarks.append(f"{len(different)} of {len(early)} findings differ from those in order")
    rig.check(bool(early), "nothing was found that could have changed")
    rig.check(len(different) <= 0.05 * len(early), "one wrong clock or a little disorder changed the findings")
    return verdict


@experiment(11)
def skewed_clocks(rig: Rig) -> Verdict:
    """Half of the producers 30 s ahead, half 30 s behind; the worker's clock a day ahead, then an hour behind."""
    lines = []
    for line in rig.lines:
        event = msgspec.json.decode(line)
        event["time"] += 30_000 * (1 if crc32(event["account.id"].encode()) % 2 else -1)
        lines.append(msgspec.json.encode(event))
    half = len(lines) // 2
    rig.send(lines=lines[:half])
    worker = rig.start(CLOCK_S="86400")
    rig.drain()
    rig.stop(worker)
    rig.send(lines=lines[half:])
    rig.sent = len(rig.lines)
    rig.start(CLOCK_S="-3600")
    return rig.finish()


@experiment(16)
def hot_key(rig: Rig) -> Verdict:
    """One account with nine tenths of the traffic, and 100,000 accounts with a request each."""
    event = msgspec.json.decode(rig.lines[0])
    hot = [msgspec.json.encode({**event, "event.id": f"h{n}", "account.id": "hot"}) for n in range(9 * len(rig.lines))]
    rig.send()
    rig.send(lines=hot)
    many = [msgspec.json.encode({**event, "event.id": f"m{n}", "account.id": f"m{n}"}) for n in range(100_000)]
    rig.send(lines=many)
    rig.start()
    return rig.finish()


@experiment(21)
def gaps(rig: Rig) -> Verdict:
    """A transactional producer whose every third transaction aborts: offsets with gaps, committed to their end."""
    asyncio.run(_transactions(rig))
    rig.sent = len(rig.lines)
    verdict = rig.finish()  # with a worker that may be idle, which is when it commits past the last mark
    rig.check(verdict.expected > 0, "nothing was found")
    return verdict


async def _transactions(rig: Rig, size: int = 200) -> None:
    topic = rig.settings.topic_prefix + topics.REQUESTS
    async with AIOKafkaProducer(
        **clients.aiokafka(rig.settings), transactional_id=rig.settings.group_id + "-gateway", linger_ms=5
    ) as producer:
        for start in range(0, len(rig.lines), size):
            for aborted in (True, False) if start // size % 3 == 0 else (False,):
                await producer.begin_transaction()
                part = rig.lines[start : start + size]
                sent = [await producer.send(topic, line, partition=rig.partition(line)) for line in part]
                await asyncio.gather(*sent)
                await (producer.abort_transaction() if aborted else producer.commit_transaction())

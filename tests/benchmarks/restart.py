"""How soon a worker with many accounts is back, and what a rebalance costs it: `python -m tests.benchmarks.restart`.

One worker takes in a request of every account and is killed; the next restores all of it from Kafka. Then a second
worker joins, gets its share and is killed, and the first takes over again. Times are from the start of a worker, or
from its killing, until every partition goes on; the session timeout is part of what follows a killing.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from detectors.settings import DetectorSettings
from stream import clients, topics
from stream.config import KafkaSettings
from tests.benchmarks import costs, harness
from tests.broker import kafka

TAKEN = re.compile(rb"(\S+/\d+): (?:(\d+) entries restored|kept) in ([\d.]+) s")


async def produce(settings: KafkaSettings, accounts: int) -> None:
    """Send one request of every account, keyed by it."""
    topic, tick_ms = settings.topic_prefix + topics.REQUESTS, DetectorSettings().windows.tick_s * 1000
    async with AIOKafkaProducer(**clients.aiokafka(settings), compression_type="lz4", linger_ms=20) as producer:
        for first in range(0, accounts, costs.BATCH):
            who = np.arange(first, min(first + costs.BATCH, accounts))
            sent = [
                await producer.send(topic, line, key=b"%012x" % account)
                for line, account in zip(costs.lines(who, first, tick_ms), who.tolist(), strict=True)
            ]
            await asyncio.gather(*sent)


def taken(worker: harness.Worker) -> Counter[str]:
    """Return how often a worker has taken each partition over, as its log says."""
    return Counter(match[1].decode() for match in TAKEN.finditer(worker.log.read_bytes()))


def size(settings: KafkaSettings) -> int:
    """Return how many records the changelogs hold."""
    consumer = KafkaConsumer(**clients.kafka_python(settings))
    places = [TopicPartition(settings.topic_prefix + topics.ACCOUNT_STATE, n) for n in range(settings.partitions)]
    places.append(TopicPartition(settings.topic_prefix + topics.GROUP_STATE, 0))
    ends = consumer.end_offsets(places)
    consumer.close()
    return sum(ends.values())


def fill(settings: KafkaSettings, accounts: int, directory: Path) -> None:
    """Let a worker take in all accounts, and kill it."""
    asyncio.run(produce(settings, accounts))
    worker, progress = harness.Worker(settings, directory / "first.log"), harness.Progress(settings)
    begun = time.perf_counter()
    harness.wait("all accounts", [worker], lambda: progress.committed(topics.REQUESTS, settings.partitions))
    harness.wait("the last ticks", [worker], progress.flushed)
    print(f"{accounts:,} accounts taken in after {time.perf_counter() - begun:.0f} s", flush=True)
    progress.close()
    worker.process.kill()
    print(f"worker killed: peak {worker.usage.peak_mb:,.0f} MB; {size(settings):,} records of state", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--accounts", type=int, default=1_000_000, help="(default %(default)d)")
    parser.add_argument("--session-timeout", type=float, default=10.0, help="s (default %(default)s)")
    arguments = parser.parse_args()
    print("; ".join(f"{name} {value}" for name, value in harness.machine().items()))
    with tempfile.TemporaryDirectory(prefix="hydrawatch-restart-") as work, kafka.bootstrap() as servers:
        directory = Path(work)
        settings = harness.fresh(servers, 4, session_timeout_s=arguments.session_timeout)
        fill(settings, arguments.accounts, directory)
        begun, worker = time.perf_counter(), harness.Worker(settings, directory / "second.log")
        harness.wait("the restart", [worker], lambda: len(taken(worker)) == settings.partitions + 1)
        seconds = time.perf_counter() - begun
        print(f"restarted: all partitions go on after {seconds:.1f} s, peak {worker.usage.peak_mb:,.0f} MB", flush=True)

        begun, joined = time.perf_counter(), harness.Worker(settings, directory / "third.log")
        before = taken(worker).total()
        everyone = settings.partitions + 1
        harness.wait(
            "the rebalance", [worker, joined],
            lambda: bool(taken(joined)) and taken(joined).total() + taken(worker).total() - before >= everyone,
        )  # fmt: skip
        print(f"a second worker has joined: all partitions go on after {time.perf_counter() - begun:.1f} s", flush=True)

        before, begun = taken(worker).total(), time.perf_counter()
        joined.process.kill()
        harness.wait("the take-over", [worker], lambda: taken(worker).total() - before >= everyone)
        seconds = time.perf_counter() - begun
        print(
            f"it was killed: all partitions go on after {seconds:.1f} s, "
            f"a session timeout of {arguments.session_timeout:.0f} s among them"
        )
        for line in worker.log.read_bytes().splitlines():
            if TAKEN.search(line):
                print("  " + line.decode())
        worker.stop()


if __name__ == "__main__":
    main()

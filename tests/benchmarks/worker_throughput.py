"""Events a second through the worker with a stage that does nothing, beside a stock Faust agent that does nothing.

`python -m tests.benchmarks.worker_throughput [--events N]`: one partition, one process each, 545-byte requests in lz4,
a real Kafka on the same machine. Both read what is there already; the clock runs from their first event to their last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import threading
import uuid

import msgspec
from aiokafka import AIOKafkaProducer

from stream import topics
from stream.config import KafkaSettings
from tests.broker import kafka

SIZE = 545
STOCK_SHARE = 20
"""The stock agent gets one event for this many of the worker's."""


async def fill(servers: str, topic: str, events: int) -> None:
    """Write `events` requests of `SIZE` bytes to partition 0."""
    head = b'{"event.id":"e%012d","time":%d,"account.id":"account-%06d","gen_ai.request.model":"m",'
    head += b'"access.path":"first_party","gen_ai.usage.input_tokens":812,"gen_ai.usage.output_tokens":421,'
    head += b'"prompt.template":"%016x","prompt.simhash":"%016x","client.address":"192.0.2.%d","padding":"'
    async with AIOKafkaProducer(
        bootstrap_servers=servers, compression_type="lz4", linger_ms=20, max_batch_size=512 << 10
    ) as producer:
        sent = []
        for number in range(events):
            value = head % (number, 1_767_225_600_000 + number, number % 50_000, number * 2654435761 % 2**64,
                            number * 40503 % 2**64, number % 250)  # fmt: skip
            value += b"x" * (SIZE - 2 - len(value)) + b'"}'
            sent.append(await producer.send(topic, value, partition=0))
            if len(sent) == 20_000:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)


def measure(module: str, environment: dict[str, str], events: int, limit_s: float = 300.0) -> tuple[float, float]:
    """Run `python -m module` until it says that it has seen `events`; return events a second and CPU µs an event."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], env={**os.environ, **environment, "REPORT_AT": str(events)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    limit = threading.Timer(limit_s, process.kill)
    limit.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.search(r"rate ([\d.]+) cpu ([\d.]+)", line)
            if found:
                return float(found[1]), float(found[2])
        raise SystemExit(f"{module} ended, or took over {limit_s} s, before it had seen {events} events")
    finally:
        limit.cancel()
        process.terminate()
        process.wait(20)


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with kafka.bootstrap() as servers:
        prefix = f"bench-{uuid.uuid4().hex[:8]}."
        settings = KafkaSettings(bootstrap_servers=servers, topic_prefix=prefix, group_id=prefix, partitions=1)
        topics.create(settings)
        asyncio.run(fill(servers, prefix + topics.REQUESTS, events))
        environment = {"IDLING": "1"}
        for key, value in msgspec.structs.asdict(settings).items():
            if value is not None:
                environment[f"HYDRAWATCH_KAFKA__{key.upper()}"] = str(value)
        worker, worker_cpu = measure("tests.broker.counting", environment, events)
        stock, stock_cpu = measure("tests.benchmarks.peers.stock_faust", environment, events // STOCK_SHARE)
    print(f"worker       {worker:10,.0f} events/s  {worker_cpu:6.1f} µs CPU/event")
    print(f"stock Faust  {stock:10,.0f} events/s  {stock_cpu:6.1f} µs CPU/event")
    print(f"ratio        {worker / stock:10.1f}")


if __name__ == "__main__":
    main()

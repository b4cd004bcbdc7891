"""From a request produced to the alert on its topic: `python -m tests.benchmarks.latency [--load 0.5] [--events N]`.

One worker first takes in all requests as fast as it can; then another, of fresh state, gets them at a part of that
speed, event times as they are, so that event time runs faster than the clock on the wall. An alert or decision of the
tick that ends at T comes of the first request at T plus the allowed lateness: the time from that request's sending to
the alert's or decision's arrival at a consumer is the latency. Ticks are as long as by default.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from detectors.settings import DetectorSettings
from stream import clients, topics
from stream.config import KafkaSettings
from tests.benchmarks import equivalence, harness
from tests.broker import kafka

SLICE_S = 0.02
Arrival = tuple[float, str, int]
"""When a record arrived (s), its topic and the event time in it (ms)."""


class _Request(msgspec.Struct, rename={"account": "account.id"}):
    account: str
    time: int


class _Alert(msgspec.Struct):
    time: int


class _Decision(msgspec.Struct, rename={"time": "from"}):
    time: int


DECODE = {topics.ALERTS: msgspec.json.Decoder(_Alert).decode, topics.DECISIONS: msgspec.json.Decoder(_Decision).decode}


async def produce(settings: KafkaSettings, path: Path, rate: float) -> list[tuple[int, float]]:
    """Send the requests at `rate` a second; return the greatest event time sent by when, once a slice."""
    decode, sent = msgspec.json.Decoder(_Request).decode, []
    topic, latest, step = settings.topic_prefix + topics.REQUESTS, 0, max(int(rate * SLICE_S), 1)
    async with AIOKafkaProducer(**clients.aiokafka(settings), compression_type="lz4", linger_ms=5) as producer:
        begun = time.perf_counter()
        with path.open("rb") as lines:
            for number in itertools.count():
                if not (part := list(itertools.islice(lines, step))):
                    break
                await asyncio.sleep(max(begun + number * SLICE_S - time.perf_counter(), 0.0))
                for line in part:
                    request = decode(line)
                    latest = max(latest, request.time)
                    await producer.send(topic, line[:-1], key=request.account.encode())
                sent.append((latest, time.perf_counter()))
    return sent


def listen(settings: KafkaSettings, arrived: list[Arrival], stop: threading.Event) -> None:
    """Note when alerts and decisions arrive."""
    decode = {settings.topic_prefix + name: decoder for name, decoder in DECODE.items()}
    consumer = KafkaConsumer(**clients.kafka_python(settings), auto_offset_reset="earliest", fetch_max_wait_ms=20)
    consumer.assign([TopicPartition(name, 0) for name in decode])
    while not stop.is_set():
        for place, records in consumer.poll(timeout_ms=50).items():
            now = time.perf_counter()
            arrived.extend((now, place.topic, decode[place.topic](record.value).time) for record in records)
    consumer.close()


def latencies(sent: list[tuple[int, float]], arrived: list[Arrival], lateness_ms: int) -> list[float]:
    """Return the seconds from the request that closed its tick to the arrival of each result."""
    times, walls = np.array([event for event, _ in sent]), np.array([wall for _, wall in sent])
    found = []
    for wall, _, event in arrived:
        place = int(np.searchsorted(times, event + lateness_ms))
        if place < len(walls):
            found.append(wall - float(walls[place]))
    return found


def main() -> None:
    """Measure and print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--load", type=float, default=0.5, help="of what one worker can take in")
    parser.add_argument("--rate", type=float, help="requests a second, instead of measuring that")
    parser.add_argument("--scale", type=float, default=2.0, help="of the simulated provider")
    parser.add_argument("--days", type=float, default=0.25, help="of event time")
    parser.add_argument("--file", type=Path, help="plain JSON Lines instead of simulated requests")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hydrawatch-latency-") as work, kafka.bootstrap() as servers:
        directory = Path(work)
        source = arguments.file or equivalence.simulated(directory, arguments.scale, 1, arguments.days)
        path = directory / "requests.jsonl"
        with source.open("rb") as lines, path.open("wb") as file:
            file.writelines(itertools.islice(lines, arguments.events))
        rate = arguments.rate
        if not rate:
            full = harness.fresh(servers, 1)
            count = harness.produce(full, path)
            rate = arguments.load * count / harness.judge(full, count, directory).processed_s
        settings = harness.fresh(servers, 1)
        worker, stop = harness.Worker(settings, directory / "worker.log"), threading.Event()
        arrived: list[Arrival] = []
        harness.wait("the worker to be ready", [worker], lambda: b"restored" in worker.log.read_bytes())
        listener = threading.Thread(target=listen, args=(settings, arrived, stop))
        listener.start()
        sent = asyncio.run(produce(settings, path, rate))
        progress = harness.Progress(settings)
        harness.wait("the last ticks", [worker], progress.flushed)
        progress.close()
        time.sleep(1.0)
        stop.set()
        listener.join()
        worker.stop()
    found = latencies(sent, arrived, DetectorSettings().windows.lateness_s * 1000)
    print("; ".join(f"{name} {value}" for name, value in harness.machine().items()))
    print(f"{rate:,.0f} requests/s; {len(found)} alerts and decisions of {len({e for _, _, e in arrived})} ticks")
    if found:
        p50, p90, p99 = np.percentile(found, [50, 90, 99])
        print(f"p50 {p50:.2f} s, p90 {p90:.2f} s, p99 {p99:.2f} s, most {max(found):.2f} s")


if __name__ == "__main__":
    main()

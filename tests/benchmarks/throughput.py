"""Requests a second: one worker on a real Kafka with state on, `replay`, and beside them what does nothing.

`python -m tests.benchmarks.throughput [--events N] [--rounds R] [--json FILE]`. The same simulated requests go through
all of them, and the rounds are taken in turns so that a busy machine hits all alike. The topic is full before a worker
starts. Its clock runs from the end of its start-up (state restored) until all requests are *processed*, and until all
are *committed*, which waits for the next checkpoint. Stock Faust's clock runs from its first event to its last; it
gets a part of the events, as it is slow. `replay` is timed by itself, without Python's start, and as a command.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from stream.config import KafkaSettings
from tests.benchmarks import equivalence, harness
from tests.benchmarks.worker_throughput import measure
from tests.broker import kafka

STOCK_SHARE = 10
"""Stock Faust gets one of so many events."""


class Figure(NamedTuple):
    """One measurement: requests a second, and CPU microseconds a request (of the process measured)."""

    rate: float
    cpu_us: float


Figures = dict[str, list[Figure]]


def prepare(directory: Path, arguments: argparse.Namespace) -> tuple[Path, int, float]:
    """Return a file of requests, how many it has, and their mean size in bytes."""
    source = arguments.file or equivalence.simulated(directory, arguments.scale, 1, arguments.days)
    events = arguments.events
    path = directory / "requests.jsonl"
    count = 0
    with source.open("rb") as lines, path.open("wb") as file:
        for line in itertools.islice(lines, events):
            file.write(line)
            count += 1
    if count < events:
        print(f"only {count:,} events in {source.name}")
    return path, count, path.stat().st_size / max(count, 1)


def round_of(full: dict[int, KafkaSettings], path: Path, events: int, directory: Path) -> dict[str, Figure]:
    """Measure each thing once."""
    found = {}
    for partitions, settings in full.items():
        name = f"{partitions} partition{'s' * (partitions > 1)}"
        run = harness.judge(settings, events, directory)
        cpu = run.usage.cpu_s / events * 1e6
        found[f"worker, {name}: processed"] = Figure(events / run.processed_s, cpu)
        found[f"worker, {name}: committed"] = Figure(events / run.committed_s, cpu)
        environment = harness.environment(settings)
        found[f"stock Faust, nothing, {name}"] = Figure(
            *measure("tests.benchmarks.stock_faust", environment, events // STOCK_SHARE)
        )
        found[f"aiokafka + msgspec, {name}"] = Figure(*measure("tests.benchmarks.bare_client", environment, events))
    run = harness.replay(path, directory)
    inside = re.search(r"([\d,]+) requests/s", (directory / "replay.log").read_text())
    cpu = run.usage.cpu_s / events * 1e6
    found["replay: without start-up"] = Figure(float(inside[1].replace(",", "")) if inside else float("nan"), cpu)
    found["replay: whole command"] = Figure(events / run.processed_s, cpu)
    return found


def main() -> None:
    """Measure all in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=0.02, help="of the simulated provider")
    parser.add_argument("--days", type=float, default=14.0, help="of event time; fewer at a larger scale is denser")
    parser.add_argument("--file", type=Path, help="plain JSON Lines instead of simulated requests")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="hydrawatch-throughput-") as work, kafka.bootstrap() as servers:
        directory = Path(work)
        path, events, size = prepare(directory, arguments)
        facts = harness.machine() | {"events": events, "bytes_per_event": round(size), "rounds": arguments.rounds}
        facts |= {"file": arguments.file.name} if arguments.file else {"scale": arguments.scale, "days": arguments.days}
        for number in range(arguments.rounds):
            full = {}
            for partitions in (1, 4):
                full[partitions] = harness.fresh(servers, partitions)
                harness.produce(full[partitions], path)
            for name, figure in round_of(full, path, events, directory).items():
                figures.setdefault(name, []).append(figure)
            print(f"round {number + 1} of {arguments.rounds} done", flush=True)
    facts["load_1min_at_end"] = harness.machine()["load_1min"]
    report(figures, facts)
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode({"facts": facts, "figures": figures})))


def report(figures: Figures, facts: dict[str, object]) -> None:
    """Print the medians, their spread, and their ratio to stock Faust on as many partitions."""
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"{'':36}{'requests/s':>12}{'least':>10}{'most':>10}{'CPU µs':>9}{'× stock':>9}")
    for name, measured in figures.items():
        rates = [figure.rate for figure in measured]
        beside = f"stock Faust, nothing, {'4 partitions' if '4 partitions' in name else '1 partition'}"
        stock = statistics.median(figure.rate for figure in figures[beside])
        rate, cpu = statistics.median(rates), statistics.median(f.cpu_us for f in measured)
        print(f"{name:36}{rate:12,.0f}{min(rates):10,.0f}{max(rates):10,.0f}{cpu:9.1f}{rate / stock:9.1f}")


if __name__ == "__main__":
    main()

"""Requests a second: one worker on a real Kafka with state on, `replay`, and beside them its peers doing far less.

`python -m tests.benchmarks.throughput [--events N] [--rounds R] [--json FILE]`; `make bench-throughput` installs the
peers first. The same simulated requests go through all of them, and the rounds are taken in turns so that a busy
machine hits all alike. The topic is full before a worker starts. Its clock runs from the end of its start-up (state
restored) until all requests are *processed*, and until all are *committed*, which waits for the next checkpoint. A
peer's clock runs from its first request to its last; slow ones get a part of the requests. `replay` is timed by
itself, without Python's start, and as a command. Two workers and the broker share the cores of one machine here.
"""

from __future__ import annotations

import argparse
import importlib.util
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

PEERS = {
    "stock Faust, nothing": ("stock_faust", 10),
    "Quix Streams, a tumbling window": ("quix_tumbling", 10),
    "Bytewax, a sliding window": ("bytewax_sliding", 20),
    "fetch and decode alone": ("bare_client", 1),
}
"""Module and the part of the requests that it gets: one of so many."""
NEEDS = {"quix_tumbling": "quixstreams", "bytewax_sliding": "bytewax"}
LIMIT_S = 600.0


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
    several = max(full)
    pair = harness.fresh(full[several].bootstrap_servers, several)
    harness.produce(pair, path)
    run = harness.judge(pair, events, directory, workers=2)
    found["two workers: processed"] = Figure(events / run.processed_s, run.usage.cpu_s / events * 1e6)
    environment = harness.environment(full[1])
    for name, (module, share) in PEERS.items():
        if module not in NEEDS or importlib.util.find_spec(NEEDS[module]):
            measured = measure(f"tests.benchmarks.peers.{module}", environment, events // share, LIMIT_S)
            found[name] = Figure(*measured)
    run = harness.replay(path, directory)
    inside = re.search(r"([\d,]+) requests/s", (directory / "replay.log").read_text())
    cpu = run.usage.cpu_s / events * 1e6
    found["replay: without start-up"] = Figure(float(inside[1].replace(",", "")) if inside else float("nan"), cpu)
    found["replay: whole command"] = Figure(events / run.processed_s, cpu)
    return found


def main() -> None:
    """Measure all in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=2.0, help="of the simulated provider")
    parser.add_argument("--days", type=float, default=0.25, help="of event time; fewer at a larger scale is denser")
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
    """Print the medians, their spread, and how many times the median of each peer they are."""
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    rates = {name: statistics.median(figure.rate for figure in measured) for name, measured in figures.items()}
    peers = [name for name in PEERS if name in rates]
    print(
        f"{'':34}{'requests/s':>12}{'least':>10}{'most':>10}{'CPU µs':>9}"
        + "".join(f"{p.split(',')[0]:>24}" for p in peers)
    )
    for name, measured in figures.items():
        least, most = min(figure.rate for figure in measured), max(figure.rate for figure in measured)
        cpu = statistics.median(figure.cpu_us for figure in measured)
        ratios = "".join(f"{rates[name] / rates[peer]:23.2f}x" for peer in peers)
        print(f"{name:34}{rates[name]:12,.0f}{least:10,.0f}{most:10,.0f}{cpu:9.1f}{ratios}")
    for name, (module, _) in PEERS.items():
        if name not in rates:
            print(f"{name}: not measured, {NEEDS[module]} is not installed (make bench-throughput installs it)")


if __name__ == "__main__":
    main()

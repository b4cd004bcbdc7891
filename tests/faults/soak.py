"""A worker at half its speed for half an hour: do memory, open files or the lag grow?

`python -m tests.faults.soak --minutes 30` measures how fast one worker is on this machine now, then feeds it half of
that and fits lines through what it uses. The slopes are of the second half: in the first the windows fill. Exit status
1 when memory grows by more than `MAX_MB_PER_HOUR`, when files stay open, when the lag grows, or when the worker ends in
disorder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from tests.broker import kafka
from tests.faults import rig as rigs
from tests.faults.rig import Rig, scrape

SAMPLE_S = 5.0
CALIBRATION = 40_000
MAX_MB_PER_HOUR = 24.0
MAX_FILES_PER_HOUR = 2.0
DUPLICATE_IDS = 20_000
"""Event ids remembered by each partition: so few that the memory of them is full within a minute or two. At the default
of a million it grows for an hour, by some 100 bytes an id, and hides every other growth."""


class Sample(NamedTuple):
    """One look at the worker."""

    seconds: float
    memory_mb: float
    files: int
    lag: float
    partials: int


def endless(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the events over and over, each round later by their span and with other ids."""
    events = [msgspec.json.decode(line) for line in lines]
    span = max(e["time"] for e in events) - min(e["time"] for e in events) + 1
    for turn in range(1_000_000):
        for event in events:
            changed = {"event.id": f"{turn}-{event['event.id']}", "time": event["time"] + turn * span}
            yield msgspec.json.encode({**event, **changed})


def look(process: int, port: int, began: float, run: Rig) -> Sample:
    """Return what the worker uses now."""
    status = Path(f"/proc/{process}/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
    files = len(list(Path(f"/proc/{process}/fd").iterdir()))
    metrics = scrape(port)
    lag = sum(value for name, value in metrics.items() if name.startswith("hydrawatch_consumer_lag_records"))
    return Sample(time.monotonic() - began, memory, files, lag, run.said())


def slope(samples: Sequence[Sample], field: str) -> float:
    """Return by how much a field grows in an hour, from the second half of the samples."""
    late = samples[len(samples) // 2 :]
    seconds = np.array([sample.seconds for sample in late])
    values = np.array([getattr(sample, field) for sample in late], float)
    return float(np.polyfit(seconds, values, 1)[0] * 3600) if len(late) > 2 else float("nan")


def speed(run: Rig, source: Iterator[bytes]) -> float:
    """Return how many requests a second a worker takes in, state on."""
    run.send(lines=[next(source) for _ in range(CALIBRATION)])
    worker = run.start()
    run.ready(worker, run.settings.partitions + 1)
    began = time.monotonic()
    run.drain()
    took = time.monotonic() - began
    run.stop(worker)
    return CALIBRATION / took


def soak(run: Rig, source: Iterator[bytes], rate: float, minutes: float) -> list[Sample]:
    """Feed a worker `rate` requests a second; return what it used all along."""
    port = kafka.free_port()
    worker = run.start(HYDRAWATCH_METRICS__PORT=str(port), HYDRAWATCH_WINDOWS__DUPLICATE_IDS=str(DUPLICATE_IDS))
    run.ready(worker, run.settings.partitions + 1)
    began, sent, samples = time.monotonic(), 0, []
    while (passed := time.monotonic() - began) < minutes * 60:
        due = int(passed * rate) - sent
        run.send(lines=[next(source) for _ in range(due)], linger_ms=20, compression_type="lz4")
        sent += due
        if passed >= len(samples) * SAMPLE_S:
            samples.append(look(worker.popen.pid, port, began, run))
        time.sleep(max(0.0, 1.0 - (time.monotonic() - began - passed)))
    return samples


def main() -> None:
    """Measure, feed, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, help="requests a second; half of what is measured when not given")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hydrawatch-soak-") as work, kafka.local() as broker:
        directory = Path(work)
        source = endless(rigs.simulated(directory, 0.01, 3.0, arguments.seed))
        run = Rig(broker, [], directory, arguments.seed, checkpoint_interval_s=5.0, fetch_max_records=10_000)
        try:
            rate = arguments.rate or speed(run, source) / 2
            print(f"seed {arguments.seed}, {rate:,.0f} requests/s for {arguments.minutes:g} minutes", flush=True)
            samples = soak(run, source, rate, arguments.minutes)
            run.drain()
            run.stop(run.workers[-1])
        finally:
            run.close()
    for sample in samples[:: max(1, len(samples) // 10)]:
        print(f"{sample.seconds:6.0f} s {sample.memory_mb:7.1f} MB {sample.files:4} files {sample.lag:9,.0f} behind")
    growth = {field: slope(samples, field) for field in ("memory_mb", "files", "lag")}
    print(f"an hour: {growth['memory_mb']:+.1f} MB, {growth['files']:+.2f} files, {growth['lag']:+,.0f} records behind")
    print("\n".join(run.failures) or "drained, and stopped in order")
    steady = growth["memory_mb"] < MAX_MB_PER_HOUR and growth["files"] < MAX_FILES_PER_HOUR
    sys.exit(not (steady and growth["lag"] < rate * 60 and not run.failures))


if __name__ == "__main__":
    main()

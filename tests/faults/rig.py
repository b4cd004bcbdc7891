"""One run under faults: topics of its own, workers, what they used, and the verdict at the end."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from detectors import partials
from stream import topics
from stream.config import KafkaSettings
from tests.benchmarks.harness import Progress, usage
from tests.broker import log
from tests.broker.kafka import LocalBroker
from tests.broker.process import Process
from tests.faults import oracle

WORKER = "tests.faults.crashes"
SESSION_S = 2.0
"""How soon the group notices a death; a worker that gets no processor for so long is thought dead, too."""
NEVER_IDLE_S = 600.0
IDLE_S = 2.0
SAMPLE_S = 0.2
LIMIT_S = 240.0
READY = "entries restored in"


class Infeasible(Exception):
    """The experiment cannot be done on this machine; the message says why."""


class Report(NamedTuple):
    """What one experiment showed; `failures` are broken promises beside the verdict's."""

    number: int
    title: str
    verdict: oracle.Verdict | None
    stall_s: float
    peak_mb: float
    exits: str
    seconds: float
    failures: list[str]
    remarks: list[str]

    @property
    def passed(self) -> bool:
        """Tell whether all promises were kept."""
        return not self.failures and (self.verdict is None or self.verdict.exact)


class Rig:
    """The means of an experiment.

    Args:
        broker: may be killed and started again.
        lines: the request events, one JSON object each.
        directory: for logs.
        seed: of all that is left to chance.
        settings: more of `KafkaSettings`.
    """

    def __init__(
        self, broker: LocalBroker, lines: Sequence[bytes], directory: Path, seed: int, **settings: Any
    ) -> None:
        self.broker, self.lines, self.directory = broker, lines, directory
        self.seed = seed
        self.random = random.Random(seed)
        run = f"fault-{uuid.uuid4().hex[:8]}"
        chosen = {"partitions": 4, "checkpoint_interval_s": 1.0, "fetch_max_records": 500, "session_timeout_s": 6.0}
        self.settings = KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers, group_id=run, topic_prefix=f"{run}.",
            idle_timeout_s=NEVER_IDLE_S, **chosen | settings,
        )  # fmt: skip
        topics.create(self.settings)
        self.workers: list[Process] = []
        self.sent = 0
        self.remarks: list[str] = []
        self.failures: list[str] = []
        self.peak_mb = self.stall_s = 0.0
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._sample, daemon=True)
        self._watch.start()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_S):
            for worker in self.workers:
                used = usage(worker.popen.pid) if worker.alive else None
                self.peak_mb = max(self.peak_mb, used.peak_mb if used else 0.0)

    def send(self, count: int | None = None, lines: Sequence[bytes] | None = None, **producer: Any) -> None:
        """Write the next `count` events of the input, or all that are left; or other `lines` instead."""
        if lines is None:
            end = len(self.lines) if count is None else self.sent + count
            lines = self.lines[self.sent : end]
            self.sent = min(end, len(self.lines))
        log.write(self.settings, topics.REQUESTS, [(self.partition(line), line) for line in lines], **producer)

    def partition(self, line: bytes) -> int:
        """Return the partition of an event, which is that of its account."""
        try:
            return sum(msgspec.json.decode(line)["account.id"].encode()) % self.settings.partitions
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError, AttributeError):
            return 0

    def start(self, crash: str = "", settings: KafkaSettings | None = None, **environment: str) -> Process:
        """Start a worker; `crash` is `POINT:COUNT` of `crashes`."""
        path = self.directory / f"worker-{len(self.workers)}.log"
        environment = {"CRASH": crash, "SESSION_S": str(SESSION_S)} | environment
        worker = Process(settings or self.settings, path, WORKER, **environment)
        self.workers.append(worker)
        return worker

    def ready(self, worker: Process, times: int = 1) -> None:
        """Wait until a worker has taken over as many partitions."""
        self.until(lambda: worker.output.count(READY) >= times or not worker.alive, f"{worker.log.name} to be ready")

    def dead(self, worker: Process, limit_s: float = 90.0) -> int:
        """Wait until a worker has ended; return its status."""
        try:
            return worker.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.failures.append(f"{worker.log.name} did not end within {limit_s:.0f} s")
            worker.kill()
            return worker.wait()

    def stop(self, worker: Process, limit_s: float = 12.0) -> None:
        """End a worker with SIGTERM, which must do within `limit_s` and with status 0."""
        status = self.terminated(worker, limit_s)
        self.check(status == 0, f"{worker.log.name} ended with {status} after SIGTERM")

    def terminated(self, worker: Process, limit_s: float = 30.0) -> int:
        """Send SIGTERM; return the status."""
        worker.popen.send_signal(signal.SIGTERM)
        return self.dead(worker, limit_s)

    def freeze(self, worker: Process) -> None:
        """Stop a worker where it is."""
        os.kill(worker.popen.pid, signal.SIGSTOP)

    def thaw(self, worker: Process) -> None:
        """Let it go on."""
        os.kill(worker.popen.pid, signal.SIGCONT)

    def check(self, kept: bool, promise: str) -> None:
        """Note a promise that was not kept."""
        if not kept:
            self.failures.append(promise)

    def until(self, condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
        """Wait for `condition`; it is an error when it does not come."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {limit_s:.0f} s in vain for {what}")
            time.sleep(SAMPLE_S)

    def said(self, topic: str = topics.PARTIALS) -> int:
        """Return how many records a topic of one partition holds."""
        return log.length(self.settings, topic)

    def drained(self) -> bool:
        """Tell whether the workers have committed all requests and partials."""
        progress = Progress(self.settings)
        try:
            return self._committed(progress)
        finally:
            progress.close()

    def drain(self) -> None:
        """Wait until the workers have committed all requests and partials; they must stay alive."""
        progress = Progress(self.settings)
        try:
            self.until(lambda: self._committed(progress), "everything to be committed")
        finally:
            progress.close()

    def _committed(self, progress: Progress) -> bool:
        if not any(worker.alive for worker in self.workers):
            raise RuntimeError("no worker is left")
        places = ((topics.REQUESTS, self.settings.partitions), (topics.PARTIALS, 1))
        return all(progress.committed(topic, partitions) for topic, partitions in places)

    def finish(self, survivors: bool = True) -> oracle.Verdict:
        """Send what is left, let the workers end it, close all ticks, and compare.

        Args:
            survivors: those alive must bring it to the end and stop in order; otherwise they are killed first.
        """
        self.send()
        alive = [worker for worker in self.workers if worker.alive]
        if alive and survivors:
            self.drain()
        for worker in alive:
            if survivors:
                self.stop(worker)
            else:
                worker.kill()
        last = self.start(settings=msgspec.structs.replace(self.settings, idle_timeout_s=IDLE_S))
        self.flush()
        self.stop(last)
        self.stall_s = self._stall_s()
        return oracle.judge(self.settings)

    def flush(self) -> None:
        """Wait until every partition is idle and judged."""
        progress = Progress(self.settings)
        try:
            self.until(lambda: self._committed(progress) and progress.flushed(), "the last ticks to be judged")
        finally:
            progress.close()

    def close(self) -> None:
        """Kill what is left."""
        self._done.set()
        for worker in self.workers:
            if worker.alive:
                worker.popen.send_signal(signal.SIGCONT)
                worker.kill()

    def _stall_s(self) -> float:
        """Return the longest silence between two partials, before the last ticks were closed by the clock."""
        times = [r.timestamp for r in log.read(self.settings, topics.PARTIALS) if not partials.decode(r.value).idle]
        return max((b - a for a, b in itertools.pairwise(times)), default=0) / 1000

    def exits(self) -> str:
        """Return how the workers ended: statuses and how many of each."""
        counts = Counter(worker.popen.poll() for worker in self.workers)
        return " ".join(f"{status}×{count}" if count > 1 else f"{status}" for status, count in sorted(counts.items()))


def stopped(process: int) -> bool:
    """Tell whether a process was stopped by a signal."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def scrape(port: int) -> dict[str, float]:
    """Return the metrics that a worker serves, by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"}


def simulated(directory: Path, scale: float, days: float, seed: int) -> list[bytes]:
    """Return the events of `hydrawatch simulate seeds`."""
    events = directory / "events.jsonl"
    command = [sys.executable, "-m", "stream", "simulate", "seeds", "--scale", str(scale), "--seed", str(seed)]
    command += ["--days", str(days), "--out", str(events), "--labels", str(directory / "labels.jsonl")]
    subprocess.run(command, check=True, capture_output=True)
    return events.read_bytes().splitlines()

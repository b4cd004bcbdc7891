"""What the benchmarks share: a filled topic, worker processes, waiting until all is judged, and comparing outcomes.

Workers and replays are the real commands in processes of their own. Nothing here is timed from inside them.
"""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from detectors import partials
from stream import clients, topics
from stream.config import KafkaSettings

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.2
IDLE_TIMEOUT_S = 3.0
"""Everything is in the topic before a worker starts, so a silent partition has ended."""
LIMIT_S = 900.0
TICKS = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What a process has used so far."""

    cpu_s: float = 0.0
    peak_mb: float = 0.0


class Outcome(NamedTuple):
    """What a run found: every alert and every decision, in the order written, repeats dropped by id."""

    alerts: list[dict[str, Any]]
    decisions: list[dict[str, Any]]

    @property
    def campaigns(self) -> dict[str, dict[str, Any]]:
        """The last alert of each campaign that was not merged into another."""
        last = {alert["campaign_id"]: alert for alert in self.alerts if alert["kind"] == "campaign"}
        return {name: alert for name, alert in last.items() if not alert["merged_into"]}

    @property
    def opened(self) -> int:
        """How many times a campaign was opened."""
        return sum(alert["state"] == "open" and alert["kind"] == "campaign" for alert in self.alerts)

    @property
    def standing(self) -> dict[str, dict[str, Any]]:
        """The last decision of each subject, by `scope:value`."""
        last: dict[str, dict[str, Any]] = {}
        for decision in self.decisions:
            subject = f"{decision['scope']}:{decision['value']}"
            if subject not in last or decision["revision"] > last[subject]["revision"]:
                last[subject] = decision
        return last

    @property
    def members(self) -> dict[str, list[str]]:
        """Campaign id → its accounts, as the standing decisions of scope `account` name them."""
        found: dict[str, list[str]] = {}
        for decision in self.standing.values():
            if decision["scope"] == "account" and decision["type"] != "none":
                found.setdefault(decision["campaign_id"], []).append(decision["value"])
        return {campaign: sorted(accounts) for campaign, accounts in found.items()}


class Judged(NamedTuple):
    """One run of a file.

    What it found, and the seconds until every request was `processed`, until all of it was `committed`, and until the
    last ticks were `flushed` and judged. `usage` has the processor time until `processed` and the greatest memory.
    """

    outcome: Outcome
    requests: int
    processed_s: float
    committed_s: float
    flushed_s: float
    usage: Usage
    shares: tuple[int, ...] = ()
    """Requests of each worker."""


class Worker:
    """A `hydrawatch worker` process.

    Args:
        settings: of the topics and the consumer group.
        log: gets its output.
    """

    def __init__(self, settings: KafkaSettings, log: Path) -> None:
        self.log = log
        self.port = free_port()
        self.usage = Usage()
        self._output = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream", "worker", "--metrics-port", str(self.port)],
            cwd=ROOT, env={**os.environ, **environment(settings)}, stdout=self._output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def metrics(self) -> dict[str, float]:
        """Return its metrics by name and labels; none while it does not serve them."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"}

    def check(self) -> None:
        """Note what it has used, or end the benchmark if it has died."""
        if self.process.poll() is not None:
            raise SystemExit(f"a worker ended with status {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        self.usage = usage(self.process.pid) or self.usage

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.usage = usage(self.process.pid) or self.usage
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self._output.close()


class Progress:
    """How far the consumer group of a worker is."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._consumer = KafkaConsumer(
            **clients.kafka_python(settings), group_id=settings.group_id, enable_auto_commit=False
        )
        self._partials = KafkaConsumer(
            **clients.kafka_python(settings), auto_offset_reset="earliest", max_partition_fetch_bytes=4 << 20
        )
        self._partials.assign([TopicPartition(settings.topic_prefix + topics.PARTIALS, 0)])
        self._idle: dict[int, bool] = {}

    def committed(self, topic: str, partitions: int) -> bool:
        """Tell whether the group has committed all there is in `topic`, named without the prefix."""
        places = [TopicPartition(self.settings.topic_prefix + topic, number) for number in range(partitions)]
        ends = self._consumer.end_offsets(places)
        return all((self._consumer.committed(place) or 0) >= ends[place] for place in places)

    def flushed(self) -> bool:
        """Tell whether every partition of requests has said that it is idle, and that was judged too."""
        for records in self._partials.poll(timeout_ms=0, max_records=500).values():
            for record in records:
                partial = partials.decode(record.value)
                self._idle[partial.partition] = partial.idle
        idle = len(self._idle) == self.settings.partitions and all(self._idle.values())
        return idle and self.committed(topics.PARTIALS, 1)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
        self._partials.close()


def fresh(servers: str, partitions: int, **more: Any) -> KafkaSettings:
    """Return settings with a topic prefix and a group of their own; the topics are made."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    settings = KafkaSettings(
        bootstrap_servers=servers, topic_prefix=prefix, group_id=prefix + "group", partitions=partitions,
        **{"idle_timeout_s": IDLE_TIMEOUT_S, **more},
    )  # fmt: skip
    topics.create(settings)
    return settings


def environment(settings: KafkaSettings) -> dict[str, str]:
    """Return the variables that give `settings` to a worker."""
    values = msgspec.structs.asdict(settings)
    return {f"HYDRAWATCH_KAFKA__{key.upper()}": str(value) for key, value in values.items() if value is not None}


class _Key(msgspec.Struct, rename={"account": "account.id"}):
    account: str


def produce(settings: KafkaSettings, path: Path) -> int:
    """Send the lines of `path` to the requests topic, keyed by account; return how many there were."""
    return asyncio.run(_produce(settings, path))


async def _produce(settings: KafkaSettings, path: Path) -> int:
    decode = msgspec.json.Decoder(_Key).decode
    topic, count, sent = settings.topic_prefix + topics.REQUESTS, 0, []
    async with AIOKafkaProducer(
        **clients.aiokafka(settings), compression_type="lz4", linger_ms=20, max_batch_size=512 << 10
    ) as producer:
        with path.open("rb") as lines:
            for line in lines:
                sent.append(await producer.send(topic, line[:-1], key=decode(line).account.encode()))
                count += 1
                if len(sent) == 20_000:
                    await asyncio.gather(*sent)
                    sent.clear()
        await asyncio.gather(*sent)
    return count


def judge(settings: KafkaSettings, requests: int, directory: Path, workers: int = 1) -> Judged:
    """Run `workers` workers until all `requests` in the topic are judged and the last ticks are closed.

    The clock starts when the first worker has restored its state and begins to fetch.
    """
    started = [Worker(settings, directory / f"worker-{uuid.uuid4().hex[:6]}.log") for _ in range(workers)]
    progress = Progress(settings)
    try:
        wait("a worker to be ready", started, lambda: any(b"restored" in w.log.read_bytes() for w in started))
        begun, before = time.perf_counter(), _cpu(started)
        wait("requests to be processed", started, lambda: _counted(started) >= requests)
        processed, cpu = time.perf_counter() - begun, _cpu(started) - before
        wait("requests to be committed", started, lambda: progress.committed(topics.REQUESTS, settings.partitions))
        committed = time.perf_counter() - begun
        wait("the last ticks to be judged", started, progress.flushed)
        flushed = time.perf_counter() - begun
        shares = tuple(int(_counted([worker])) for worker in started)
        peak = max(worker.usage.peak_mb for worker in started)
    finally:
        progress.close()
        statuses = [worker.stop() for worker in started]
    if any(statuses):
        raise SystemExit(f"a worker ended with status {statuses} after SIGTERM:\n{started[0].log.read_text()[-3000:]}")
    outcome = Outcome(records(settings, topics.ALERTS, "alert_id"), records(settings, topics.DECISIONS, "decision_id"))
    return Judged(outcome, sum(shares), processed, committed, flushed, Usage(cpu, peak), shares)


def _cpu(workers: Sequence[Worker]) -> float:
    return sum((usage(worker.process.pid) or worker.usage).cpu_s for worker in workers)


def _counted(workers: Sequence[Worker]) -> float:
    """Return the requests that the workers have taken in, refused and repeated ones too."""
    names = ("hydrawatch_requests_total", "hydrawatch_duplicate_requests_total", "hydrawatch_dead_letters_total")
    return sum(v for w in workers for name, v in w.metrics().items() if name.partition("{")[0] in names)


def wait(what: str, workers: Sequence[Worker], done: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Wait until `done`; end the benchmark when that takes too long or a worker dies."""
    deadline = time.monotonic() + limit_s
    while not done():
        for worker in workers:
            worker.check()
        if time.monotonic() > deadline:
            tails = "\n".join(worker.log.read_text()[-2000:] for worker in workers)
            raise SystemExit(f"waited {limit_s:.0f} s in vain for {what}\n{tails}")
        time.sleep(POLL_S)


def records(settings: KafkaSettings, topic: str, identity: str) -> list[dict[str, Any]]:
    """Return the JSON records of a topic of one partition, those with an `identity` seen before left out."""
    place = TopicPartition(settings.topic_prefix + topic, 0)
    consumer = KafkaConsumer(**clients.kafka_python(settings), auto_offset_reset="earliest")
    consumer.assign([place])
    end = consumer.end_offsets([place])[place]
    found: dict[str, dict[str, Any]] = {}
    while consumer.position(place) < end:
        for fetched in consumer.poll(timeout_ms=1000).values():
            for record in map(msgspec.json.decode, (r.value for r in fetched)):
                found.setdefault(record[identity], record)
    consumer.close()
    return list(found.values())


def replay(path: Path, directory: Path) -> Judged:
    """Run `hydrawatch replay` on `path`; the seconds are those of the whole command."""
    alerts, decisions, metrics = (directory / f"replay.{name}" for name in ("alerts", "decisions", "metrics"))
    command = [sys.executable, "-m", "stream", "replay", str(path)]
    command += ["--alerts", str(alerts), "--decisions", str(decisions), "--metrics", str(metrics)]
    begun = time.perf_counter()
    with (directory / "replay.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        used = Usage()
        while process.poll() is None:
            used = usage(process.pid) or used
            time.sleep(0.1)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"replay ended with status {process.returncode}:\n{(directory / 'replay.log').read_text()}")
    counted = next(line for line in metrics.read_text().splitlines() if line.startswith("hydrawatch_requests_total "))
    outcome = Outcome(list(_json_lines(alerts)), list(_json_lines(decisions)))
    return Judged(outcome, int(float(counted.split()[1])), seconds, seconds, seconds, used)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        yield from map(msgspec.json.decode, lines)


def usage(process: int) -> Usage | None:
    """Return what a running process has used; None when it is gone."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return Usage((int(stat[11]) + int(stat[12])) / TICKS, peak / 1024) if peak else None


def free_port() -> int:
    """Return a port on the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def machine() -> dict[str, Any]:
    """Return what figures depend on: processor, cores, load, Python."""
    model = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        model = next((line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line),
                     model)  # fmt: skip
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_1min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }

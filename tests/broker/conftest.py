from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from stream import topics
from stream.config import KafkaSettings
from tests.broker import kafka


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("broker")


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(kafka.bootstrap())
        except kafka.Unavailable as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"CI needs a Kafka: {reason}")
            pytest.skip(f"no Kafka: {reason}")
        yield address


@pytest.fixture
def settings(servers: str) -> KafkaSettings:
    """Settings with topics and a group of the test's own; the topics are not made yet."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    return KafkaSettings(
        bootstrap_servers=servers, group_id=name, topic_prefix=f"{name}.", partitions=4, checkpoint_interval_s=0.5,
        idle_timeout_s=1.0, fetch_max_records=500, session_timeout_s=6.0,
    )  # fmt: skip


@pytest.fixture
def made(settings: KafkaSettings) -> KafkaSettings:
    topics.create(settings)
    return settings


def variables(settings: KafkaSettings) -> dict[str, str]:
    """Return an environment that gives `settings` to a command."""
    given = {key: str(value) for key, value in msgspec.structs.asdict(settings).items() if value is not None}
    return {**os.environ, **{f"HYDRAWATCH_KAFKA__{key.upper()}": value for key, value in given.items()}}


class Process:
    """A worker in a process of its own, with the counting stages unless told otherwise."""

    def __init__(
        self, settings: KafkaSettings, log: Path, module: str = "tests.broker.counting", **environment: str
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            command = [sys.executable, "-m", *module.split()]
            self.popen = subprocess.Popen(command, env=variables(settings) | environment, stdout=output, stderr=output)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def terminate(self, timeout_s: float = 10.0) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout_s)

    def wait(self, timeout_s: float = 30.0) -> int:
        return self.popen.wait(timeout_s)

    @property
    def output(self) -> str:
        return self.log.read_text()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start workers; those that still run are killed when the test ends."""
    started: list[Process] = []

    def run(settings: KafkaSettings, **more: str) -> Process:
        process = Process(settings, tmp_path / f"worker-{len(started)}.log", **more)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.popen.poll() is None:
            process.kill()
        print(f"--- {process.log.name}\n{process.output[-4000:]}")

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream import topics
from stream.config import KafkaSettings
from tests.broker import kafka
from tests.broker.process import Process


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
        if process.alive:
            process.kill()
        print(f"--- {process.log.name}\n{process.output[-4000:]}")

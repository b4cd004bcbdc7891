"""The topics: their names, partitions and settings, made and compared through kafka-python's admin client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from stream import clients
from stream.config import KafkaSettings
from stream.errors import BrokerError

REQUESTS = "requests"
PARTIALS = "partials"
ALERTS = "alerts"
DECISIONS = "decisions"
DEAD_LETTER = "dead-letter"
FEEDBACK = "feedback"
ACCOUNT_STATE = "account-state"
GROUP_STATE = "group-state"

DAY_MS = 86_400_000
TIMEOUT_MS = 15_000
TOPIC_UNKNOWN = 3

_COMPACT = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"}
_STATE = {**_COMPACT, "segment.bytes": str(64 << 20)}
_LARGE = str(2 << 20)
"""An event over 1 MiB must reach the worker, which then refuses it by name."""


class Topic(NamedTuple):
    """One topic as it should be."""

    name: str
    partitions: int
    settings: dict[str, str]


def topics(settings: KafkaSettings) -> list[Topic]:
    """Return every topic, in the order of the flow of data."""

    def topic(name: str, partitions: int, configs: dict[str, str]) -> Topic:
        return Topic(settings.topic_prefix + name, partitions, configs)

    append_time = {"message.timestamp.type": "LogAppendTime"}
    return [
        topic(REQUESTS, settings.partitions, {"max.message.bytes": _LARGE, **append_time}),
        topic(PARTIALS, 1, {"retention.ms": str(7 * DAY_MS)}),
        topic(ALERTS, 1, {"retention.ms": str(365 * DAY_MS)}),
        topic(DECISIONS, 1, _COMPACT),
        topic(DEAD_LETTER, 1, {"retention.ms": str(30 * DAY_MS)}),
        topic(FEEDBACK, 1, {**_COMPACT, **append_time}),
        topic(ACCOUNT_STATE, settings.partitions, _STATE),
        topic(GROUP_STATE, 1, _STATE),
    ]


def create(settings: KafkaSettings) -> list[str]:
    """Create the topics that are missing; those that exist stay as they are.

    Returns:
        The names of the topics created.

    Raises:
        BrokerError: Kafka cannot be reached, or refuses.
    """
    created = []
    with _admin(settings) as admin:
        for topic in topics(settings):
            options = {
                "num_partitions": topic.partitions,
                "replication_factor": settings.replication_factor,
                "configs": topic.settings,
            }
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics({topic.name: options}, wait_for_metadata=True)
                created.append(topic.name)
    return created


def check(settings: KafkaSettings) -> list[str]:
    """Compare the topics with what they should be.

    Returns:
        One readable line per difference; first of all those that keep a worker from starting (`blocking`).

    Raises:
        BrokerError: Kafka cannot be reached, or refuses.
    """
    expected = topics(settings)
    with _admin(settings) as admin:
        found = _partitions(admin, expected)
        wanted = [ConfigResource(ConfigResourceType.TOPIC, t.name) for t in expected if found[t.name]]
        configs = admin.describe_configs(wanted, config_filter="all")["topic"] if wanted else {}
    differences = _structure(expected, found)
    for topic in expected:
        for key, value in topic.settings.items():
            actual = configs.get(topic.name, {}).get(key, {}).get("value", value)
            if actual != value:
                differences.append(f"{topic.name}: {key} is {actual}, expected {value}")
    return differences


def blocking(settings: KafkaSettings) -> list[str]:
    """Return the differences that a worker cannot live with: missing topics, other numbers of partitions.

    Raises:
        BrokerError: Kafka cannot be reached, or refuses.
    """
    expected = topics(settings)
    with _admin(settings) as admin:
        return _structure(expected, _partitions(admin, expected))


def exists(settings: KafkaSettings, name: str) -> bool:
    """Tell whether there is a topic of this name, prefix included.

    Raises:
        BrokerError: Kafka cannot be reached, or refuses.
    """
    with _admin(settings) as admin:
        return bool(_partitions(admin, [Topic(name, 1, {})])[name])


def _structure(expected: list[Topic], found: dict[str, int]) -> list[str]:
    differences = []
    for name, partitions, _ in expected:
        if not found[name]:
            differences.append(f"{name}: missing")
        elif found[name] != partitions:
            differences.append(f"{name}: has {_count(found[name])}, expected {partitions}")
    return differences


def _count(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"


def _partitions(admin: KafkaAdminClient, expected: list[Topic]) -> dict[str, int]:
    """Return the number of partitions by topic name, 0 for a topic that does not exist."""
    found = {}
    for topic in admin.describe_topics([topic.name for topic in expected]):
        if topic["error_code"] not in (0, TOPIC_UNKNOWN):
            raise for_code(topic["error_code"])(topic["name"])
        found[topic["name"]] = len(topic["partitions"])
    return found


@contextlib.contextmanager
def _admin(settings: KafkaSettings) -> Iterator[KafkaAdminClient]:
    clients.check(settings)
    try:
        admin = KafkaAdminClient(
            **clients.kafka_python(settings), request_timeout_ms=TIMEOUT_MS, bootstrap_timeout_ms=TIMEOUT_MS
        )
    except (KafkaError, OSError, ValueError) as error:
        raise BrokerError(f"Kafka at {settings.bootstrap_servers} cannot be reached: {_text(error)}") from None
    try:
        yield admin
    except KafkaError as error:
        raise BrokerError(f"Kafka at {settings.bootstrap_servers} refused: {_text(error)}") from None
    finally:
        admin.close()


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__

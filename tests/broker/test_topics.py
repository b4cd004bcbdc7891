from __future__ import annotations

import msgspec
import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from stream import topics
from stream.config import KafkaSettings
from stream.errors import BrokerError

NAMES = [
    "requests", "partials", "alerts", "decisions", "dead-letter", "feedback", "account-state", "group-state",
]  # fmt: skip


def test_creates_what_is_missing_and_nothing_else(settings: KafkaSettings) -> None:
    expected = [settings.topic_prefix + name for name in NAMES]
    assert topics.check(settings) == [f"{name}: missing" for name in expected]
    assert topics.create(settings) == expected
    assert topics.create(settings) == []
    assert topics.check(settings) == []


def test_names_what_differs(made: KafkaSettings) -> None:
    admin = KafkaAdminClient(bootstrap_servers=made.bootstrap_servers)
    name = f"{made.topic_prefix}decisions"
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": "delete"})])
    admin.close()
    other = msgspec.structs.replace(made, partitions=5)
    partitions = [
        f"{made.topic_prefix}{topic}: has 4 partitions, expected 5" for topic in ("requests", "account-state")
    ]
    assert topics.blocking(other) == partitions
    assert topics.check(other) == [*partitions, f"{name}: cleanup.policy is delete, expected compact"]


def test_no_broker_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "TIMEOUT_MS", 1000)
    with pytest.raises(BrokerError, match=r"Kafka at 127\.0\.0\.1:1 cannot be reached"):
        topics.check(KafkaSettings(bootstrap_servers="127.0.0.1:1"))

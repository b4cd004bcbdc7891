"""`hydrawatch alerts` and `hydrawatch decisions`: what arrives on a downstream topic, as a table or as JSON Lines.

Workers may write a record twice when they start again after a crash; each is shown once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream import clients, topics
from stream.config import Config
from stream.errors import BrokerError, TopicError

POLL_MS = 500
REMEMBERED = 100_000
"""Alert ids, and subjects of decisions, that are remembered to drop repeats."""


class Column(NamedTuple):
    """One column of a table: its title, its width (0: to the end of the line), and what it shows of a record."""

    title: str
    width: int
    show: Callable[[Mapping[str, Any]], str]


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _strongest(alert: Mapping[str, Any]) -> str:
    return alert["evidence"][0]["text"] if alert["evidence"] else ""


def _measure(decision: Mapping[str, Any]) -> str:
    limits = {name: value for name, value in decision["limits"].items() if value is not None}
    parts = [f"{value} {name.replace('_per_minute', '/min')}" for name, value in limits.items()]
    return ", ".join([*parts, *decision["restrict"]])


ALERT_COLUMNS = (
    Column("TIME (UTC)", 16, lambda a: _time(a["time"])),
    Column("STATE", 8, lambda a: a["state"]),
    Column("SEVERITY", 8, lambda a: a["severity"]),
    Column("CAMPAIGN", 32, lambda a: a["campaign_id"]),
    Column("REV", 4, lambda a: str(a["revision"])),
    Column("ACCOUNTS", 8, lambda a: str(a["accounts"])),
    Column("NATS", 7, lambda a: f"{a['score']:.1f}"),
    Column("STRONGEST EVIDENCE", 0, _strongest),
)
DECISION_COLUMNS = (
    Column("FROM (UTC)", 16, lambda d: _time(d["from"])),
    Column("UNTIL (UTC)", 16, lambda d: _time(d["until"])),
    Column("TYPE", 9, lambda d: d["type"] + ("" if not d["simulated"] else "*")),
    Column("SCOPE", 12, lambda d: d["scope"]),
    Column("VALUE", 28, lambda d: d["value"]),
    Column("CAMPAIGN", 32, lambda d: d["campaign_id"]),
    Column("REV", 4, lambda d: str(d["revision"])),
    Column("LIMITS (* simulated)", 0, _measure),
)


class Latest:
    """Tells news from repeats: a record is news when its key has not been seen with that revision or a higher one."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        self._revisions: dict[str, int] = {}
        self._capacity = capacity

    def news(self, key: str, revision: int) -> bool:
        """Take note of a record, and tell whether it is news."""
        if self._revisions.get(key, -1) >= revision:
            return False
        self._revisions.pop(key, None)
        self._revisions[key] = revision
        if len(self._revisions) > self._capacity:
            del self._revisions[next(iter(self._revisions))]
        return True


def alerts(config: Config, *, json: bool = False, from_beginning: bool = False, timeout: float | None = None) -> None:
    """Print alert transitions as they arrive.

    Args:
        config: where Kafka is.
        json: JSON Lines instead of a table.
        from_beginning: start with the oldest record kept, not with the next.
        timeout: stop when nothing came for so many seconds; None: never.

    Raises:
        TopicError: the topic does not exist.
        BrokerError: Kafka cannot be reached.
    """
    _follow(config, topics.ALERTS, ALERT_COLUMNS, lambda a: (a["alert_id"], 0), json, _records(
        config, topics.ALERTS, from_beginning, timeout))  # fmt: skip


def decisions(
    config: Config, *, json: bool = False, from_beginning: bool = False, timeout: float | None = None
) -> None:
    """Print decisions as they arrive; arguments and errors as for `alerts`."""
    _follow(config, topics.DECISIONS, DECISION_COLUMNS, lambda d: (f"{d['scope']}:{d['value']}", d["revision"]), json,
            _records(config, topics.DECISIONS, from_beginning, timeout))  # fmt: skip


def _follow(
    config: Config,
    topic: str,
    columns: tuple[Column, ...],
    identify: Callable[[Mapping[str, Any]], tuple[str, int]],
    json: bool,
    records: Iterator[bytes],
) -> None:
    latest = Latest()
    if not json:
        click.echo("  ".join(column.title.ljust(column.width) for column in columns))
    for value in records:
        try:
            record = msgspec.json.decode(value)
            shown = msgspec.json.encode(record).decode() if json else _row(record, columns)
            news = latest.news(*identify(record))
        except (ValueError, KeyError, TypeError, ArithmeticError, OSError, RecursionError):
            click.echo(f"{config.kafka.topic_prefix}{topic}: passed over a record of another form", err=True)
            continue
        if news:
            click.echo(shown)


def _row(record: Mapping[str, Any], columns: tuple[Column, ...]) -> str:
    """Return one line; characters that would move the cursor of a terminal are shown as `?`."""
    cells = []
    for _, width, show in columns:
        text = "".join(char if char.isprintable() else "?" for char in show(record))
        cells.append(text if not width else (text if len(text) <= width else text[: width - 1] + "…").ljust(width))
    return "  ".join(cells).rstrip()


def _records(config: Config, name: str, from_beginning: bool, timeout: float | None) -> Iterator[bytes]:
    """Yield the values of a topic, tombstones left out, until `timeout` seconds of silence."""
    topic = config.kafka.topic_prefix + name
    with _consumer(config, topic) as consumer:
        (consumer.seek_to_beginning if from_beginning else consumer.seek_to_end)()
        heard = time.monotonic()
        while timeout is None or time.monotonic() - heard < timeout:
            for records in consumer.poll(timeout_ms=POLL_MS).values():
                heard = time.monotonic()
                yield from (record.value for record in records if record.value is not None)


@contextlib.contextmanager
def _consumer(config: Config, topic: str) -> Iterator[KafkaConsumer]:
    servers = config.kafka.bootstrap_servers
    clients.check(config.kafka)
    try:
        consumer = KafkaConsumer(
            **clients.kafka_python(config.kafka),
            group_id=None,
            enable_auto_commit=False,
            bootstrap_timeout_ms=topics.TIMEOUT_MS,
        )
    except (KafkaError, OSError, ValueError) as error:
        raise BrokerError(f"Kafka at {servers} cannot be reached: {error}") from None
    try:
        partitions = consumer.partitions_for_topic(topic)
        if not partitions:
            raise TopicError(f"{topic}: missing (see `hydrawatch topics create`)")
        consumer.assign([TopicPartition(topic, partition) for partition in sorted(partitions)])
        yield consumer
    except KafkaError as error:
        raise BrokerError(f"Kafka at {servers} failed: {error}") from None
    finally:
        consumer.close()

"""Verdicts in and out: what the command writes to the topic or to a file, and what `replay` reads back."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from detectors.errors import FeedbackError
from detectors.feedback import Verdict, decode
from stream import clients, topics
from stream.config import KafkaSettings
from stream.errors import BrokerError, InputError, OutputError, TopicError
from stream.reader import LineReader

TIMEOUT_S = 15.0
UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def moment(text: str, start_ms: int) -> int:
    """Return a point in time, Unix ms.

    Args:
        text: Unix ms, ISO 8601 (UTC where it names no zone), or so much after `start_ms`: `90m`, `12h`, `30d`.
        start_ms: Unix ms.

    Raises:
        ValueError: `text` is none of these.

    >>> moment("12h", 1_000), moment("1767225600000", 0), moment("2026-01-01", 0), moment("2026-01-01T01:00+01:00", 0)
    (43201000, 1767225600000, 1767225600000, 1767225600000)
    """
    if text.isascii() and text.isdigit():
        return int(text)
    if span := re.fullmatch(r"([0-9]{1,6})([mhd])", text):
        return start_ms + int(span[1]) * UNITS_MS[span[2]]
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 30d, 12h, 2026-02-23, 2026-02-23T12:00Z or Unix ms") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def key(verdict: Verdict) -> bytes:
    """Return the key of a verdict's record: the topic keeps the latest of each."""
    return f"{verdict.scope}:{verdict.value}".encode()


def send(settings: KafkaSettings, verdict: Verdict) -> None:
    """Write a verdict to the topic; when this returns every replica in sync has it.

    Raises:
        TopicError: the topic does not exist.
        BrokerError: Kafka cannot be reached, or refuses.
    """
    topic = settings.topic_prefix + topics.FEEDBACK
    if not topics.exists(settings, topic):
        raise TopicError(f"{topic}: missing (see `hydrawatch topics create`)")
    try:
        producer = KafkaProducer(**clients.kafka_python(settings), acks="all", max_block_ms=int(TIMEOUT_S * 1000))
        try:
            producer.send(topic, value=msgspec.json.encode(verdict), key=key(verdict)).get(timeout=TIMEOUT_S)
        finally:
            producer.close(timeout=TIMEOUT_S)
    except (KafkaError, OSError, ValueError) as error:
        text = str(error) or type(error).__name__
        raise BrokerError(f"Kafka at {settings.bootstrap_servers} did not take the verdict: {text}") from None


def append(path: str | os.PathLike[str], verdict: Verdict) -> None:
    """Add a verdict to a file of them, one JSON object per line, in one write.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        with Path(path).open("ab", buffering=0) as file:
            file.write(msgspec.json.encode(verdict) + b"\n")
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from None


def read(path: str) -> list[Verdict]:
    """Return the verdicts of a file.

    Raises:
        InputError: it cannot be read, or a line is no verdict: left out, it would change what is asked.
    """
    verdicts = []
    for lines, numbers in LineReader(path):
        for line, number in zip(lines, numbers, strict=True):
            try:
                verdicts.append(decode(line))
            except FeedbackError as error:
                raise InputError(f"{path}:{number}: not a verdict: {error}") from None
    return verdicts

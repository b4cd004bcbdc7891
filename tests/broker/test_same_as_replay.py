"""The worker on four partitions, killed in mid-stream, finds exactly what `replay` finds in the same file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream import topics
from stream.config import KafkaSettings
from tests.broker import log

SCENARIO = ["simulate", "seeds", "--seed", "1", "--scale", "0.01", "--days", "6"]


def hydrawatch(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "stream", *arguments], check=True, capture_output=True)


def lines(path: Path, key: str) -> dict[str, Any]:
    return {record[key]: record for record in map(msgspec.json.decode, path.read_bytes().splitlines())}


def found(settings: KafkaSettings, topic: str, key: str) -> dict[str, Any]:
    return {record[key]: record for record in (msgspec.json.decode(r.value) for r in log.read(settings, topic))}


def in_time(events: Path) -> None:
    """Put the few late events where they belong: how late one is depends on what else its partition holds."""
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(sorted(lines, key=lambda line: msgspec.json.decode(line)["time"])))


@pytest.mark.slow
def test_kills_and_partitions_change_no_alert_and_no_decision(
    settings: KafkaSettings, start: Callable[..., Any], tmp_path: Path
) -> None:
    events, alerts, decisions = (tmp_path / name for name in ("events.jsonl", "alerts.jsonl", "decisions.jsonl"))
    hydrawatch(*SCENARIO, "--out", str(events), "--labels", str(tmp_path / "labels.jsonl"))
    in_time(events)
    hydrawatch("replay", str(events), "--alerts", str(alerts), "--decisions", str(decisions))
    settings = msgspec.structs.replace(settings, checkpoint_interval_s=1.0, idle_timeout_s=3.0)
    topics.create(settings)
    log.write_lines(settings, topics.REQUESTS, events, "account.id")

    for partials in (300, 900):
        worker = start(settings, module="stream worker")
        log.until(lambda partials=partials: log.length(settings, topics.PARTIALS) > partials, 120)
        worker.kill()
    worker = start(settings, module="stream worker")
    expected = lines(alerts, "alert_id")
    log.until(lambda: len(found(settings, topics.ALERTS, "alert_id")) >= len(expected), 240, 2.0)
    log.until(lambda: log.state(settings, 0, "group").offset + 1 == log.length(settings, topics.PARTIALS), 120, 2.0)
    assert worker.terminate() == 0
    assert expected
    assert found(settings, topics.ALERTS, "alert_id") == expected
    assert found(settings, topics.DECISIONS, "decision_id") == lines(decisions, "decision_id")
    assert log.read(settings, topics.DEAD_LETTER) == []

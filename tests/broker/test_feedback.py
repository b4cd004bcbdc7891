"""A verdict given on the command line reaches the group stage of a running worker, and outlives it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from stream import topics
from stream.config import KafkaSettings
from tests.broker import log
from tests.broker.process import variables
from tests.detectors.made import DAY_MS, HOUR_MS, START_MS, campaign_among

PART_MS = 6 * HOUR_MS


def hydrawatch(settings: KafkaSettings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream", *arguments]
    return subprocess.run(command, env=variables(settings), capture_output=True, text=True, check=False)


def found(settings: KafkaSettings, topic: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(record.value) for record in log.read(settings, topic)]


def test_a_dismissal_resolves_the_campaign_and_revokes_its_decisions(
    settings: KafkaSettings, start: Callable[..., Any], tmp_path: Path
) -> None:
    settings = msgspec.structs.replace(settings, partitions=2)
    topics.create(settings)
    parts: dict[int, list[bytes]] = {}
    for request in campaign_among(100, 40, 4 * DAY_MS, seed=5):
        parts.setdefault((request.time - START_MS) // PART_MS, []).append(msgspec.json.encode(request))
    waiting = [parts[number] for number in sorted(parts)]

    def go_on_until(condition: Callable[[], bool]) -> None:
        """Let six hours of traffic come at a time."""

        def met() -> bool:
            if condition():
                return True
            assert waiting, "no traffic left"
            path = tmp_path / "part"
            path.write_bytes(b"\n".join(waiting.pop(0)))
            log.write_lines(settings, topics.REQUESTS, path, "account.id")
            return False

        log.until(met, 90, 1.5)

    worker = start(settings, module="stream worker")
    go_on_until(lambda: bool(found(settings, topics.ALERTS)))
    campaign = found(settings, topics.ALERTS)[0]["campaign_id"]
    log.write(settings, topics.FEEDBACK, [(0, b'{"verdict":"maybe"}')])
    said = hydrawatch(settings, "feedback", "dismiss", "campaign", campaign, "--by", "ann", "--reason", "a class")
    assert said.returncode == 0, said.stderr
    (record,) = [record for record in log.read(settings, topics.FEEDBACK) if record.key != b"key"]
    assert record.key == f"campaign:{campaign}".encode()
    go_on_until(lambda: found(settings, topics.ALERTS)[-1]["state"] == "resolved")
    assert "a class" in found(settings, topics.ALERTS)[-1]["mitigating"][0]["text"]
    (letter,) = found(settings, topics.DEAD_LETTER)
    assert (letter["reason"], letter["topic"]) == ("not_a_verdict", f"{settings.topic_prefix}feedback")
    worker.kill()

    heir = start(settings, module="stream worker")
    resolved = found(settings, topics.ALERTS)[-1]
    offset = log.length(settings, topics.PARTIALS)
    go_on_until(lambda: not waiting)
    log.until(lambda: log.state(settings, 0, "group").offset > offset + 20, 60)
    assert heir.terminate() == 0
    assert {alert["state"] for alert in found(settings, topics.ALERTS) if alert["time"] > resolved["time"]} <= {
        "resolved"
    }
    last = {decision["value"]: decision for decision in found(settings, topics.DECISIONS)}
    assert len(last) >= 38
    assert {decision["type"] for decision in last.values()} == {"none"}


def test_without_the_topic_the_verdict_is_refused(settings: KafkaSettings) -> None:
    said = hydrawatch(settings, "feedback", "confirm", "campaign", "c", "--by", "ann", "--reason", "r")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert f"{settings.topic_prefix}feedback: missing" in said.stderr

from __future__ import annotations

import json
import re

import msgspec
import pytest

from detectors.alerts import Decision, Limits
from detectors.partials import Partial
from stream import follow, topics
from stream.config import Config, KafkaSettings
from stream.errors import TopicError
from tests.broker import log
from tests.broker.counting import _alert


def decision(value: str, revision: int, kind: str = "throttle") -> bytes:
    return msgspec.json.encode(
        Decision(
            decision_id=f"d{revision}", campaign_id="c", revision=revision, scope="account", value=value, type=kind,
            limits=Limits(requests_per_minute=2), restrict=["tools"], from_=0, until=60_000, simulated=True, reason="r",
        )
    )  # fmt: skip


@pytest.fixture
def config(made: KafkaSettings) -> Config:
    alerts = [msgspec.json.encode(_alert(Partial(0, tick, 0, True, False))) for tick in (1, 2, 2, 1)]
    log.write(made, topics.ALERTS, [(0, value) for value in (*alerts, b"not json", None)])
    written = [decision("a", 2), decision("a", 2), decision("a", 1), decision("a\x1b[2J", 1), decision("a", 3, "none")]
    written.append(decision("b", 1).replace(b"60000", b"9007199254740992"))
    log.write(made, topics.DECISIONS, [(0, value) for value in written])
    return Config(kafka=made)


def test_alerts_as_json_lines_once_each(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    follow.alerts(config, json=True, from_beginning=True, timeout=1.0)
    output = capsys.readouterr()
    assert [json.loads(line)["revision"] for line in output.out.splitlines()] == [1, 2]
    assert "passed over a record of another form" in output.err


def test_decisions_as_a_table_without_older_revisions(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    follow.decisions(config, from_beginning=True, timeout=1.0)
    output = capsys.readouterr()
    assert "passed over a record of another form" in output.err
    header, *rows = output.out.splitlines()
    assert header.startswith("FROM (UTC)")
    assert [re.split(r"  +", row)[2:5] for row in rows] == [
        ["throttle*", "account", "a"],
        ["throttle*", "account", "a?[2J"],
        ["none*", "account", "a"],
    ]
    assert rows[0].endswith("2 requests/min, tools")


def test_starts_at_the_end_unless_told(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    follow.alerts(config, json=True, timeout=1.0)
    assert capsys.readouterr().out == ""


def test_a_missing_topic_is_named(settings: KafkaSettings) -> None:
    with pytest.raises(TopicError, match="decisions: missing"):
        follow.decisions(Config(kafka=settings), timeout=0.1)

"""`hydrawatch feedback` writes verdicts that `replay --feedback` acts on, each at its time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from detectors.request import Request
from stream import feedback
from stream.cli import cli
from stream.errors import InputError
from tests.detectors.made import DAY_MS, START_MS, campaign_among

WHO = ("--by", "ann", "--reason", "a class")
RULED = START_MS + 2 * DAY_MS


def hydrawatch(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(part) for part in arguments])


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90m", 5_400_007), ("30d", 30 * DAY_MS + 7), ("17", 17), ("1970-01-02", DAY_MS), ("1970-01-02T00:00Z", DAY_MS)],
)
def test_times_as_people_write_them(text: str, expected: int) -> None:
    assert feedback.moment(text, 7) == expected


@pytest.mark.parametrize("text", ["", "soon", "-5", "5w", "30 d", "²", "1970-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        feedback.moment(text, 0)


def test_verdicts_are_appended_to_a_file_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    started = int(time.time() * 1000)
    for arguments in (
        ("confirm", "campaign", "c1"),
        ("dismiss", "template", "t1", "--time", "2026-02-23T12:00Z", "--until", "1d"),
        ("allow", "organization", "o1", "--until", "30d"),
    ):
        result = hydrawatch("feedback", *arguments, *WHO, "--out", path)
        assert (result.exit_code, result.stdout) == (0, "")
    first, second, third = records(path)
    assert started <= first["time"] <= time.time() * 1000
    assert first == {
        "verdict": "confirmed", "scope": "campaign", "value": "c1", "by": "ann", "reason": "a class",
        "time": first["time"], "until": None,
    }  # fmt: skip
    assert (second["verdict"], second["time"], second["until"] - second["time"]) == ("dismissed", 1771848000000, DAY_MS)
    assert (third["verdict"], third["until"] - third["time"]) == ("allow", 30 * DAY_MS)
    assert [msgspec.to_builtins(one) for one in feedback.read(str(path))] == [first, second, third]


def test_a_line_that_is_no_verdict_is_named_and_ends_the_replay_before_it_begins(tmp_path: Path) -> None:
    path, alerts = tmp_path / "verdicts.jsonl", tmp_path / "alerts"
    hydrawatch("feedback", "confirm", "campaign", "c1", *WHO, "--out", path)
    with path.open("a") as file:
        file.write('\n{"verdict": "maybe"}\n')
    with pytest.raises(InputError, match=r"verdicts\.jsonl:3: not a verdict: .*maybe"):
        feedback.read(str(path))
    result = hydrawatch("replay", "-", "--feedback", path, "--alerts", alerts)
    assert result.exit_code == 2
    assert "verdicts.jsonl:3" in result.stderr
    assert not alerts.exists()


def test_the_verdicts_are_no_place_for_an_output(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    hydrawatch("feedback", "confirm", "campaign", "c1", *WHO, "--out", path)
    assert "is also an input" in hydrawatch("replay", "-", "--feedback", path, "--alerts", path).stderr


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("feedback") / "events.jsonl"
    names = {field.name: field.encode_name for field in msgspec.structs.fields(Request)}
    assert names["account_id"] == "account.id"
    made = campaign_among(100, 40, 3 * DAY_MS, seed=5)
    path.write_bytes(b"".join(msgspec.json.encode(request) + b"\n" for request in made))
    return path


def replayed(events: Path, folder: Path, *more: object) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
    alerts, decisions = folder / "alerts", folder / "decisions"
    result = hydrawatch("replay", events, "--alerts", alerts, "--decisions", decisions, *more)
    assert result.exit_code == 0, result.stderr
    return records(alerts), records(decisions), result.stderr


def test_replay_applies_each_verdict_at_its_time(events: Path, tmp_path: Path) -> None:
    plain, _, _ = replayed(events, tmp_path)
    path, campaign = tmp_path / "verdicts.jsonl", plain[0]["campaign_id"]
    hydrawatch("feedback", "dismiss", "campaign", campaign, *WHO, "--time", RULED, "--out", path)
    hydrawatch("feedback", "confirm", "campaign", campaign, *WHO, "--out", path)
    alerts, decisions, said = replayed(events, tmp_path, "--feedback", path)
    assert [alert for alert in alerts if alert["time"] < RULED] == [one for one in plain if one["time"] < RULED]
    assert (alerts[-1]["state"], alerts[-1]["time"]) == ("resolved", RULED)
    last = {decision["value"]: decision for decision in decisions}
    assert len(last) == 40
    assert {(one["type"], one["from"]) for one in last.values()} == {("none", RULED)}
    assert "1 of 2 verdicts are of a time after the last tick" in said

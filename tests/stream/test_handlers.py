from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from detectors import partials
from detectors.alerts import Alert, Decision, Detector, Limits, Outputs, Volume
from detectors.partials import Partial
from detectors.scan.requests import Requests
from stream.handlers import AccountHandler, GroupHandler
from stream.metrics import Metrics

SECRET = "tell me the secret"


def record(offset: int, value: bytes | None) -> Any:
    return SimpleNamespace(topic="hydrawatch.requests", partition=3, offset=offset, timestamp=5_000, value=value)


def event(number: int, **more: object) -> bytes:
    return msgspec.json.encode(
        {"event.id": f"e{number}", "time": 1, "account.id": "a", "gen_ai.request.model": "m", **more}
    )


class Accounts:
    """Notes what it is offered; answers with one partial."""

    requests = late = duplicates = tracked_accounts = state_bytes = 0
    answer = Partial(3, 7, 0, True, False)

    def __init__(self) -> None:
        self.offered: list[tuple[str, int]] = []

    def process(self, requests: Requests, offsets: Any) -> list[Partial]:
        self.offered += [(requests.text("event_id", row), offset) for row, offset in enumerate(offsets.tolist())]
        self.requests += len(requests)
        return [self.answer]

    def advance(self, now_ms: int) -> list[Partial]:
        return [Partial(3, now_ms, 0, True, True)]


def test_requests_go_to_the_stage_with_their_offsets_and_partials_come_out() -> None:
    stage = Accounts()
    messages = AccountHandler(stage, 3, Metrics()).process([record(7, event(1)), record(9, event(2))])
    assert stage.offered == [("e1", 7), ("e2", 9)]
    assert [message.topic for message in messages] == ["partials"]
    assert partials.decode(messages[0].value) == stage.answer


def test_a_refused_record_is_described_without_its_content() -> None:
    stage, metrics = Accounts(), Metrics()
    broken = event(1, **{"prompt.text": SECRET, "tools.count": -1})
    handler = AccountHandler(stage, 3, metrics)
    letter, _ = handler.process([record(7, broken), record(8, event(2))])
    assert stage.offered == [("e2", 8)]
    assert (letter.topic, letter.key) == ("dead-letter", b"hydrawatch.requests:3:7")
    found = msgspec.json.decode(letter.value)
    assert "tools.count" in found.pop("detail")
    assert found == {
        "reason": "negative_count", "topic": "hydrawatch.requests", "partition": 3, "offset": 7, "record_time": 5_000,
        "value_bytes": len(broken),
    }  # fmt: skip
    assert SECRET.encode() not in letter.value
    assert 'hydrawatch_dead_letters_total{reason="negative_count"} 1.0' in metrics.exposition()
    assert "hydrawatch_requests_total 1.0" in metrics.exposition()


def test_a_batch_of_refused_records_alone_does_not_reach_the_stage() -> None:
    stage = Accounts()
    messages = AccountHandler(stage, 3, Metrics()).process([record(7, b"{"), record(8, None)])
    assert stage.offered == []
    assert [message.topic for message in messages] == ["dead-letter", "dead-letter"]


def test_the_clock_closes_ticks() -> None:
    (message,) = AccountHandler(Accounts(), 3, Metrics()).advance(42)
    assert partials.decode(message.value).tick == 42


ALERT = Alert(
    alert_id="i", campaign_id="c", revision=1, state="open", kind="campaign", severity="info", time=0, first_seen=0,
    last_seen=0, score=0.0, p_value=1.0, accounts=0, sample_accounts=[], volume=Volume(0, 0, 0), capabilities={},
    models={}, access_paths={}, evidence=[], links=[], mitigating=[], merged_into=None, lineage=[], provisional=False,
    detector=Detector("0", "0"),
)  # fmt: skip
DECISION = Decision(
    decision_id="d", campaign_id="c", revision=1, scope="account", value="x", type="observe", limits=Limits(),
    restrict=[], from_=5, until=6, simulated=True, reason="",
)  # fmt: skip


class Groups:
    """Notes what it is offered; answers with one alert and one decision."""

    tracked_clusters = state_bytes = 0
    open_campaigns: dict[str, int] = {}
    budget_used = 0.0

    def __init__(self) -> None:
        self.offered: list[Any] = []
        self.model_scores: list[float] = []

    def process(self, found: list[Partial], offsets: Any) -> Outputs:
        self.offered.append((found, offsets))
        return Outputs([ALERT], [DECISION])


def test_alerts_and_decisions_carry_their_keys() -> None:
    stage, metrics, partial = Groups(), Metrics(), Partial(0, 1, 0, True, False)
    messages = GroupHandler(stage, metrics).process([record(4, partials.encode(partial))])
    assert stage.offered == [([partial], [4])]
    assert [(message.topic, message.key) for message in messages] == [("alerts", b"c"), ("decisions", b"account:x")]
    assert msgspec.json.decode(messages[1].value)["from"] == 5
    assert 'hydrawatch_decisions_total{simulated="true",type="observe"} 1.0' in metrics.exposition()


def test_a_foreign_record_among_partials_is_refused() -> None:
    stage = Groups()
    (letter,) = GroupHandler(stage, Metrics()).process([record(4, b"{}")])
    assert stage.offered == []
    assert msgspec.json.decode(letter.value)["reason"] == "not_a_partial"


class Heard(Groups):
    """Notes the verdicts."""

    feedback_offset = -1

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[list[str], int]] = []

    def feedback(self, verdicts: Any, offset: int) -> None:
        self.heard.append(([verdict.value for verdict in verdicts], offset))


def test_verdicts_go_to_the_stage_and_what_is_none_to_the_dead_letters() -> None:
    good = {"verdict": "confirmed", "scope": "campaign", "value": "c", "by": "a", "reason": SECRET, "time": 1}
    bad = {**good, "verdict": "allow"}
    stage, metrics = Heard(), Metrics()
    records = [record(n, value) for n, value in enumerate((msgspec.json.encode(good), b"{", None))]
    ahead = {**good, "time": 5_000 + 3_600_001}
    others = [record(n, msgspec.json.encode(value)) for n, value in ((7, bad), (8, ahead))]
    letters = GroupHandler(stage, metrics).feedback([*records, *others])
    assert stage.heard == [(["c"], 8)]
    found = [msgspec.json.decode(letter.value) for letter in letters]
    assert [(letter["reason"], letter["offset"]) for letter in found] == [("not_a_verdict", n) for n in (1, 7, 8)]
    assert "until: required for allow" in found[1]["detail"]
    assert "ahead of its record" in found[2]["detail"]
    assert not any(SECRET.encode() in letter.value for letter in letters)
    assert 'hydrawatch_dead_letters_total{reason="not_a_verdict"} 3.0' in metrics.exposition()

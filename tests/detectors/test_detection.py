"""Both stages together on a simulated world: what an operator would see."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from detectors.alerts import Alert, Decision, Outputs
from detectors.request import Request, decode_batch
from detectors.settings import DetectorSettings
from detectors.stages.account import END_OF_TIME_MS, AccountStage
from detectors.stages.group import GroupStage
from stream.simulate import write

SCALE, SEED = 0.005, 11


def detect(requests: list[Request], batch: int = 5_000) -> Outputs:
    account, group = AccountStage(DetectorSettings()), GroupStage(DetectorSettings())
    outputs = Outputs([], [])

    def take(some: Outputs) -> None:
        outputs.alerts += some.alerts
        outputs.decisions += some.decisions

    for start in range(0, len(requests), batch):
        part = requests[start : start + batch]
        take(group.process(account.process(part, np.arange(start, start + len(part)))))
    take(group.process(account.advance()))
    return outputs


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Request], dict[str, str | None]]:
    folder: Path = tmp_path_factory.mktemp("world")
    write("seeds", folder / "events.jsonl", folder / "labels.jsonl", seed=SEED, scale=SCALE)
    requests, _, rejects = decode_batch((folder / "events.jsonl").read_bytes().splitlines(), END_OF_TIME_MS)
    assert rejects == []
    records = [msgspec.json.decode(line) for line in (folder / "labels.jsonl").read_bytes().splitlines()]
    return requests, {record["account.id"]: record["campaign"] for record in records if "account.id" in record}


@pytest.fixture(scope="module")
def outputs(world: tuple[list[Request], dict]) -> Outputs:
    return detect(world[0])


def opened(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.state == "open"]


def test_every_open_alert_names_a_campaign_and_the_large_ones_are_found(world: tuple, outputs: Outputs) -> None:
    labels = world[1]
    found = set()
    for alert in opened(outputs.alerts):
        truth = [labels[account] for account in alert.sample_accounts]
        assert truth.count(None) < len(truth) / 2
        found |= {name for name in truth if name and truth.count(name) > len(truth) / 2}
    assert {"moonshot", "minimax"} <= found


def test_one_open_alert_per_campaign_id_and_revisions_count_up(outputs: Outputs) -> None:
    revisions: dict[str, int] = {}
    for alert in outputs.alerts:
        assert alert.revision == revisions.get(alert.campaign_id, 0) + 1
        assert (alert.state == "open") == (alert.revision == 1)
        revisions[alert.campaign_id] = alert.revision


def test_every_member_of_the_sample_has_a_decision_naming_the_campaign(outputs: Outputs) -> None:
    decided = {(decision.campaign_id, decision.value) for decision in outputs.decisions}
    for alert in opened(outputs.alerts):
        assert {(alert.campaign_id, account) for account in alert.sample_accounts} <= decided


def test_decisions_are_right_about_most_accounts(world: tuple, outputs: Outputs) -> None:
    decided = {decision.value for decision in outputs.decisions}
    assert sum(world[1][account] is not None for account in decided) > 0.8 * len(decided)


def test_decision_revisions_of_an_account_count_up(outputs: Outputs) -> None:
    latest: dict[str, Decision] = {}
    for decision in outputs.decisions:
        assert decision.revision == (latest[decision.value].revision + 1 if decision.value in latest else 1)
        assert decision.simulated
        assert decision.type in ("throttle", "restrict", "verify")
        assert decision.from_ < decision.until
        latest[decision.value] = decision


def test_input_cut_off_right_after_an_alert_gives_the_same_alert(world: tuple, outputs: Outputs) -> None:
    for alert in opened(outputs.alerts)[:2]:
        before = [request for request in world[0] if request.time <= alert.time]
        assert alert in detect(before).alerts


def test_batch_size_does_not_matter(world: tuple, outputs: Outputs) -> None:
    again = detect(world[0], batch=1_237)
    assert again.alerts == outputs.alerts
    assert again.decisions == outputs.decisions


def test_alert_speaks_of_facts_a_person_can_check(outputs: Outputs) -> None:
    for alert in opened(outputs.alerts):
        assert alert.evidence
        assert all(item.text and item.nats > 0 for item in alert.evidence)
        nats = [item.nats for item in alert.evidence]
        assert nats == sorted(nats, reverse=True)
        assert 0.0 < alert.p_value < 0.05
        assert alert.first_seen <= alert.last_seen <= alert.time
        assert alert.volume.requests > 0
        assert alert.models
        assert alert.capabilities

"""The public form of alerts and decisions: contract sections 3 and 4, key by key."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors.alerts import Alert, Decision, Limits, stable_id
from detectors.decisions import Subject, decide
from detectors.settings import DecisionSettings, DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import DAY_MS, HOUR_MS, TICK_MS, campaign_among, run

ALERT = [
    "alert_id", "campaign_id", "revision", "state", "kind", "severity", "time", "first_seen", "last_seen", "score",
    "p_value", "accounts", "sample_accounts", "volume", "capabilities", "models", "access_paths", "evidence", "links",
    "mitigating", "merged_into", "lineage", "provisional", "detector",
]  # fmt: skip
DECISION = [
    "decision_id", "campaign_id", "revision", "scope", "value", "type", "limits", "restrict", "from", "until",
    "simulated", "reason",
]  # fmt: skip

PLAIN = Subject("acc", 0.5, "")


@pytest.fixture(scope="module")
def outputs() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the alerts and decisions about a campaign, as their consumers get them."""
    requests = campaign_among(150, 40, DAY_MS)
    short = DetectorSettings(decisions=DecisionSettings(duration_hours=30.0))
    account, group = AccountStage(short), GroupStage(short)
    found = group.process(run(account, requests, [1_000]) + account.advance())
    again = msgspec.json.decode(msgspec.json.encode(found.alerts), type=list[Alert])
    assert again == found.alerts
    return msgspec.json.decode(msgspec.json.encode(found.alerts)), msgspec.json.decode(
        msgspec.json.encode(found.decisions)
    )


def test_alert_keys(outputs: tuple[list, list]) -> None:
    assert outputs[0]
    for alert in outputs[0]:
        assert list(alert) == ALERT
        assert list(alert["volume"]) == ["requests", "input_tokens", "output_tokens"]
        assert list(alert["detector"]) == ["version", "config"]
        assert alert["evidence"]
        for evidence in alert["evidence"]:
            assert list(evidence) == ["family", "nats", "statistic", "reference_median", "reference_p99", "text"]
        for link in alert["links"]:
            assert list(link) == ["family", "values", "accounts"]
        for fact in alert["mitigating"]:
            assert list(fact) == ["fact", "text"]


def test_alert_values(outputs: tuple[list, list]) -> None:
    for alert in outputs[0]:
        assert alert["state"] in {"open", "updated", "merged", "resolved"}
        assert alert["kind"] in {"campaign", "account"}
        assert alert["severity"] in {"info", "warning", "critical"}
        assert alert["first_seen"] <= alert["last_seen"] <= alert["time"]
        assert alert["time"] % TICK_MS == 0
        assert 0 <= alert["p_value"] <= 1
        assert len(alert["sample_accounts"]) == min(alert["accounts"], 50)
        nats = [evidence["nats"] for evidence in alert["evidence"]]
        assert nats == sorted(nats, reverse=True)
        for mix in ("capabilities", "models", "access_paths"):
            assert all(0 <= share <= 1 for share in alert[mix].values())
        assert sum(alert["capabilities"].values()) == pytest.approx(1, abs=0.05)


def test_revisions_count_up_from_an_open(outputs: tuple[list, list]) -> None:
    by_campaign: dict[str, list[dict]] = {}
    for alert in outputs[0]:
        by_campaign.setdefault(alert["campaign_id"], []).append(alert)
    for alerts in by_campaign.values():
        assert [alert["revision"] for alert in alerts] == list(range(1, len(alerts) + 1))
        assert [alert["state"] == "open" for alert in alerts] == [True] + [False] * (len(alerts) - 1)


def test_alert_ids_depend_on_campaign_and_revision_alone(outputs: tuple[list, list]) -> None:
    for alert in outputs[0]:
        assert alert["alert_id"] == stable_id(alert["campaign_id"], alert["revision"])
    assert len({alert["alert_id"] for alert in outputs[0]}) == len(outputs[0])


def test_decision_keys_and_values(outputs: tuple[list, list]) -> None:
    opened = {alert["campaign_id"]: alert["time"] for alert in outputs[0] if alert["state"] == "open"}
    assert outputs[1]
    for decision in outputs[1]:
        assert list(decision) == DECISION
        assert list(decision["limits"]) == ["requests_per_minute", "tokens_per_minute"]
        assert decision["scope"] in {"account", "organization", "cluster", "template"}
        assert decision["type"] in {"observe", "throttle", "restrict", "verify", "none"}
        assert set(decision["restrict"]) <= {"reasoning_summary_only", "newest_model", "tools", "vision"}
        assert opened[decision["campaign_id"]] <= decision["from"] < decision["until"]
        assert decision["simulated"] is True


def test_decisions_of_one_subject_have_rising_revisions(outputs: tuple[list, list]) -> None:
    revisions: dict[tuple[str, str], list[int]] = {}
    for decision in outputs[1]:
        revisions.setdefault((decision["scope"], decision["value"]), []).append(decision["revision"])
    assert any(len(found) > 1 for found in revisions.values())
    for found in revisions.values():
        assert found == sorted(set(found))


def test_every_account_of_the_sample_has_a_decision(outputs: tuple[list, list]) -> None:
    decided = {(decision["campaign_id"], decision["value"]) for decision in outputs[1]}
    for alert in outputs[0]:
        assert {(alert["campaign_id"], account) for account in alert["sample_accounts"]} <= decided


def test_from_is_the_key_on_the_wire_both_ways() -> None:
    one = decide(DecisionSettings(), "c", "warning", PLAIN, 2, 1_000)
    wire = msgspec.json.decode(msgspec.json.encode(one))
    assert wire["from"] == 1_000
    assert "from_" not in wire
    assert msgspec.json.decode(msgspec.json.encode(one), type=Decision) == one


def test_the_ladder_stops_short_of_suspension() -> None:
    made = DecisionSettings(enforce=True, duration_hours=2.0, requests_per_minute=3, tokens_per_minute=5)
    warning = decide(made, "c", "warning", PLAIN, 1, 1_000)
    critical = decide(made, "c", "critical", PLAIN, 2, 1_000)
    assert (warning.type, warning.restrict) == ("throttle", [])
    assert (critical.type, critical.restrict) == ("restrict", ["reasoning_summary_only", "newest_model"])
    made_for_it = decide(made, "c", "critical", Subject("acc", 0.95, "verified by email"), 3, 1_000)
    assert (made_for_it.type, made_for_it.restrict) == ("verify", critical.restrict)
    assert "0.95" in made_for_it.reason
    assert "verified by email" in made_for_it.reason
    assert warning.limits == Limits(3, 5)
    assert warning.until == 1_000 + 2 * HOUR_MS
    assert not warning.simulated
    assert warning.decision_id != critical.decision_id
    assert warning.decision_id == decide(made, "c", "warning", PLAIN, 1, 9).decision_id


def test_stable_ids_are_the_same_for_good() -> None:
    assert stable_id("a", 1) == stable_id("a", 1)
    assert stable_id("a", 1) != stable_id("a1") != stable_id("a", "", 1)
    assert len(stable_id()) == 32

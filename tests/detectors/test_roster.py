"""A campaign goes on when its accounts are banned and others, who share nothing with them, take over its work."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.alerts import Outputs
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import HOUR_MS, START_MS, farm, in_order, people, run

END_MS, BAN_MS = 18 * HOUR_MS, 8 * HOUR_MS
FIRST, SECOND = range(40), range(100, 140)


def outputs(second_from_ms: int, work: str) -> Outputs:
    """Return what comes of a pool of accounts until its ban, and of a second one: other cards, devices and exits."""
    rng = np.random.default_rng(0)
    made = people(rng, 100, END_MS) + farm(rng, FIRST, 0, BAN_MS)
    requests = in_order(made + farm(rng, SECOND, second_from_ms, END_MS, work))
    account, group = AccountStage(DetectorSettings()), GroupStage(DetectorSettings())
    return group.process(run(account, requests, [2_000]) + account.advance())


def decided(found: Outputs) -> dict[str, set[str]]:
    """Return the accounts that were decided about, by campaign."""
    campaigns = {decision.campaign_id for decision in found.decisions}
    return {one: {d.value for d in found.decisions if d.campaign_id == one} for one in campaigns}


def workers(*pools: range) -> set[str]:
    return {f"worker{who}" for pool in pools for who in pool}


@pytest.mark.parametrize("work", ["farm", "other"])
def test_a_second_pool_that_takes_over_is_the_same_campaign(work: str) -> None:
    found = outputs(BAN_MS + 300_000, work)
    (opened,) = (alert for alert in found.alerts if alert.state == "open")
    assert opened.time < START_MS + BAN_MS
    before = [alert for alert in found.alerts if alert.time < START_MS + BAN_MS]
    assert before[-1].accounts == len(FIRST)
    assert {alert.campaign_id for alert in found.alerts} == {opened.campaign_id}
    assert (found.alerts[-1].state, found.alerts[-1].accounts) == ("updated", len(FIRST) + len(SECOND))
    assert decided(found) == {opened.campaign_id: workers(FIRST, SECOND)}


def test_a_second_pool_with_work_of_its_own_all_along_is_another_campaign() -> None:
    found = outputs(HOUR_MS, "other")
    assert [alert.state for alert in found.alerts].count("open") == 2
    assert sorted(decided(found).values(), key=min) == [workers(FIRST), workers(SECOND)]

"""The life of a campaign: open, updated, resolved, back again, and what a restart must not change."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors import testimony
from detectors.alerts import Outputs, stable_id
from detectors.campaigns import shares
from detectors.feedback import Verdict
from detectors.hashing import digest
from detectors.linking.graph import Tick
from detectors.partials import COUNTS
from detectors.settings import DecisionSettings, DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import DAY_MS, HOUR_MS, START_MS, TICK_MS, campaign_among, population, request, run, use

ACTIVE_DAYS, QUIET_HOURS = 3, 24.0


@pytest.fixture(scope="module")
def outputs() -> Outputs:
    """What comes of three days of a campaign among people, and two days of people alone."""
    settings = DetectorSettings(decisions=DecisionSettings(quiet_hours=QUIET_HOURS, enforce=True))
    requests = campaign_among(300, 40, ACTIVE_DAYS * DAY_MS, seed=5)
    last = len(requests)
    calm = [
        request(last + n, START_MS + ACTIVE_DAYS * DAY_MS + n * 600_000, f"user{n % 300}", prompt_template=f"late{n}")
        for n in range(2 * 144)
    ]
    account, group = AccountStage(settings), GroupStage(settings)
    partials = run(account, requests + calm, [2_000]) + account.advance()
    return group.process(partials)


def test_opened_once_then_resolved_after_the_quiet_time(outputs: Outputs) -> None:
    states = [alert.state for alert in outputs.alerts]
    assert states[0] == "open"
    assert states.count("open") == 1
    assert states[-1] == "resolved"
    resolved = outputs.alerts[-1]
    assert resolved.time - resolved.last_seen >= QUIET_HOURS * 3_600_000
    assert resolved.last_seen <= START_MS + ACTIVE_DAYS * DAY_MS


def test_campaign_id_stays_and_its_accounts_are_the_farm(outputs: Outputs) -> None:
    assert len({alert.campaign_id for alert in outputs.alerts}) == 1
    decided = {decision.value for decision in outputs.decisions}
    assert len(decided) >= 38
    assert not any(account.startswith("user") for account in decided)


def test_volume_counts_what_the_members_sent(outputs: Outputs) -> None:
    sent = 40 * ACTIVE_DAYS * 144
    assert outputs.alerts[-1].volume.requests == pytest.approx(sent, rel=0.05)


def test_enforced_decisions_are_not_simulated(outputs: Outputs) -> None:
    assert outputs.decisions
    assert not any(decision.simulated for decision in outputs.decisions)
    assert all(decision.until - decision.from_ == 168 * 3_600_000 for decision in outputs.decisions)


def test_alerts_survive_json(outputs: Outputs) -> None:
    encoded = msgspec.json.encode(outputs.alerts)
    assert msgspec.json.decode(encoded, type=list[type(outputs.alerts[0])]) == outputs.alerts


def test_a_decision_is_renewed_while_its_account_is_at_work() -> None:
    settings = DetectorSettings(decisions=DecisionSettings(duration_hours=30.0))
    account, group = AccountStage(settings), GroupStage(settings)
    requests = campaign_among(300, 40, 4 * DAY_MS, seed=5)
    made = group.process(run(account, requests, [2_000]) + account.advance()).decisions
    by_account: dict[str, list] = {}
    for decision in made:
        by_account.setdefault(decision.value, []).append(decision)
    covered = [d for d in by_account.values() if d[-1].until >= START_MS + 4 * DAY_MS]
    assert len(covered) >= 38
    for decisions in covered:
        for before, after in pairwise(decisions):
            assert after.from_ <= before.until


def test_every_alert_says_what_would_have_kept_it_quiet(outputs: Outputs) -> None:
    for alert in outputs.alerts:
        texts = [fact.text for fact in alert.mitigating if fact.fact == "counterfactual"]
        assert len(texts) == 1
        assert alert.evidence[0].family.replace("_", " ") in texts[0]


def test_no_campaign_no_alert() -> None:
    account, group = AccountStage(DetectorSettings()), GroupStage(DetectorSettings())
    partials = run(account, campaign_among(300, 0, 3 * DAY_MS, seed=6), [2_000]) + account.advance()
    assert group.process(partials).alerts == []
    assert group.open_campaigns == {"info": 0, "warning": 0, "critical": 0}


def test_shares_leave_out_the_negligible() -> None:
    assert shares(["a", "b"], np.array([1.0, 9_999.0])) == {"b": 0.9999}
    assert shares([], np.zeros(0)) == {}


def two_pools(templates: tuple[int | None, int]) -> tuple[GroupStage, list[np.ndarray], int]:
    """Return a stage with two campaigns of twenty accounts, each through a template, the accounts, and a cluster."""
    stage = GroupStage(DetectorSettings())
    book, graph = stage.campaign_book, population()
    book.graph = book.roster.graph = book.rulings.graph = graph
    graph.ids = [f"account{row}" for row in range(graph.accounts.rows)]
    graph.values.take(2)
    pools = [np.arange(20), np.arange(20, 40)]
    for number, (pool, template) in enumerate(zip(pools, templates, strict=True)):
        book._add_members(book._open(pool.tolist(), number), pool.tolist())
        if template is not None:
            use(graph, pool, template)
    (cluster,) = stage.clusters.table.take(1).tolist()
    stage.clusters.table["campaign"][cluster] = -1
    return stage, pools, cluster


QUIET = DecisionSettings().quiet_hours
NOW = 510 * DAY_MS + HOUR_MS


def told(stage: GroupStage, now: int, *hot: tuple[int, list[int]]) -> Outputs:
    """Let the campaigns take in groups that accuse accounts, in a tick without traffic."""
    nothing = np.zeros(0, np.int64)
    columns = {"counts": np.zeros((0, len(COUNTS))), "last": np.zeros(0)}
    pairs = [(cluster, said_of(accounts)) for cluster, accounts in hot]
    return stage.campaign_book.update(pairs, nothing, nothing, Tick(now, [], columns))


def resolved(templates: tuple[int, int]) -> tuple[GroupStage, list[np.ndarray], int, int]:
    """Return what `two_pools` does, both campaigns having been told of and resolved, and the time."""
    stage, pools, cluster = two_pools(templates)
    told(stage, NOW)
    later = NOW + int(QUIET * HOUR_MS)
    assert [alert.state for alert in told(stage, later).alerts] == ["resolved", "resolved"]
    return stage, pools, cluster, later + DAY_MS


@pytest.mark.parametrize("who", ["the same accounts", "some of them", "heirs"])
def test_a_resolved_campaign_is_back_again_with_decisions_when_its_accounts_or_heirs_call(who: str) -> None:
    stage, pools, cluster, later = resolved((0, 1))
    graph, book = stage.campaign_book.graph, stage.campaign_book
    heirs = np.arange(40, 60)
    use(graph, heirs, 0)
    accused = {"the same accounts": pools[0], "some of them": pools[0][:8], "heirs": heirs}[who]
    graph.accounts["last"][accused] = later - 1
    members = 40 if who == "heirs" else 20
    outputs = told(stage, later, (cluster, accused.tolist()))
    (alert,) = outputs.alerts
    assert (alert.state, alert.revision, alert.accounts) == ("updated", 3, members)
    assert (alert.campaign_id, alert.last_seen) == (book.roster.campaigns[0].campaign_id, later - 1)
    assert {(one.value, one.campaign_id) for one in outputs.decisions} == {
        (graph.ids[row], alert.campaign_id) for row in book.roster.members(0).tolist()
    }
    assert len(outputs.decisions) == members
    assert told(stage, later + TICK_MS) == Outputs([], [])
    assert [alert.state for alert in told(stage, later + int(QUIET * HOUR_MS)).alerts] == ["resolved"]


def test_a_resolved_campaign_tells_of_what_speaks_for_it_now() -> None:
    stage, pools, cluster, later = resolved((0, 1))
    stage.campaign_book.roster.campaigns[0].surprise = 99.0
    stage.campaign_book.graph.accounts["last"][pools[0]] = later - 1
    (alert,) = told(stage, later, (cluster, pools[0].tolist())).alerts
    assert alert.p_value == np.exp(-said_of([]).surprise)


def test_a_resolved_campaign_stays_so_while_the_accused_are_quiet() -> None:
    stage, pools, cluster, later = resolved((0, 1))
    assert told(stage, later, (cluster, pools[0].tolist())) == Outputs([], [])
    assert [campaign.state for campaign in stage.campaign_book.roster.campaigns] == ["resolved", "resolved"]


def test_an_allowed_account_is_spared_what_is_still_in_force_of_a_resolved_campaign() -> None:
    stage, _, _ = two_pools((0, 1))
    told(stage, NOW)
    first = stage.campaign_book.roster.campaigns[0]
    first.state = "resolved"
    about: dict[str, Any] = {"by": "ann", "reason": "a class", "time": NOW}
    stage.campaign_book.graph.accounts["organization"][[3, 25]] = digest("shop")
    stage.feedback([Verdict(verdict="allow", scope="organization", value="shop", until=NOW + DAY_MS, **about)])
    spared = [(one.campaign_id, one.value, one.type, one.until) for one in told(stage, NOW + TICK_MS).decisions]
    ids = [campaign.campaign_id for campaign in stage.campaign_book.roster.campaigns]
    assert spared == [(ids[0], "account3", "none", NOW + DAY_MS), (ids[1], "account25", "none", NOW + DAY_MS)]
    assert told(stage, NOW + 2 * TICK_MS).decisions == []


def test_a_dismissal_does_not_end_while_the_accused_are_quiet() -> None:
    stage, pools, cluster, later = resolved((0, 1))
    rulings = stage.campaign_book.rulings
    about: dict[str, Any] = {"by": "ann", "reason": "a class", "time": NOW, "until": later}
    rulings.dismiss(0, Verdict(verdict="dismissed", scope="campaign", value="c", **about), 9.0, [])
    assert told(stage, later, (cluster, pools[0].tolist())) == Outputs([], [])
    assert 0 in rulings.dismissed
    stage.campaign_book.graph.accounts["last"][pools[0]] = later - 1
    assert [alert.state for alert in told(stage, later, (cluster, pools[0].tolist())).alerts] == ["updated"]
    assert 0 not in rulings.dismissed


def test_an_open_campaign_that_goes_into_a_resolved_one_makes_it_speak() -> None:
    stage, _, cluster, later = resolved((0, 0))
    book = stage.campaign_book
    second = book.roster.campaigns[1]
    second.state, second.last_seen = "updated", later - 1
    outputs = told(stage, later, (cluster, [*range(10), *range(20, 35)]))
    assert [alert.state for alert in outputs.alerts] == ["merged", "updated"]
    assert outputs.alerts[0].merged_into == outputs.alerts[1].campaign_id
    assert outputs.alerts[1].accounts == len({one.value for one in outputs.decisions}) == 40
    assert told(stage, later + TICK_MS) == Outputs([], [])
    assert book.open_by_severity()["warning"] == 1


def test_a_campaign_is_at_work_as_long_as_one_that_went_into_it() -> None:
    stage, _, cluster = two_pools((0, 0))
    told(stage, NOW)
    later = NOW + int(QUIET * HOUR_MS)
    stage.campaign_book.roster.campaigns[1].last_seen = later - 1
    outputs = told(stage, later, (cluster, [*range(10), *range(20, 35)]))
    assert "resolved" not in [alert.state for alert in outputs.alerts]


def belonging(stage: GroupStage, count: int) -> np.ndarray:
    """Return new clusters around values, of the second campaign; nothing of the table waits for a checkpoint."""
    clusters = stage.clusters.table.take(count)
    stage.clusters.table["value"][clusters] = np.arange(count)
    stage.clusters.table["campaign"][clusters] = 1
    stage.snapshot()
    return clusters


def test_the_groups_of_a_merged_campaign_are_those_of_the_other_and_end_with_it() -> None:
    stage, _, cluster = two_pools((0, 0))
    book = stage.campaign_book
    theirs = belonging(stage, 2)
    book._find(cluster, said_of([*range(10), *range(20, 35)]), 3, Outputs([], []))
    assert stage.clusters.table["campaign"][theirs].tolist() == [0, 0]
    assert any(key.startswith("clusters") for key in stage.snapshot())
    book.roster.campaigns[0].state = "resolved"
    book.release(31 * DAY_MS)
    assert len(stage.clusters.followed_values()) == 0


def test_the_groups_of_a_campaign_whose_members_went_over_to_another_end_with_it() -> None:
    stage, pools, _ = two_pools((0, 1))
    book = stage.campaign_book
    belonging(stage, 2)
    book.roster.move(pools[1].tolist(), 0)
    book.roster.campaigns[1].state = "resolved"
    book.release(29 * DAY_MS)
    assert len(stage.clusters.followed_values()) == 2
    book.release(31 * DAY_MS)
    assert len(stage.clusters.followed_values()) == 0


def test_two_campaigns_that_open_at_once_and_accuse_the_same_eldest_account_have_ids_of_their_own() -> None:
    stage, _, _ = two_pools((0, 1))
    book, outputs = stage.campaign_book, Outputs([], [])
    stage.clusters.table["campaign"][stage.clusters.table.take(2)] = -1
    book.graph.accounts["first"][40] -= DAY_MS
    for cluster, others in ((1, range(50, 60)), (2, range(60, 70))):
        book._attach(cluster, said_of([40, *others]), 3, outputs)
    assert len(book.roster.campaigns) == 4
    assert len({campaign.campaign_id for campaign in book.roster.campaigns}) == 4
    assert book.roster.campaigns[2].campaign_id == "campaign-" + stable_id("account40", 3)[:16]


def test_the_budget_is_used_by_campaigns_that_are_open() -> None:
    stage, _, _ = two_pools((0, 1))
    campaigns = stage.campaign_book.roster.campaigns
    used = [stage.budget_used]
    for state in ("updated", "resolved", "merged"):
        campaigns[1].state = state
        used.append(stage.budget_used)
    assert used == [used[0], used[0], used[0] / 2, used[0] / 2]


def said_of(accounts: list[int], surprise: float = 9.0, alone: bool = True) -> testimony.Testimony:
    return testimony.Testimony(accounts, True, 0, surprise + 3.0, surprise, [], [], [], False, alone)


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        ([(20, 9.0, True), (20, 10.0, True)], 1),
        ([(20, 10.0, True), (20, 9.0, True)], 0),
        ([(20, 10.0, True), (9, 15.0, True)], 0),
        ([(20, 10.0, True), (10, 15.0, True)], 1),
        ([(9, 15.0, True), (20, 10.0, True)], 1),
        ([(9, 15.0, True), (20, 10.0, False)], 0),
        ([(9, 15.0, True), (18, 10.0, True)], 0),
    ],
)
def test_the_evidence_told_is_the_strongest_that_is_not_of_a_small_part(
    groups: list[tuple[int, float, bool]], shown: int
) -> None:
    stage, _, cluster = two_pools((0, 1))
    outputs = Outputs([], [])
    for count, surprise, alone in groups:
        stage.campaign_book._attach(cluster, said_of(list(range(count)), surprise, alone), 3, outputs)
    campaign = stage.campaign_book.roster.campaigns[0]
    assert (campaign.told, campaign.surprise) == groups[shown][:2]


def test_evidence_of_more_accounts_with_a_lower_score_makes_no_campaign_less_severe() -> None:
    stage, _, cluster = two_pools((0, 1))
    pairs = [(cluster, said_of(list(range(9)), 15.0)), (cluster, said_of(list(range(20)), 10.0))]
    nothing = np.zeros(0, np.int64)
    columns = {"counts": np.zeros((0, len(COUNTS))), "last": np.zeros(0)}
    for number, pair in enumerate(pairs):
        tick = Tick(NOW + number * TICK_MS, [], columns)
        stage.campaign_book.update([pair], nothing, nothing, tick)
        assert stage.campaign_book.roster.campaigns[0].severity == "critical"
    assert stage.campaign_book.roster.campaigns[0].score == 13.0


@pytest.mark.parametrize(("templates", "merged"), [((0, 1), False), ((0, 0), True), ((None, 1), True)])
def test_a_group_over_two_campaigns_makes_them_one_if_they_do_the_same_work(
    templates: tuple[int | None, int], merged: bool
) -> None:
    stage, _, cluster = two_pools(templates)
    book = stage.campaign_book
    found = book._find(cluster, said_of([*range(10), *range(20, 35)]), 3, Outputs([], []))
    assert found == (0 if merged else 1)
    assert [campaign.state == "merged" for campaign in book.roster.campaigns] == [False, merged]


@pytest.mark.parametrize(("templates", "stays"), [((0, 1), False), ((0, 0), True), ((None, 1), True)])
def test_a_cluster_that_accuses_others_stays_with_its_campaign_if_they_go_on_with_it(
    templates: tuple[int | None, int], stays: bool
) -> None:
    stage, pools, cluster = two_pools(templates)
    book = stage.campaign_book
    stage.clusters.table["campaign"][cluster] = 0
    book.roster.release(1)
    later = int(stage.campaign_book.graph.accounts["last"].max())
    found = book._find(cluster, said_of(pools[1].tolist()), later, Outputs([], []))
    assert found == (0 if stays else 2)


def test_a_cluster_of_members_of_many_campaigns_opens_none_without_members() -> None:
    stage, _, cluster = two_pools((0, 1))
    book = stage.campaign_book
    for pool in (np.arange(40, 60), np.arange(60, 80)):
        book._add_members(book._open(pool.tolist(), 0), pool.tolist())
    stage.clusters.table["campaign"][cluster] = 0
    accused = [row for first in (0, 20, 40, 60) for row in range(first, first + 5)]
    assert not book.roster.overlaps(accused)
    assert not book.roster._goes_on(0, accused, 3)
    assert book._find(cluster, said_of(accused), 3, Outputs([], [])) == 0
    assert len(book.roster.campaigns) == 4

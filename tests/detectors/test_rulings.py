"""What verdicts do to a campaign and its accounts, on the way through the group stage."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from detectors import testimony as testimonies
from detectors.alerts import Alert, Decision, Evidence, Outputs
from detectors.feedback import Verdict
from detectors.partials import Partial
from detectors.rulings import Rulings
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import DAY_MS, HOUR_MS, START_MS, TICK_MS, campaign_among, run

DAYS = 4
RULED = START_MS + 2 * DAY_MS


@pytest.fixture(scope="module")
def partials() -> list[Partial]:
    account = AccountStage(DetectorSettings())
    requests = campaign_among(150, 40, DAYS * DAY_MS, seed=5)
    for request in requests:
        if request.account_id.startswith("worker"):
            request.organization_id = "shop" if int(request.account_id[6:]) < 6 else None
    return run(account, requests, [2_000]) + account.advance()


@pytest.fixture(scope="module")
def plain(partials: list[Partial]) -> Outputs:
    return GroupStage(DetectorSettings()).process(partials)


def ruling(kind: str, scope: str, value: str, time: int = RULED, **more: Any) -> Verdict:
    return Verdict(verdict=kind, scope=scope, value=value, by="ann", reason="seen before", time=time, **more)


def judged(partials: list[Partial], *verdicts: Verdict) -> tuple[GroupStage, list[Alert], list[Decision]]:
    stage = GroupStage(DetectorSettings())
    stage.feedback(verdicts, scheduled=True)
    outputs = stage.process(partials)
    return stage, outputs.alerts, outputs.decisions


def by_account(decisions: list[Decision]) -> dict[str, list[Decision]]:
    found: dict[str, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.value, []).append(decision)
    return found


@pytest.mark.parametrize("scope", ["campaign", "cluster"])
def test_a_dismissed_campaign_is_resolved_revoked_and_stays_away(
    partials: list[Partial], plain: Outputs, scope: str
) -> None:
    name = plain.alerts[0].campaign_id
    stage, alerts, decisions = judged(partials, ruling("dismissed", scope, name))
    last = alerts[-1]
    assert (last.state, last.time, last.revision) == ("resolved", RULED, len(alerts))
    assert last.mitigating[0].fact == "dismissed"
    assert "by ann on 2024-10-06T00:00Z: seen before" in last.mitigating[0].text
    assert [alert for alert in alerts if alert.time < RULED] == [a for a in plain.alerts if a.time < RULED]
    for made in by_account(decisions).values():
        assert [one.revision for one in made] == list(range(1, len(made) + 1))
        assert [one.type for one in made].count("none") == 1
        assert (made[-1].type, made[-1].from_) == ("none", RULED)
        assert made[-1].until == made[-2].until
        assert "dismissed by ann" in made[-1].reason
    assert len(by_account(decisions)) == 40
    assert sum(stage.open_campaigns.values()) == 0
    members = np.array([stage.graph.account_row("worker1")])
    assert not stage.campaign_book.is_member(members).any()


def test_a_dismissed_campaign_votes_for_what_is_honest(partials: list[Partial], plain: Outputs) -> None:
    stage, _, _ = judged(partials, ruling("dismissed", "campaign", plain.alerts[0].campaign_id))
    without = GroupStage(DetectorSettings())
    without.process(partials)
    assert stage.fusion.totals.own > without.fusion.totals.own
    highest, highest_without = (
        max((total for votes in one.fusion.totals.state().values() for total, _ in votes), default=0.0)
        for one in (stage, without)
    )
    assert highest > plain.alerts[0].score / 2 > highest_without


def telling(score: float, families: list[str], accounts: list[int]) -> testimonies.Testimony:
    evidence = [Evidence(name, 4.0, 0.0, 0.0, 0.0, "") for name in families]
    return testimonies.Testimony(accounts, True, 0, score, score, evidence, [], [], False, True)


@pytest.mark.parametrize(
    ("score", "families", "accounts", "back"),
    [
        (12.9, ["links", "rhythm"], [7, 8, 9], False),
        (13.0, ["links"], [1, 2, 3, 9], False),
        (13.0, ["links", "rhythm"], [1, 2, 3], True),
        (13.0, ["links"], [1, 7, 8, 9], True),
        (30.0, ["links"], [1, 2, 3], False),
    ],
)
def test_a_dismissed_campaign_comes_back_on_more_and_other_evidence_only(
    score: float, families: list[str], accounts: list[int], back: bool
) -> None:
    rulings = Rulings(GroupStage(DetectorSettings()).graph)
    rulings.dismiss(0, ruling("dismissed", "campaign", "c"), 10.0, ["links"])
    assert rulings.admits(0, telling(score, families, accounts), dict.fromkeys([1, 2, 3], 0), RULED) is back
    assert (0 in rulings.dismissed) is not back
    facts = rulings.facts(0, {})
    assert len(facts) == 1
    assert facts[0].text.endswith("it is back on more evidence, or in time" if back else "it stood at 10.0 nats")


def test_what_a_verdict_teaches_ends_with_it() -> None:
    rulings = Rulings(GroupStage(DetectorSettings()).graph)
    rulings.learn(ruling("confirmed", "campaign", "c", until=RULED + DAY_MS), "c", [4.0])
    rulings.learn(ruling("confirmed", "campaign", "d"), "d", [4.0])
    weights = [rulings.labels.weights(RULED + day * DAY_MS) for day in range(2)]
    assert [one["c", "ann"] > 0.0 for one in weights] == [True, False]
    assert all(one["d", "ann"] > 0.0 for one in weights)


def test_a_dismissal_that_has_run_out_lets_the_campaign_come_back(partials: list[Partial], plain: Outputs) -> None:
    name = plain.alerts[0].campaign_id
    until = RULED + 6 * HOUR_MS
    _, alerts, decisions = judged(partials, ruling("dismissed", "campaign", name, until=until))
    back = [alert for alert in alerts if alert.time >= until]
    assert back
    assert {alert.state for alert in back} == {"updated"}
    assert {alert.campaign_id for alert in alerts} == {name}
    assert back[-1].volume.requests == plain.alerts[-1].volume.requests or back[-1].time != plain.alerts[-1].time
    assert {made[-1].type for made in by_account(decisions).values()} <= {"throttle", "restrict", "verify"}


def test_a_confirmed_campaign_is_critical_and_its_decisions_are_renewed(
    partials: list[Partial], plain: Outputs
) -> None:
    before = next(alert for alert in plain.alerts if alert.severity == "warning")
    when = before.time + TICK_MS
    _, alerts, decisions = judged(partials, ruling("confirmed", "campaign", before.campaign_id, when))
    told = next(alert for alert in alerts if alert.time == when)
    assert (told.state, told.severity) == ("updated", "critical")
    assert told.mitigating[0].fact == "confirmed"
    assert all(alert.severity == "critical" for alert in alerts if alert.time >= when)
    renewed = [decision for decision in decisions if decision.from_ == when]
    assert len({decision.value for decision in renewed}) == told.accounts
    assert {decision.type for decision in renewed} <= {"restrict", "verify"}
    assert [alert.state for alert in alerts].count("open") == 1


def test_who_changes_their_mind_has_the_campaign_back(partials: list[Partial], plain: Outputs) -> None:
    name = plain.alerts[0].campaign_id
    later = RULED + 6 * HOUR_MS
    _, alerts, decisions = judged(
        partials, ruling("confirmed", "campaign", name, later), ruling("dismissed", "campaign", name)
    )
    assert [alert.time for alert in alerts if alert.state == "resolved"] == [RULED]
    assert next(alert for alert in alerts if alert.time > RULED).time == later
    assert {made[-1].type for made in by_account(decisions).values()} <= {"restrict", "verify"}


@pytest.mark.parametrize(
    ("scope", "value", "names"),
    [("account", "worker7", {"worker7"}), ("organization", "shop", {f"worker{n}" for n in range(6)})],
)
@pytest.mark.parametrize("when", [START_MS, RULED])
def test_an_allowed_account_is_counted_but_under_no_decision_until_it_expires(
    partials: list[Partial], plain: Outputs, scope: str, value: str, names: set[str], when: int
) -> None:
    until = RULED + 12 * HOUR_MS
    _, alerts, decisions = judged(partials, ruling("allow", scope, value, when, until=until))
    assert alerts[-1].accounts == plain.alerts[-1].accounts
    assert [alert.score for alert in alerts][:1] == [alert.score for alert in plain.alerts][:1]
    for name, made in by_account(decisions).items():
        kinds = [(one.type, one.from_) for one in made]
        if name not in names:
            assert "none" not in [kind for kind, _ in kinds]
            continue
        spared = [one for one in made if one.type == "none"]
        assert len(spared) == 1
        assert spared[0].until == until
        assert f"allowed by ann on {np.datetime64(when, 'ms').astype('datetime64[m]')}Z until" in spared[0].reason
        assert [one.type != "none" for one in made if when <= one.from_ < until] == [False]
        assert made[-1].type != "none"
        assert made[-1].from_ == until
    shown = [alert for alert in alerts if any(fact.fact == "allowed" for fact in alert.mitigating)]
    assert shown
    assert f"{len(names)} accounts under no decision" in shown[0].mitigating[0].text


def test_an_appeal_of_an_account_is_heard_and_a_confirmed_one_is_treated_as_critical(
    partials: list[Partial], plain: Outputs
) -> None:
    when = plain.alerts[0].time + TICK_MS
    _, _, decisions = judged(
        partials, ruling("dismissed", "account", "worker7", when), ruling("confirmed", "account", "worker8", when)
    )
    made = by_account(decisions)
    assert [one.type for one in made["worker7"] if one.from_ >= when] == ["none"]
    assert next(one.type for one in made["worker8"] if one.from_ == when) in ("restrict", "verify")
    untouched = [one for one in by_account(plain.decisions)["worker9"] if one.from_ <= when]
    assert [one for one in made["worker9"] if one.from_ <= when] == untouched


def test_an_accounts_own_verdict_goes_before_its_organisations(partials: list[Partial]) -> None:
    _, _, decisions = judged(
        partials,
        ruling("allow", "organization", "shop", until=RULED + DAY_MS),
        ruling("confirmed", "account", "worker3"),
    )
    made = by_account(decisions)
    assert "none" in [one.type for one in made["worker2"]]
    assert "none" not in [one.type for one in made["worker3"]]


def test_a_dismissed_template_keeps_its_groups_quiet(partials: list[Partial], plain: Outputs) -> None:
    both = [ruling("dismissed", "template", name, START_MS) for name in ("farm0", "farm1")]
    stage, alerts, _ = judged(partials, *both)
    assert stage.campaign_book.rulings.muted_templates(RULED)
    assert alerts[0].time > plain.alerts[0].time, "a group of behaviour calls later than those around the templates"
    assert alerts[0].accounts < plain.alerts[0].accounts, "and accuses fewer"


def test_verdicts_about_nobody_known_change_nothing(partials: list[Partial], plain: Outputs) -> None:
    unknown = [
        ruling("dismissed", "campaign", "campaign-none"), ruling("confirmed", "template", "none"),
        ruling("allow", "account", "nobody", until=RULED + 1), ruling("dismissed", "organization", "nobody"),
    ]  # fmt: skip
    _, alerts, decisions = judged(partials, *unknown)
    assert (alerts, decisions) == (plain.alerts, plain.decisions)


def several(name: str) -> list[Verdict]:
    return [
        ruling("allow", "account", "worker7", START_MS, until=RULED + HOUR_MS),
        ruling("dismissed", "account", "worker9"),
        ruling("confirmed", "campaign", name, RULED - DAY_MS // 2),
        ruling("dismissed", "campaign", name, RULED, until=RULED + 6 * HOUR_MS),
        ruling("allow", "organization", "shop", RULED + HOUR_MS, until=RULED + DAY_MS),
    ]


@pytest.mark.parametrize("cuts", [[1], [100, 200, 250], [193, 194]])
def test_restarts_batches_and_the_order_of_verdicts_do_not_show(
    partials: list[Partial], plain: Outputs, cuts: list[int]
) -> None:
    verdicts = several(plain.alerts[0].campaign_id)
    _, alerts, decisions = judged(partials, *verdicts)
    assert {alert.state for alert in alerts} == {"open", "updated", "resolved"}
    stage, log, start, found = GroupStage(DetectorSettings()), {}, 0, Outputs([], [])
    stage.feedback(verdicts[::-1] + verdicts[:2], offset=6, scheduled=True)
    for cut in [*cuts, len(partials)]:
        for at in range(start, cut, 5):
            some = stage.process(partials[at : min(at + 5, cut)])
            found.alerts += some.alerts
            found.decisions += some.decisions
        log |= stage.snapshot()
        start, stage = cut, GroupStage(DetectorSettings())
        stage.restore(log.items())
        assert stage.feedback_offset == 6
    assert found.alerts == alerts
    assert found.decisions == decisions


def test_unscheduled_verdicts_count_from_the_next_tick(partials: list[Partial], plain: Outputs) -> None:
    stage = GroupStage(DetectorSettings())
    early = [one for one in partials if (one.tick + 1) * TICK_MS <= RULED]
    stage.process(early)
    stage.feedback([ruling("dismissed", "campaign", plain.alerts[0].campaign_id, RULED + 100 * DAY_MS)], offset=3)
    resolved = stage.process(partials[len(early) :]).alerts
    assert [(alert.state, alert.time) for alert in resolved] == [("resolved", RULED + TICK_MS)]
    assert msgspec.json.decode(msgspec.json.encode(resolved[0]), type=Alert) == resolved[0]

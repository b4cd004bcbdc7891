"""Alerts about single accounts: both kinds of evidence, one open each, and what becomes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import testimony
from detectors.account_alerts import AccountAlerts
from detectors.alerts import Outputs
from detectors.campaigns import Campaigns
from detectors.clusters import Clusters
from detectors.features import NAMES
from detectors.feedback import Verdict
from detectors.linking.graph import DAY_MS, HOUR_MS, Graph, Tick
from detectors.models.peers import PeerModels
from detectors.partials import CAPABILITIES, COUNTS, SCHEMA
from detectors.settings import BudgetSettings, DecisionSettings, DetectorSettings

START_MS = 20_000 * DAY_MS
ACCOUNTS, CALM_DAYS = 700, 9
SETTINGS = DetectorSettings(decisions=DecisionSettings(quiet_hours=48.0))
IDS = [f"a{number:04}" for number in range(ACCOUNTS)]
CHANGED = 3


class Rig:
    """The models and the alerts of a world that is told hour by hour."""

    def __init__(self, settings: DetectorSettings = SETTINGS, seed: int = 0) -> None:
        self.settings = settings
        self.graph = Graph(14.0, 100)
        self.models = PeerModels(settings.seed)
        self.book = Campaigns(settings, self.graph, Clusters(self.graph))
        self.alerts = AccountAlerts(settings, self.graph, self.models, self.book)
        self.rng = np.random.default_rng(seed)
        trades = self.rng.beta(2, 6, (5, len(NAMES)))
        self.habits = trades[np.arange(ACCOUNTS) % 5] + 0.03 * self.rng.normal(size=(ACCOUNTS, len(NAMES)))
        self.rate = self.rng.lognormal(2.0, 0.6, ACCOUNTS)
        self.hours = 0

    def hour(self, factor: dict[int, float] | None = None, odd: tuple[int, ...] = ()) -> Outputs:
        """Pass one hour: volumes times `factor`, and features of `odd` accounts far from anybody's."""
        self.hours += 1
        rate = self.rate.copy()
        for account, times in (factor or {}).items():
            rate[account] *= times
        requests = self.rng.poisson(rate) + 1
        features = np.clip(self.habits + 0.06 * self.rng.normal(size=self.habits.shape), 0.0, 1.0)
        features[list(odd)] = 0.93
        features[:, 0] = np.log1p(requests) / np.log1p(1e4)
        features[:, 1] = np.log1p(200 * requests) / np.log1p(1e7)
        return self._tick(requests, features)

    def _tick(self, requests: NDArray, features: NDArray) -> Outputs:
        end, size = START_MS + self.hours * HOUR_MS, ACCOUNTS
        of_requests = ("use_", "mix_", "contents")
        columns = {
            name: np.zeros((0 if name.startswith(of_requests) else size, *shape), dtype)
            for name, (dtype, shape) in SCHEMA.items()
        }
        counts = np.zeros((size, len(COUNTS)), np.float32)
        counts[:, 0], counts[:, 2] = requests, 200 * requests
        columns |= {
            "first": np.full(size, end - HOUR_MS),
            "last": np.full(size, end - 1),
            "created": np.full(size, START_MS - 400 * DAY_MS),
            **{name: np.full(size, -1, np.int16) for name in ("plan", "verification", "pathway")},
            "organization": np.zeros(size, np.uint64),
            "counts": counts,
            "capabilities": np.ones((size, len(CAPABILITIES)), np.float32),
            "features": features.astype(np.float32),
        }
        tick = Tick(end, IDS, columns)
        rows, _ = self.graph.update(tick)
        self.models.observe(self.graph, tick, rows, np.full(size, -1), self.alerts.accused)
        return self.alerts.update(tick)

    def calm(self, hours: int) -> Outputs:
        """Pass hours in which nothing happens."""
        return added(self.hour() for _ in range(hours))

    def restarted(self) -> Rig:
        """Return another rig in the same state."""
        other = Rig(self.settings)
        self.graph.accounts.touch(np.arange(ACCOUNTS))
        other.graph.restore(self.graph.snapshot().items(), self.graph.singles.arrived)
        other.models.load(self.models.state())
        other.book.load(self.book.state())
        other.alerts.load(self.alerts.state())
        other.rng, other.hours = np.random.default_rng(99), self.hours
        other.habits, other.rate = self.habits, self.rate
        self.rng = np.random.default_rng(99)
        return other


def added(outputs: object) -> Outputs:
    whole = Outputs([], [])
    for one in outputs:  # type: ignore[attr-defined]
        whole.alerts += one.alerts
        whole.decisions += one.decisions
    return whole


def changed(rig: Rig, hours: int = 40) -> Outputs:
    """Let one account send a hundredfold, and in a way nobody else does."""
    return added(rig.hour({CHANGED: 100.0}, (CHANGED,)) for _ in range(hours))


@pytest.fixture(scope="module")
def calm() -> tuple[Rig, Outputs]:
    """The rig after nine calm days, and what they gave."""
    rig = Rig()
    return rig, rig.calm(24 * CALM_DAYS)


@pytest.fixture(scope="module")
def alerted(calm: tuple[Rig, Outputs]) -> tuple[Rig, Outputs, Outputs]:
    """The rig after nine calm days and a change, what the calm days gave, and what the change did."""
    rig = calm[0].restarted()
    return rig, calm[1], changed(rig)


def test_calm_days_give_nothing(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    assert alerted[1] == Outputs([], [])


def test_a_changed_account_that_is_odd_besides_is_opened_once(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    _, _, outputs = alerted
    (alert,) = outputs.alerts
    assert (alert.kind, alert.state, alert.severity, alert.revision) == ("account", "open", "info", 1)
    assert (alert.accounts, alert.sample_accounts) == (1, [IDS[CHANGED]])
    assert alert.p_value <= 1e-3
    assert alert.score == pytest.approx(sum(item.nats for item in alert.evidence), abs=0.01)
    assert {item.family for item in alert.evidence} == {"novelty", "self_change"}
    assert alert.campaign_id.startswith("account-")
    facts = {item.fact: item.text for item in alert.mitigating}
    assert {"established", "alone", "counterfactual"} <= facts.keys()


def test_its_sentences_hold_what_happened(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig, _, outputs = alerted
    by_family = {item.family: item for item in outputs.alerts[0].evidence}
    now, usual = (float(part.replace(",", "")) for part in _figures(by_family["self_change"].text))
    assert now == pytest.approx(100 * rig.rate[CHANGED], rel=0.4)
    assert usual < now / 5
    assert by_family["self_change"].nats >= rig.alerts.needed
    assert by_family["novelty"].statistic > by_family["novelty"].reference_p99


def _figures(text: str) -> tuple[str, str]:
    words = text.split()
    at = words.index("requests")
    return words[at - 1], words[at + 2]


def test_it_is_observed_and_nothing_more(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    _, _, outputs = alerted
    (decision,) = outputs.decisions
    assert (decision.type, decision.scope, decision.value) == ("observe", "account", IDS[CHANGED])
    assert decision.campaign_id == outputs.alerts[0].campaign_id
    assert decision.from_ == outputs.alerts[0].time
    assert (decision.restrict, decision.limits.requests_per_minute, decision.simulated) == ([], None, True)


def test_only_changed_or_only_odd_is_not_enough() -> None:
    rig = Rig()
    only_odd = tuple(range(10, 14))  # odd from the first hour to the last
    outputs = added(rig.hour(odd=only_odd) for _ in range(24 * CALM_DAYS))
    outputs = added([outputs, added(rig.hour({5: 100.0}, only_odd) for _ in range(40))])
    assert outputs == Outputs([], [])
    assert rig.graph.accounts["scored"][5] > 0


def test_resolved_when_it_has_been_quiet_and_not_opened_again(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig = alerted[0].restarted()
    outputs = rig.calm(24 * 6)
    (alert,) = outputs.alerts
    assert (alert.state, alert.revision, alert.campaign_id) == ("resolved", 2, alerted[2].alerts[0].campaign_id)
    assert alert.time - alerted[2].alerts[0].time >= 48 * HOUR_MS
    assert outputs.decisions == []
    assert rig.alerts.latest() == []
    assert rig.alerts.accused(np.array([CHANGED, 5])).tolist() == [True, False]


def joined(rig: Rig, row: int) -> str:
    """Put an account into a campaign of the book; return its id."""
    said = testimony.Testimony([row, *range(20, 30)], True, START_MS, 20.0, 15.0, [], [], [], True, True)
    rig.book.clusters.table.extend(1)
    end = START_MS + rig.hours * HOUR_MS
    columns = {"counts": np.zeros((0, len(COUNTS))), "last": np.zeros(0)}
    nothing = np.zeros(0, np.int64)
    rig.book.update([(0, said)], nothing, nothing, Tick(end, [], columns))
    campaign = rig.book.campaign_of(row)
    assert campaign is not None
    return campaign


def test_merged_into_the_campaign_it_turns_out_to_belong_to(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig = alerted[0].restarted()
    campaign = joined(rig, CHANGED)
    outputs = changed(rig, 30)
    (alert,) = outputs.alerts
    assert (alert.state, alert.merged_into, alert.revision) == ("merged", campaign, 2)
    assert outputs.decisions == []
    assert rig.book.next_revision(CHANGED) == 3  # one of the alert, one of the campaign, one now


def said(rig: Rig, kind: str, scope: str, value: str, hours: int | None = None) -> Verdict:
    """Let a verdict be known to a rig, for so many hours from now."""
    now = START_MS + rig.hours * HOUR_MS
    until = None if hours is None else now + hours * HOUR_MS
    verdict = Verdict(verdict=kind, scope=scope, value=value, by="ann", reason="a class", time=now, until=until)  # type: ignore[arg-type]
    rig.book.rulings.book.add(verdict)
    return verdict


def test_an_allowed_account_is_alerted_about_and_under_no_decision_until_it_expires(
    calm: tuple[Rig, Outputs],
) -> None:
    rig = calm[0].restarted()
    allowed = said(rig, "allow", "account", IDS[CHANGED], 48)
    outputs = changed(rig)
    (alert,), (decision,) = outputs.alerts, outputs.decisions
    assert (alert.state, alert.mitigating[0].fact) == ("open", "allowed")
    assert "under no decision: account a0003 allowed by ann on " in alert.mitigating[0].text
    assert (decision.type, decision.from_, decision.until) == ("none", alert.time, allowed.until)
    assert "allowed by ann" in decision.reason
    later = rig.restarted().calm(10)
    assert [one.state for one in later.alerts] == ["updated"]
    assert "allowed" not in {item.fact for item in later.alerts[0].mitigating}
    assert [(one.type, one.from_, one.revision) for one in later.decisions] == [("observe", allowed.until, 2)]


def test_allowing_an_observed_account_revokes_the_decision_and_is_told(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig = alerted[0].restarted()
    allowed = said(rig, "allow", "account", IDS[CHANGED], 400)
    outputs = rig.calm(3)
    assert [(one.state, one.revision, one.mitigating[0].fact) for one in outputs.alerts] == [("updated", 2, "allowed")]
    assert outputs.alerts[0].mitigating[1:] == alerted[2].alerts[0].mitigating
    assert [(one.type, one.revision, one.until) for one in outputs.decisions] == [("none", 2, allowed.until)]


def test_confirming_an_alert_is_told_and_leads_to_nothing_more(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig = alerted[0].restarted()
    said(rig, "confirmed", "campaign", alerted[2].alerts[0].campaign_id)
    outputs = rig.calm(3)
    assert [(one.state, one.mitigating[0].fact) for one in outputs.alerts] == [("updated", "confirmed")]
    assert [one.type for one in outputs.decisions] == ["observe"]


def again(rig: Rig) -> Outputs:
    """Let the account that changed be itself for four days and change once more."""
    return added([rig.calm(96), changed(rig)])


@pytest.mark.parametrize("scope", ["campaign", "cluster", "account"])
def test_a_dismissed_alert_is_resolved_revoked_and_not_opened_again(
    alerted: tuple[Rig, Outputs, Outputs], scope: str
) -> None:
    rig, (before,), (observed,) = alerted[0].restarted(), alerted[2].alerts, alerted[2].decisions
    verdict = said(rig, "dismissed", scope, IDS[CHANGED] if scope == "account" else before.campaign_id)
    outputs = rig.hour()
    (alert,), (decision,) = outputs.alerts, outputs.decisions
    assert (alert.state, alert.revision, alert.campaign_id) == ("resolved", 2, before.campaign_id)
    assert alert.mitigating[0].fact == "dismissed"
    assert "by ann on" in alert.mitigating[0].text
    assert (decision.type, decision.revision) == ("none", 2)
    assert decision.until == (verdict.end or observed.until)
    assert again(rig.restarted()) == Outputs([], [])


def test_a_dismissal_that_ended_or_was_taken_back_lets_the_next_alert_open(
    alerted: tuple[Rig, Outputs, Outputs],
) -> None:
    before = alerted[2].alerts[0].campaign_id
    for hours, taken_back in ((24, False), (None, True)):
        rig = alerted[0].restarted()
        said(rig, "dismissed", "campaign", before, hours)
        rig.hour()
        if taken_back:
            said(rig, "confirmed", "campaign", before)
        alert = again(rig).alerts[0]
        assert (alert.state, alert.sample_accounts) == ("open", [IDS[CHANGED]])
        assert alert.campaign_id != before
        assert alert.mitigating[0].text.startswith(f"the alert before: campaign {before} dismissed by ann")


def test_a_dismissed_alert_without_an_end_stays_away_for_90_days(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig = alerted[0].restarted()
    verdict = said(rig, "dismissed", "campaign", alerted[2].alerts[0].campaign_id)
    (one,) = rig.alerts._watched.values()
    rig.hour()
    assert [rig.alerts._admits(one, verdict.time + days * DAY_MS) for days in (89, 90)] == [False, True]


def test_what_was_dismissed_is_forgotten_with_the_account(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    rig = alerted[0].restarted()
    said(rig, "dismissed", "account", IDS[CHANGED])
    rig.hour()
    rig.graph.accounts["live"][CHANGED] = 0
    rig.alerts.forget()
    assert rig.alerts._dismissed == {}


def test_members_of_campaigns_get_no_alert_of_their_own() -> None:
    rig = Rig()
    rig.calm(24 * CALM_DAYS)
    joined(rig, CHANGED)
    assert changed(rig) == Outputs([], [])


def test_restored_in_mid_stream_it_goes_on_alike(alerted: tuple[Rig, Outputs, Outputs]) -> None:
    one = alerted[0].restarted()
    other = one.restarted()
    assert other.alerts.latest() == one.alerts.latest() != []
    outputs = [added(rig.hour({7: 100.0}, (7,)) for _ in range(60)) for rig in (one, other)]
    assert outputs[0] == outputs[1]
    assert [alert.sample_accounts for alert in outputs[0].alerts if alert.state == "open"] == [[IDS[7]]]
    assert other.models.state() == one.models.state()


def test_the_threshold_follows_the_budget() -> None:
    generous = Rig(DetectorSettings(budget=BudgetSettings(false_accounts_per_day=500.0)))
    assert Rig().alerts.needed == pytest.approx(math.log(1e6 * 24 / 5.0))
    assert Rig().alerts.needed - generous.alerts.needed == pytest.approx(math.log(100))

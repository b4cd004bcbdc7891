"""The life of a campaign: opened once, updated on material change, merged, resolved."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import __version__
from detectors.alerts import Alert, Decision, Detector, Outputs, Volume, stable_id
from detectors.clusters import Clusters
from detectors.decisions import Subject, decide, spare
from detectors.feedback import DISMISSED, Verdict
from detectors.linking.graph import HOUR_MS, Graph, Tick
from detectors.linking.members import young
from detectors.linking.ties import linked
from detectors.partials import CAPABILITIES
from detectors.risk import risk
from detectors.roster import Campaign, Roster
from detectors.rulings import FAMILY_NATS, MORE_NATS, Rulings, subject, told
from detectors.settings import DetectorSettings
from detectors.testimony import Testimony
from detectors.windows.table import LIVE

SPEAKING = ("open", "updated")
SAMPLE = 50
NEW_SHARE = 0.05
MORE_ACCOUNTS = 1.25
PART = 2.0
"""Evidence of fewer accounts than one in so many of those that a campaign's is of is of a small part of it."""
CRITICAL_REQUESTS, CRITICAL_NATS = 10_000, 14.0
REMEMBERED_MS = 30 * 24 * HOUR_MS
"""The accounts of a campaign are known for so long after its end."""
RENEW_BEFORE_MS = 24 * HOUR_MS
"""Decisions about accounts still at work are renewed so long before they end."""
FORGOTTEN = -1
"""Stands for all forgotten accounts among the rows of the state."""


class Campaigns:
    """All campaigns, and the decisions about their accounts.

    Args:
        settings: see `detectors.settings`.
        graph: names and traffic of the accounts.
        clusters: which campaign each cluster belongs to.
    """

    def __init__(self, settings: DetectorSettings, graph: Graph, clusters: Clusters) -> None:
        self.settings, self.graph, self.clusters = settings, graph, clusters
        self.roster = Roster(graph)
        self._alerts: dict[str, Alert] = {}
        self._revision: dict[int, int] = {}
        self._forgotten_revision = 0
        """The highest of accounts forgotten so far. Whoever comes back starts above it: consumers know the old ones."""
        self.rulings = Rulings(graph)
        self.detector = Detector(__version__, stable_id(msgspec.json.encode(settings).decode())[:12])

    def is_member(self, rows: NDArray) -> NDArray[np.bool_]:
        """Return which accounts belong to a campaign that nobody dismissed."""
        owner = self.roster.owner(rows)
        return np.asarray((owner >= 0) & ~np.isin(owner, list(self.rulings.dismissed)))

    def holds(self, rows: NDArray) -> NDArray[np.bool_]:
        """Return which accounts have to stay known: those of all campaigns until `release`, dismissed ones too."""
        return np.asarray(self.roster.owner(rows) >= 0)

    def may_vote(self, number: int, now: int) -> bool:
        """Tell whether the groups of a campaign are taken for honest: somebody dismissed it."""
        return number >= 0 and self.rulings.may_vote(number, self.roster.campaigns[number].campaign_id, now)

    def release(self, now: int) -> None:
        """Let go of members and groups of campaigns that ended 30 days ago, or were dismissed and silent for so long.

        What goes on must not come back as another campaign only because it was dismissed long ago.
        """
        over = []
        for number, campaign in enumerate(self.roster.campaigns):
            ended = campaign.alerted
            if number in self.rulings.dismissed:
                ended = max(ended, campaign.last_seen)
            if campaign.state == "resolved" and now - ended >= REMEMBERED_MS:
                for row in campaign.members:
                    self.rulings.on_account.pop(row, None)
                self.roster.release(number)
                over.append(number)
        self._hand_on(over, -1)

    def forget(self) -> None:
        """Drop what is known of accounts that the graph has just forgotten: their rows will be those of others."""
        live = self.graph.accounts[LIVE]
        for row in [row for row in self._revision if not live[row]]:
            self._forgotten_revision = max(self._forgotten_revision, self._revision.pop(row))
        self.rulings.forget()

    def campaign_of(self, row: int) -> str | None:
        """Return the campaign that an account belongs to, unless somebody dismissed it."""
        number = int(self.roster.owner(np.array([row]))[0])
        known = number >= 0 and number not in self.rulings.dismissed
        return self.roster.campaigns[number].campaign_id if known else None

    def next_revision(self, row: int) -> int:
        """Return the revision of the next decision about an account, above all before it, forgotten ones too."""
        self._revision[row] = self._revision.get(row, self._forgotten_revision) + 1
        return self._revision[row]

    def open_by_severity(self) -> dict[str, int]:
        """Return how many campaigns are open, by severity."""
        result = dict.fromkeys(("info", "warning", "critical"), 0)
        for campaign in self.roster.campaigns:
            result[campaign.severity] += campaign.state in SPEAKING
        return result

    def budget_used(self) -> float:
        """Return the expected false campaigns among those open, over the campaigns allowed in a week."""
        campaigns = self.roster.campaigns
        expected = sum(math.exp(-campaign.surprise) for campaign in campaigns if campaign.state in SPEAKING)
        return expected / self.settings.budget.false_campaigns_per_week

    def latest(self) -> list[Alert]:
        """Return the latest alert of each campaign, in the order of their opening."""
        return [self._alerts[campaign.campaign_id] for campaign in self.roster.campaigns if campaign.revision]

    def update(self, hot: Iterable[tuple[int, Testimony]], rows: NDArray, uses: NDArray, tick: Tick) -> Outputs:
        """Take in the groups that call for an alert and the traffic of one tick; return what changed.

        Args:
            hot: clusters with what speaks for them.
            rows, uses: account and use rows of the tick, in the order of its columns.
        """
        outputs = Outputs([], [])
        for verdict in self.rulings.due(tick.end_ms):
            self._rule(verdict, tick.end_ms, outputs)
        muted = self.rulings.muted_templates(tick.end_ms)
        hot = [pair for pair in hot if not self.clusters.made_of(pair[0], muted)]
        for cluster, testimony in sorted(hot, key=lambda pair: (-pair[1].surprise, pair[0])):
            self._attach(cluster, testimony, tick.end_ms, outputs)
        self._join_late(uses)
        self._count(rows, tick)
        for number, campaign in enumerate(self.roster.campaigns):
            if campaign.state in SPEAKING:
                self._step(number, campaign, tick.end_ms, outputs)
            elif max(campaign.members.values(), default=0) > tick.end_ms:
                outputs.decisions += self._spare_of_resolved(campaign, tick.end_ms)
        return outputs

    def _attach(self, cluster: int, testimony: Testimony, now: int, outputs: Outputs) -> None:
        number = self._find(cluster, testimony, now, outputs)
        campaign = self.roster.campaigns[number]
        self.clusters.table["campaign"][cluster] = number
        self.clusters.table.touch(np.array([cluster]))
        latest = max(campaign.last_seen, int(self.graph.accounts["last"][testimony.accounts].max()))
        back = campaign.state == "resolved" and not self._is_quiet(latest, now)
        back = back and self.rulings.admits(number, testimony, campaign.members, now)
        if number in self.rulings.dismissed:
            return
        if campaign.revision:
            campaign.last_seen = latest
        if back:
            self._reopen(campaign)
        campaign.first_seen = min(campaign.first_seen, testimony.first_seen)
        if self._says_more(campaign, testimony):
            campaign.told = len(testimony.accounts)
            campaign.score, campaign.surprise = testimony.score, testimony.surprise
            campaign.evidence, campaign.links = testimony.evidence, testimony.links
            campaign.mitigating, campaign.provisional = testimony.mitigating, testimony.provisional
            campaign.nats = testimony.nats
        self._add_members(number, testimony.accounts)

    @staticmethod
    def _says_more(campaign: Campaign, testimony: Testimony) -> bool:
        """Tell whether a group's evidence is a campaign's from now on: it is stronger, and not of a small part."""
        accounts = len(testimony.accounts)
        if accounts > PART * campaign.told and testimony.alone:
            return True
        return PART * accounts >= campaign.told and testimony.surprise >= campaign.surprise

    @staticmethod
    def _reopen(campaign: Campaign) -> None:
        """Let a resolved campaign speak again, of what speaks for it now."""
        campaign.state, campaign.urgent, campaign.surprise, campaign.told = "updated", True, 0.0, 0

    def _is_quiet(self, last_seen: int, now: int) -> bool:
        return now - last_seen >= self.settings.decisions.quiet_hours * HOUR_MS

    def _find(self, cluster: int, testimony: Testimony, now: int, outputs: Outputs) -> int:
        """Return the campaign that a cluster belongs to, a new one if need be.

        Only what two campaigns ask for can make them one, the same work for the most part: resellers' exits and cards
        are shared by strangers, and one cell of behaviour holds operations that know nothing of each other.
        """
        accounts, roster = testimony.accounts, self.roster
        joined = roster.overlaps(accounts)
        number = roster.find(int(self.clusters.table["campaign"][cluster]), accounts, joined, now)
        if number < 0:
            number = self._open(accounts, now)
        for other in joined if testimony.by_content else ():
            silent = self.rulings.dismissed.keys() & {number, other}
            unmerged = other != number and roster.campaigns[other].state != "merged"
            if unmerged and not silent and roster.same(number, other):
                first, second = sorted((number, other))
                self._merge(second, first, now, outputs)
                number = first
        return number

    def kin(self, accounts: NDArray, now: int, by_work: bool = True) -> NDArray[np.int64] | None:
        """Return who the accounts must be like to be of a campaign that nobody dismissed; see `Roster.kin`."""
        return self.roster.kin(accounts, now, self.rulings.dismissed.keys(), by_work)

    def _new(self, accounts: list[int]) -> list[int]:
        """Return the accounts that are members of no campaign, or of a dismissed one."""
        rows = np.array(accounts, np.int64)
        return rows[~self.is_member(rows)].tolist()

    def _open(self, accounts: list[int], now: int) -> int:
        """Open a campaign named by the eldest of its new accounts: two that open at once may accuse the same one."""
        new = self._new(accounts) or accounts
        eldest = min(new, key=lambda row: (int(self.graph.accounts["first"][row]), self.graph.ids[row]))
        campaign_id = "campaign-" + stable_id(self.graph.ids[eldest], now)[:16]
        self.roster.campaigns.append(Campaign(campaign_id, now, now))
        return len(self.roster.campaigns) - 1

    def _merge(self, source: int, target: int, now: int, outputs: Outputs) -> None:
        lost, kept = self.roster.campaigns[source], self.roster.campaigns[target]
        kept.lineage = sorted({*kept.lineage, *lost.lineage, lost.campaign_id})
        kept.first_seen = min(kept.first_seen, lost.first_seen)
        kept.last_seen = max(kept.last_seen, lost.last_seen)
        if kept.state == "resolved" and lost.state in SPEAKING:
            self._reopen(kept)
        kept.traffic = [one + other for one, other in zip(kept.traffic, lost.traffic, strict=True)]
        members = list(lost.members)
        lost.merged_into, lost.state = kept.campaign_id, "merged"
        if lost.revision:
            outputs.alerts.append(self._alert(lost, now))
        self.roster.move(members, target)
        kept.dirty = True
        if source in self.rulings.confirmed:
            self.rulings.confirmed.setdefault(target, self.rulings.confirmed[source])
        for row in members:
            self.rulings.on_account.pop(row, None)
        self._hand_on([source], target)

    def _hand_on(self, numbers: list[int], target: int) -> None:
        """Let the clusters of campaigns belong to another one, −1 for none."""
        table = self.clusters.table
        theirs = np.flatnonzero(np.isin(table["campaign"][: table.rows], numbers))
        table["campaign"][theirs] = target
        table.touch(theirs)

    def _add_members(self, number: int, accounts: list[int]) -> None:
        campaign = self.roster.campaigns[number]
        new = self._new(accounts)
        self.roster.move(new, number)
        if new:
            counts = self.graph.accounts["counts"][new].sum(0)
            campaign.traffic = [have + float(more) for have, more in zip(campaign.traffic, counts[:3], strict=True)]

    def _join_late(self, uses: NDArray) -> None:
        """Young accounts that come to a campaign's own template on its own infrastructure belong to it at once.

        Args:
            uses: use rows of the tick, −1 where the value is of one account only.
        """
        uses = uses[uses >= 0]
        clusters = self.graph.values["cluster"][self.graph.uses["value"][uses]]
        campaign = np.where(clusters >= 0, self.clusters.table["campaign"][clusters], -1)
        campaign[self.graph.values["family"][self.graph.uses["value"][uses]] != 0] = -1
        accounts = self.graph.uses["account"][uses]
        late = (campaign >= 0) & ~self.is_member(accounts)
        for number in np.unique(campaign[late]).tolist():
            if self.roster.campaigns[number].state in SPEAKING:
                came = np.unique(accounts[late & (campaign == number)])
                members = self.roster.members(number)
                self._add_members(number, came[linked(self.graph, came, members) & young(self.graph, came)].tolist())

    def _count(self, rows: NDArray, tick: Tick) -> None:
        owner = self.roster.owner(rows)
        inside = owner >= 0
        if not inside.any():
            return
        owner = owner[inside]
        sums = np.zeros((len(self.roster.campaigns), 3))
        np.add.at(sums, owner, tick.columns["counts"][inside, :3])
        for number in np.unique(owner).tolist():
            campaign = self.roster.campaigns[number]
            campaign.traffic = [have + float(more) for have, more in zip(campaign.traffic, sums[number], strict=True)]
            campaign.last_seen = max(campaign.last_seen, int(tick.columns["last"][inside][owner == number].max()))

    def _step(self, number: int, campaign: Campaign, now: int, outputs: Outputs) -> None:
        campaign.last_seen = campaign.last_seen or now
        if campaign.revision and self._is_quiet(campaign.last_seen, now):
            campaign.state = "resolved"
            outputs.alerts.append(self._alert(campaign, now))
            return
        severity = "critical" if self._is_critical(campaign) or number in self.rulings.confirmed else "warning"
        raised = (severity != campaign.severity or campaign.urgent) and bool(campaign.revision)
        campaign.severity, campaign.urgent = severity, False
        changed = self.rulings.settle(campaign.members, now)
        campaign.members |= dict.fromkeys(changed, 0)
        campaign.dirty |= bool(changed)
        if not campaign.revision or self._changed(campaign, now) or raised:
            campaign.state = "updated" if campaign.revision else "open"
            outputs.alerts.append(self._alert(campaign, now))
        spared = {row: self.rulings.on_account[row] for row in changed if self.rulings.spared(row)}
        outputs.decisions += self._spare(campaign, spared, now)
        outputs.decisions += self._decide(campaign, self._undecided(campaign, now, raised), now)

    def _rule(self, verdict: Verdict, now: int, outputs: Outputs) -> None:
        """Let a verdict on a campaign take effect; those on accounts and organisations do in `_step`."""
        ids = [campaign.campaign_id for campaign in self.roster.campaigns]
        number = self.roster.follow(subject(verdict, ids, self.graph, self.clusters))
        if number < 0:
            return
        campaign = self.roster.campaigns[number]
        self.rulings.learn(verdict, campaign.campaign_id, campaign.nats)
        if not campaign.members:  # released: there is nobody left to decide about
            return
        if verdict.verdict != DISMISSED:
            if self.rulings.confirm(number, verdict):
                campaign.state = "updated"
            campaign.urgent = True
            return
        self.rulings.dismiss(number, verdict, self._best(campaign), self._families(campaign))
        campaign.state = "resolved"
        outputs.alerts.append(self._alert(campaign, now))
        standing = {row: verdict for row, until in campaign.members.items() if until > now}
        outputs.decisions += self._spare(campaign, standing, now)

    def _spare(self, campaign: Campaign, rows: dict[int, Verdict], now: int) -> list[Decision]:
        """Revoke the decisions about account rows, each by its verdict."""
        decisions = []
        for row, verdict in rows.items():
            until = verdict.end or max(campaign.members[row], now)
            value = self.graph.ids[row]
            revision, reason = self.next_revision(row), f"member of {campaign.campaign_id}; {told(verdict)}"
            decisions.append(
                spare(self.settings.decisions, campaign.campaign_id, value, revision, (now, until), reason)
            )
            campaign.members[row] = 0
        return decisions

    def _spare_of_resolved(self, campaign: Campaign, now: int) -> list[Decision]:
        """Revoke what is still in force about members of a resolved campaign whom a verdict spares."""
        changed = self.rulings.settle(campaign.members, now)
        standing = [row for row in changed if self.rulings.spared(row) and campaign.members[row] > now]
        return self._spare(campaign, {row: self.rulings.on_account[row] for row in standing}, now)

    def _undecided(self, campaign: Campaign, now: int, raised: bool) -> list[int]:
        """Return the members without a decision, with one that is too mild, or with one about to run out in use."""
        spared = self.rulings.spared
        if raised:
            return [row for row in campaign.members if not spared(row)]
        renew = now + RENEW_BEFORE_MS
        ending = [row for row, until in campaign.members.items() if until <= renew and not spared(row)]
        if not ending:
            return []
        until = np.array([campaign.members[row] for row in ending])
        active = self.graph.accounts["last"][ending] > until - self.settings.decisions.duration_hours * HOUR_MS
        return [row for row, due in zip(ending, (until == 0) | active, strict=True) if due]

    def _decide(self, campaign: Campaign, rows: list[int], now: int) -> list[Decision]:
        if not rows:
            return []
        figures, reasons = risk(self.graph, np.array(rows), np.array(list(campaign.members)))
        decisions = []
        for row, figure, reason in zip(rows, figures.tolist(), reasons, strict=True):
            subject, revision = Subject(self.graph.ids[row], figure, reason), self.next_revision(row)
            severity = "critical" if row in self.rulings.on_account else campaign.severity
            decision = decide(self.settings.decisions, campaign.campaign_id, severity, subject, revision, now)
            campaign.members[row] = decision.until
            decisions.append(decision)
        return decisions

    def _is_critical(self, campaign: Campaign) -> bool:
        return campaign.traffic[0] >= CRITICAL_REQUESTS or self._best(campaign) >= CRITICAL_NATS

    @staticmethod
    def _best(campaign: Campaign) -> float:
        """Return the highest score that was told: evidence of more accounts may have a lower one."""
        return max(campaign.score, campaign.alerted_score)

    def _changed(self, campaign: Campaign, now: int) -> bool:
        """Tell whether somebody who read the last alert would want to know more."""
        if now - campaign.alerted < HOUR_MS:
            return False
        return (
            campaign.dirty
            or campaign.score >= campaign.alerted_score + MORE_NATS
            or len(campaign.members) >= MORE_ACCOUNTS * campaign.alerted_accounts
            or not set(self._names(campaign)) <= set(campaign.alerted_names)
        )

    def _names(self, campaign: Campaign) -> list[str]:
        """Return families, models and access paths that matter in a campaign."""
        models, paths = self._mixes(campaign)
        names = [name for mix in (models, paths) for name, share in mix.items() if share >= NEW_SHARE]
        return names + self._families(campaign)

    @staticmethod
    def _families(campaign: Campaign) -> list[str]:
        return [item.family for item in campaign.evidence if item.nats >= FAMILY_NATS]

    def _mixes(self, campaign: Campaign) -> tuple[dict[str, float], dict[str, float]]:
        rows, table = list(campaign.members), self.graph.accounts
        models = shares(self.graph.models.known, table["models"][rows].sum(0))
        return models, shares(self.graph.paths.known, table["paths"][rows].sum(0))

    def _alert(self, campaign: Campaign, now: int) -> Alert:
        campaign.revision += 1
        campaign.alerted, campaign.alerted_accounts = now, len(campaign.members)
        campaign.alerted_score, campaign.dirty = self._best(campaign), False
        campaign.alerted_names = sorted({*campaign.alerted_names, *self._names(campaign)})
        rows = list(campaign.members)
        number = self.roster.campaigns.index(campaign)
        models, paths = self._mixes(campaign)
        capabilities = self.graph.accounts["capabilities"][rows].sum(0)
        alert = Alert(
            alert_id=stable_id(campaign.campaign_id, campaign.revision),
            campaign_id=campaign.campaign_id,
            revision=campaign.revision,
            state=campaign.state,
            kind="campaign",
            severity=campaign.severity,
            time=now,
            first_seen=campaign.first_seen,
            last_seen=min(campaign.last_seen or now, now),
            score=round(campaign.score, 3),
            p_value=math.exp(-campaign.surprise),
            accounts=len(rows),
            sample_accounts=sorted(self.graph.ids[row] for row in rows)[:SAMPLE],
            volume=Volume(*(int(value) for value in campaign.traffic)),
            capabilities=shares(CAPABILITIES, capabilities),
            models=models,
            access_paths=paths,
            evidence=campaign.evidence,
            links=campaign.links,
            mitigating=[*self.rulings.facts(number, campaign.members), *campaign.mitigating],
            merged_into=campaign.merged_into,
            lineage=campaign.lineage,
            provisional=campaign.provisional,
            detector=self.detector,
        )
        self._alerts[campaign.campaign_id] = alert
        return alert

    def state(self) -> dict[str, Any]:
        """Return what `load` takes: plain lists and dictionaries."""
        revisions = {**self._revision, FORGOTTEN: self._forgotten_revision}
        state = (self.roster.campaigns, list(self._alerts.values()), revisions, self.rulings.state())
        names = ("campaigns", "alerts", "revisions", "rulings")
        return msgspec.to_builtins(dict(zip(names, state, strict=True)), str_keys=False)

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self.roster.load(msgspec.convert(state["campaigns"], list[Campaign]))
        self._alerts = {alert.campaign_id: alert for alert in msgspec.convert(state["alerts"], list[Alert])}
        self._revision = dict(state["revisions"])
        self._forgotten_revision = self._revision.pop(FORGOTTEN, 0)
        self.rulings.load(state["rulings"])


def shares(names: Iterable[str], amounts: NDArray) -> dict[str, float]:
    """Return each name's share of the whole, largest first, without those under one in a thousand.

    >>> shares(["a", "b", "c"], np.array([1.0, 3.0, 0.0]))
    {'b': 0.75, 'a': 0.25}
    """
    total = float(amounts.sum())
    pairs = [(name, float(amount) / total) for name, amount in zip(names, amounts, strict=False)] if total > 0 else []
    return {name: round(share, 4) for name, share in sorted(pairs, key=lambda pair: -pair[1]) if share >= 1e-3}

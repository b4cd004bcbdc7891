"""Alerts about single accounts: one that no longer is itself, and is odd among its peers besides.

Either alone is common among honest accounts: people change their habits, and some tenants are odd for good. An alert
of kind `account` needs both within a day: the e-CUSUM of self-change (D2) past the threshold of the budget, and a
score that at most one in a thousand account-days of honest peers reaches (D1) (DETECTION §4.3). All it leads to is
that the account is observed; a campaign that the account turns out to belong to takes the alert over.

A dismissal of the alert, or of the account while it is under one, resolves it, and there is no other while the
dismissal stands: what can be said of one account alone is always evidence of these two kinds. Who is allowed is
alerted about and under no decision.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.account_facts import Facts, mitigating, novelty_evidence, self_change_evidence
from detectors.alerts import Alert, Decision, Limits, Mitigating, Outputs, Volume, stable_id
from detectors.campaigns import Campaigns, shares
from detectors.decisions import spare
from detectors.feedback import CONFIRMED, DISMISSED, DISMISSED_MS, Verdict
from detectors.linking.graph import DAY_MS, HOUR_MS, Graph, Tick
from detectors.models.peers import PeerModels
from detectors.partials import CAPABILITIES
from detectors.rulings import WORDS, told
from detectors.settings import DetectorSettings
from detectors.windows.table import LIVE

NOVELTY_P = 1e-3
HOURS_PER_DAY = 24.0
MILLION = 1e6


class Watched(msgspec.Struct):
    """An account that changed: waiting for D1, or under an alert."""

    row: int
    alarmed: int
    facts: Facts
    alert: Alert | None = None
    verdicts: list[Verdict] = []
    """Those that stand on the alert, and on the account or its organisation."""
    back: Verdict | None = None
    """What had dismissed the alert before this one."""
    until: int = 0
    """The end of the latest decision to observe it, ms of event time; 0 for none yet."""


class AccountAlerts:
    """Opens, merges and resolves the alerts about single accounts.

    Args:
        settings: see `detectors.settings`.
        graph: names and traffic of the accounts.
        models: D1 and D2.
        book: the campaigns; members get no alert of their own.
    """

    def __init__(self, settings: DetectorSettings, graph: Graph, models: PeerModels, book: Campaigns) -> None:
        self.settings, self.graph, self.models, self.book = settings, graph, models, book
        self._watched: dict[int, Watched] = {}
        self._dismissed: dict[int, Verdict] = {}
        self._ever = np.zeros(0, np.int64)
        self.needed = math.log(MILLION * HOURS_PER_DAY / settings.budget.false_accounts_per_day)
        """Nats from which D2 alarms: c = N T / B for a million accounts and T = 24 looks a day. The e-CUSUM's mean
        time between false alarms is at least c looks."""

    def accused(self, rows: NDArray) -> NDArray[np.bool_]:
        """Return which accounts belong to a campaign or ever were under an account alert, shape (len(rows),)."""
        return self.book.is_member(rows) | np.isin(rows, self._ever)

    def forget(self) -> None:
        """Drop the accounts that the graph has just forgotten: their rows will be those of others."""
        live = self.graph.accounts[LIVE]
        self._watched = {row: one for row, one in self._watched.items() if live[row]}
        self._dismissed = {row: verdict for row, verdict in self._dismissed.items() if live[row]}
        self._ever = self._ever[live[self._ever] > 0]

    def latest(self) -> list[Alert]:
        """Return the latest alert of each account under one, in the order of their opening."""
        return [one.alert for one in self._watched.values() if one.alert is not None]

    def update(self, tick: Tick) -> Outputs:
        """Return what changed with a tick that the models and the campaigns have taken in."""
        outputs, now = Outputs([], []), tick.end_ms
        self._note_alarms(now)
        ruled = self.book.rulings.standing(self._watched, now)
        for row in list(self._watched):
            self._follow(self._watched[row], ruled.get(row), now, outputs)
        waiting = [one for one in self._watched.values() if one.alert is None and self._admits(one, now)]
        if waiting:
            rows = np.array([one.row for one in waiting])
            novelty = self.models.novelty_p(self.graph, rows, self.accused)
            for one, p in zip(waiting, novelty.tolist(), strict=True):
                if p <= NOVELTY_P:
                    one.verdicts = [ruled[one.row]] if one.row in ruled else []
                    self._open(one, p, now, outputs)
        return outputs

    def _note_alarms(self, now: int) -> None:
        change = self.models.change
        if change is None:
            return
        evidence = self.graph.accounts["change_evidence"]
        nats = evidence[change.rows].astype(np.float64)
        places = np.flatnonzero(nats >= self.needed)
        places = places[~self.book.is_member(change.rows[places])]
        for place in places.tolist():
            row = int(change.rows[place])
            watched = self._watched.get(row)
            if watched is None:
                facts = self_change_evidence(self.graph, change, place, float(nats[place]), self.needed)
                self._watched[row] = Watched(row, now, facts)
            else:
                watched.alarmed = now
        evidence[change.rows[places]] = 0.0

    def _follow(self, one: Watched, ruled: Verdict | None, now: int, outputs: Outputs) -> None:
        """Let an alert pass into a campaign, or end when it is dismissed or the account is itself again for so long.

        Args:
            ruled: the verdict on the account or its organisation.
        """
        campaign = self.book.campaign_of(one.row)
        if one.alert is None:
            if campaign is not None or now - one.alarmed > DAY_MS:
                del self._watched[one.row]
            return
        if campaign is not None:
            outputs.alerts.append(self._alert(one, "merged", now, campaign))
        elif self._rule(one, ruled, now, outputs):
            self._dismissed[one.row] = next(verdict for verdict in one.verdicts if verdict.verdict == DISMISSED)
        elif now - one.alarmed >= self.settings.decisions.quiet_hours * HOUR_MS:
            outputs.alerts.append(self._alert(one, "resolved", now))
        else:
            return
        del self._watched[one.row]

    def _rule(self, one: Watched, ruled: Verdict | None, now: int, outputs: Outputs) -> bool:
        """Let news of verdicts on an alert and its account take effect; tell whether the alert is dismissed."""
        assert one.alert is not None
        said = self.book.rulings.book.about("campaign", one.alert.campaign_id, now)
        verdicts = [verdict for verdict in (said, ruled) if verdict is not None]
        if verdicts == one.verdicts:
            return False
        dismissed = any(verdict.verdict == DISMISSED for verdict in verdicts if verdict not in one.verdicts)
        one.verdicts = verdicts
        outputs.alerts.append(self._alert(one, "resolved" if dismissed else "updated", now))
        outputs.decisions.append(self._decide(one, now))
        return dismissed

    def _admits(self, one: Watched, now: int) -> bool:
        """Tell whether nobody's dismissal of an earlier alert stands; without `until` it does for `DISMISSED_MS`."""
        if one.row not in self._dismissed:
            return True
        said = self.book.rulings.book.about(*self._dismissed[one.row].key, now)
        if said is not None and said.verdict == DISMISSED and now < (said.end or said.time + DISMISSED_MS):
            return False
        one.back = self._dismissed.pop(one.row)
        return True

    def _open(self, one: Watched, p: float, now: int, outputs: Outputs) -> None:
        novelty = novelty_evidence(self.graph, self.models, one.row, p)
        account = self.graph.ids[one.row]
        campaign_id = "account-" + stable_id(account, now)[:16]
        mine = sorted([one.facts.evidence, novelty], key=lambda item: -item.nats)
        table, rows = self.graph.accounts, np.array([one.row])
        counts = table["counts"][one.row]
        one.alert = Alert(
            alert_id="",
            campaign_id=campaign_id,
            revision=0,
            state="open",
            kind="account",
            severity="info",
            time=now,
            first_seen=int(table["first"][one.row]),
            last_seen=int(table["last"][one.row]),
            score=round(sum(item.nats for item in mine), 3),
            p_value=p,
            accounts=1,
            sample_accounts=[account],
            volume=Volume(*(int(value) for value in counts[:3])),
            capabilities=shares(CAPABILITIES, table["capabilities"][one.row]),
            models=shares(self.graph.models.known, table["models"][one.row]),
            access_paths=shares(self.graph.paths.known, table["paths"][one.row]),
            evidence=mine,
            links=[],
            mitigating=[*mitigating(self.graph, self.models, rows, now), one.facts.counterfactual],
            merged_into=None,
            lineage=[],
            provisional=self.models.provisional(self.graph, rows),
            detector=self.book.detector,
        )
        self._ever = np.union1d(self._ever, rows)
        outputs.alerts.append(self._alert(one, "open", now))
        outputs.decisions.append(self._decide(one, now))

    def _alert(self, one: Watched, state: str, now: int, campaign: str | None = None) -> Alert:
        before = one.alert
        assert before is not None
        revision, counts = before.revision + 1, self.graph.accounts["counts"][one.row]
        one.alert = msgspec.structs.replace(
            before,
            alert_id=stable_id(before.campaign_id, revision),
            revision=revision,
            state=state,
            time=now,
            last_seen=int(self.graph.accounts["last"][one.row]),
            volume=Volume(*(int(value) for value in counts[:3])),
            merged_into=campaign,
            mitigating=[*_ruled(one), *(item for item in before.mitigating if item.fact not in WORDS.values())],
        )
        return one.alert

    def _decide(self, one: Watched, now: int) -> Decision:
        """Return the decision to observe an account, or to do nothing where a verdict spares it."""
        assert one.alert is not None
        campaign_id, settings = one.alert.campaign_id, self.settings.decisions
        account, revision = self.graph.ids[one.row], self.book.next_revision(one.row)
        for verdict in one.verdicts:
            if verdict.verdict != CONFIRMED:
                span = (now, verdict.end or max(one.until, now))
                reason = f"subject of {campaign_id}; {told(verdict)}"
                return spare(settings, campaign_id, account, revision, span, reason)
        one.until = now + int(settings.duration_hours * HOUR_MS)
        return Decision(
            decision_id=stable_id(campaign_id, "account", account, revision),
            campaign_id=campaign_id,
            revision=revision,
            scope="account",
            value=account,
            type="observe",
            limits=Limits(),
            restrict=[],
            from_=now,
            until=one.until,
            simulated=not settings.enforce,
            reason=f"subject of {campaign_id}: {one.facts.evidence.text}",
        )

    def state(self) -> dict[str, Any]:
        """Return what `load` takes: plain lists and dictionaries."""
        state = {"watched": list(self._watched.values()), "dismissed": self._dismissed, "ever": self._ever.tolist()}
        return msgspec.to_builtins(state, str_keys=False)

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self._watched = {one.row: one for one in msgspec.convert(state["watched"], list[Watched])}
        self._dismissed = msgspec.convert(state.get("dismissed", {}), dict[int, Verdict])
        self._ever = np.array(state["ever"], np.int64)


def _ruled(one: Watched) -> list[Mitigating]:
    """Return what people said about an account and its alerts, as sentences for the alert."""
    facts = [Mitigating(WORDS[DISMISSED], f"the alert before: {told(one.back)}")] if one.back is not None else []
    for verdict in one.verdicts:
        action = "" if verdict.verdict == CONFIRMED else "under no decision: "
        facts.append(Mitigating(WORDS[verdict.verdict], f"{action}{told(verdict)}"))
    return facts

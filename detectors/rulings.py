"""What the verdicts that stand mean for campaigns, for the accounts in them, and for the weights of the families.

A dismissed campaign is silent until it shows more than was dismissed; an account that is allowed, or whose own
accusation was dismissed, goes on being scored and counted and is only spared the decisions (an allow list that muted
the scores would be the place to hide). Verdicts never suspend anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.alerts import Mitigating
from detectors.clusters import Clusters
from detectors.evidence.fusion import NAMES
from detectors.evidence.reweighing import DAY_MS, Label, Reweighing
from detectors.feedback import ALLOW, CAMPAIGN_SCOPES, CONFIRMED, DISMISSED, Book, Verdict
from detectors.hashing import digest
from detectors.linking.graph import Graph
from detectors.testimony import Testimony
from detectors.windows.table import LIVE

MORE_NATS = 3.0
"""What a campaign has to gain over the evidence that was told, or dismissed, to be told again."""
FAMILY_NATS = 3.0
"""From here on a family is one that an alert, or a dismissal, was about."""
MOST_NEW = 0.5
SHOWN = 5
WORDS = {ALLOW: "allowed", DISMISSED: "dismissed", CONFIRMED: "confirmed"}


class Dismissal(msgspec.Struct):
    """What was dismissed: the verdict, the score and the families that spoke for the campaign then."""

    verdict: Verdict
    score: float
    families: list[str]


class Rulings:
    """The verdicts, and what follows from them.

    Args:
        graph: names and organisations of the accounts.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.book = Book()
        self.labels = Reweighing()
        self.dismissed: dict[int, Dismissal] = {}
        """Campaign number → what was dismissed."""
        self.confirmed: dict[int, Verdict] = {}
        self.back: dict[int, Verdict] = {}
        """Campaigns that came back, with the verdict that had dismissed them."""
        self.on_account: dict[int, Verdict] = {}
        """Members of campaigns, account rows, with a verdict of their own or on their organisation."""
        self._waiting: list[tuple[int, Verdict]] = []
        self._weighed = 0

    def receive(self, verdicts: list[Verdict], scheduled: bool = False) -> None:
        """Take verdicts in, to count from the next tick on, or from the tick that closes after their own time."""
        self._waiting += [(verdict.time if scheduled else 0, verdict) for verdict in verdicts]

    @property
    def waiting(self) -> int:
        """Verdicts whose time has not come."""
        return len(self._waiting)

    def due(self, now: int) -> list[Verdict]:
        """Enter the verdicts whose turn it is, at `now`, ms of event time; return those that are news, by time."""
        if not self._waiting:
            return []
        ready = sorted((v for at, v in self._waiting if at <= now), key=lambda v: (v.time, v.key))
        self._waiting = [(at, verdict) for at, verdict in self._waiting if at > now]
        news = [verdict for verdict in ready if self.book.add(verdict)]
        self.book.forget(now)
        if news:
            self._weighed = 0
        return [verdict for verdict in news if verdict.stands(now)]

    def dismiss(self, number: int, verdict: Verdict, score: float, names: list[str]) -> None:
        """Silence a campaign as it stands, `names` being the families that matter in it."""
        self.confirmed.pop(number, None)
        self.dismissed[number] = Dismissal(verdict, score, names)

    def confirm(self, number: int, verdict: Verdict) -> bool:
        """Confirm a campaign; tell whether it had been dismissed before."""
        self.confirmed[number] = verdict
        return self.dismissed.pop(number, None) is not None

    def learn(self, verdict: Verdict, campaign_id: str, nats: list[float]) -> None:
        """Learn from a verdict on a campaign that was reported with `nats` of the families."""
        if nats:
            confirmed = verdict.verdict == CONFIRMED
            self.labels.add(Label(campaign_id, confirmed, verdict.by, verdict.time, nats, verdict.until))

    def multipliers(self, now: int) -> NDArray[np.float64] | None:
        """Return new multipliers of the families, shape (F,), at most once a day or with news; None: as they were."""
        if not len(self.labels) or now - self._weighed < DAY_MS:
            return None
        self._weighed = now
        return self.labels.multipliers(now, len(NAMES))

    def admits(self, number: int, testimony: Testimony, members: dict[int, int], now: int) -> bool:
        """Tell whether a campaign may speak; one that was dismissed only on more, and other, evidence than then.

        Coming back ends the dismissal.
        """
        dismissal = self.dismissed.get(number)
        if dismissal is None:
            return True
        if dismissal.verdict.stands(now):
            families = {item.family for item in testimony.evidence if item.nats >= FAMILY_NATS}
            new = sum(account not in members for account in testimony.accounts)
            other = families - set(dismissal.families) or new > MOST_NEW * len(testimony.accounts)
            if testimony.score < dismissal.score + MORE_NATS or not other:
                return False
        self.back[number] = self.dismissed.pop(number).verdict
        return True

    def may_vote(self, number: int, campaign_id: str, now: int) -> bool:
        """Tell whether a dismissed campaign's group is taken for honest: not for reviewers past their weekly share."""
        dismissal = self.dismissed.get(number)
        return dismissal is not None and self.labels.weights(now).get((campaign_id, dismissal.verdict.by), 0.0) > 0.0

    def muted_templates(self, now: int) -> set[int]:
        """Return the value rows of the templates whose dismissal stands."""
        standing = [verdict for verdict in self.book.standing("template", now) if verdict.verdict == DISMISSED]
        return {self.graph.template_row(digest(verdict.value)) for verdict in standing} - {-1}

    def settle(self, members: dict[int, int], now: int) -> list[int]:
        """Bring `on_account` up to date for a campaign's members, account rows; return those for whom it changed."""
        standing = self.standing(members, now)
        if not (standing or self.on_account):
            return []
        changed = [row for row in members if self.on_account.get(row) != standing.get(row)]
        for row in changed:
            self.on_account.pop(row, None)
        self.on_account |= {row: standing[row] for row in changed if row in standing}
        return changed

    def standing(self, accounts: Collection[int], now: int) -> dict[int, Verdict]:
        """Return the verdict on each of some account rows that has one: its own goes before its organisation's.

        Args:
            now: ms of event time.
        """
        standing: dict[int, Verdict] = {}
        houses = self.book.standing("organization", now)
        if houses and accounts:
            by_house = {digest(verdict.value): verdict for verdict in houses}
            rows = np.array(list(accounts))
            organization = self.graph.accounts["organization"][rows]
            inside = np.isin(organization, np.array(list(by_house), np.uint64))
            pairs = zip(rows[inside].tolist(), organization[inside].tolist(), strict=True)
            standing = {row: by_house[house] for row, house in pairs}
        for verdict in self.book.standing("account", now):
            row = self.graph.account_row(verdict.value)
            if row in accounts:
                standing[row] = verdict
        return standing

    def forget(self) -> None:
        """Drop the accounts that the graph has just forgotten: their rows will be those of others."""
        live = self.graph.accounts[LIVE]
        self.on_account = {row: verdict for row, verdict in self.on_account.items() if live[row]}

    def spared(self, row: int) -> bool:
        """Tell whether an account row is under no decision because somebody said so."""
        return row in self.on_account and self.on_account[row].verdict != CONFIRMED

    def facts(self, number: int, members: dict[int, int]) -> list[Mitigating]:
        """Return what people said about a campaign and its members, as sentences for its alerts."""
        facts = []
        if number in self.dismissed:
            dismissal = self.dismissed[number]
            text = f"{told(dismissal.verdict)}; it stood at {dismissal.score:.1f} nats"
            facts.append(Mitigating("dismissed", text))
        if number in self.back:
            facts.append(Mitigating("dismissed", f"{told(self.back[number])}; it is back on more evidence, or in time"))
        if number in self.confirmed:
            facts.append(Mitigating("confirmed", told(self.confirmed[number])))
        ruled = [self.on_account[row] for row in members if row in self.on_account]
        for verdict in sorted(set(ruled), key=lambda v: v.key)[:SHOWN]:
            action = "under the strictest decision" if verdict.verdict == CONFIRMED else "under no decision"
            facts.append(
                Mitigating(WORDS[verdict.verdict], f"{ruled.count(verdict)} accounts {action}: {told(verdict)}")
            )
        return facts

    def state(self) -> dict[str, Any]:
        """Return what `load` takes."""
        names = ("dismissed", "confirmed", "back", "on_account", "_waiting", "_weighed")
        return {name: getattr(self, name) for name in names} | {
            "book": self.book.state(),
            "labels": self.labels.state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned, by way of `msgspec.to_builtins`."""
        self.book.load(state["book"])
        self.labels.load(state["labels"])
        self.dismissed = msgspec.convert(state["dismissed"], dict[int, Dismissal])
        self.confirmed, self.back, self.on_account = (
            msgspec.convert(state[name], dict[int, Verdict]) for name in ("confirmed", "back", "on_account")
        )
        self._waiting = msgspec.convert(state["_waiting"], list[tuple[int, Verdict]])
        self._weighed = state["_weighed"]


def subject(verdict: Verdict, campaigns: Sequence[str], graph: Graph, clusters: Clusters) -> int:
    """Return the number of the campaign that a verdict is about, −1 for none that is known.

    Args:
        campaigns: their ids.
        graph, clusters: tell the campaign of the groups around a template.
    """
    if verdict.scope in CAMPAIGN_SCOPES:
        return campaigns.index(verdict.value) if verdict.value in campaigns else -1
    value = graph.template_row(digest(verdict.value)) if verdict.scope == "template" else -1
    cluster = int(graph.values["cluster"][value]) if value >= 0 else -1
    return int(clusters.table["campaign"][cluster]) if cluster >= 0 else -1


def told(verdict: Verdict) -> str:
    """Return a verdict as a phrase: what, about whom, by whom, when, until when and why."""
    until = "" if verdict.end is None else f" until {_date(verdict.end)}"
    return (
        f"{verdict.scope} {verdict.value} {WORDS[verdict.verdict]} by {verdict.by} on {_date(verdict.time)}{until}: "
        f"{verdict.reason}"
    )


def _date(time: int) -> str:
    return f"{np.datetime64(time, 'ms').astype('datetime64[m]')}Z"

"""What a detector said: its campaign alerts and its decisions about accounts, and whom they concern.

A campaign alert belongs to the true campaign that most of its accounts belong to; when honest accounts are at least
half of them, it is a false alarm. Its accounts are those decided under its campaign id, or, where there are none, its
sample accounts, or, where it has none either, those of the campaign that it was merged into. An account without a
label counts as honest. Alerts of kind `account` are about no campaign, nor are the decisions under their ids: what
these do to honest accounts counts all the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import msgspec

from stream.evaluate.records import records
from stream.evaluate.traffic import HONEST, Truth

Period = tuple[int, int, str]
"""From, until (ms, exclusive) and type of a decision in force."""


class Alert(msgspec.Struct):
    """An alert transition, as far as it counts here; `time` in Unix ms."""

    campaign_id: str
    state: str
    kind: str
    time: int
    alert_id: str | None = None
    sample_accounts: list[str] = []
    merged_into: str | None = None


class Decision(msgspec.Struct, rename={"start": "from"}):
    """A decision, as far as it counts here; `start` and `until` in Unix ms."""

    campaign_id: str
    revision: int
    scope: str
    value: str
    type: str
    start: int
    until: int


@dataclass(frozen=True)
class Verdicts:
    """Everything one detector said about one run."""

    opened: list[Alert]
    """Every `open` of a campaign, in the order of the file; a repeat of the same `alert_id` counts once."""
    under: dict[str, set[str]]
    """Accounts ever decided under each id of a campaign."""
    owner: dict[str, str]
    """The true campaign, or HONEST, of every campaign id."""
    suspects: dict[str, Counter[str]]
    """Of each campaign id, the accounts by kind that are in no campaign."""
    heir: dict[str, str]
    """The campaign id that each merged one lives on in."""
    history: dict[str, list[Decision]]
    """Decisions of each account, in the order in which they take effect."""

    def first_alerts(self) -> dict[str, int]:
        """Return the time of the first `open` of every true campaign that has one; HONEST for false alarms."""
        out: dict[str, int] = {}
        for alert in self.opened:
            name = self.owner[alert.campaign_id]
            out[name] = min(alert.time, out.get(name, alert.time))
        return out


def read(alerts: Path, decisions: Path, truth: Truth) -> Verdicts:
    """Return what the two files say.

    Raises:
        InputError: a file cannot be read, or a line is not what it should be.
    """
    every = _once(list(records(alerts, Alert)))
    raised = [a for a in every if a.kind == "campaign"]
    alone = {a.campaign_id for a in every if a.kind == "account"}
    under: dict[str, set[str]] = defaultdict(set)
    history: dict[str, list[Decision]] = defaultdict(list)
    for d in records(decisions, Decision):
        if d.scope == "account":
            history[d.value].append(d)
            if d.type != "none" and d.campaign_id not in alone:
                under[d.campaign_id].add(d.value)
    for decided in history.values():
        decided.sort(key=lambda d: (d.start, d.revision))
    into = {a.campaign_id: a.merged_into for a in raised if a.state == "merged" and a.merged_into}
    heir = {campaign_id: _heir(campaign_id, into) for campaign_id in into}
    accounts = _accounts(raised, under, heir)
    owner = {campaign_id: _owner(named, truth) for campaign_id, named in accounts.items()}
    suspects = {
        campaign_id: Counter(truth.kind.get(a, "unlabelled") for a in named if a not in truth.campaign)
        for campaign_id, named in accounts.items()
    }
    return Verdicts([a for a in raised if a.state == "open"], dict(under), owner, suspects, heir, dict(history))


def periods(history: list[Decision]) -> list[Period]:
    """Return when an account was under which decision: a later one ends the one before, `none` revokes it."""
    out = []
    for d, following in zip_longest(history, history[1:]):
        until = d.until if following is None else min(d.until, following.start)
        if d.type != "none" and (until > d.start or following is None):
            out.append((d.start, until, d.type))
    return out


def _once(alerts: list[Alert]) -> list[Alert]:
    seen: set[str] = set()
    kept = []
    for alert in alerts:
        if alert.alert_id is None or alert.alert_id not in seen:
            kept.append(alert)
        if alert.alert_id is not None:
            seen.add(alert.alert_id)
    return kept


def _heir(campaign_id: str, into: dict[str, str]) -> str:
    passed: set[str] = set()
    while campaign_id in into and campaign_id not in passed:
        passed.add(campaign_id)
        campaign_id = into[campaign_id]
    return campaign_id


def _accounts(alerts: list[Alert], under: dict[str, set[str]], heir: dict[str, str]) -> dict[str, set[str]]:
    samples: dict[str, set[str]] = defaultdict(set)
    for alert in alerts:
        samples[alert.campaign_id].update(alert.sample_accounts)
    own = {name: under.get(name) or samples.get(name) or set() for name in samples.keys() | under.keys()}
    return {name: named or own.get(heir.get(name, name), set()) for name, named in own.items()}


def _owner(accounts: set[str], truth: Truth) -> str:
    votes = Counter(truth.campaign.get(a, HONEST) for a in accounts)
    innocent = votes.pop(HONEST, 0)
    best = min(votes, key=lambda name: (-votes[name], name), default=HONEST)
    return HONEST if innocent * 2 >= len(accounts) else best

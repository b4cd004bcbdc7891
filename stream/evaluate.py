"""The detection figures: what was found, how late, and at whose cost.

A campaign alert (`kind` campaign) belongs to the true campaign that most of its accounts belong to; when honest
accounts are at least half of them, it is a false alarm. Its accounts are those decided under its campaign id, or, where
there are none, its sample accounts. An account without a label counts as honest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TypeVar

import msgspec

from stream.errors import InputError
from stream.reader import LineReader

DAY_MS = 86_400_000
HONEST = "honest"
T = TypeVar("T")


class _Label(msgspec.Struct, rename={"account": "account.id"}):
    campaign: str | None
    account: str | None = None
    kind: str = ""


class _Event(msgspec.Struct, gc=False, rename={"account": "account.id"}):
    account: str
    time: int


class _Alert(msgspec.Struct):
    campaign_id: str
    state: str
    kind: str
    time: int
    sample_accounts: list[str] = []


class _Decision(msgspec.Struct, rename={"start": "from"}):
    campaign_id: str
    revision: int
    scope: str
    value: str
    type: str
    start: int
    until: int


class CampaignFigures(msgspec.Struct, kw_only=True):
    """How one true campaign fared. Shares in 0 … 1; `hours_to_alert` and `precision` are None when never alerted."""

    campaign: str
    found: bool
    exchanges: int
    leaked: int
    leaked_share: float
    hours_to_alert: float | None
    accounts: int
    accounts_decided: int
    accounts_decided_share: float
    precision: float | None
    open_alerts: int


class KindFigures(msgspec.Struct, kw_only=True):
    """Honest accounts of one kind that were ever, and on an average day, under a decision."""

    kind: str
    accounts: int
    accounts_decided: int
    per_million_per_day: float


class Figures(msgspec.Struct, kw_only=True):
    """All detection figures of one run. `precision`: share of the accounts ever decided that are in a campaign."""

    events: int
    bad_lines: int
    days: float
    accounts: int
    campaigns: list[CampaignFigures]
    precision: float | None
    open_alerts: int
    false_alerts: int
    false_alerts_per_week_per_million: float
    honest_per_million_per_day: float
    honest: list[KindFigures]

    def json(self) -> bytes:
        """Return the figures as one JSON object."""
        return msgspec.json.encode(self)

    def table(self) -> str:
        """Return the figures as plain text."""
        head = (
            "campaign",
            "found",
            "exchanges",
            "leaked",
            "share",
            "hours to alert",
            "accounts",
            "decided",
            "precision",
            "open alerts",
        )
        body = [
            (
                c.campaign,
                "yes" if c.found else "no",
                f"{c.exchanges:,}",
                f"{c.leaked:,}",
                _percent(c.leaked_share),
                "–" if c.hours_to_alert is None else f"{c.hours_to_alert:.1f}",
                f"{c.accounts:,}",
                _percent(c.accounts_decided_share),
                _percent(c.precision),
                str(c.open_alerts),
            )
            for c in self.campaigns
        ]
        kinds = [
            (k.kind, f"{k.accounts:,}", f"{k.accounts_decided:,}", f"{k.per_million_per_day:,.0f}")
            for k in self.honest
            if k.accounts_decided
        ]
        parts = [
            f"{self.events:,} events of {self.accounts:,} accounts in {self.days:.1f} days"
            + (f", {self.bad_lines:,} lines unreadable" if self.bad_lines else ""),
            _columns(head, body) if body else "no campaign in the labels",
            f"precision of decisions: {_percent(self.precision)}",
            f"open campaign alerts: {self.open_alerts}, false: {self.false_alerts} "
            f"({self.false_alerts_per_week_per_million:,.1f} per week and million accounts)",
            f"honest accounts under a decision: {self.honest_per_million_per_day:,.1f} per million and day",
        ]
        if kinds:
            parts.append(_columns(("honest kind", "accounts", "decided", "per million and day"), kinds))
        return "\n\n".join(parts) + "\n"


class _Truth(msgspec.Struct):
    campaign: dict[str, str]
    kind: dict[str, str]
    members: Counter[str]
    names: list[str]


class _Period(msgspec.Struct):
    events: int
    bad: int
    first: int
    last: int
    exchanges: Counter[str]
    leaked: Counter[str]
    begins: dict[str, int]


def evaluate(events: Path, labels: Path, alerts: Path, decisions: Path) -> Figures:
    """Compare alerts and decisions with the truth; one pass over the events, memory for the accounts only.

    Args:
        events: request events, JSON Lines, plain, `.gz` or `.zst`, like the other three.
        labels: the truth, in the form that `simulate` writes.
        alerts: one alert transition per line.
        decisions: one decision per line.

    Raises:
        InputError: a file cannot be read, or a line of the last three is not what it should be.
    """
    truth = _truth(labels)
    raised = [a for a in _records(alerts, _Alert) if a.kind == "campaign"]
    decided = [d for d in _records(decisions, _Decision) if d.scope == "account"]
    under: dict[str, set[str]] = defaultdict(set)
    for d in decided:
        if d.type != "none":
            under[d.campaign_id].add(d.value)
    owner = _owners(raised, under, truth)
    opened = [a for a in raised if a.state == "open"]
    first_alert: dict[str, int] = {}
    for a in opened:
        name = owner[a.campaign_id]
        first_alert[name] = min(a.time, first_alert.get(name, a.time))
    period = _pass(events, truth, first_alert)
    return _figures(truth, period, under, owner, Counter(owner[a.campaign_id] for a in opened), first_alert, decided)


def _figures(
    truth: _Truth,
    period: _Period,
    under: dict[str, set[str]],
    owner: dict[str, str],
    opened: Counter[str],
    first_alert: dict[str, int],
    decided: list[_Decision],
) -> Figures:
    days = max((period.last - period.first) / DAY_MS, 1e-9)
    everyone: set[str] = set().union(*under.values())
    guilty = sum(1 for a in everyone if a in truth.campaign)
    kinds = _honest_kinds(truth, period, decided, days)
    population, burden = sum(k.accounts for k in kinds), sum(k.accounts * k.per_million_per_day for k in kinds)
    accounts = len(truth.kind)
    return Figures(
        events=period.events,
        bad_lines=period.bad,
        days=days,
        accounts=accounts,
        campaigns=[
            _campaign(n, truth, period, under, owner, opened[n], first_alert.get(n), everyone) for n in truth.names
        ],
        precision=guilty / len(everyone) if everyone else None,
        open_alerts=opened.total(),
        false_alerts=opened[HONEST],
        false_alerts_per_week_per_million=opened[HONEST] / (days / 7) / max(accounts, 1) * 1e6,
        honest_per_million_per_day=burden / population if population else 0.0,
        honest=kinds,
    )


def _campaign(
    name: str,
    truth: _Truth,
    period: _Period,
    under: dict[str, set[str]],
    owner: dict[str, str],
    opened: int,
    alerted: int | None,
    everyone: set[str],
) -> CampaignFigures:
    exchanges, members = period.exchanges[name], truth.members[name]
    leaked = exchanges if alerted is None else period.leaked[name]
    reached = sum(1 for a in everyone if truth.campaign.get(a) == name)
    charged: set[str] = set().union(*(accounts for c, accounts in under.items() if owner.get(c) == name))
    right = sum(1 for a in charged if truth.campaign.get(a) == name)
    begin = period.begins.get(name)
    return CampaignFigures(
        campaign=name,
        found=alerted is not None,
        exchanges=exchanges,
        leaked=leaked,
        leaked_share=leaked / exchanges if exchanges else 0.0,
        hours_to_alert=None if alerted is None or begin is None else (alerted - begin) / 3_600_000,
        accounts=members,
        accounts_decided=reached,
        accounts_decided_share=reached / members if members else 0.0,
        precision=right / len(charged) if charged else None,
        open_alerts=opened,
    )


def _owners(alerts: list[_Alert], under: dict[str, set[str]], truth: _Truth) -> dict[str, str]:
    """Return the true campaign, or HONEST, of every campaign id."""
    samples: dict[str, set[str]] = defaultdict(set)
    for a in alerts:
        samples[a.campaign_id].update(a.sample_accounts)
    out = {}
    for campaign_id in samples.keys() | under.keys():
        accounts = under.get(campaign_id) or samples[campaign_id]
        votes = Counter(truth.campaign.get(a, HONEST) for a in accounts)
        innocent = votes.pop(HONEST, 0)
        best = min(votes, key=lambda name: (-votes[name], name), default=HONEST)
        out[campaign_id] = HONEST if innocent * 2 >= len(accounts) else best
    return out


def _honest_kinds(truth: _Truth, period: _Period, decided: list[_Decision], days: float) -> list[KindFigures]:
    spans = _account_days(decided, period)
    accounts = Counter(kind for account, kind in truth.kind.items() if account not in truth.campaign)
    load: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    for account, count in spans.items():
        if account not in truth.campaign:
            kind = truth.kind.get(account, "unlabelled")
            load[kind] += count
            touched[kind] += 1
    for kind in touched:
        accounts[kind] = max(accounts[kind], touched[kind])
    return [
        KindFigures(
            kind=k, accounts=n, accounts_decided=touched[k], per_million_per_day=load[k] / max(days, 1.0) / n * 1e6
        )
        for k, n in sorted(accounts.items())
    ]


def _account_days(decided: list[_Decision], period: _Period) -> dict[str, int]:
    """Return on how many days of the run each account was under a decision; a later decision ends the one before."""
    by_account: dict[str, list[_Decision]] = defaultdict(list)
    for d in decided:
        by_account[d.value].append(d)
    out = {}
    for account, history in by_account.items():
        history.sort(key=lambda d: (d.start, d.revision))
        touched: set[int] = set()
        for d, following in zip(history, [*history[1:], None], strict=True):
            end = min(d.until, period.last + 1, following.start if following else d.until)
            if d.type != "none" and end > d.start:
                touched.update(range((d.start - period.first) // DAY_MS, (end - 1 - period.first) // DAY_MS + 1))
            elif d.type != "none" and not following:
                touched.add((d.start - period.first) // DAY_MS)
        if touched:
            out[account] = len(touched)
    return out


def _truth(path: Path) -> _Truth:
    truth = _Truth({}, {}, Counter(), [])
    for label in _records(path, _Label):
        if label.account is None:
            if label.campaign is None:
                raise InputError(f"{path}: a label names neither an account nor a campaign")
            truth.names.append(label.campaign)
            continue
        truth.kind[label.account] = label.kind
        if label.campaign is not None:
            truth.campaign[label.account] = label.campaign
            truth.members[label.campaign] += 1
    if not truth.kind:
        raise InputError(f"{path}: no account has a label")
    truth.names = list(dict.fromkeys([*truth.names, *truth.members]))
    return truth


def _pass(path: Path, truth: _Truth, first_alert: dict[str, int]) -> _Period:
    out = _Period(0, 0, 1 << 62, 0, Counter(), Counter(), {})
    decoder, campaign = msgspec.json.Decoder(_Event), truth.campaign
    for line in chain.from_iterable(batch.lines for batch in LineReader(str(path))):
        try:
            event = decoder.decode(line)
        except msgspec.MsgspecError:
            out.bad += 1
            continue
        time = event.time
        out.events += 1
        if time < out.first:
            out.first = time
        if time > out.last:
            out.last = time
        name = campaign.get(event.account)
        if name is not None:
            out.exchanges[name] += 1
            out.leaked[name] += time < first_alert.get(name, 0)
            out.begins[name] = min(time, out.begins.get(name, time))
    if not out.events:
        raise InputError(f"{path}: no event in it")
    return out


def _records(path: Path, form: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(form)
    for batch in LineReader(str(path)):
        for number, line in zip(batch.numbers, batch.lines, strict=True):
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise InputError(f"{path}, line {number}: {error}") from error


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _columns(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    rows = [head, *body]
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, width, strict=True))
        ).rstrip()
        for row in rows
    )

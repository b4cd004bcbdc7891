"""Measures one run and one detector."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from stream.evaluate.results import CampaignFigures, Figures, KindFigures
from stream.evaluate.traffic import DAY_MS, HONEST, Traffic
from stream.evaluate.verdicts import Verdicts, periods, read


def figures(traffic: Traffic, alerts: Path, decisions: Path) -> Figures:
    """Compare the alerts and decisions of one detector with the truth.

    Args:
        traffic: from `load`.
        alerts: one alert transition per line: JSON Lines, plain, `.gz` or `.zst`.
        decisions: one decision per line.

    Raises:
        InputError: a file cannot be read, or a line is not what it should be.
    """
    truth = traffic.truth
    verdicts = read(alerts, decisions, truth)
    everyone: set[str] = set().union(*verdicts.under.values())
    guilty = sum(1 for a in everyone if a in truth.campaign)
    kinds = _honest_kinds(traffic, verdicts)
    population, burden = sum(k.accounts for k in kinds), sum(k.accounts * k.per_million_per_day for k in kinds)
    opened = Counter(verdicts.owner[a.campaign_id] for a in verdicts.opened)
    first = verdicts.first_alerts()
    purity, completeness = _b_cubed(traffic, verdicts)
    accounts = len(truth.kind)
    return Figures(
        events=traffic.events,
        bad_lines=traffic.bad_lines,
        days=traffic.days,
        accounts=accounts,
        campaigns=[_campaign(n, traffic, verdicts, opened[n], first.get(n), everyone) for n in truth.members],
        precision=guilty / len(everyone) if everyone else None,
        b_cubed_precision=purity,
        b_cubed_recall=completeness,
        open_alerts=opened.total(),
        false_alerts=opened[HONEST],
        false_alerts_per_week_per_million=opened[HONEST] / (traffic.days / 7) / max(accounts, 1) * 1e6,
        honest_per_million_per_day=burden / population if population else 0.0,
        honest=kinds,
    )


def _campaign(
    name: str, traffic: Traffic, verdicts: Verdicts, opened: int, alerted: int | None, everyone: set[str]
) -> CampaignFigures:
    truth, members = traffic.truth, traffic.truth.members[name]
    weighted = [(a, traffic.times[a], truth.weight.get(a, 1.0)) for a in members if a in traffic.times]
    exchanges = sum(w * len(t) for _, t, w in weighted)
    leaked = exchanges if alerted is None else sum(w * int(np.searchsorted(t, alerted)) for _, t, w in weighted)
    contained = 0 if alerted is None else sum(w * _contained(t, alerted, a, verdicts) for a, t, w in weighted)
    reached = sum(1 for a in members if a in everyone)
    charged: set[str] = set().union(*(who for c, who in verdicts.under.items() if verdicts.owner[c] == name))
    right = sum(1 for a in charged if truth.campaign.get(a) == name)
    begin = min((int(t[0]) for _, t, w in weighted if w), default=None)
    return CampaignFigures(
        campaign=name,
        found=alerted is not None,
        exchanges=round(exchanges),
        leaked=round(leaked),
        leaked_share=leaked / exchanges if exchanges else 0.0,
        hours_to_alert=None if alerted is None or begin is None else (alerted - begin) / 3_600_000,
        contained_share=None if alerted is None or leaked >= exchanges else contained / (exchanges - leaked),
        accounts=len(members),
        accounts_decided=reached,
        accounts_decided_share=reached / len(members) if members else 0.0,
        precision=right / len(charged) if charged else None,
        open_alerts=opened,
    )


def _contained(times: np.ndarray, alerted: int, account: str, verdicts: Verdicts) -> int:
    count = 0
    for start, until, kind in periods(verdicts.history.get(account, [])):
        if kind != "observe" and until > max(start, alerted):
            count += int(np.searchsorted(times, until) - np.searchsorted(times, max(start, alerted)))
    return count


def _b_cubed(traffic: Traffic, verdicts: Verdicts) -> tuple[float | None, float | None]:
    campaign = traffic.truth.campaign
    cells: Counter[tuple[str, str]] = Counter()
    for account, history in verdicts.history.items():
        ids = [d.campaign_id for d in history if d.type != "none" and d.campaign_id in verdicts.under]
        if ids:
            cells[verdicts.heir.get(ids[-1], ids[-1]), campaign.get(account, HONEST)] += 1
    sizes: Counter[str] = Counter()
    for (cluster, _), count in cells.items():
        sizes[cluster] += count
    inside = {key: count for key, count in cells.items() if key[1] != HONEST}
    decided = sum(inside.values())
    pure = sum(count * count / sizes[cluster] for (cluster, _), count in inside.items())
    members = {name: len(accounts) for name, accounts in traffic.truth.members.items() if accounts}
    whole = sum(count * count / members[name] for (_, name), count in inside.items())
    for name, size in members.items():
        alone = size - sum(count for (_, other), count in inside.items() if other == name)
        whole += alone / size
    total = sum(members.values())
    return (pure / decided if decided else None), (whole / total if total else None)


def _honest_kinds(traffic: Traffic, verdicts: Verdicts) -> list[KindFigures]:
    truth = traffic.truth
    accounts = Counter(kind for account, kind in truth.kind.items() if account not in truth.campaign)
    load: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    for account, days in _account_days(traffic, verdicts).items():
        if account not in truth.campaign:
            kind = truth.kind.get(account, "unlabelled")
            load[kind] += days
            touched[kind] += 1
    false = Counter(
        min(suspects, key=lambda kind: (-suspects[kind], kind), default="unlabelled")
        for suspects in (
            verdicts.suspects[a.campaign_id] for a in verdicts.opened if verdicts.owner[a.campaign_id] == HONEST
        )
    )
    for kind in touched | false:
        accounts[kind] = max(accounts[kind], touched[kind])
    return [
        KindFigures(
            kind=k,
            accounts=n,
            accounts_decided=touched[k],
            per_million_per_day=load[k] / max(traffic.days, 1.0) / max(n, 1) * 1e6,
            false_alerts=false[k],
        )
        for k, n in sorted(accounts.items())
    ]


def _account_days(traffic: Traffic, verdicts: Verdicts) -> dict[str, int]:
    """Return on how many days of the run each account was under a decision."""
    out = {}
    for account, history in verdicts.history.items():
        days: set[int] = set()
        for start, until, _ in periods(history):
            end = max(min(until, traffic.last + 1), start + 1)
            days.update(range((start - traffic.first) // DAY_MS, (end - 1 - traffic.first) // DAY_MS + 1))
        if days:
            out[account] = len(days)
    return out

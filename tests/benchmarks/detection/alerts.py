"""From accounts that a baseline flags to alerts and decisions, in the form that `hydrawatch evaluate` reads.

A detector of single accounts knows no campaigns. What it flags on one day (UTC) is one alert: it opens with the
`least`-th account of the day that is under no decision yet, at that moment, and takes in whoever is flagged later that
day. An account under a decision opens nothing; its decision is renewed while it goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.alerts import Decision, stable_id
from detectors.decisions import Subject, decide
from detectors.settings import DecisionSettings
from tests.benchmarks.detection.columns import DAY_MS, runs

SAMPLE = 50
SETTINGS = DecisionSettings()
LEAST_ACCOUNTS = 5
"""Accounts of one day that make an alert, as `links.min_accounts` of the product."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the contract's alert that a baseline can fill."""

    alert_id: str
    campaign_id: str
    revision: int
    state: str
    time: int
    accounts: int
    sample_accounts: list[str]
    kind: str = "campaign"


@dataclass(frozen=True)
class Flags:
    """An account's score as of `time` (ms, when it could first be known), in the order of time."""

    time: NDArray[np.int64]
    account: NDArray[np.int64]
    score: NDArray[np.float64]

    def over(self, threshold: float) -> Flags:
        """Return the first flag of each account and day whose score is at least `threshold`."""
        kept = np.flatnonzero(self.score >= threshold)
        order, start = runs(self.account[kept], (self.time[kept] - 1) // DAY_MS)
        rows = np.sort(kept[order[start]])
        return Flags(self.time[rows], self.account[rows], self.score[rows])


def in_order(parts: Iterable[Flags]) -> Flags:
    """Join flags from several sources."""
    listed = list(parts)
    time, account, score = (np.concatenate([getattr(p, n) for p in listed]) for n in ("time", "account", "score"))
    order = np.argsort(time, kind="stable")
    return Flags(time[order], account[order], score[order])


@dataclass
class Outcome:
    """What a baseline said about a run."""

    detector: str
    ids: list[str]
    alerts: list[Alert] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def open(self, members: list[int], time: int) -> str:
        """Open an alert about accounts and decide about each; return its campaign id."""
        campaign = f"{self.detector}-{stable_id(self.detector, len(self.alerts), time)[:16]}"
        named = [self.ids[account] for account in sorted(members)]
        self.alerts.append(
            Alert(
                alert_id=stable_id(campaign, 1),
                campaign_id=campaign,
                revision=1,
                state="open",
                time=time,
                accounts=len(named),
                sample_accounts=named[:SAMPLE],
            )
        )
        for account in sorted(members):
            self.decide(campaign, account, time)
        return campaign

    def decide(self, campaign: str, account: int, time: int, revision: int = 1) -> int:
        """Put an account under a decision; return until when, ms."""
        made = decide(SETTINGS, campaign, "warning", Subject(self.ids[account], 0.5, ""), revision, time)
        self.decisions.append(made)
        return made.until

    def write(self, folder: Path) -> None:
        """Write `alerts.jsonl` and `decisions.jsonl`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, records in (("alerts", self.alerts), ("decisions", self.decisions)):
            lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
            (folder / f"{name}.jsonl").write_bytes(lines)


def by_day(detector: str, ids: list[str], flags: Flags, threshold: float, least: int = LEAST_ACCOUNTS) -> Outcome:
    """Group the accounts flagged at `threshold` by day; see the module's docstring."""
    out = Outcome(detector, ids)
    kept = flags.over(threshold)
    held: dict[int, tuple[str, int, int]] = {}
    today, waiting, campaign = -1, [], ""
    for time, account in zip(kept.time.tolist(), kept.account.tolist(), strict=True):
        day = (time - 1) // DAY_MS
        if day != today:
            today, waiting, campaign = day, [], ""
        name, until, revision = held.get(account, ("", 0, 0))
        if until > time:
            if until - time < DAY_MS:
                held[account] = (name, out.decide(name, account, time, revision + 1), revision + 1)
        elif campaign:
            held[account] = (campaign, out.decide(campaign, account, time), 1)
        else:
            waiting.append(account)
            if len(waiting) >= least:
                campaign = out.open(waiting, time)
                until = out.decisions[-1].until
                held.update(dict.fromkeys(waiting, (campaign, until, 1)))
    return out

"""Which campaign each account belongs to, and which one the accounts of a cluster go on with."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.alerts import Evidence, Link, Mitigating
from detectors.lineage import SAME_WORK, continues, same_work, took_over
from detectors.linking.graph import Graph

OVERLAP = 0.3
"""A group joins a campaign when they share this part of the smaller one's accounts."""


class Campaign(msgspec.Struct):
    """One campaign as it stands."""

    campaign_id: str
    first_seen: int
    opened: int
    last_seen: int = 0
    revision: int = 0
    state: str = "open"
    severity: str = "warning"
    score: float = 0.0
    surprise: float = 0.0
    alerted_accounts: int = 0
    alerted_score: float = 0.0
    alerted_names: list[str] = []
    alerted: int = 0
    evidence: list[Evidence] = []
    links: list[Link] = []
    mitigating: list[Mitigating] = []
    told: int = 0
    """Accounts of the group that the score and the evidence are of."""
    provisional: bool = True
    merged_into: str | None = None
    lineage: list[str] = []
    members: dict[int, int] = {}
    """Account rows, and until when each is under a decision, ms; 0 for none yet."""
    traffic: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0, 0.0])
    dirty: bool = False
    nats: list[float] = []
    """Of every family when its evidence was strongest, before verdicts re-weigh them."""
    urgent: bool = False
    """A verdict changed it, or it is back, which is told at once."""


class Roster:
    """The campaigns by number, in the order of their opening, and their members.

    Args:
        graph: names and traffic of the accounts.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.campaigns: list[Campaign] = []
        self._member_of = np.full(0, -1, np.int64)

    def owner(self, rows: NDArray) -> NDArray[np.int64]:
        """Return the campaign of each account row, dismissed ones too; −1 for none."""
        owner = np.full(len(rows), -1, np.int64)
        known = rows < len(self._member_of)
        owner[known] = self._member_of[rows[known]]
        return owner

    def members(self, number: int) -> NDArray[np.int64]:
        """Return the account rows of a campaign."""
        return np.array(list(self.campaigns[number].members), np.int64)

    def move(self, rows: list[int], number: int) -> None:
        """Let account rows belong to a campaign, and to no other."""
        if len(self._member_of) < self.graph.accounts.rows:
            more = self.graph.accounts.rows + 1024 - len(self._member_of)
            self._member_of = np.concatenate([self._member_of, np.full(more, -1)])
        for row in rows:
            if self._member_of[row] >= 0:
                self.campaigns[self._member_of[row]].members.pop(row, None)
        self._member_of[rows] = number
        self.campaigns[number].members |= dict.fromkeys(rows, 0)

    def release(self, number: int) -> None:
        """Let the members of a campaign belong to none."""
        self._member_of[self.members(number)] = -1
        self.campaigns[number].members = {}

    def load(self, campaigns: list[Campaign]) -> None:
        """Put back the campaigns of an earlier process."""
        self.campaigns = campaigns
        self._member_of = np.full(self.graph.accounts.rows + 1024, -1, np.int64)
        for number in range(len(campaigns)):
            self._member_of[self.members(number)] = number

    def find(self, number: int, accounts: list[int], joined: dict[int, int], now: int) -> int:
        """Return the campaign of a cluster: by its history, by shared accounts, or by its work; −1 for none.

        A cluster that accuses others than it did belongs where they belong: one cell saw an operation end and another
        begin.

        Args:
            number: the campaign that it belonged to, −1 for none.
            accounts: those it accuses.
            joined: what `overlaps` says of them.
        """
        number = self.follow(number)
        if number >= 0 and number not in joined and not self._goes_on(number, accounts, now):
            number = -1
        if number < 0 and joined:
            number = max(joined, key=lambda n: (joined[n], -n))
        if number < 0:
            number = self._continued(accounts, now)
        if number < 0 and (owner := self.owner(np.array(accounts, np.int64))).min() >= 0:
            number = int(np.bincount(owner).argmax())  # a new one would have nobody
        return number

    def same(self, number: int, other: int) -> bool:
        """Tell whether two campaigns do the same work; they do where nothing can be compared."""
        return not same_work(self.graph, self.members(number), self.members(other)) < SAME_WORK

    def _goes_on(self, number: int, accounts: list[int], now: int) -> bool:
        """Tell whether accounts may go on with a campaign; they do where nothing can be compared."""
        old = self.members(number)
        new = np.setdiff1d(accounts, old)
        if not len(old) or not len(new) or not same_work(self.graph, old, new) < SAME_WORK:
            return True
        return took_over(self.graph, old, new, now)

    def follow(self, number: int) -> int:
        """Return the campaign that a merged one went into, any other as it is."""
        while number >= 0 and self.campaigns[number].state == "merged":
            target = self.campaigns[number].merged_into
            number = next(i for i, other in enumerate(self.campaigns) if other.campaign_id == target)
        return number

    def overlaps(self, accounts: list[int]) -> dict[int, int]:
        """Return the campaigns that share a good part of the accounts, and how many they share."""
        owners = self._member_of[[row for row in accounts if row < len(self._member_of)]]
        shared = {n: int((owners == n).sum()) for n in np.unique(owners[owners >= 0]).tolist()}
        sizes = {n: min(len(accounts), len(self.campaigns[n].members)) for n in shared}
        return {n: both for n, both in shared.items() if both >= OVERLAP * sizes[n]}

    def kin(self, accounts: NDArray, now: int, but: Collection[int], by_work: bool = True) -> NDArray[np.int64] | None:
        """Return who the accounts must be like to be of a campaign; None where there is none.

        Its members where a good part of the accounts are among them; the accounts themselves where they go on with
        its work: a second pool may be of another kind.

        Args:
            but: campaigns that do not count.
            by_work: whether going on with the work is enough.
        """
        shared = {n: both for n, both in self.overlaps(accounts.tolist()).items() if n not in but}
        number = max(shared, key=lambda n: (shared[n], -n), default=-1)
        if number >= 0 and shared[number] >= OVERLAP * len(accounts):
            return self.members(number)
        return accounts if by_work and len(accounts) and self._continued(accounts.tolist(), now, but) >= 0 else None

    def _continued(self, accounts: list[int], now: int, but: Collection[int] = ()) -> int:
        """Return the campaign that other accounts began and these go on with, the latest first; −1 for none.

        Args:
            but: campaigns that do not count.
        """
        for number in range(len(self.campaigns) - 1, -1, -1):
            old = self.members(number)
            new = np.setdiff1d(accounts, old)
            if number in but or self.campaigns[number].state == "merged" or not len(old) or not len(new):
                continue
            if continues(self.graph, old, new, now):
                return number
        return -1

"""A fleet: accounts served from one schedule by a dispatcher. Honest jobs and campaigns differ in its settings only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.simulate.arrivals import Schedule, Turns, fleet_starts, unfold
from stream.simulate.events import EVENT, mix
from stream.simulate.figures import AGENT_GAP_S, HOUR_MS, Quantiles
from stream.simulate.identities import Group
from stream.simulate.people import fail
from stream.simulate.prompts import PromptSet
from stream.simulate.world import World

Change = Callable[[np.random.Generator, np.ndarray], None]
"""Changes rows of EVENT in place before any of them fails."""


@dataclass
class Slots:
    """Places in the dispatcher, each filled by one account after the other.

    `account` (s, k): members of the group, -1 for none; `start` (s, k): from when each serves, ms, ascending;
    `ban` (s, k): when each is shut out, ms.
    """

    account: np.ndarray
    start: np.ndarray
    ban: np.ndarray

    def at(self, slot: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Return the account that serves each slot then, -1 where nobody does."""
        k = (time[:, None] >= self.start[slot]).sum(axis=1) - 1
        safe = np.maximum(k, 0)
        there = (k >= 0) & (time < self.ban[slot, safe])
        return np.where(there, self.account[slot, safe], -1)


_ASKED = (
    "model",
    "language",
    "shape",
    "template",
    "simhash",
    "content",
    "signature",
    "turn",
    "max_tokens",
    "input",
    "own",
)
"""What stays the same when a request is tried on another account, which counts it as another conversation."""


@dataclass
class Phase:
    """From `start` (ms) on the fleet sends `prompts`.

    `reach`: (templates,) share of the accounts that are given each of them, all by default.
    """

    start: int
    prompts: PromptSet
    reach: np.ndarray | None = None

    def choose(self, rng: np.random.Generator, accounts: np.ndarray) -> np.ndarray:
        """Return a template for each of `accounts`, by weight and within its reach where some tries find one."""
        which = self.prompts.choose(rng, len(accounts))
        for _ in range(8 if self.reach is not None else 0):
            draw = mix(accounts.astype(np.uint64) * np.uint64(4096) + which.astype(np.uint64)) >> np.uint64(11)
            out = np.flatnonzero(draw.astype(float) / 2.0**53 > self.reach[which])  # type: ignore[index]
            which[out] = self.prompts.choose(rng, len(out))
        return which


@dataclass
class Tempo:
    """How a fleet sends.

    `schedule`: requests per hour; `weights` (slots,): shares of the load; `turns`: mean requests per conversation;
    `gap`: between turns, s; `pulse_s`: wake-up interval of the scheduler, 0 for none; `errors`: share answered 429;
    `failover`: a request answered 429 or 403 goes to another account within seconds.
    """

    schedule: Schedule
    weights: np.ndarray
    turns: float = 1.0
    gap: Quantiles = AGENT_GAP_S
    pulse_s: float = 0.0
    errors: float = 0.004
    failover: bool = False


@dataclass
class Fleet:
    """Accounts, what they send, and how.

    `camouflage`: share of other requests, `cover` what they are; `unrelated`: they are other people's; `pivot`: share
    that moves to the new model within `pivot_hours` of its release, -1 to leave models to the accounts; `changes`: made
    to all rows.
    """

    world: World
    name: str
    group: Group
    slots: Slots
    phases: list[Phase]
    tempo: Tempo
    cover: PromptSet | None = None
    camouflage: float = 0.0
    pivot: float = -1.0
    pivot_hours: float = 12.0
    unrelated: bool = False
    changes: Sequence[Change] = ()
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = self.world.rng("traffic/" + self.name)

    def draw(self, start: int, end: int) -> np.ndarray:
        """See `world.Population`."""
        rng, tempo = self._rng, self.tempo
        times = fleet_starts(rng, start, end, lambda t: tempo.schedule(t) / tempo.turns, tempo.pulse_s)
        slot = rng.choice(len(tempo.weights), len(times), p=tempo.weights)
        who = self._dispatch(slot, times)
        there = who >= 0
        who, times = who[there], times[there]
        if not len(who):
            return np.empty(0, EVENT)
        calls = self._move(unfold(rng, who, times, np.full(len(who), tempo.turns), tempo.gap))
        rows = self.group.rows(calls.who, calls.time)
        if tempo.turns > 1:
            talks = mix(rng.integers(0, 1 << 63, len(who)))[calls.talk]
            rows["turn"], rows["conversation"] = calls.turn, mix(talks ^ rows["account"].astype(np.uint64))
        self._ask(rows, calls.talk, times)
        if self.pivot >= 0:
            moved = self.pivot * np.clip((rows["time"] - self.world.release) / (self.pivot_hours * HOUR_MS), 0, 1)
            rows["model"] = np.where(rng.random(len(rows)) < moved, self.group.new_model[0], rows["model"])
        for change in self.changes:
            change(rng, rows)
        rows = fail(rng, rows, tempo.errors if not tempo.failover else 0.0005)
        return np.concatenate([rows, *self._rejected(rows, start, end)]) if tempo.failover else rows

    def _move(self, calls: Turns) -> Turns:
        """Give what is left of a conversation at its account's ban to the account in another slot, if there is one."""
        late = np.flatnonzero(calls.time >= self.group.died[calls.who])
        if not len(late):
            return calls
        slot = self._rng.choice(len(self.tempo.weights), int(calls.talk.max()) + 1, p=self.tempo.weights)
        calls.who[late] = self.slots.at(slot[calls.talk[late]], calls.time[late])
        kept = calls.who >= 0
        return Turns(*(part[kept] for part in calls))

    def _dispatch(self, slot: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return the member for each start; a vacant slot's work goes to other slots."""
        who = self.slots.at(slot, times)
        for _ in range(6 if self.tempo.failover else 0):
            vacant = np.flatnonzero(who < 0)
            if not len(vacant):
                break
            other = self._rng.choice(len(self.tempo.weights), len(vacant), p=self.tempo.weights)
            who[vacant] = self.slots.at(other, times[vacant])
        return who

    def _ask(self, rows: np.ndarray, talk: np.ndarray, starts: np.ndarray) -> None:
        """Fill in prompts: one template per conversation, by phase, some of it camouflage."""
        rng = self._rng
        phase = np.searchsorted([p.start for p in self.phases], starts, side="right") - 1
        phase = np.where(rng.random(len(starts)) < self.camouflage, -1, np.maximum(phase, 0))[talk]
        cover = [] if self.cover is None else [Phase(0, self.cover)]
        for i, work in enumerate([*self.phases, *cover]):
            mine = np.flatnonzero(phase == (i if i < len(self.phases) else -1))
            if len(mine):
                part = rows[mine]
                _, first, index = np.unique(talk[mine], return_index=True, return_inverse=True)
                work.prompts.fill(part, work.choose(rng, part["account"][first])[index], rng)
                if i == len(self.phases) and self.unrelated:
                    part["own"] = 0
                rows[mine] = part

    def _rejected(self, rows: np.ndarray, start: int, end: int) -> list[np.ndarray]:
        """Return the attempts before fail-over: 429 anywhere, 403 on accounts just banned."""
        rng = self._rng
        tried = rows[rng.random(len(rows)) < self.tempo.errors]
        out = [self._attempt(tried, rng.integers(0, len(self.group), len(tried)), 429)]
        banned = np.argwhere((self.slots.ban >= start) & (self.slots.ban < end) & (self.slots.account >= 0))
        for s, k in banned.tolist():
            near = np.flatnonzero(rows["time"] >= self.slots.ban[s, k])[: int(rng.integers(1, 4))]
            out.append(self._attempt(rows[near], np.full(len(near), self.slots.account[s, k]), 403))
        return out

    def _attempt(self, rows: np.ndarray, who: np.ndarray, status: int) -> np.ndarray:
        times = rows["time"] - self._rng.integers(800, 15_000, len(rows))
        serving = (times >= self.group.born[who]) & ((times < self.group.died[who]) | (status == 403))
        rows, who, times = rows[serving], who[serving], times[serving]
        first = self.group.rows(who, times)
        for name in _ASKED:
            first[name] = rows[name]
        own = mix(rows["conversation"] ^ first["account"].astype(np.uint64))
        first["conversation"] = np.where(rows["conversation"] > 0, own, 0)
        first["status"] = status
        return first


def one_each(group: Group) -> Slots:
    """Return slots with one account each, for its life."""
    return Slots(np.arange(len(group))[:, None], group.born[:, None], group.died[:, None])


def even(n: int) -> np.ndarray:
    """Return equal shares of the load."""
    return np.full(n, 1 / n)


def uneven(rng: np.random.Generator, n: int, sigma: float) -> np.ndarray:
    """Return log-normal shares of the load."""
    w = np.exp(sigma * rng.standard_normal(n))
    out: np.ndarray = w / w.sum()
    return out

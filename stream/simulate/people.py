"""Small users: chat and coding, in sessions, by their local hour, coming and going."""

from __future__ import annotations

import numpy as np

from stream.simulate.apps import chat_prompts
from stream.simulate.arrivals import session_starts, sittings, unfold
from stream.simulate.circles import BUILDERS, PEOPLE, circles
from stream.simulate.events import EVENT, mix
from stream.simulate.figures import (
    AGENT_GAP_S,
    DAY_MS,
    DEVELOPER_MEDIAN_PER_DAY,
    HUMAN_HOURS,
    SESSION_TURNS,
    TALKS_PER_SITTING,
    TURN_GAP_S,
    USER_MEDIAN_PER_DAY,
    USER_SIGMA,
    Quantiles,
)
from stream.simulate.identities import DEVELOPER, NEVER, PERSON, Group, Profile, enrol, veterans
from stream.simulate.networks import Networks
from stream.simulate.prompts import AGENT_LOOP, CHAT, PromptSet, promptset, public_templates
from stream.simulate.world import World

MEAN_TURNS = 1 + float(np.sum(1 - np.array(SESSION_TURNS)))
CIRCLES = {"chat": PEOPLE, "developer": BUILDERS}


class People:
    """Persons with sessions.

    Args:
        per_day: (n,) mean requests a day.
        turns: (n,) mean requests of a conversation; None for RAGPulse's distribution.
        talks: (n,) mean conversations in a sitting, one after the other.
        favourite: (n,) index of the prompt each person uses in 60 % of the sessions.
        busy: share of days on which a person is there at all.
    """

    def __init__(
        self,
        world: World,
        name: str,
        group: Group,
        prompts: PromptSet,
        per_day: np.ndarray,
        turns: np.ndarray | None,
        talks: np.ndarray,
        favourite: np.ndarray,
        gap: Quantiles,
        busy: float,
    ) -> None:
        self._world, self._rng = world, world.rng("traffic/" + name)
        self._group, self._prompts, self._gap = group, prompts, gap
        self._turns, self._talks = turns, talks
        self._sittings = per_day / busy / talks / (MEAN_TURNS if turns is None else turns)
        self._favourite, self._busy = favourite, busy
        self.zones = group.zone

    def draw(self, start: int, end: int) -> np.ndarray:
        """See `world.Population`."""
        rng, group = self._rng, self._group
        rate = self._sittings * self._present(start) * (1 + 0.9 * self._launch(start))
        who, times = session_starts(rng, start, end, rate, group.zone, HUMAN_HOURS)
        there = (times >= group.born[who]) & (times < group.died[who])
        who, times = who[there], times[there]
        if not len(who):
            return np.empty(0, EVENT)
        if self._turns is None:
            calls = sittings(rng, who, times, self._talks[who], self._gap)
        else:
            calls = unfold(rng, who, times, self._turns[who], self._gap)
        rows = group.rows(calls.who, calls.time)
        n = int(calls.talk[-1]) + 1
        rows["turn"], rows["conversation"] = calls.turn, mix(rng.integers(0, 1 << 63, n))[calls.talk]
        own = (rng.random(n) < 0.6)[calls.talk]
        which = np.where(own, self._favourite[calls.who], self._prompts.choose(rng, n)[calls.talk])
        self._prompts.fill(rows, which, rng)
        return fail(rng, rows, 0.004)

    def _present(self, start: int) -> np.ndarray:
        day = np.uint64(start // DAY_MS)
        draw = mix(self._group.ids.astype(np.uint64) ^ (day << np.uint64(32)) ^ np.uint64(0xDA))
        return (draw >> np.uint64(11)).astype(float) / 2.0**53 < self._busy

    def _launch(self, start: int) -> float:
        since = (start - self._world.release) / DAY_MS
        return float(np.exp(-since / 0.8)) if since >= 0 else 0.0


def fail(rng: np.random.Generator, rows: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Let `share` of the requests end in 429, and a few in 529, 500 or 403; failed ones have no output."""
    draw = rng.random(len(rows)) - share
    status = np.select([draw < 0, draw < 0.001, draw < 0.0016, draw < 0.0022], [429, 529, 500, 403], 200)
    rows["status"] = np.where(rows["status"] == 200, status, rows["status"])
    failed = rows["status"] != 200
    rows["output"][failed] = 0
    rows["refused"][failed] = 0
    rows["reasoning"] = np.where(failed & (rows["reasoning"] > 0), 0, rows["reasoning"])
    return rows


def lifetimes(world: World, rng: np.random.Generator, n: int, newcomers: float) -> tuple[np.ndarray, np.ndarray]:
    """Return creation and end of `n` accounts: `newcomers` sign up during the run, an eighth leave during it."""
    span = world.end - world.start
    created = np.where(
        rng.random(n) < newcomers, world.start + (rng.random(n) * span).astype(np.int64), veterans(world, rng, n)
    )
    leaves = np.maximum(created, world.start) + (rng.exponential(0.6, n) * span).astype(np.int64)
    return created, np.where(rng.random(n) < 0.125, leaves, NEVER)


def chatters(world: World, networks: Networks, n: int) -> People:
    """Return `n` chat users."""
    rng = world.rng("chat")
    created, died = lifetimes(world, rng, n, 0.16)
    group = _enrol(world, networks, rng, n, "chat", PERSON, created, died)
    per_day = np.minimum(USER_MEDIAN_PER_DAY * np.exp(USER_SIGMA * rng.standard_normal(n)), 55)
    talks = TALKS_PER_SITTING * np.minimum((per_day * 23) ** 0.7, 30) * np.exp(0.4 * rng.standard_normal(n))
    prompts = chat_prompts(world, rng)
    favourite = prompts.choose(rng, n)
    return People(world, "chat", group, prompts, per_day, None, np.maximum(talks, 1), favourite, TURN_GAP_S, 0.45)


def developers(world: World, networks: Networks, n: int) -> People:
    """Return `n` users of coding agents: the same few public templates, long loops, larger volumes."""
    rng = world.rng("developer")
    created, died = lifetimes(world, rng, n, 0.14)
    group = _enrol(world, networks, rng, n, "developer", DEVELOPER, created, died)
    per_day = np.minimum(DEVELOPER_MEDIAN_PER_DAY * np.exp(rng.standard_normal(n)), 260)
    kinds = [AGENT_LOOP[i] for i in rng.choice(len(AGENT_LOOP), 60, p=[0.48, 0.25, 0.16, 0.03, 0.08])]
    prompts = promptset(
        world, [*kinds, *CHAT], np.concatenate([public_templates(world, rng, 60), world.numbers(len(CHAT))])
    )
    prompts.weight[:60] = 1.4
    turns = 3.0 + np.minimum(np.sqrt(per_day) * 2.5, 22)
    favourite = rng.integers(0, 60, n)
    return People(world, "developer", group, prompts, per_day, turns, np.ones(n), favourite, AGENT_GAP_S, 0.5)


def _enrol(
    world: World,
    networks: Networks,
    rng: np.random.Generator,
    n: int,
    kind: str,
    profile: Profile,
    created: np.ndarray,
    died: np.ndarray,
) -> Group:
    common = circles(networks, rng, networks.mixed(n, 0.10 if kind == "chat" else 0.14), CIRCLES[kind])
    return enrol(
        world,
        rng,
        n,
        kind,
        profile,
        exits=common.exits,
        created=created,
        died=died,
        cards=common.cards,
        devices=common.devices,
        organizations=common.organizations,
    )

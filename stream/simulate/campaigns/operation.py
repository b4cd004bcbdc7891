"""What all campaigns are made of: places for accounts, the accounts themselves, work lists, rhythms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.arrivals import Schedule
from stream.simulate.events import mix
from stream.simulate.figures import BUSINESS_HOURS, DAY_MS, FRAUD_CARD_FANOUT, HOUR_MS, SIGNUP_GAP_S, Reported
from stream.simulate.fleet import Change, Slots, even, uneven
from stream.simulate.identities import NEVER, Group, Profile, adoption, enrol, veterans
from stream.simulate.networks import Networks, grouped, shared
from stream.simulate.prompts import Kind, PromptSet, promptset, public_templates
from stream.simulate.world import World

Range = tuple[float, float]
Work = tuple[tuple[Kind, int], ...]
"""Kinds of prompt with the number of templates of each."""


def window(world: World, rng: np.random.Generator, start: Range, length: Range) -> tuple[int, int]:
    """Draw a campaign's first and last moment, ms; the ranges are shares of the run."""
    span = world.end - world.start
    begin = world.start + int(rng.uniform(*start) * span)
    return begin, min(begin + int(rng.uniform(*length) * span), world.end)


def head_count(world: World, reported: Reported) -> int:
    """Return the accounts at the world's scale, so many at least that a campaign stays one."""
    return max(reported.least_accounts, round(reported.accounts * world.scale))


def volume(world: World, reported: Reported, start: int, end: int) -> float:
    """Return the exchanges in [start, end) ms at the reported daily rate and the world's scale."""
    return reported.exchanges / reported.days * world.scale * (end - start) / DAY_MS


def rotation(rng: np.random.Generator, n: int, start: int, end: int, replaced: Range) -> tuple[Slots, np.ndarray]:
    """Draw bans and replacements in `n` places of the dispatcher.

    Args:
        replaced: range of the share of the accounts that is banned, and replaced, on the way.

    Returns:
        The places, and when each of their accounts begins (m,), ms.
    """
    first = np.where(rng.random(n) < 0.6, start, start + rng.uniform(0, 0.4, n) * (end - start)).astype(np.int64)
    first += rng.integers(0, 6 * HOUR_MS, n)
    account, begins, ban = (np.full((n, 3), v, np.int64) for v in (-1, NEVER, NEVER))
    account[:, 0], begins[:, 0] = np.arange(n), first
    share, members = rng.uniform(*replaced), n
    for k in (1, 2):
        hit = np.flatnonzero((begins[:, k - 1] < end) & (rng.random(n) < share))
        when = begins[hit, k - 1] + (rng.uniform(0.1, 1.0, len(hit)) * (end - begins[hit, k - 1])).astype(np.int64)
        ban[hit, k - 1] = when
        spare = np.exp(rng.uniform(np.log(5 / 60), np.log(24), len(hit))) * HOUR_MS  # 5 min to a day
        account[hit, k], begins[hit, k] = members + np.arange(len(hit)), when + spare.astype(np.int64)
        members += len(hit)
    return Slots(account, begins, ban), by_account(Slots(account, begins, ban), begins, members)


def lone_sign_ups(world: World, rng: np.random.Generator, born: np.ndarray) -> np.ndarray:
    """Return sign-up times without cohorts: each some days before its first use, a third bought, and old."""
    n = len(born)
    created = born - (rng.exponential(20 * DAY_MS, n) + HOUR_MS).astype(np.int64)
    return np.where(rng.random(n) < 0.33, veterans(world, rng, n), created)


def by_account(slots: Slots, values: np.ndarray, members: int) -> np.ndarray:
    """Return (members,) the values (s, k) of each account's place."""
    out = np.full(members, NEVER)
    used = slots.account >= 0
    out[slots.account[used]] = values[used]
    return out


def recruit(
    world: World,
    networks: Networks,
    rng: np.random.Generator,
    name: str,
    profile: Profile,
    slots: Slots,
    born: np.ndarray,
    *,
    languages: dict[str, float],
    cards: np.ndarray | tuple[int, int] = (1, 5),
    devices: np.ndarray | None = None,
    exits: np.ndarray | None = None,
    created: np.ndarray | None = None,
    adopters: float = 0.5,
    roles: Sequence[str] | None = None,
) -> Group:
    """Enrol the accounts of a campaign: half the cards in groups of `cards` members, devices and exits in crews.

    Args:
        born: (m,) when each account begins, ms.
        roles: (m,) kinds for the labels; by default who came later is a `replacement`.
    """
    n = len(born)
    if isinstance(cards, tuple):
        cards = np.where(rng.random(n) < 0.5, grouped(rng, n, *cards), n + shared(rng, n, FRAUD_CARD_FANOUT))
    group = enrol(
        world,
        rng,
        n,
        "member",
        profile,
        exits=crew_exits(networks, rng, n) if exits is None else exits,
        created=sign_ups(world, rng, born) if created is None else created,
        campaign=name,
        cards=cards,
        devices=grouped(rng, n, 1, 5) if devices is None else devices,
        born=born,
        died=by_account(slots, slots.ban, n),
        adopts=adoption(world, rng, n, adopters),
        languages=languages,
    )
    if roles is None:
        roles = np.where(np.arange(n) >= len(slots.account), "replacement", "member").tolist()
    for i, kind in zip(group.ids.tolist(), roles, strict=True):
        world.kind[i] = kind
    return group


def sign_ups(world: World, rng: np.random.Generator, born: np.ndarray) -> np.ndarray:
    """Return sign-up times: cohorts with Hop's gaps shortly before first use; a seventh bought, and old."""
    n = len(born)
    cohort = grouped(rng, n, 6, 30)
    created = np.empty(n, np.int64)
    for c in np.unique(cohort):
        mine = np.flatnonzero(cohort == c)
        gaps = np.minimum(SIGNUP_GAP_S.draw(rng, len(mine)), DAY_MS / 1000) * 1000
        lead = rng.uniform(0.05, 9) * DAY_MS
        created[mine] = born[mine].min() - lead + np.cumsum(gaps)
    created = np.minimum(created, born - rng.integers(60_000, 12 * HOUR_MS, n))
    return np.where(rng.random(n) < 0.14, veterans(world, rng, n), created)


def crew_exits(networks: Networks, rng: np.random.Generator, n: int, hubs: float = 0.15) -> np.ndarray:
    """Return (n, 3) exits: small groups' pools of a few proxies and servers, own ones, and `hubs` of VPN providers."""
    crew = grouped(rng, n, 4, 14)
    crews = int(crew.max()) + 1
    pool = np.stack(
        [
            np.where(rng.random(crews) < 0.5, networks.private("hosting", crews), networks.private("home", crews))
            for _ in range(5)
        ],
        axis=1,
    )
    exits = pool[crew[:, None], rng.integers(0, 5, (n, 3))]
    own = rng.random((n, 3)) < 0.35
    exits = np.where(own, networks.private("home", 3 * n).reshape(n, 3), exits)
    return np.where(rng.random((n, 3)) < hubs, networks.hub("vpn", 3 * n).reshape(n, 3), exits)


def work_list(
    world: World,
    rng: np.random.Generator,
    work: Work,
    total: float,
    public: float = 0.0,
    paraphrase: float | None = None,
) -> PromptSet:
    """Return the templates of `work`, with lists that leave room for resampling.

    Args:
        total: exchanges of the campaign.
        public: share of the templates that others use as well.
        paraphrase: share of the requests with a rewritten skeleton; drawn by default.
    """
    if paraphrase is None:
        paraphrase = float(rng.choice([0.0, 0.15, 0.4], p=[0.4, 0.35, 0.25]))
    count = sum(number for _, number in work)
    items = int(total / count * rng.uniform(1.0, 5.0)) + 40
    out = [_vary(rng, kind, items, paraphrase, number) for kind, number in work for _ in range(number)]
    keys = np.where(rng.random(count) < public, public_templates(world, rng, count), world.numbers(count))
    return promptset(world, out, keys)


def varied(rng: np.random.Generator, work: Work) -> list[Kind]:
    """Return the kinds of `work`, one per template, each with its own number of tools where it has any."""
    kinds = [kind for kind, number in work for _ in range(number)]
    return [replace(k, tools=int(rng.integers(2, 19))) if k.tools else k for k in kinds]


def reaches(rng: np.random.Generator, n: int, free: int = 0) -> np.ndarray:
    """Return the share of the accounts that are given each of `n` templates; the last `free` reach them all."""
    out = rng.beta(0.7, 0.7, n)
    out[n - free :] = 1.0
    return out


def _vary(rng: np.random.Generator, kind: Kind, items: int, paraphrase: float, number: int) -> Kind:
    changes = {
        "items": items,
        "paraphrase": paraphrase,
        "weight": kind.weight / number * float(rng.uniform(0.5, 1.5)),
        "input": (kind.input[0] * float(rng.uniform(0.7, 1.4)), kind.input[1]),
        "output": (kind.output[0] * float(rng.uniform(0.7, 1.4)), kind.output[1]),
    }
    return replace(kind, **changes)  # type: ignore[arg-type]


def rhythm(rng: np.random.Generator, start: int, end: int, synchronised: bool = False) -> Schedule:
    """Return the load over time: batches of all accounts at once, or a day more or less like an office's."""
    key = int(rng.integers(1 << 20))
    if synchronised:
        load = s.batches(key, int(rng.integers(3, 6)), float(rng.uniform(1.0, 2.5)), 0.06)
    else:
        hours = 1 + float(rng.uniform(0.0, 0.6)) * (BUSINESS_HOURS - 1)
        load = s.product(s.daily(hours, 8), s.wobble(key, 0.35))
    rising = rng.uniform(0.1, 0.3) * (end - start) if rng.random() < 0.6 else 0.0
    return s.product(load, s.between(start, end), s.ramp(start, rising))


def balanced(rng: np.random.Generator, n: int, always: bool = False) -> np.ndarray:
    """Return (n,) shares of the load: equal in three campaigns of ten, else log-normal, at most 2.6 times the mean."""
    weights = even(n) if always or rng.random() < 0.3 else uneven(rng, n, rng.uniform(0.2, 0.6))
    weights = np.minimum(weights, 2.6 / n)
    out: np.ndarray = weights / weights.sum()
    return out


def tongues(world: World, weights: Mapping[str, float]) -> Change:
    """Return the change that gives every conversation its own language: many people behind one account."""
    index = np.array([world.columns["language"].add(f',"prompt.language":"{t}"') for t in weights])
    steps = np.cumsum(list(weights.values())) / sum(weights.values())

    def change(rng: np.random.Generator, rows: np.ndarray) -> None:
        key = np.where(rows["conversation"] > 0, rows["conversation"], rows["content"])
        draw = (mix(key ^ np.uint64(0x70)) >> np.uint64(11)).astype(float) / 2.0**53
        rows["language"] = index[np.searchsorted(steps, draw, side="right").clip(0, len(index) - 1)]

    return change

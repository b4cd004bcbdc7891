"""The three campaigns reported in February 2026, as far as their shape was published (see `figures.FEBRUARY`).

What is not published (cards, devices, exits, bans, hours) is drawn anew for every seed within wide bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stream.simulate import schedules as s
from stream.simulate.arrivals import Schedule
from stream.simulate.figures import BUSINESS_HOURS, DAY_MS, FEBRUARY, FRAUD_CARD_FANOUT, HOUR_MS, SIGNUP_GAP_S
from stream.simulate.fleet import Fleet, Phase, Slots, Tempo, even, uneven
from stream.simulate.identities import NEVER, Group, Profile, adoption, enrol, veterans
from stream.simulate.networks import Networks, grouped, shared
from stream.simulate.prompts import CHAT, Kind, PromptSet, promptset, public_templates
from stream.simulate.world import World

COT = ("chain_of_thought",)
REASONING = Kind(("reasoning",), COT, input=(210, 0.5), output=(620, 0.5), reasoning=0.75, refusal=0.02, weight=9)
RUBRIC = Kind(("rubric_grading",), input=(900, 0.4), output=(190, 0.5), weight=6)
POLICY = Kind(("policy_rewrite",), input=(260, 0.4), output=(310, 0.5), refusal=0.09, weight=4)
AGENTIC = Kind(("agentic", "tool_use"), tools=9, input=(2600, 0.6), output=(420, 0.7), flips=2, weight=6)
CODING = Kind(("coding",), input=(900, 0.6), output=(850, 0.6), weight=4)
ANALYSIS = Kind(("data_analysis", "coding"), COT, input=(1500, 0.6), output=(700, 0.6), weight=4)
COMPUTER = Kind(
    ("computer_use", "agentic", "vision"), tools=4, input=(3000, 0.5), output=(170, 0.5), image=1500, weight=3
)
VISION = Kind(("vision",), input=(260, 0.5), output=(380, 0.6), image=1200, weight=3)
TRACES = Kind(
    ("reasoning", "agentic"), ("trace_reconstruction",), input=(1900, 0.5), output=(900, 0.5), refusal=0.04, weight=16
)
AGENT_CODING = Kind(
    ("agentic", "coding", "tool_use"),
    tools=14,
    input=(6000, 0.7),
    output=(520, 0.8),
    flips=2,
    max_tokens=16000,
    weight=10,
)
ORCHESTRATION = Kind(("tool_use", "agentic"), tools=18, input=(3800, 0.6), output=(330, 0.7), flips=2, weight=5)

VARIED = {"first_party": 0.5, "cloud-a": 0.2, "cloud-b": 0.14, "aggregator-a": 0.16}


@dataclass(frozen=True)
class Operation:
    """How one campaign works; ranges are drawn per seed. Times are shares of the run."""

    kinds: tuple[tuple[Kind, int], ...]
    """Kinds of prompt with the number of templates of each."""
    profile: Profile
    start: tuple[float, float]
    length: tuple[float, float]
    languages: dict[str, float]
    turns: float
    cards: tuple[int, int]
    replaced: tuple[float, float]
    """Share of the accounts that is banned, and replaced, on the way."""
    synchronised: bool = False
    later: tuple[tuple[Kind, int], ...] = ()
    public_share: float = 0.0
    pivot: float = -1.0


OPERATIONS = {
    "deepseek": Operation(
        ((REASONING, 6), (RUBRIC, 4), (POLICY, 3)),
        Profile({"api": 0.7, "pro": 0.3}, {"self_serve": 0.8, "education": 0.2}, agents="client", keyed=True),
        (0.15, 0.35),
        (0.3, 0.5),
        {"en": 0.75, "zh": 0.25},
        1.0,
        (3, 8),
        (0.05, 0.2),
        synchronised=True,
    ),
    "moonshot": Operation(
        ((AGENTIC, 5), (CODING, 3), (ANALYSIS, 3), (COMPUTER, 2), (VISION, 2)),
        Profile(
            {"api": 0.45, "pro": 0.25, "team": 0.15, "free": 0.10, "enterprise": 0.05},
            {"self_serve": 0.6, "education": 0.15, "research": 0.12, "startup": 0.13},
            {"email": 0.4, "phone": 0.55, "document": 0.05},
            VARIED,
            "client",
            True,
            0.85,
        ),
        (0.04, 0.2),
        (0.75, 0.96),
        {"en": 0.8, "zh": 0.2},
        2.5,
        (1, 5),
        (0.08, 0.25),
        later=((TRACES, 4),),
    ),
    "minimax": Operation(
        ((AGENT_CODING, 7), (ORCHESTRATION, 5)),
        Profile(
            {"api": 0.65, "pro": 0.2, "max": 0.15},
            {"self_serve": 0.9, "startup": 0.1},
            paths={"first_party": 0.72, "cloud-a": 0.1, "aggregator-a": 0.18},
            agents="agent",
            keyed=True,
        ),
        (0.03, 0.25),
        (0.75, 0.97),
        {"en": 0.9, "zh": 0.1},
        5.0,
        (1, 6),
        (0.08, 0.3),
        public_share=0.3,
        pivot=0.5,
    ),
}


def build(world: World, networks: Networks, dials: Mapping[str, float]) -> None:
    """Add the three campaigns."""
    for name in OPERATIONS:
        world.populations.append(campaign(world, networks, name))


def campaign(world: World, networks: Networks, name: str) -> Fleet:
    """Return the fleet of campaign `name`, at the world's scale; in less than a fortnight, its share of it."""
    rng, plan, figures = world.rng("campaign/" + name), OPERATIONS[name], FEBRUARY[name]
    span = world.end - world.start
    start = world.start + int(rng.uniform(*plan.start) * span)
    end = min(start + int(rng.uniform(*plan.length) * span), world.end)
    slots, born = _slots(rng, max(figures.least_accounts, round(figures.accounts * world.scale)), start, end, plan)
    group = _accounts(world, networks, rng, name, plan, slots, born)
    total = figures.exchanges * world.scale * min(1.0, world.days / 14)
    phases = [Phase(start, _prompts(world, rng, plan, plan.kinds, total))]
    if plan.later:
        phases.append(
            Phase(
                start + int(rng.uniform(0.55, 0.75) * (end - start)),
                _prompts(world, rng, plan, (*plan.kinds, *plan.later), total),
            )
        )
    n = len(slots.account)
    weights = even(n) if plan.synchronised or rng.random() < 0.3 else uneven(rng, n, rng.uniform(0.2, 0.6))
    weights = np.minimum(weights, 2.6 / n)
    tempo = Tempo(
        s.scaled(_load(rng, plan, start, end), world.start, world.end, total),
        weights / weights.sum(),
        plan.turns,
        errors=float(rng.uniform(0.003, 0.02)),
        failover=True,
        pulse_s=float(rng.choice([20, 60])) if plan.synchronised else 0.0,
    )
    return Fleet(
        world,
        "campaign/" + name,
        group,
        slots,
        phases,
        tempo,
        promptset(world, CHAT),
        float(rng.uniform(0.05, 0.20)),
        plan.pivot,
        float(rng.uniform(6, 20)),
    )


def _load(rng: np.random.Generator, plan: Operation, start: int, end: int) -> Schedule:
    key = int(rng.integers(1 << 20))
    if plan.synchronised:
        rhythm = s.batches(key, int(rng.integers(3, 6)), float(rng.uniform(1.0, 2.5)), 0.06)
    else:
        hours = 1 + float(rng.uniform(0.0, 0.6)) * (BUSINESS_HOURS - 1)
        rhythm = s.product(s.daily(hours, 8), s.wobble(key, 0.35))
    rising = rng.uniform(0.1, 0.3) * (end - start) if rng.random() < 0.6 else 0.0
    return s.product(rhythm, s.between(start, end), s.ramp(start, rising))


def _slots(rng: np.random.Generator, n: int, start: int, end: int, plan: Operation) -> tuple[Slots, np.ndarray]:
    """Return the dispatcher's places and when each of their accounts begins (m,)."""
    first = np.where(rng.random(n) < 0.6, start, start + rng.uniform(0, 0.4, n) * (end - start)).astype(np.int64)
    first += rng.integers(0, 6 * HOUR_MS, n)
    account, begins, ban = (np.full((n, 3), v, np.int64) for v in (-1, NEVER, NEVER))
    account[:, 0], begins[:, 0] = np.arange(n), first
    share, members = rng.uniform(*plan.replaced), n
    for k in (1, 2):
        hit = np.flatnonzero((begins[:, k - 1] < end) & (rng.random(n) < share))
        when = begins[hit, k - 1] + (rng.uniform(0.1, 1.0, len(hit)) * (end - begins[hit, k - 1])).astype(np.int64)
        ban[hit, k - 1] = when
        spare = np.exp(rng.uniform(np.log(5 / 60), np.log(24), len(hit))) * HOUR_MS  # 5 min to a day
        account[hit, k], begins[hit, k] = members + np.arange(len(hit)), when + spare.astype(np.int64)
        members += len(hit)
    born = np.empty(members, np.int64)
    used = account >= 0
    born[account[used]] = begins[used]
    return Slots(account, begins, ban), born


def _accounts(
    world: World,
    networks: Networks,
    rng: np.random.Generator,
    name: str,
    plan: Operation,
    slots: Slots,
    born: np.ndarray,
) -> Group:
    n = len(born)
    died = np.full(n, NEVER)
    used = slots.account >= 0
    died[slots.account[used]] = slots.ban[used]
    cards = np.where(rng.random(n) < 0.5, grouped(rng, n, *plan.cards), n + shared(rng, n, FRAUD_CARD_FANOUT))
    late = np.arange(n) >= len(slots.account)
    role = np.where(late, "replacement", "member")
    group = enrol(
        world,
        rng,
        n,
        "member",
        plan.profile,
        exits=_exits(networks, rng, n),
        created=_signups(world, rng, born),
        campaign=name,
        cards=cards,
        devices=grouped(rng, n, 1, 5),
        born=born,
        died=died,
        adopts=adoption(world, rng, n, 0.0 if plan.pivot >= 0 else 0.5),
        languages=plan.languages,
    )
    for i, kind in zip(group.ids.tolist(), role.tolist(), strict=True):
        world.kind[i] = kind
    return group


def _signups(world: World, rng: np.random.Generator, born: np.ndarray) -> np.ndarray:
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


def _exits(networks: Networks, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return (n, 3) exits: pools of a few proxies and servers for small groups, and exits that honest users share."""
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
    return np.where(rng.random((n, 3)) < 0.15, networks.hub("vpn", 3 * n).reshape(n, 3), exits)


def _prompts(
    world: World, rng: np.random.Generator, plan: Operation, kinds: tuple[tuple[Kind, int], ...], total: float
) -> PromptSet:
    """Return the templates: `kinds` many, work lists that leave room for resampling, one level of paraphrase."""
    paraphrase = float(rng.choice([0.0, 0.15, 0.4], p=[0.4, 0.35, 0.25]))
    count = sum(number for _, number in kinds)
    items = int(total / count * rng.uniform(1.0, 5.0)) + 40
    out = [_vary(rng, kind, items, paraphrase, number) for kind, number in kinds for _ in range(number)]
    keys = np.where(rng.random(count) < plan.public_share, public_templates(world, rng, count), world.numbers(count))
    return promptset(world, out, keys)


def _vary(rng: np.random.Generator, kind: Kind, items: int, paraphrase: float, number: int) -> Kind:
    changes = {
        "items": items,
        "paraphrase": paraphrase,
        "weight": kind.weight / number * float(rng.uniform(0.5, 1.5)),
        "input": (kind.input[0] * float(rng.uniform(0.7, 1.4)), kind.input[1]),
        "output": (kind.output[0] * float(rng.uniform(0.7, 1.4)), kind.output[1]),
    }
    return replace(kind, **changes)  # type: ignore[arg-type]

"""Enrolment of accounts: the facts a provider holds about them, the same form for honest and for fraudulent ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from stream.simulate.events import blank, mix
from stream.simulate.figures import ADOPTION_DAYS, DAY_MS, HOUR_MS, NEW_MODEL_ADOPTERS, SAVERS
from stream.simulate.world import NEW_MODEL, OLD_MODELS, World

NEVER = np.iinfo(np.int64).max
LANGUAGES = {
    "en": 0.55,
    "zh": 0.10,
    "ja": 0.06,
    "es": 0.06,
    "de": 0.06,
    "fr": 0.05,
    "pt": 0.04,
    "ko": 0.04,
    "hi": 0.02,
    "ru": 0.02,
}
BROWSERS = tuple(
    f"Mozilla/5.0 ({os}) {engine}/{v}.0"
    for os in (
        "Windows NT 10.0; Win64; x64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "X11; Linux x86_64",
        "iPhone; CPU iPhone OS 18_5 like Mac OS X",
        "Android 15; Mobile",
    )
    for engine, v in (("Chrome", 131), ("Chrome", 132), ("Chrome", 130), ("Firefox", 134))
)
CLIENTS = (
    "sdk-python/1.42.0",
    "sdk-python/1.40.2",
    "sdk-python/1.38.1",
    "sdk-js/0.52.1",
    "sdk-js/0.50.0",
    "python-httpx/0.27.2",
    "openai-python/1.59.3",
    "go-http-client/2.0",
    "node-fetch/3.3.2",
    "okhttp/4.12.0",
    "langchain/0.3.14",
    "litellm/1.57.2",
    "curl/8.9.1",
)
AGENTS = (
    "code-cli/2.1.14 (external)",
    "code-cli/2.1.9 (external)",
    "code-cli/2.0.71 (external)",
    "editor-agent/1.8.2",
    "editor-agent/1.7.9",
    "terminal-agent/0.44",
)
ANY = tuple(a for family in zip(BROWSERS, AGENTS, BROWSERS[6:], CLIENTS, strict=False) for a in family)
"""What a pool of bought and made accounts of all sorts presents."""
RELAY = (BROWSERS[0], AGENTS[0])
"""A relay makes all its accounts look like the commonest official clients."""
USER_AGENTS = {"browser": BROWSERS, "client": CLIENTS, "agent": AGENTS, "any": ANY, "relay": RELAY}


@dataclass(frozen=True)
class Profile:
    """Distribution of an account's static facts; each mapping is value → weight."""

    plans: dict[str, float]
    pathways: dict[str, float] = field(default_factory=lambda: {"self_serve": 1.0})
    verifications: dict[str, float] = field(default_factory=lambda: {"email": 0.5, "phone": 0.5})
    paths: dict[str, float] = field(default_factory=lambda: {"first_party": 1.0})
    agents: str = "browser"
    keyed: bool = False
    paid: float = 1.0
    """Share that has a card on file."""
    one_agent: bool = False


PERSON = Profile(
    {"free": 0.62, "pro": 0.28, "max": 0.05, "team": 0.05},
    {"self_serve": 0.93, "education": 0.06, "startup": 0.01},
    {"email": 0.35, "phone": 0.63, "document": 0.02},
    paid=0.40,
)
DEVELOPER = Profile(
    {"pro": 0.35, "max": 0.25, "api": 0.30, "team": 0.10},
    {"self_serve": 0.88, "startup": 0.06, "education": 0.04, "research": 0.02},
    {"email": 0.3, "phone": 0.65, "document": 0.05},
    {"first_party": 0.82, "cloud-a": 0.07, "cloud-b": 0.05, "aggregator-a": 0.06},
    "agent",
    True,
)
TENANT = Profile(
    {"api": 0.8, "enterprise": 0.2},
    {"self_serve": 0.6, "startup": 0.15, "enterprise": 0.2, "research": 0.05},
    {"email": 0.3, "phone": 0.35, "document": 0.1, "contract": 0.25},
    {"first_party": 0.66, "cloud-a": 0.14, "cloud-b": 0.10, "aggregator-a": 0.10},
    "client",
    True,
)


@dataclass
class Group:
    """Accounts enrolled together. Arrays of length n; `exits` is (n, 3), most used first; times in ms.

    From `adopts` on an account uses `new_model` instead of `old_model`, from `saves` on `cheaper`.
    """

    ids: np.ndarray
    born: np.ndarray
    died: np.ndarray
    exits: np.ndarray
    device: np.ndarray
    agent: np.ndarray
    language: np.ndarray
    old_model: np.ndarray
    new_model: np.ndarray
    adopts: np.ndarray
    zone: np.ndarray
    cheaper: np.ndarray
    saves: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, who: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return rows for members `who` at `times`, with everything that depends on the account filled in."""
        rows = blank(len(who))
        rows["time"], rows["account"] = times, self.ids[who]
        rows["device"], rows["agent"], rows["language"] = self.device[who], self.agent[who], self.language[who]
        place = mix(self.ids[who].astype(np.uint64) * np.uint64(1 << 20) + (times // (4 * HOUR_MS)).astype(np.uint64))
        choice = np.searchsorted([0.65, 0.9], (place >> np.uint64(11)).astype(float) / 2.0**53, side="right")
        rows["exit"] = self.exits[who, choice]
        rows["model"] = np.where(times >= self.adopts[who], self.new_model[who], self.old_model[who])
        rows["model"] = np.where(times >= self.saves[who], self.cheaper[who], rows["model"])
        return rows


def pick(rng: np.random.Generator, weights: dict[str, float], n: int) -> np.ndarray:
    """Return `n` keys of `weights`, drawn by weight."""
    p = np.array(list(weights.values()))
    return rng.choice(np.array(list(weights), dtype=object), n, p=p / p.sum())


def enrol(
    world: World,
    rng: np.random.Generator,
    n: int,
    kind: str,
    profile: Profile,
    *,
    exits: np.ndarray,
    created: np.ndarray,
    campaign: str | None = None,
    cards: np.ndarray | None = None,
    devices: np.ndarray | None = None,
    organizations: np.ndarray | None = None,
    born: np.ndarray | None = None,
    died: np.ndarray | None = None,
    adopts: np.ndarray | None = None,
    languages: dict[str, float] | None = None,
    paths: np.ndarray | None = None,
) -> Group:
    """Register `n` accounts and return them as a group.

    Args:
        exits: (n,) or (n, 3) indexes of exits.
        created: (n,) sign-up times, ms.
        cards, devices, organizations: (n,) group numbers; equal numbers share one. Default: one each.
        born, died: first and last moment of activity; default the creation and never.
        adopts: when each moves to the new model, NEVER for never; default the public adoption curve.
        paths: (n,) access paths, instead of the profile's.
    """
    paths = pick(rng, profile.paths, n) if paths is None else paths
    direct = paths == "first_party"
    each = np.arange(n)
    facts = {
        "organization.id": _tokens(world, each if organizations is None else organizations, np.ones(n, bool)),
        "payment.fingerprint": _tokens(
            world, each if cards is None else cards, direct & (rng.random(n) < profile.paid)
        ),
        "api_key.id": _tokens(world, each, direct & profile.keyed),
        "account.plan": pick(rng, profile.plans, n).tolist(),
        "account.signup_pathway": pick(rng, profile.pathways, n).tolist(),
        "account.verification": pick(rng, profile.verifications, n).tolist(),
        "access.path": paths.tolist(),
    }
    known = direct | (rng.random(n) < 0.5)
    ids = _register(world, facts, np.where(known, created, -1), kind, campaign)
    exits = np.repeat(exits[:, None], 3, axis=1) if exits.ndim == 1 else exits
    families = USER_AGENTS[profile.agents]
    skew = np.arange(1, len(families) + 1) ** (-0.5 if profile.agents == "client" else -1.3)  # most update at once
    agents = (
        rng.choice(len(families), n, p=skew / skew.sum())
        if not profile.one_agent
        else np.full(n, rng.integers(len(families)))
    )
    agent = np.array([world.columns["agent"].add(f',"user_agent.original":"{a}"') for a in families])[agents]
    tongues = pick(rng, languages or LANGUAGES, n)
    return Group(
        ids,
        np.maximum(created if born is None else born, 0),
        np.full(n, NEVER) if died is None else died,
        np.where(direct[:, None], exits, -1),
        np.where(direct, _devices(world, each if devices is None else devices), -1),
        np.where(direct, agent, -1),
        np.array([world.columns["language"].add(f',"prompt.language":"{t}"') for t in tongues]),
        np.array([world.models[m] for m in pick(rng, OLD_MODELS, n)]),
        np.full(n, world.models[NEW_MODEL]),
        adoption(world, rng, n) if adopts is None else adopts,
        rng.choice([-8, -6, -5, 0, 1, 1, 2, 5, 8, 9], n),
        np.full(n, world.models["atlas-mid-4"]),
        _savings(world, ids),
    )


def _savings(world: World, ids: np.ndarray) -> np.ndarray:
    """Return when each account goes down to a cheaper model for good, ms; NEVER for most."""
    draw = mix(ids.astype(np.uint64) ^ np.uint64(0x5A5A))
    when = world.start + (draw >> np.uint64(16)).astype(np.int64) % (world.end - world.start)
    return np.where(draw % np.uint64(1000) < 1000 * SAVERS, when, NEVER)


def adoption(world: World, rng: np.random.Generator, n: int, sharers: float = NEW_MODEL_ADOPTERS) -> np.ndarray:
    """Return when each of `n` accounts moves to the new model, ms; NEVER for the pinned ones."""
    when = world.release + (ADOPTION_DAYS.draw(rng, n) * DAY_MS).astype(np.int64)
    return np.where(rng.random(n) < sharers, when, NEVER)


def veterans(world: World, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return sign-up times before the run, most of them in the last year and a half."""
    return world.start - (rng.exponential(200 * DAY_MS, n) + DAY_MS).astype(np.int64)


def through(profile: Profile, **changes: object) -> Profile:
    """Return `profile` with some of its fields changed."""
    return replace(profile, **changes)  # type: ignore[arg-type]


def _tokens(world: World, groups: np.ndarray, present: np.ndarray) -> list[str]:
    values, index = np.unique(groups, return_inverse=True)
    tokens = world.tokens(len(values))
    return [tokens[i] if p else "" for i, p in zip(index.tolist(), present.tolist(), strict=True)]


def _devices(world: World, groups: np.ndarray) -> np.ndarray:
    tokens = _tokens(world, groups, np.ones(len(groups), bool))
    return np.array([world.columns["device"].add(f',"device.fingerprint":"{t}"') for t in tokens], np.int32)


def _register(
    world: World, facts: dict[str, list[str]], created: np.ndarray, kind: str, campaign: str | None
) -> np.ndarray:
    first, n = len(world.accounts), len(created)
    for i, name in enumerate(world.tokens(n)):
        known = "".join(f',"{key}":"{values[i]}"' for key, values in facts.items() if values[i])
        age = f',"account.created":{created[i]}' if created[i] >= 0 else ""
        world.accounts.append(f',"account.id":"{name}"{age}{known}')
        world.account_ids.append(name)
    world.kind += [kind] * n
    world.campaign += [campaign] * n
    return np.arange(first, first + n, dtype=np.int32)

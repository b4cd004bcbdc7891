"""Request events made of real traffic and real prompts, for `real_background`.

What is real: how many requests each of ServeGen's API clients sent in each 10-minute window of a week and with what
distribution of gaps, their token lengths, the chats and the system prompts. What is assumed, since no public trace
holds it: which prompts a client sends, and every identity (organization, key, payment, address, device, age). So a
result on this traffic says nothing about precision in the field.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

WINDOW_MS = 600_000
WINDOWS = 1008
DAY_MS = 86_400_000
START_MS = 1_767_571_200_000
"""Monday 2026-01-05 00:00 UTC."""
QUANTILES = np.array([0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99])
SKETCH_S = 21_600
SYNCHRONOUS = 0.5
"""Clients whose log-count differences all correlate more than this are one owner with several keys."""
SPLIT_SHARE = 0.05
"""Single clients that stand for one owner whose accounts take turns."""
VERBATIM_SHARE = 0.17
"""User inputs that are sent as they are, as in RAGPulse; the others are continued with another chat's sentence."""
APP_SHARE = 0.7
DEFAULT_SHARE = 0.2
"""Applications that kept their framework's default system prompt."""
DEFAULTS = 6
MODELS = {"m-large": "atlas-large-4", "m-mid": "atlas-mid-4"}


class Texts(NamedTuple):
    """The prompts by kind, and the templates that elicit reasoning: system prompt (or None) and user template."""

    chats: list[str]
    systems: list[str]
    corpus: list[str]
    templates: list[tuple[str | None, str]]

    @classmethod
    def read(cls, folder: Path) -> Texts:
        """Read `prompts.jsonl.gz` and `templates.jsonl.gz`."""
        by_kind: dict[str, list[str]] = defaultdict(list)
        for record in _json_lines(folder / "prompts.jsonl.gz"):
            by_kind[record["kind"]].append(record["text"])
        templates = [
            (record["system_prompt"], record["template"])
            for record in _json_lines(folder / "templates.jsonl.gz")
            if record["kind"].startswith("cot_elicitation")
        ]
        corpus = by_kind["distill_seed"] + by_kind["distill_corpus"]
        return cls(by_kind["benign_chat"], by_kind["app_system_prompt"], corpus, templates)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) as lines:
        yield from map(msgspec.json.decode, lines)


@dataclass
class Client:
    """One client of the trace: its windows with requests and its token sketches by 6 h."""

    pool: str
    name: str
    windows: list[tuple[int, int, float, float]] = field(default_factory=list)
    """Window, requests, coefficient of variation, Weibull shape (0: Gamma)."""
    sketches: dict[int, tuple[NDArray, NDArray]] = field(default_factory=dict)
    """Number of the 6 hours → quantiles of input and output tokens."""

    @property
    def requests(self) -> int:
        """Requests in the week, unscaled."""
        return sum(window[1] for window in self.windows)


def clients(folder: Path) -> list[Client]:
    """Read the clients; one without sketches borrows those of the client of its pool that is nearest in volume."""
    found: dict[tuple[str, str], Client] = {}
    with gzip.open(folder / "client_windows.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            client = found.setdefault((row["pool"], row["client"]), Client(row["pool"], row["client"]))
            shape = float(row["weibull_shape"]) if row["dist"] == "2" else 0.0
            client.windows.append((int(row["win"]), int(row["n"]), int(row["cv_milli"]) / 1000, shape))
    with gzip.open(folder / "client_token_quantiles_6h.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            owner = found.get((row["pool"], row["client"]))
            if owner and row["input_tokens_p50"] and row["output_tokens_p50"]:
                owner.sketches[int(row["t"]) // SKETCH_S] = (_sketch(row, "input"), _sketch(row, "output"))
    everyone = list(found.values())
    for client in everyone:
        client.windows.sort()
        if not client.sketches:
            lenders = [other for other in everyone if other.pool == client.pool and other.sketches]
            client.sketches = min(lenders, key=lambda lender: abs(lender.requests - client.requests)).sketches
    return everyone


def _sketch(row: dict[str, str], side: str) -> NDArray:
    """Return the values at `QUANTILES`; the least is that of the first percentile."""
    values = [float(row[f"{side}_tokens_p{round(100 * q):02d}"]) for q in QUANTILES[1:]]
    return np.array([values[0], *values])


def arrivals(rng: Generator, client: Client, factor: float) -> NDArray[np.int64]:
    """Draw times (ms since the week began) at `factor` times the client's rate, each window with its own burstiness.

    A renewal process in operational time, in which a window lasts as long as it expects requests: the gaps have mean
    1 and the distribution of the window in which they begin, so that bursts and near-periodic windows stay as they
    are at any rate; none is thinned.
    """
    times: list[float] = []
    owed = -1.0
    for window, requests, cv, shape in client.windows:
        expected = requests * factor
        if owed < 0:
            owed = _first_gap(rng, cv, shape)
        spent = 0.0
        while spent + owed < expected:
            spent += owed
            times.append((window + spent / expected) * WINDOW_MS)
            owed = _gap(rng, cv, shape)
        owed -= expected - spent
    return np.array(times, np.int64)


def _gap(rng: Generator, cv: float, shape: float) -> float:
    """Return one gap of mean 1: Weibull of `shape`, or Gamma when that is 0."""
    if shape:
        return rng.weibull(shape) / math.gamma(1 + 1 / shape)
    return rng.gamma(1 / cv**2, cv**2) if cv > 0 else 1.0


def _first_gap(rng: Generator, cv: float, shape: float) -> float:
    """Return the rest of the gap that was under way when the trace began."""
    if shape:
        return float(rng.random() * rng.gamma(1 + 1 / shape) ** (1 / shape) / math.gamma(1 + 1 / shape))
    return float(rng.random() * (rng.gamma(1 / cv**2 + 1, cv**2) if cv > 0 else 1.0))


def tokens(rng: Generator, client: Client, times: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Draw input and output tokens from the sketch of the 6 hours that each time is in, or of the nearest ones."""
    known = np.array(sorted(client.sketches))
    wanted = times // (SKETCH_S * 1000)
    nearest = known[np.abs(known[None, :] - wanted[:, None]).argmin(axis=1)]
    both = np.zeros((2, len(times)), np.int64)
    for number in np.unique(nearest).tolist():
        mine = nearest == number
        for side, sketch in enumerate(client.sketches[number]):
            both[side, mine] = np.rint(np.interp(rng.random(int(mine.sum())), QUANTILES, sketch))
    return both[0], both[1]


def owners(everyone: Sequence[Client]) -> list[int]:
    """Return the owner of each client: those that move together have the same one (complete linkage)."""
    counts = np.zeros((len(everyone), WINDOWS))
    for row, client in zip(counts, everyone, strict=True):
        for window, requests, *_ in client.windows:
            row[window] = requests
    steps = np.diff(np.log1p(counts), axis=1)
    steps -= steps.mean(axis=1, keepdims=True)
    norm = np.sqrt((steps**2).sum(axis=1))
    correlation = steps @ steps.T / np.maximum(np.outer(norm, norm), 1e-12)
    busy = (counts > 0).mean(axis=1) > 0.5
    correlation[~(busy[:, None] & busy[None, :])] = 0.0
    distance = squareform(np.clip(1 - correlation, 0, 2), checks=False)
    return fcluster(linkage(distance, "complete"), 1 - SYNCHRONOUS, "distance").tolist()


class Identity(NamedTuple):
    """What stands in an account's events beside the request itself; a member is drawn from each list per request."""

    account: str
    facts: dict[str, Any]
    networks: list[dict[str, Any]]
    agents: list[str]


AGENTS = [
    f"{library} {version}"
    for library, versions in {
        "OpenAI/Python": ("1.40.6", "1.55.3", "1.61.0"), "python-requests": ("2.31.0", "2.32.3"),
        "langchain-openai": ("0.2.1", "0.3.0"), "node-fetch": ("3.3.2",), "axios": ("1.7.9",), "okhttp": ("4.12.0",),
    }.items() for version in versions
]  # fmt: skip
HOSTING = [(16509, "US"), (15169, "US"), (8075, "US"), (14061, "US"), (24940, "DE"), (16276, "FR"), (45102, "SG")]
RESIDENTIAL = [(7922, "US"), (7018, "US"), (3320, "DE"), (3215, "FR"), (2856, "GB"), (4766, "KR"), (28573, "BR")]


class Directory:
    """Deals identities; all of it is assumption, after the published shapes.

    An owner has 1 to 3 hosting networks and one card; a quarter pay through one of three resellers that many share.
    """

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self._blocks = rng.permutation(1 << 14)
        self._dealt = 0

    def network(self, systems: Sequence[tuple[int, str]]) -> dict[str, Any]:
        """Return an address in a /24 of 100.64.0.0/10 that nobody else has, with a real autonomous system."""
        block = int(self._blocks[self._dealt])
        self._dealt += 1
        asn, country = systems[int(self.rng.integers(len(systems)))]
        address = f"100.{64 + (block >> 8)}.{block & 255}.{int(self.rng.integers(1, 255))}"
        return {"client.address": address, "client.asn": asn, "client.geo.country": country}

    def token(self) -> str:
        """Return an opaque identifier."""
        return f"{int(self.rng.integers(1 << 62)):016x}"

    def owner(self, keys: int, first_ms: Sequence[int]) -> list[Identity]:
        """Return the identities of an honest owner with `keys` accounts."""
        rng = self.rng
        networks = [self.network(HOSTING) for _ in range(int(rng.integers(1, 4)))]
        card = f"reseller-{int(rng.integers(3))}" if rng.random() < 0.25 else self.token()
        facts = {
            "organization.id": self.token(),
            "payment.fingerprint": card,
            "account.plan": str(rng.choice(["api", "team", "enterprise"], p=[0.75, 0.1, 0.15])),
            "account.verification": str(rng.choice(["email", "phone", "document", "contract"], p=[0.3, 0.3, 0.2, 0.2])),
            "account.signup_pathway": str(rng.choice(["self_serve", "startup", "enterprise"], p=[0.7, 0.1, 0.2])),
            "access.path": str(rng.choice(["first_party", "cloud-a", "cloud-b", "aggregator-a"],
                                          p=[0.65, 0.15, 0.1, 0.1])),
        }  # fmt: skip
        found = []
        for first in first_ms[:keys]:
            late = first > DAY_MS and rng.random() < 0.5
            age = rng.uniform(0, 3) if late else rng.uniform(30, 700)
            created = {"account.created": START_MS + first - int(age * DAY_MS), "api_key.id": self.token()}
            agents = [AGENTS[int(rng.integers(len(AGENTS)))]]
            found.append(Identity(self.token(), {**facts, **created}, networks, agents))
        return found


class Voice:
    """What one client says: an application's system prompt with user texts below it, or plain chat.

    Args:
        texts: the real prompts.
        systems: system prompts not yet taken; the application takes the last.
    """

    def __init__(self, rng: Generator, texts: Texts, systems: list[str]) -> None:
        self.rng, self.texts = rng, texts
        self.system = ""
        if rng.random() < APP_SHARE:
            common = rng.random() < DEFAULT_SHARE
            self.system = texts.systems[int(rng.integers(DEFAULTS))] if common else systems.pop()
        topic = rng.permutation(len(texts.chats))[: int(rng.integers(40, 300))]
        self.inputs = [texts.chats[number] for number in topic.tolist()]
        self.sentences = [s for text in self.inputs for s in text.replace("\n", ". ").split(". ") if len(s) > 20]

    def text(self) -> str:
        """Return one prompt."""
        rng = self.rng
        said = self.inputs[int(rng.integers(len(self.inputs)))]
        if self.sentences and rng.random() >= VERBATIM_SHARE:
            more = rng.integers(len(self.sentences), size=2)
            said = " ".join([said, *(self.sentences[number] for number in more.tolist())])
        return f"{self.system}\n\n{said}" if self.system else said


class Drawn(NamedTuple):
    """Requests of one account or of several that take turns, in the order of time (ms since the week began)."""

    times: NDArray[np.int64]
    who: list[Identity]
    input: NDArray
    output: NDArray
    model: str
    voice: Any
    status: NDArray
    refused: NDArray


def background(rng: Generator, folder: Path, texts: Texts, events: int) -> list[Drawn]:
    """Draw the honest traffic of all clients, `events` requests in all if every count were its expectation."""
    everyone = clients(folder)
    pools = sorted({client.pool for client in everyone})
    factor = {pool: events / len(pools) / sum(c.requests for c in everyone if c.pool == pool) for pool in pools}
    directory, systems = Directory(rng), [texts.systems[i] for i in rng.permutation(len(texts.systems)).tolist()]
    groups: dict[int, list[Client]] = defaultdict(list)
    for client, owner in zip(everyone, owners(everyone), strict=True):
        groups[owner].append(client)
    drawn = []
    for group in groups.values():
        firsts = [client.windows[0][0] * WINDOW_MS for client in group]
        split = len(group) == 1 and rng.random() < SPLIT_SHARE
        identities = directory.owner(4, firsts * 4)[: int(rng.integers(2, 5))] if split else []
        identities = identities or directory.owner(len(group), firsts)
        voice = Voice(rng, texts, systems)
        for number, client in enumerate(group):
            times = arrivals(rng, client, factor[client.pool])
            if len(times):
                takes = times // (6 * 3_600_000) % len(identities) if split else np.full(len(times), number)
                drawn.append(_requests(rng, client, times, [identities[i] for i in takes.tolist()], voice))
    return drawn


def _requests(rng: Generator, client: Client, times: NDArray, who: list[Identity], voice: Voice) -> Drawn:
    given, returned = tokens(rng, client, times)
    errors = rng.choice([0.0, 0.002, 0.01])
    status = np.where(rng.random(len(times)) < errors, 429, 200)
    return Drawn(times, who, given, returned, MODELS[client.pool], voice, status, rng.random(len(times)) < 0.003)


class Lists:
    """What a campaign says: the questions of a corpus, one after the other, in templates that elicit reasoning."""

    def __init__(self, rng: Generator, texts: Texts) -> None:
        self.rng, self.templates = rng, texts.templates
        self.corpus = [texts.corpus[number] for number in rng.permutation(len(texts.corpus)).tolist()]
        self._next = 0

    def text(self) -> str:
        """Return one prompt."""
        system, template = self.templates[int(self.rng.integers(len(self.templates)))]
        question = self.corpus[self._next % len(self.corpus)]
        self._next += 1
        for slot in ("{prompt}", "{problem}", "{question}"):
            template = template.replace(slot, question)
        return f"{system}\n\n{template}" if system else template


def campaign(rng: Generator, texts: Texts, accounts: int, per_account: int) -> Drawn:
    """Draw a simulated campaign of `accounts` accounts: from day 1.5 on, work handed out evenly around the clock.

    Signed up within days, cards shared by 3 to 8 accounts, devices by 1 to 5, exits by crews of 4 to 14; answers of
    the length of reasoning. All of it is assumption.
    """
    directory, voice = Directory(np.random.default_rng(rng.integers(1 << 32))), Lists(rng, texts)
    cards, devices, crews = (_shared(rng, accounts, low, high) for low, high in ((3, 8), (1, 5), (4, 14)))
    card, device = ([directory.token() for _ in range(accounts)] for _ in range(2))
    exits = [[directory.network(RESIDENTIAL) for _ in range(4)] for _ in range(int(crews.max()) + 1)]
    begin = int(1.5 * DAY_MS)
    signed = START_MS + begin - 5 * DAY_MS + np.cumsum(rng.exponential(90, accounts) * 60_000).astype(np.int64)
    identities = []
    for number in range(accounts):
        facts = {
            "organization.id": directory.token(), "account.created": int(min(signed[number], START_MS + begin)),
            "api_key.id": directory.token(), "payment.fingerprint": card[cards[number]],
            "device.fingerprint": device[devices[number]], "account.plan": "api", "access.path": "first_party",
            "account.verification": "phone" if number % 3 else "email", "account.signup_pathway": "self_serve",
        }  # fmt: skip
        identities.append(Identity(directory.token(), facts, exits[crews[number]], ["OpenAI/Python 1.61.0"]))
    total = accounts * per_account
    times = np.sort(begin + rng.integers(0, 5 * DAY_MS, total))
    who = [identities[i] for i in np.concatenate([rng.permutation(accounts) for _ in range(per_account)]).tolist()]
    given, returned = (np.rint(rng.lognormal(np.log(m), 0.5, total)).astype(np.int64) for m in (210, 530))
    status = np.where(rng.random(total) < 0.01, 429, 200)
    return Drawn(times, who, given, returned, MODELS["m-large"], voice, status, rng.random(total) < 0.015)


def _shared(rng: Generator, count: int, low: int, high: int) -> NDArray[np.int64]:
    """Return the group of each of `count` accounts, groups of `low` to `high` in random order."""
    sizes = rng.integers(low, high + 1, count)
    groups: NDArray[np.int64] = np.repeat(np.arange(count), sizes)[:count]
    return rng.permutation(groups)


def lines(rng: Generator, drawn: Sequence[Drawn]) -> Iterator[bytes]:
    """Yield the events of all in the order of time, one JSON line each."""
    part = np.repeat(np.arange(len(drawn)), [len(d.times) for d in drawn])
    row = np.concatenate([np.arange(len(d.times)) for d in drawn])
    order = np.argsort(np.concatenate([d.times for d in drawn]), kind="stable")
    encode = msgspec.json.Encoder().encode
    for number, (p, r) in enumerate(zip(part[order].tolist(), row[order].tolist(), strict=True)):
        d, identity = drawn[p], drawn[p].who[r]
        event = {
            "event.id": f"{number:08x}", "time": START_MS + int(d.times[r]), "account.id": identity.account,
            "gen_ai.request.model": d.model, **identity.facts,
            **identity.networks[int(rng.integers(len(identity.networks)))],
            "user_agent.original": identity.agents[0],
            "gen_ai.usage.input_tokens": int(d.input[r]), "gen_ai.usage.output_tokens": int(d.output[r]),
            "http.response.status_code": int(d.status[r]), "prompt.text": d.voice.text(),
            "response.refused": bool(d.refused[r]),
        }  # fmt: skip
        yield encode(event) + b"\n"

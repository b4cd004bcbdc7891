"""What is asked: templates with slots, free text, popular prompts; as hashes, never as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.simulate.events import mix
from stream.simulate.figures import POPULAR_SHARE
from stream.simulate.world import World

POPULAR_PROMPTS = 3000
PUBLIC_TEMPLATES = 400
CAPABILITIES = (
    "reasoning",
    "coding",
    "tool_use",
    "agentic",
    "vision",
    "computer_use",
    "data_analysis",
    "rubric_grading",
    "policy_rewrite",
    "other",
)
"""In the order in which an event lists them."""
RETURNED_PERCENT = 60
"""Of the turns after reasoning, those whose client hands its signature back; assumed."""
LOOP_PERCENT = 40
"""Of the templates with tools or reasoning sent outside conversations, those that are steps of a loop; assumed."""
BRANCHED_PERCENT = 4
"""Of the conversations with reasoning, those that go on from the user's last one; assumed."""
_HUNDRED = np.uint64(100)


@dataclass(frozen=True)
class Kind:
    """One kind of prompt; a `PromptSet` holds many, with their own keys.

    Token counts are log-normal: median and sigma. `reasoning` is the share of the output that is reasoning (0: not
    reported), `items` the length of the work list behind the slots (0: endless), `flips` how far instances of a
    template lie apart (each bit of the SimHash differs from the base's with chance 2^-flips), `paraphrase` the share
    of requests whose skeleton was rewritten near the base, `fresh` the share written from scratch with nothing in
    common, `free` text without any template. `replay` is the share that carries a reasoning signature captured in some
    other session, out of `captured` of them that all kinds of a set share.
    """

    capabilities: tuple[str, ...]
    elicitation: tuple[str, ...] = ()
    tools: int = 0
    input: tuple[float, float] = (600, 0.6)
    output: tuple[float, float] = (300, 0.6)
    reasoning: float = 0.0
    image: int = -1
    items: int = 0
    flips: int = 3
    paraphrase: float = 0.0
    fresh: float = 0.0
    free: bool = False
    refusal: float = 0.004
    max_tokens: int = 0
    weight: float = 1.0
    replay: float = 0.0
    captured: int = 0


_NUMBERS = (
    "tools",
    "reasoning",
    "image",
    "items",
    "flips",
    "paraphrase",
    "fresh",
    "free",
    "refusal",
    "max_tokens",
    "replay",
    "captured",
)


@dataclass
class PromptSet:
    """Prompts of a population; arrays over its templates."""

    kinds: list[Kind]
    shape: np.ndarray
    key: np.ndarray
    base: np.ndarray
    popular: np.ndarray
    weight: np.ndarray
    columns: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        table = [(*k.input, *k.output, *(getattr(k, name) for name in _NUMBERS)) for k in self.kinds]
        names = ("tin", "tin_s", "tout", "tout_s", *_NUMBERS)
        self.columns = dict(zip(names, np.array(table, float).T, strict=True))

    def choose(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Return `n` indexes of templates, drawn by weight."""
        return rng.choice(len(self.kinds), n, p=self.weight / self.weight.sum())

    def fill(self, rows: np.ndarray, which: np.ndarray, rng: np.random.Generator) -> None:
        """Fill in the prompt and token columns of `rows` for templates `which`, and the model's refusals."""
        n, c = len(rows), {name: column[which] for name, column in self.columns.items()}
        rows["shape"] = self.shape[which]
        self._hashes(rows, which, c, rng)
        growth = 1 + 0.3 * np.minimum(rows["turn"] - 1, 20).clip(0)
        rows["input"] = np.minimum(c["tin"] * np.exp(c["tin_s"] * rng.standard_normal(n)) * growth, 190_000).clip(1)
        output = np.minimum(c["tout"] * np.exp(c["tout_s"] * rng.standard_normal(n)), 32_000).clip(1)
        rows["refused"] = rng.random(n) < c["refusal"]
        output = np.where(rows["refused"], np.minimum(output, 90), output)
        limit = c["max_tokens"].astype(np.int64)
        rows["output"] = np.where(limit > 0, np.minimum(output, limit), output)
        share = c["reasoning"] * rng.uniform(0.75, 1.15, n)
        rows["reasoning"] = np.where(c["reasoning"] > 0, rows["output"] * np.minimum(share, 0.97), -1)
        rows["image"] = np.where(c["image"] > 0, c["image"] * rng.integers(1, 4, n), -1)
        rows["max_tokens"] = limit
        self._signatures(rows, self.key[which], c, rng)

    def _signatures(
        self, rows: np.ndarray, key: np.ndarray, c: dict[str, np.ndarray], rng: np.random.Generator
    ) -> None:
        """Let conversations and tool loops hand back the signature of their last reasoning, and `replay` another's."""
        talk, turn = rows["conversation"], rows["turn"]
        thinks = (rows["reasoning"] >= 0) | ((c["tools"] > 0) & (mix(talk ^ self.key[0]) % _HUNDRED < 40))
        last = mix(talk ^ (turn - 1).astype(np.uint64))
        back = thinks & (talk > 0) & (turn > 1) & (last % _HUNDRED < RETURNED_PERCENT)
        signature = np.where(back, mix(last), 0)
        loops = ((c["reasoning"] > 0) | (c["tools"] > 0)) & (mix(key) % _HUNDRED < LOOP_PERCENT)
        loops &= (talk == 0) & (mix(rows["content"]) % _HUNDRED < RETURNED_PERCENT)
        signature = np.where(loops, mix(rows["content"] ^ key), signature)
        before, account = np.roll(signature, 1), rows["account"]
        branch = thinks & (turn == 1) & (np.roll(account, 1) == account) & (mix(talk) % _HUNDRED < BRANCHED_PERCENT)
        rows["signature"] = np.where(branch, before, signature)
        if c["replay"].any():
            known = rng.integers(0, np.maximum(c["captured"], 1)).astype(np.uint64)
            other = mix(self.key[0] ^ mix(known))
            rows["signature"] = np.where(rng.random(len(rows)) < c["replay"], other, rows["signature"])

    def _hashes(self, rows: np.ndarray, which: np.ndarray, c: dict[str, np.ndarray], rng: np.random.Generator) -> None:
        n = len(rows)
        key, fresh = self.key[which], random_bits(rng, n)
        flips = c["flips"].astype(np.int64)
        rewritten = rng.random(n) < c["paraphrase"]
        variant = mix(key ^ rng.integers(1, 60, n).astype(np.uint64))
        variant = np.where(rng.random(n) < 0.5, variant, mix(fresh))
        rows["template"] = np.where(rewritten, variant, key)
        rows["simhash"] = self.base[which] ^ sparse_bits(rng, n, np.where(rewritten, np.minimum(flips, 2), flips))
        items = c["items"].astype(np.int64)
        item = np.where(items > 0, mix(key ^ mix(rng.integers(0, np.maximum(items, 1)).astype(np.uint64))), fresh)
        rows["content"] = np.where(rewritten, fresh, item)
        if c["fresh"].any():
            scratch = rng.random(n) < c["fresh"]
            for column, salt in (("template", 0x44), ("simhash", 0x55), ("content", 0x66)):
                rows[column] = np.where(scratch, mix(fresh ^ np.uint64(salt)), rows[column])
        free = c["free"] > 0
        again = free & (rng.random(n) < POPULAR_SHARE)
        known = self.popular[np.minimum(rng.pareto(0.9, n) * 3, len(self.popular) - 1).astype(np.int64)]
        for column, salt in (("template", 0x11), ("simhash", 0x22), ("content", 0x33)):
            text = np.where(again, known, mix(fresh))
            rows[column] = np.where(free, mix(text ^ np.uint64(salt)), rows[column])


def promptset(world: World, kinds: Sequence[Kind], keys: np.ndarray | None = None) -> PromptSet:
    """Return a set with one template per kind.

    Args:
        keys: (len(kinds),) template hashes to use, for templates that others use as well; default fresh ones.
    """
    key = world.numbers(len(kinds)) if keys is None else keys
    return PromptSet(
        list(kinds),
        np.array([_shape(world, k) for k in kinds]),
        key,
        mix(key ^ np.uint64(0x5151)),
        popular_prompts(world),
        np.array([k.weight for k in kinds]),
    )


def popular_prompts(world: World) -> np.ndarray:
    """Return hashes of the prompts that thousands of people send word by word."""
    return mix(np.arange(POPULAR_PROMPTS, dtype=np.uint64) + (np.uint64(world.seed + 1) << np.uint64(24)))


def public_templates(world: World, rng: np.random.Generator, n: int, least: int = 0) -> np.ndarray:
    """Return `n` draws, popular first, of the templates of public apps, frameworks and agents."""
    rank = np.minimum(rng.pareto(0.8, n) * 2 + least, PUBLIC_TEMPLATES - 1).astype(np.uint64)
    return mix(rank + (np.uint64(world.seed + 1) << np.uint64(32)))


def random_bits(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return `n` uniform 64-bit numbers."""
    return rng.integers(0, 1 << 64, n, dtype=np.uint64)


def sparse_bits(rng: np.random.Generator, n: int, depth: np.ndarray) -> np.ndarray:
    """Return `n` 64-bit masks in which each bit is set with chance 2^-depth (depth 1 … 6)."""
    out = random_bits(rng, n)
    for d in range(2, 7):
        out = np.where(depth >= d, out & random_bits(rng, n), out)
    return out


def _shape(world: World, kind: Kind) -> int:
    names = sorted(kind.capabilities, key=CAPABILITIES.index)
    text = ',"prompt.capabilities":[' + ",".join(f'"{c}"' for c in names) + "]"
    if kind.elicitation:
        text += ',"prompt.elicitation":[' + ",".join(f'"{e}"' for e in kind.elicitation) + "]"
    if kind.tools:
        text += f',"tools.count":{kind.tools}'
    return world.columns["shape"].add(text)


CHAT = (
    Kind(("other",), input=(180, 1.2), output=(260, 0.9), free=True, weight=46),
    Kind(("coding",), input=(420, 1.2), output=(520, 0.8), free=True, weight=18),
    Kind(("reasoning",), input=(150, 0.9), output=(650, 0.7), reasoning=0.6, free=True, weight=9),
    Kind(
        ("reasoning",), ("chain_of_thought",), input=(160, 0.9), output=(600, 0.7), reasoning=0.6, free=True, weight=3
    ),
    Kind(("coding", "reasoning"), input=(500, 1.1), output=(900, 0.7), reasoning=0.5, free=True, weight=6),
    Kind(("data_analysis",), input=(900, 1.2), output=(420, 0.8), free=True, weight=6),
    Kind(("vision",), input=(150, 0.9), output=(240, 0.8), image=1100, free=True, weight=6),
    Kind(("tool_use",), tools=3, input=(1500, 0.7), output=(300, 0.8), free=True, weight=4),
    Kind(("rubric_grading",), input=(900, 0.8), output=(200, 0.7), free=True, weight=0.8),
    Kind(("policy_rewrite",), input=(220, 0.8), output=(260, 0.7), free=True, refusal=0.12, weight=0.5),
    Kind(("reasoning",), ("reasoning_tags",), input=(260, 0.8), output=(700, 0.6), free=True, weight=0.3),
    Kind(("coding", "data_analysis"), input=(1100, 1.0), output=(600, 0.8), free=True, weight=3),
    Kind(("coding", "data_analysis"), ("chain_of_thought",), input=(900, 1.0), output=(700, 0.8), free=True, weight=1),
    Kind(("reasoning",), ("trace_reconstruction",), input=(900, 0.9), output=(700, 0.7), free=True, weight=0.3),
    Kind(("other",), ("filter_evasion",), input=(300, 0.8), output=(80, 0.8), free=True, refusal=0.6, weight=0.3),
)
"""What people ask in a chat. The mixture is assumed; the share of verbatim repeats is RAGPulse's."""

AGENT_LOOP = (
    Kind(
        ("coding", "tool_use", "agentic"),
        tools=17,
        input=(9000, 0.8),
        output=(380, 0.9),
        flips=2,
        max_tokens=32000,
        weight=6,
    ),
    Kind(("coding", "tool_use"), tools=12, input=(6000, 0.8), output=(300, 0.9), flips=2, max_tokens=8192, weight=3),
    Kind(
        ("coding", "reasoning", "tool_use", "agentic"),
        tools=17,
        input=(11000, 0.7),
        output=(700, 0.8),
        reasoning=0.4,
        flips=2,
        max_tokens=32000,
        weight=2,
    ),
    Kind(
        ("agentic", "tool_use", "computer_use", "vision"),
        tools=5,
        input=(4000, 0.6),
        output=(200, 0.7),
        image=1500,
        flips=2,
        weight=0.4,
    ),
    Kind(("tool_use", "agentic", "data_analysis"), tools=9, input=(5000, 0.7), output=(400, 0.8), flips=2, weight=0.8),
)
"""What the popular coding agents send."""

"""Assistants, saved prompts and buttons: templates of which each has some users, few or thousands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stream.simulate.figures import spread
from stream.simulate.prompts import CHAT, Kind, PromptSet, promptset, public_templates
from stream.simulate.world import World

APPS = 260
APP_SHARE = 0.30  # [Assumed]; RAGPulse: one system prompt is in 76.7 % of an assistant's requests
COT = ("chain_of_thought",)
_SORTS = (
    (Kind(("other",), input=(420, 0.6), output=(330, 0.6)), 22),
    (Kind(("other",), input=(700, 0.4), output=(120, 0.5), max_tokens=512), 9),
    (Kind(("data_analysis",), tools=2, input=(1500, 0.7), output=(380, 0.6), max_tokens=4096), 9),
    (Kind(("coding",), input=(800, 0.7), output=(560, 0.6), max_tokens=8192), 10),
    (Kind(("tool_use",), tools=4, input=(1800, 0.6), output=(260, 0.7), max_tokens=4096), 10),
    (Kind(("agentic", "tool_use"), tools=9, input=(2600, 0.6), output=(420, 0.7), flips=2, max_tokens=8192), 7),
    (Kind(("reasoning",), COT, input=(260, 0.5), output=(620, 0.5), reasoning=0.6), 7),
    (Kind(("reasoning",), input=(300, 0.6), output=(560, 0.6), reasoning=0.6, max_tokens=8192), 6),
    (Kind(("reasoning",), COT, input=(420, 0.5), output=(540, 0.5), max_tokens=2048), 4),
    (Kind(("rubric_grading",), input=(1000, 0.5), output=(190, 0.5), max_tokens=1024), 4),
    (Kind(("vision",), input=(260, 0.6), output=(300, 0.6), image=1200), 5),
    (Kind(("policy_rewrite",), input=(300, 0.6), output=(320, 0.6), refusal=0.06), 2),
    (
        Kind(("reasoning",), ("chain_of_thought", "reasoning_tags"), input=(330, 0.6), output=(700, 0.6), refusal=0.03),
        2,
    ),
    (Kind(("other",), ("filter_evasion",), input=(900, 0.3), output=(110, 0.8), refusal=0.5), 1),
)
"""What such templates ask for, and how common it is. The last two: "show all your reasoning", and a jailbreak that goes
round. Assumed."""


def apps(world: World, rng: np.random.Generator, n: int) -> tuple[list[Kind], np.ndarray]:
    """Return `n` templates and their keys; half of the keys are those of public apps that tenants use as well."""
    weights = np.array([w for _, w in _SORTS], float)
    sorts = np.searchsorted(np.cumsum(weights / weights.sum()), spread(rng, n))
    kinds = []
    for i in np.minimum(sorts, len(_SORTS) - 1).tolist():
        kind = _SORTS[i][0]
        size = float(np.exp(0.5 * rng.standard_normal()))
        items = int(rng.choice([0] * 10 + [4, 30, 400]))
        tools = max(1, round(kind.tools * rng.uniform(0.4, 2.2))) if kind.tools else 0
        kinds.append(replace(kind, input=(kind.input[0] * size, kind.input[1]), items=items, tools=tools))
    keys = np.where(rng.random(n) < 0.5, public_templates(world, rng, n), world.numbers(n))
    return kinds, keys


def chat_prompts(world: World, rng: np.random.Generator) -> PromptSet:
    """Return what people ask in a chat: free text, and a share of apps' templates by Zipf's law."""
    kinds, keys = apps(world, rng, APPS)
    prompts = promptset(world, [*CHAT, *kinds], np.concatenate([world.numbers(len(CHAT)), keys]))
    zipf = 1 / np.arange(1, APPS + 1) ** 0.85
    free = prompts.weight[: len(CHAT)].sum()
    prompts.weight[len(CHAT) :] = rng.permutation(zipf) / zipf.sum() * free * APP_SHARE / (1 - APP_SHARE)
    return prompts

"""Kinds of prompt that campaigns send; lengths and refusals are assumptions."""

from __future__ import annotations

from stream.simulate.prompts import Kind

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

INJECTED = ("reasoning_tags",)
TAGGED = (
    (Kind(("reasoning",), INJECTED, input=(420, 0.6), output=(900, 0.5), reasoning=0.5, refusal=0.03, weight=7), 5),
    (Kind(("coding", "reasoning"), INJECTED, input=(1300, 0.6), output=(1100, 0.6), refusal=0.03, weight=6), 4),
    (Kind(("data_analysis",), INJECTED, input=(1500, 0.6), output=(800, 0.6), refusal=0.03, weight=3), 2),
    (
        Kind(("agentic", "tool_use"), INJECTED, tools=8, input=(3500, 0.6), output=(600, 0.6), refusal=0.03, weight=5),
        3,
    ),
)
"""One fixed prompt, injected into tasks of every sort, that forces the reasoning into inline tags."""

RELAYED = (
    (
        Kind(
            ("coding", "tool_use", "agentic"),
            tools=11,
            input=(5000, 0.9),
            output=(420, 0.9),
            reasoning=0.4,
            replay=0.03,
            weight=6,
        ),
        2,
    ),
    (Kind(("reasoning",), input=(400, 1.0), output=(700, 0.8), reasoning=0.6, replay=0.03, weight=4), 2),
    (Kind(("other",), input=(500, 1.0), output=(350, 0.9), reasoning=0.3, replay=0.02, weight=4), 2),
)
"""A product's own system prompts around what its users ask."""

CLEANING = (
    (
        Kind(
            ("reasoning",),
            ("trace_reconstruction",),
            input=(9000, 0.6),
            output=(2600, 0.5),
            reasoning=0.3,
            refusal=0.06,
            replay=0.8,
            weight=9,
        ),
        3,
    ),
    (Kind(("rubric_grading",), input=(7000, 0.6), output=(160, 0.5), refusal=0.02, replay=0.3, weight=6), 3),
    (
        Kind(
            ("policy_rewrite", "rubric_grading"),
            ("filter_evasion",),
            input=(5000, 0.5),
            output=(220, 0.6),
            refusal=0.2,
            replay=0.2,
            weight=3,
        ),
        2,
    ),
    (Kind(("reasoning", "coding"), input=(6000, 0.6), output=(1900, 0.5), reasoning=0.4, replay=0.5, weight=4), 2),
)
"""Captured traces replayed to be cleaned, judged, filtered and written anew."""

TECHNIQUES = tuple(
    Kind(
        ("reasoning",) if k % 3 else ("reasoning", "coding"),
        elicitation,
        input=(260 + 60 * k, 0.8),
        output=(520, 0.7),
        reasoning=0.4 if k % 2 else 0.0,
        fresh=1.0,
        refusal=0.82,
    )
    for k, elicitation in enumerate(
        (
            ("chain_of_thought",),
            ("trace_reconstruction",),
            ("reasoning_tags",),
            ("filter_evasion",),
            ("filter_evasion", "reasoning_tags"),
            ("filter_evasion", "trace_reconstruction"),
            ("chain_of_thought", "reasoning_tags"),
            ("trace_reconstruction", "reasoning_tags"),
            (),
        )
    )
)
"""Attempts to make the model show its reasoning, each written anew, most of them refused."""

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

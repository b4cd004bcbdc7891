"""Every cue is found by the index, where it may stand, and nothing else is."""

from __future__ import annotations

import re

import pytest

from detectors.prompt_cues import CUES
from detectors.prompt_signals import elicitation, find_cues


def found(text: str) -> dict[str, list[str]]:
    folded = " ".join(text.casefold().split())
    return find_cues(folded, re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+", folded))


@pytest.mark.parametrize("name", CUES)
def test_every_cue_is_found(name: str) -> None:
    for cue in CUES[name]:
        assert cue.casefold() in found(f"¡ {cue} 1")[name]


@pytest.mark.parametrize("name", CUES)
def test_a_cue_that_is_not_in_ascii_is_found_inside_words(name: str) -> None:
    for cue in CUES[name]:
        if not cue.isascii() and cue == cue.strip():
            assert cue.casefold() in found(f"Ж{cue}Ж")[name]


def test_a_cue_in_ascii_begins_where_a_word_does() -> None:
    assert "chain_of_thought" in found("A chain of thoughts!")
    assert found("Unchain of thoughts!") == {}


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("A step-by-step guide, and then think step by step.", ["chain_of_thought"]),
        ("Think step by step. Recipes are welcome.", ["chain_of_thought"]),
        ("Guide your reasoning step by step.", ["chain_of_thought"]),
        ("Guided step-by-step reasoning.", ["chain_of_thought"]),
        ("A step-by-step guide that shows your reasoning process.", ["chain_of_thought"]),
        ("A step-by-step detailed guide, a tutorial step by step.", []),
    ],
)
def test_a_guide_in_steps_excuses_itself_and_nothing_else(text: str, flags: list[str]) -> None:
    assert elicitation(text.casefold(), found(text)) == flags

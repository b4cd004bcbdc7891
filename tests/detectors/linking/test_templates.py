"""Paraphrases by SimHash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.linking import templates as module
from detectors.linking.templates import SAME_FAMILY, TemplateFamilies

RNG = np.random.default_rng(3)
NONE = np.zeros(0, np.int64)
TEXTS = [int(value) for value in RNG.integers(1, 2**64, 50, np.uint64)]


def flip(simhash: int, *bits: int) -> int:
    for bit in bits:
        simhash ^= 1 << bit
    return simhash


def canonical(families: TemplateFamilies, *pairs: tuple[int, int]) -> list[int]:
    templates, simhashes = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    return families.canonical(templates, simhashes).tolist()


def test_a_paraphrase_within_three_bits_joins_the_first() -> None:
    families = TemplateFamilies()
    assert canonical(families, (1, TEXTS[0]), (2, flip(TEXTS[0], 0, 20, 40))) == [1, 1]


@given(st.sets(st.integers(0, 63), max_size=SAME_FAMILY))
def test_once_two_met_everything_within_six_bits_joins(bits: set[int]) -> None:
    families = TemplateFamilies()
    canonical(families, (1, TEXTS[0]), (2, flip(TEXTS[0], 5)))
    assert canonical(families, (3, flip(TEXTS[0], *bits))) == [1]


def test_seven_bits_away_is_another_template() -> None:
    families = TemplateFamilies()
    canonical(families, (1, TEXTS[0]), (2, flip(TEXTS[0], 5)))
    assert canonical(families, (3, flip(TEXTS[0], *range(10, 17)))) == [3]


def test_unrelated_texts_stand_alone() -> None:
    families = TemplateFamilies()
    numbers = list(range(1, len(TEXTS) + 1))
    assert canonical(families, *zip(numbers, TEXTS, strict=True)) == numbers


def test_without_a_simhash_a_template_stands_alone() -> None:
    assert canonical(TemplateFamilies(), (1, 0), (2, 0), (1, 0)) == [1, 2, 1]


def test_templates_without_a_simhash_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(module.Neighbours, "of", lambda self, simhashes: compared.append(len(simhashes)) or [NONE] * 2)
    canonical(TemplateFamilies(), (1, 0), (2, TEXTS[0]), (3, 0))
    assert compared == [1]


def test_a_template_keeps_its_family() -> None:
    families = TemplateFamilies()
    canonical(families, (1, TEXTS[0]))
    assert canonical(families, (1, TEXTS[1]), (2, TEXTS[1])) == [1, 2]


@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=4)), min_size=1, max_size=25))
def test_state_round_trip_and_batches_do_not_show(made: list[tuple[int, set[int]]]) -> None:
    pairs = [(number + 1, flip(TEXTS[text], *bits)) for number, (text, bits) in enumerate(made)]
    whole, pieces = TemplateFamilies(), TemplateFamilies()
    expected = canonical(whole, *pairs)
    found = []
    for pair in pairs:
        found += canonical(pieces, pair)
        restored = TemplateFamilies()
        restored.load(pieces.state())
        pieces = restored
    assert found == expected


def test_memory_is_bounded_and_families_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEMPLATES", 30)
    families = TemplateFamilies()
    canonical(families, (1, TEXTS[0]), (2, flip(TEXTS[0], 1)))
    for number, text in enumerate(TEXTS[1:], start=10):
        canonical(families, (number, text))
    assert len(families.state()[0]) <= 32
    assert canonical(families, (2, flip(TEXTS[0], 1)), (3, flip(TEXTS[0], 9))) == [1, 1]

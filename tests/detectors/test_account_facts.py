"""What is said of a single account is true of what it shares."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.account_facts import mitigating
from detectors.linking.graph import RECENT, Graph
from detectors.models.peers import PeerModels
from detectors.partials import FAMILIES
from tests.detectors.made import population, share

ROW = np.array([0])


def alone(graph: Graph) -> str:
    (text,) = [fact.text for fact in mitigating(graph, PeerModels(0), ROW, 0) if fact.fact == "alone"]
    return text


def test_one_shared_card_makes_no_group_but_is_said_to_be_shared() -> None:
    graph = population()
    graph.accounts["carries"][0] = 1 << FAMILIES.index("payment")
    share(graph, np.arange(2), FAMILIES.index("payment"), 2)
    assert alone(graph) == "it is in no group of linked accounts; it has 1 card in common with others"
    for place in range(RECENT):
        share(graph, np.arange(2), FAMILIES.index("network"), 2, place)
    assert alone(graph).endswith(f"it has 1 card and at least {RECENT} networks in common with others")


@pytest.mark.parametrize(
    ("carries", "text"),
    [
        (0, "no card, device or network of it is known"),
        (1 << FAMILIES.index("signature"), "no card, device or network of it is known"),
        (1 << FAMILIES.index("device"), "no other account is known to use its cards, devices or networks"),
    ],
)
def test_what_is_shared_with_nobody_or_not_known_is_said_to_be_so(carries: int, text: str) -> None:
    graph = population()
    graph.accounts["carries"][0] = carries
    share(graph, ROW, FAMILIES.index("device"), 1)
    assert alone(graph) == f"it is in no group of linked accounts; {text}"


def test_who_is_in_a_group_is_not_called_alone() -> None:
    graph = population()
    graph.accounts["component"][0] = 3
    assert "alone" not in {fact.fact for fact in mitigating(graph, PeerModels(0), ROW, 0)}

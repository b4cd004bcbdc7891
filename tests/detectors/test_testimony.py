"""What an alert says besides its evidence."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import testimony
from detectors.evidence.fusion import NAMES, Fusion, Judgement
from detectors.linking.members import COMPONENT, Group, Groups, Population
from detectors.testimony import KIN_NATS, _left_out, counterfactual
from tests.detectors.made import machines, population

THRESHOLD = 12.0
FUSION = Fusion()
ROWS = np.arange(40)


def needed(minus_ln_p: float) -> float:
    return FUSION.totals.value_at(minus_ln_p, COMPONENT, float(len(ROWS)))


def judged(surprise: float, telling: bool = True, **nats: float) -> tuple[Groups, Judgement]:
    """Return a component, and a judgement of it that gives families so many nats, by a statistic of 0.2."""
    graph = population()
    groups = Groups(graph, [Group(COMPONENT, graph.accounts, ROWS, machines(graph, ROWS), ROWS[:0])], Population())
    raw, statistics = np.zeros((len(NAMES), 1)), np.full((len(NAMES), 1), 0.2)
    for name, value in nats.items():
        raw[NAMES.index(name)] = value
    total = np.array([needed(surprise)])
    figures = (raw, raw.sum(0), raw, total, np.array([surprise]), np.array([telling]))
    return groups, Judgement(statistics, *figures)


def told(surprise: float, telling: bool = True) -> str:
    groups, judgement = judged(surprise, telling, links=9.0, capability=4.0)
    return counterfactual(groups, judgement, 0, FUSION, THRESHOLD)


def test_the_reader_is_told_when_the_evidence_is_of_more_accounts_than_are_accused() -> None:
    assert _left_out(84, 84) == []
    (fact,) = _left_out(139, 84)
    assert fact.text == "the evidence is of the 139 accounts of a group; 55 of them are not accused"


def test_a_stranger_is_told_the_whole_threshold() -> None:
    assert told(14.0) == (
        "without the evidence of links it would not have been reported by itself: it stands at "
        f"{needed(14.0):.1f} nats, {needed(THRESHOLD):.1f} are needed within the false-alarm budget"
    )


def test_kin_of_a_known_campaign_is_told_what_kin_needs_and_why() -> None:
    text = told(10.0)
    assert text.endswith(
        f"it stands at {needed(10.0):.1f} nats, {needed(THRESHOLD - KIN_NATS):.1f} are needed because it shares "
        f"accounts or work with a known campaign, else {needed(THRESHOLD):.1f} would be"
    )
    assert needed(THRESHOLD - KIN_NATS) < needed(10.0) < needed(THRESHOLD)


def test_kin_that_does_not_tell_by_itself_is_said_to_count_as_kin_only() -> None:
    text = told(14.0, telling=False)
    assert f"{needed(THRESHOLD):.1f} are needed" in text
    assert text.endswith("it counts only because it shares accounts with a known campaign")


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("place", "80 % of the accounts have one card, device or network in common"),
        ("verification", "80 % of the requests come from accounts with a document check or under contract"),
        ("evenness", "the accounts' daily requests vary by 200 % of their mean"),
        ("rhythm", "the accounts cover 20 % of the hours of the day that a machine with as much to do would"),
    ],
)
def test_what_speaks_against_a_campaign_is_not_called_less_nor_said_the_other_way_round(family: str, text: str) -> None:
    groups, judgement = judged(14.0, links=9.0, **{family: -1.5})
    said = testimony.testify(groups, judgement, 0, ROWS, FUSION, THRESHOLD)
    (fact,) = [fact for fact in said.mitigating if fact.fact == family]
    assert fact.text.startswith(text)
    assert fact.text.endswith("; that speaks against a campaign")

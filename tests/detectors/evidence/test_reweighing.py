"""Verdicts to multipliers: bounded, slow to believe, and no reviewer alone decides."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.evidence.reweighing import (
    DAY_MS,
    LEAST,
    MAX_LABELS,
    MOST,
    PER_WEEK,
    PRIOR,
    SHARE,
    Label,
    Reweighing,
    cap,
)

NOW = 1_700_000_000_000


def learnt(labels: list[Label]) -> Reweighing:
    result = Reweighing()
    for label in labels:
        result.add(label)
    return result


def labels(count: int, reviewers: int = 5, days: float = 3.0, inverted: bool = False) -> list[Label]:
    """Campaigns told from others by the first family; the second says the same of all."""
    made = []
    for number in range(count):
        confirmed = bool(number % 2)
        nats = [4.0 if confirmed ^ inverted else -1.0, 3.0, 0.0]
        time = NOW - int((count - number) * days * DAY_MS)
        made.append(Label(f"c{number}", confirmed, f"r{number % reviewers}", time, nats))
    return made


def test_no_labels_leave_the_weights_alone() -> None:
    assert Reweighing().multipliers(NOW, 3).tolist() == [1.0, 1.0, 1.0]


def test_the_family_that_tells_them_apart_gains() -> None:
    first, second, silent = learnt(labels(60)).multipliers(NOW, 3)
    assert 1.1 < first <= MOST
    assert first - 1.0 > 3 * abs(second - 1.0)
    assert silent == 1.0


def test_a_family_that_speaks_for_dismissed_campaigns_loses() -> None:
    assert LEAST <= learnt(labels(60, inverted=True)).multipliers(NOW, 3)[0] < 0.9


def test_few_labels_move_little_and_one_sort_of_verdict_nothing() -> None:
    few, many = (learnt(labels(count)).multipliers(NOW, 3)[0] - 1.0 for count in (4, 60))
    assert 0.0 < few < many / 4
    dismissed = [label for label in labels(60) if not label.confirmed]
    assert learnt(dismissed).multipliers(NOW, 3).tolist() == [1.0, 1.0, 1.0]


def test_labels_fade() -> None:
    known = learnt(labels(60))
    now, later = (known.multipliers(NOW + days * DAY_MS, 3)[0] - 1.0 for days in (0, 360))
    assert 0.0 < later < now / 3


def test_a_label_counts_until_its_verdict_ends_and_then_speaks_for_and_against_nobody() -> None:
    until = NOW + DAY_MS
    short = Label("c", True, "a", NOW, [4.0], until)
    other = Label("c", False, "b", NOW, [4.0])
    known = learnt([short, other])
    assert known.weights(until - 1)[short.key] == known.weights(until - 1)[other.key] < 0.5
    assert known.weights(until)[short.key] == 0.0
    assert known.weights(until)[other.key] == 0.5 ** (1 / 90), "nobody contradicts it any more"
    restored = Reweighing()
    restored.load(msgspec.msgpack.decode(msgspec.msgpack.encode(known.state())))
    assert restored.weights(until) == known.weights(until)


def test_verdicts_that_have_ended_make_no_room_in_their_week() -> None:
    early = [Label(f"c{n}", True, "a", NOW, [1.0], NOW + 1) for n in range(PER_WEEK)]
    assert set(learnt([*early, Label("more", True, "a", NOW + 1, [1.0])]).weights(NOW + 1).values()) == {0.0}


def test_one_reviewer_alone_is_held_back_and_a_busy_liar_does_not_win(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = (learnt(labels(60, reviewers)).multipliers(NOW, 3)[0] - 1.0 for reviewers in (1, 5))
    assert 0.0 < alone < together
    liar = [
        Label(f"x{n}", bool(n % 2), "liar", NOW - n * DAY_MS, [-1.0 if n % 2 else 4.0, 3.0, 0.0]) for n in range(60)
    ]
    everyone = learnt(labels(60) + liar)
    assert everyone.multipliers(NOW, 3)[0] > 1.0
    monkeypatch.setattr("detectors.evidence.reweighing.cap", lambda weights: 1e9)
    assert everyone.multipliers(NOW, 3)[0] < 1.0


def test_who_contradicts_everybody_is_not_believed_elsewhere_either() -> None:
    honest = labels(60)
    liar = [Label(one.campaign_id, not one.confirmed, "liar", one.time + 1, one.nats) for one in honest]
    alone = Label("nobody else looked", True, "liar", NOW, [4.0, 3.0, 0.0])
    weights = learnt([*honest, *liar, alone]).weights(NOW)
    assert weights[alone.key] < 0.05
    assert weights[honest[-1].key] > 2 * weights[alone.key]
    assert learnt([*honest, alone]).weights(NOW)[alone.key] == 1.0
    assert learnt([*honest, *liar, alone]).multipliers(NOW, 3)[0] >= 1.0


def test_a_flood_of_one_week_counts_as_ten() -> None:
    flood = [Label(f"c{n}", True, "a", NOW - n, [1.0]) for n in range(100)]
    week = sum(weight > 0 for weight in learnt(flood).weights(NOW).values())
    assert week in (PER_WEEK, 2 * PER_WEEK)  # the flood may lie across two weeks


@given(st.lists(st.floats(0, 1_000), min_size=1, max_size=8))
def test_no_reviewer_holds_more_than_a_third(weights: list[float]) -> None:
    most = cap(weights)
    held = [min(weight, most) for weight in weights]
    assert max(held) <= SHARE * (PRIOR + sum(held)) * (1 + 1e-9)
    if max(weights) <= SHARE * (PRIOR + sum(weights)):
        assert held == weights


def test_multipliers_do_not_depend_on_the_order_of_arrival_and_survive_a_restart() -> None:
    known, reverse, restored = learnt(labels(30)), learnt(labels(30)[::-1]), Reweighing()
    restored.load(msgspec.msgpack.decode(msgspec.msgpack.encode(known.state())))
    expected = known.multipliers(NOW, 3)
    assert np.array_equal(reverse.multipliers(NOW, 3), expected)
    assert np.array_equal(restored.multipliers(NOW, 3), expected)


def test_reviewers_may_change_their_own_mind_and_nobody_elses() -> None:
    known = learnt([Label("c", True, "a", NOW, [1.0]), Label("c", False, "b", NOW + 1, [1.0])])
    known.add(Label("c", False, "a", NOW + 2, [1.0]))
    assert [(label["by"], label["confirmed"]) for label in known.state()] == [("a", False), ("b", False)]


@pytest.mark.parametrize("count", [MAX_LABELS + 20])
def test_the_oldest_labels_go(count: int) -> None:
    known = learnt([Label(f"c{n}", True, "a", NOW + n, [1.0]) for n in range(count)])
    assert len(known) == MAX_LABELS
    assert min(label["time"] for label in known.state()) == NOW + 20

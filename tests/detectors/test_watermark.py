"""Ticks, lateness and wrong clocks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.watermark import CORROBORATION, Watermark

TICK, LATENESS, JUMP = 100, 20, 1_000
EVENT = st.tuples(st.one_of(st.integers(0, 3_000), st.integers(0, 30_000)), st.integers(0, 3))


def watermark() -> Watermark:
    return Watermark(TICK, LATENESS, JUMP)


def assign(subject: Watermark, *events: tuple[int, int]) -> tuple[list[int], list[bool]]:
    time, account = np.array(events, np.int64).reshape(-1, 2).T
    ticks, late = subject.assign(time, account)
    return ticks.tolist(), late.tolist()


def test_a_tick_closes_when_time_is_past_its_end_by_the_lateness() -> None:
    subject = watermark()
    assign(subject, (50, 0), (219, 0))
    assert subject.closed == 0
    assign(subject, (220, 0))
    assert subject.closed == 1


def test_a_request_of_a_closed_tick_is_late_and_counts_in_the_next() -> None:
    subject = watermark()
    assert assign(subject, (330, 0), (150, 0), (301, 0), (299, 0)) == ([3, 3, 3, 3], [False, True, False, True])


def test_the_request_that_closes_a_tick_is_not_late_itself() -> None:
    assert assign(watermark(), (50, 0), (130, 0), (140, 0)) == ([0, 1, 1], [False, False, False])


def test_one_wrong_clock_closes_nothing() -> None:
    subject = watermark()
    ticks, late = assign(subject, (50, 0), (9_000, 1), (60, 0))
    assert (ticks, late) == ([0, 90, 0], [False, False, False])
    assert subject.closed == -1
    assert subject.greatest == 9_000


def test_a_second_account_far_ahead_is_believed() -> None:
    subject = watermark()
    assign(subject, (50, 0), (9_000, 1), (9_500, 2))
    assert subject.time == 9_000


def test_a_lone_account_far_ahead_is_believed_after_ten_requests() -> None:
    subject = watermark()
    assign(subject, (50, 0), *[(9_000, 1)] * (CORROBORATION - 1))
    assert subject.time == 50
    assign(subject, (9_000, 1))
    assert subject.time == 9_000


def test_a_wrong_clock_of_long_ago_does_not_vouch_for_another() -> None:
    subject = watermark()
    assign(subject, (50, 0), (2_000, 1), *[(time, 0) for time in range(500, 4_000, 500)])
    assert subject.time == 3_500
    assign(subject, (20_000, 2))
    assert subject.time == 3_500


@given(st.lists(EVENT, min_size=1, max_size=40), st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_batches_do_not_show(events: list[tuple[int, int]], sizes: list[int]) -> None:
    whole, pieces = watermark(), watermark()
    expected = assign(whole, *events)
    ticks, late, start, turn = [], [], 0, 0
    while start < len(events):
        part = assign(pieces, *events[start : start + sizes[turn % len(sizes)]])
        ticks, late = ticks + part[0], late + part[1]
        start, turn = start + sizes[turn % len(sizes)], turn + 1
    assert (ticks, late) == expected
    assert pieces.state() == whole.state()


@given(st.lists(EVENT, min_size=1, max_size=40))
def test_time_and_closed_ticks_never_go_back(events: list[tuple[int, int]]) -> None:
    subject = watermark()
    time = closed = -1
    for event in events:
        ticks, _ = assign(subject, event)
        assert subject.time >= time
        assert subject.closed >= closed
        assert ticks[0] > closed
        time, closed = subject.time, subject.closed


@given(st.lists(EVENT, min_size=2, max_size=30), st.integers(1, 29))
def test_state_round_trip(events: list[tuple[int, int]], cut: int) -> None:
    subject, restored = watermark(), watermark()
    if events[:cut]:
        assign(subject, *events[:cut])
    restored.load(subject.state())
    if events[cut:]:
        assert assign(restored, *events[cut:]) == assign(subject, *events[cut:])
    assert restored.state() == subject.state()


def test_drain_closes_up_to_the_greatest_time_but_not_beyond_now() -> None:
    subject = watermark()
    assert subject.drain(10**9) == -1
    assign(subject, (50, 0), (250, 0))
    assert subject.drain(299) == 1
    assert subject.drain(10**9) == 2
    assert subject.drain(0) == 2

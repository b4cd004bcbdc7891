"""The requests of open ticks: in order, in few pieces, and back from their entries."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.columns import Columns
from detectors.open_ticks import PIECE_ROWS, OpenTicks

Changelog = dict[str, bytes]


def batch(start: int, rows: int) -> Columns:
    numbers = np.arange(start, start + rows)
    return {"row": numbers, "tick": numbers // 7_000, "share": np.stack([numbers, -numbers], 1).astype(np.float32)}


def filled(sizes: list[int]) -> OpenTicks:
    ticks, start = OpenTicks(), 0
    for size in sizes:
        ticks.add(batch(start, size))
        start += size
    return ticks


def write(ticks: OpenTicks, log: Changelog) -> int:
    entries = ticks.snapshot()
    log |= entries
    for key in [key for key, value in log.items() if not value]:
        del log[key]
    return len(entries)


def back(log: Changelog) -> OpenTicks:
    ticks = OpenTicks()
    ticks.restore(log)
    return ticks


def test_what_is_closed_and_what_stays_are_in_order_however_they_came():
    for sizes in ([9_000], [1] * 20 + [8_980], [2_999, 1, 6_000], [50] * 180):
        ticks = filled(sizes)
        assert ticks.nbytes == sum(column.nbytes for column in batch(0, 9_000).values())
        closed, waiting = ticks.close(0)
        assert closed["row"].tolist() == list(range(7_000))
        assert waiting.tolist() == list(range(7_000, 9_000))
        assert ticks.nbytes == sum(column.nbytes for column in batch(0, 2_000).values())
        assert ticks.close(1)[0]["share"].tolist() == batch(7_000, 2_000)["share"].tolist()
        assert not ticks
        assert ticks.nbytes == 0


def test_batches_of_a_few_requests_become_few_pieces():
    ticks, log = filled([1] * 20_000), {}
    assert len(ticks._whole) == 20_000 // PIECE_ROWS
    assert len(ticks._recent) < PIECE_ROWS
    assert write(ticks, log) == 7
    assert write(ticks, log) == 0
    ticks.add(batch(20_000, 3))
    assert write(ticks, log) == 1


def test_entries_of_a_closed_tick_are_deleted_or_overwritten():
    ticks, log = filled([20_000]), {}
    write(ticks, log)
    ticks.close(1)
    write(ticks, log)
    assert len(log) == 2
    assert back(log).close(9)[0]["row"].tolist() == list(range(14_000, 20_000))
    ticks.close(9)
    write(ticks, log)
    assert log == {}


@given(st.lists(st.tuples(st.integers(1, 4_000), st.sampled_from(["add", "save", "restore", "close"])), max_size=20))
def test_saved_and_restored_at_any_point_nothing_changes(steps: list[tuple[int, str]]):
    log: Changelog = {}
    ticks, plain, start, tick = OpenTicks(), OpenTicks(), 0, -1
    for size, act in steps:
        for one in (ticks, plain):
            one.add(batch(start, size))
        start += size
        if act == "close":
            tick += 1
            closed, waiting = ticks.close(tick)
            expected, expected_waiting = plain.close(tick)
            assert closed["row"].tolist() == expected["row"].tolist()
            assert waiting.tolist() == expected_waiting.tolist()
        elif act != "add":
            write(ticks, log)
            ticks = back(log) if act == "restore" else ticks
    if plain:
        assert ticks.nbytes == plain.nbytes
        assert ticks.close(1 << 40)[0]["row"].tolist() == plain.close(1 << 40)[0]["row"].tolist()

"""The account stage: the same partials whatever the batches, crashes and repeats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detectors.errors import StateVersionError
from detectors.request import Request
from detectors.stages import account
from detectors.stages.account import AccountStage
from tests.detectors.made import DAY_MS, HOUR_MS, START_MS, TICK_MS, crowd, request, run, settings, told

TICK = START_MS // TICK_MS
SETTINGS = settings(idle_account_days=1, duplicate_ids=64)
SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=4)
WORLDS = st.tuples(st.integers(0, 10_000), st.integers(2, 150), st.sampled_from([HOUR_MS, 6 * HOUR_MS, 5 * DAY_MS]))


def world(seed: int, count: int, span_ms: int) -> list[Request]:
    return crowd(4, count, span_ms, seed)


@hypothesis_settings(max_examples=40)
@given(WORLDS, SIZES)
def test_batches_do_not_show(parameters: tuple[int, int, int], sizes: list[int]) -> None:
    requests = world(*parameters)
    whole, pieces = AccountStage(SETTINGS), AccountStage(SETTINGS)
    expected = run(whole, requests, [len(requests)]) + whole.advance()
    found = run(pieces, requests, sizes) + pieces.advance()
    assert told(found) == told(expected)
    for name in ("requests", "late", "duplicates", "tracked_accounts", "last_offset"):
        assert getattr(pieces, name) == getattr(whole, name), name


@hypothesis_settings(max_examples=40)
@given(WORLDS, SIZES, st.lists(st.integers(0, 150), min_size=1, max_size=3))
def test_restored_at_any_point_it_goes_on_alike(
    parameters: tuple[int, int, int], sizes: list[int], cuts: list[int]
) -> None:
    requests = world(*parameters)
    stage, log = AccountStage(SETTINGS), {}
    start = 0
    for cut in sorted(cuts):
        run(stage, requests[start:cut], sizes, start)
        start = max(start, min(cut, len(requests)))
        log |= stage.snapshot()
    restored = AccountStage(SETTINGS)
    restored.restore(log.items())
    assert restored.last_offset == stage.last_offset == start - 1
    expected = run(stage, requests[start:], sizes, start) + stage.advance()
    again = run(restored, requests, [17]) + restored.advance()
    assert told(again) == told(expected)
    log |= restored.snapshot()
    third = AccountStage(SETTINGS)
    third.restore(log.items())
    assert third.tracked_accounts == stage.tracked_accounts
    assert third.advance() == []


def test_offsets_already_counted_are_skipped() -> None:
    requests = crowd(3, 50, HOUR_MS)
    stage = AccountStage(SETTINGS)
    run(stage, requests, [20])
    counted = stage.requests
    assert run(stage, requests, [50]) == []
    assert stage.requests == counted
    assert stage.last_offset == 49


def test_the_same_event_twice_counts_once() -> None:
    stage = AccountStage(SETTINGS)
    stage.process([request(1, START_MS), request(1, START_MS), request(2, START_MS)], range(3))
    stage.process([request(2, START_MS)], [3])
    (one,) = stage.advance()
    assert one.column("counts")[:, 0].tolist() == [2]
    assert (stage.requests, stage.duplicates) == (2, 2)


def test_a_batch_of_nothing_but_duplicates_moves_the_offset() -> None:
    stage = AccountStage(SETTINGS)
    stage.process([request(1, START_MS)], [0])
    assert stage.process([request(1, START_MS)], [1]) == []
    assert stage.last_offset == 1


def test_late_requests_are_counted_in_the_next_tick() -> None:
    stage = AccountStage(SETTINGS)
    first = stage.process([request(1, START_MS), request(2, START_MS + TICK_MS + 120_000)], [0, 1])
    assert [(one.tick, one.accounts) for one in first] == [(TICK, ["a"])]
    stage.process([request(3, START_MS + 5, "b")], [2])
    assert stage.late == 1
    (one,) = stage.advance()
    assert (one.tick, one.accounts) == (TICK + 1, ["a", "b"])
    assert one.column("first")[1] == START_MS + 5


def test_partials_say_that_empty_ticks_are_closed() -> None:
    stage = AccountStage(SETTINGS)
    partials = stage.process([request(1, START_MS), request(2, START_MS + 3 * TICK_MS + 120_000)], [0, 1])
    assert [(one.tick, one.accounts, one.idle) for one in partials] == [(TICK, ["a"], False), (TICK + 2, [], False)]


def test_a_drained_partition_closes_what_now_allows_and_says_so_once() -> None:
    stage = AccountStage(SETTINGS)
    stage.process([request(1, START_MS), request(2, START_MS + TICK_MS)], [0, 1])
    (early,) = stage.advance(START_MS + TICK_MS)
    assert (early.tick, early.accounts, early.idle, early.last_chunk) == (TICK, ["a"], True, True)
    assert stage.advance(START_MS + TICK_MS + 1) == []
    (late,) = stage.advance(START_MS + 2 * TICK_MS)
    assert (late.tick, late.accounts, late.idle) == (TICK + 1, ["a"], True)


def test_a_stage_that_saw_nothing_still_says_it_is_idle() -> None:
    stage = AccountStage(SETTINGS, 3)
    (one,) = stage.advance(START_MS)
    assert (one.partition, one.tick, one.idle, one.accounts) == (3, -1, True, [])
    assert stage.advance(START_MS + HOUR_MS) == []


def test_after_new_requests_it_can_be_idle_again() -> None:
    stage = AccountStage(SETTINGS)
    stage.process([request(1, START_MS)], [0])
    stage.advance()
    stage.process([request(2, START_MS + HOUR_MS)], [1])
    (one,) = stage.advance(START_MS + HOUR_MS)
    assert one.idle
    assert not one.accounts


def test_partials_of_an_idle_flush_come_back_after_a_restart_until_there_is_news() -> None:
    stage, restored = AccountStage(SETTINGS), AccountStage(SETTINGS)
    stage.process(crowd(5, 60, HOUR_MS), range(60))
    flushed = stage.advance()
    log = stage.snapshot()
    restored.restore(log.items())
    assert restored.pending() == flushed
    assert restored.advance() == []
    restored.process([request(100, START_MS + 2 * HOUR_MS)], [60])
    assert restored.pending() == []
    log |= restored.snapshot()
    third = AccountStage(SETTINGS)
    third.restore(log.items())
    assert third.pending() == []


def test_nothing_is_restored_from_nothing() -> None:
    stage = AccountStage(SETTINGS)
    stage.restore([])
    assert stage.last_offset == -1


def test_another_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = AccountStage(SETTINGS)
    monkeypatch.setattr("detectors.stages.account.SCHEMA_VERSION", 99)
    log = stage.snapshot()
    monkeypatch.undo()
    with pytest.raises(StateVersionError, match="99"):
        AccountStage(SETTINGS).restore(log.items())


def test_snapshots_fit_messages_and_hold_only_what_changed() -> None:
    stage = AccountStage(settings())
    made = crowd(3_000, 20_000, TICK_MS)
    run(stage, made, [5_000])
    first = stage.snapshot()
    assert max(map(len, first.values())) < 700_000
    stage.process([request(10**6, START_MS + 60_000)], [len(made)])
    second = stage.snapshot()
    assert sum(map(len, second.values())) < sum(map(len, first.values())) / 5


def test_identifiers_are_keyed_and_state_grows_with_accounts() -> None:
    partials = []
    for key in (None, b"key"):
        stage = AccountStage(SETTINGS, key=key)
        stage.process([request(1, START_MS, payment_fingerprint="p")], [0])
        partials += stage.advance()
        assert stage.state_bytes > 0
    values = [one.column("use_value").tolist() for one in partials]
    assert len(values[0]) == 1
    assert values[0] != values[1]


def test_offsets_may_have_gaps() -> None:
    stage = AccountStage(SETTINGS)
    stage.process([request(1, START_MS), request(2, START_MS)], np.array([10, 15]))
    stage.process([request(3, START_MS), request(4, START_MS)], np.array([15, 20]))
    assert (stage.requests, stage.last_offset) == (3, 20)


def test_models_that_nobody_names_any_more_do_not_take_the_place_of_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "MANY_NAMES", 20)
    times = range(START_MS, START_MS + 10 * TICK_MS, TICK_MS // 10)
    requests = [request(number, time, gen_ai_request_model=f"made-up-{number}") for number, time in enumerate(times)]
    requests.append(request(len(requests), START_MS + 10 * TICK_MS, gen_ai_request_model="new"))
    whole, stage = AccountStage(settings()), AccountStage(settings())
    expected = told(run(whole, requests, [7]) + whole.advance())
    entries: dict[str, bytes] = {}
    partials = run(stage, requests[:60], [60])
    assert len(stage._extract.mixed.known) < 60
    entries |= stage.snapshot()
    restored = AccountStage(settings())
    restored.restore(entries.items())
    partials += run(restored, requests[60:], [1], 60) + restored.advance()
    assert told(partials) == expected
    assert {name for _, names, _ in expected.values() for name in names} == {r.gen_ai_request_model for r in requests}

"""Window sums of accounts against brute force over the events; eviction; pages of a snapshot."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.accounts import DAY, DAY_MS, DAY_PANE_MS, HOUR, HOUR_MS, PANE_MS, RING, AccountWindows
from detectors.columns import Extractor
from detectors.partials import COUNTS
from detectors.request import Request
from detectors.scan.requests import gather
from tests.detectors.made import START_MS, TICK_MS, crowd, request, rows_of


def windows_after(requests: list[Request]) -> tuple[AccountWindows, int]:
    """Return the windows after `requests` tick by tick, and the end of the last tick, ms."""
    windows, extract = AccountWindows(), Extractor()
    ticks = defaultdict(list)
    for event in requests:
        ticks[event.time // TICK_MS].append(event)
    for tick in sorted(ticks):
        feed(windows, extract, ticks[tick], (tick + 1) * TICK_MS)
    return windows, (max(ticks) + 1) * TICK_MS


def feed(windows: AccountWindows, extract: Extractor, requests: list[Request], end_ms: int) -> np.ndarray:
    columns, rows = extract(gather(requests)), rows_of(windows, [event.account_id for event in requests])
    windows.describe(rows, columns)
    return windows.update(rows, columns, end_ms)


def brute(requests: list[Request], account: str, pane_ms: int, panes: int, end_ms: int) -> np.ndarray:
    newest = (end_ms - 1) // pane_ms
    mine = [event for event in requests if event.account_id == account and event.time // pane_ms > newest - panes]
    sums = Extractor()(gather(mine))["counts"].sum(0, dtype=np.float64) if mine else np.zeros(len(COUNTS))
    return np.append(sums, len({event.time // PANE_MS for event in mine}))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 72))
def test_ring_sums_equal_brute_force(seed: int, count: int, hours: int) -> None:
    requests = crowd(3, count, hours * HOUR_MS, seed)
    windows, end = windows_after(requests)
    for account in {event.account_id for event in requests}:
        window = windows.table["window"][rows_of(windows, [account])]
        day = windows.day.sums(window, end - 1)[0]
        assert day.tolist() == brute(requests, account, DAY_PANE_MS, 12, end)[DAY].tolist()
        hour = windows.hour.sums(window, end - 1)[0]
        assert hour.tolist() == brute(requests, account, PANE_MS, 12, end)[HOUR].tolist()


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 30))
def test_letting_windows_rest_does_not_show(seed: int, count: int, days: int) -> None:
    requests = sorted(crowd(3, count, days * DAY_MS, seed), key=lambda one: one.time)
    whole, rested = AccountWindows(), AccountWindows()
    extract = Extractor()
    for number in sorted({one.time // TICK_MS for one in requests}):
        tick, end = [one for one in requests if one.time // TICK_MS == number], (number + 1) * TICK_MS
        for windows in (whole, rested):
            feed(windows, extract, tick, end)
        rested.rest(end)
        rows = np.arange(len(whole))
        assert np.array_equal(rested.features(rows, end), whole.features(rows, end))


def test_windows_rest_from_the_second_day_of_silence_on() -> None:
    windows, extract = AccountWindows(), Extractor()
    feed(windows, extract, [request(0, START_MS), request(1, START_MS, "b")], START_MS + TICK_MS)
    windows.rest(START_MS + 2 * DAY_MS)
    assert windows.windows.live == 2
    feed(windows, extract, [request(2, START_MS + 2 * DAY_MS, "b")], START_MS + 2 * DAY_MS + TICK_MS)
    windows.rest(START_MS + 2 * DAY_MS + TICK_MS)
    assert windows.windows.live == 1
    assert windows.table["window"][rows_of(windows, ["a", "b"])].tolist() == [-1, 1]


def test_beyond_the_bound_those_silent_for_longest_go_and_equals_by_id() -> None:
    windows, extract = AccountWindows(max_accounts=16), Extractor()
    times = [START_MS + (number // 2) * 1_000 for number in range(20)]
    made = [request(n, time, f"acc-{(7 * n) % 20:02}") for n, time in enumerate(times)]
    feed(windows, extract, made, START_MS + TICK_MS)
    windows.evict_surplus(np.zeros(0, np.int64))  # four, and a sixteenth of sixteen
    third = sorted(one.account_id for one in made[4:6])
    assert sorted(account for account in windows.ids if account) == sorted(
        [one.account_id for one in made[6:]] + third[1:]
    )
    assert (windows.evicted, len(windows), windows.windows.live) == (5, 15, 15)


def test_gaps_are_those_between_requests_of_one_account() -> None:
    times = [0, 10_000, 30_000, TICK_MS + 30_000]
    others = [request(100 + number, START_MS + 5_000 * number, "other") for number in range(3)]
    windows, _ = windows_after([request(n, START_MS + time) for n, time in enumerate(times)] + others)
    count, total, squares = windows.table["gaps"][rows_of(windows, ["a"])[0]]
    kept = 2 ** (-TICK_MS / DAY_MS)
    assert count == pytest.approx(2 * kept + 1)
    assert total == pytest.approx(30 * kept + 900)
    assert squares == pytest.approx(500 * kept + 900**2)


def test_distinct_templates_contents_and_networks() -> None:
    requests = [
        request(n, START_MS + n, prompt_template="t", prompt_content=f"c{n}", client_address=f"10.0.{n % 2}.1")
        for n in range(20)
    ]
    windows, end = windows_after(requests)
    found = {name: counter.counts(np.array([0]), end - 1)[0] for name, counter in windows.distinct.items()}
    assert found["template"] == pytest.approx(1, abs=0.1)
    assert found["network"] == pytest.approx(2, abs=0.1)
    assert found["content"] == pytest.approx(20, rel=0.15)


def test_a_missing_key_does_not_unsay_an_earlier_one() -> None:
    windows, extract = AccountWindows(), Extractor()
    feed(windows, extract, [request(0, START_MS, account_plan="pro", account_created=7)], START_MS + TICK_MS)
    feed(windows, extract, [request(1, START_MS + TICK_MS)], START_MS + 2 * TICK_MS)
    assert extract.names.known[windows.table["plan"][0]] == "pro"
    assert windows.table["created"][0] == 7


def test_idle_accounts_are_evicted_and_their_rows_used_again() -> None:
    windows, extract = AccountWindows(), Extractor()
    feed(windows, extract, [request(0, START_MS, "old", account_plan="pro")], START_MS + TICK_MS)
    feed(windows, extract, [request(1, START_MS + 9 * DAY_MS, "new")], START_MS + 9 * DAY_MS + TICK_MS)
    windows.evict(START_MS + DAY_MS, np.zeros(0, np.int64))
    assert len(windows) == 1
    row = rows_of(windows, ["another"])
    assert row.tolist() == [0]
    assert windows.table["plan"][0] == -1
    assert windows.table["window"][row].tolist() == [-1]


def test_an_idle_account_that_is_back_begins_anew_in_its_row() -> None:
    windows, extract = AccountWindows(), Extractor()
    feed(windows, extract, [request(0, START_MS, "old", account_plan="pro")], START_MS + TICK_MS)
    windows.evict(START_MS + DAY_MS, np.array([0]))
    assert len(windows) == 1
    assert rows_of(windows, ["old"]).tolist() == [0]
    assert windows.table["last"][0] == 0
    assert windows.table["plan"][0] == -1


def test_snapshot_round_trip_with_evicted_rows() -> None:
    windows, _ = windows_after(crowd(600, 900, DAY_MS))
    windows.evict(START_MS + 12 * HOUR_MS, np.zeros(0, np.int64))
    restored = AccountWindows()
    restored.restore(windows.snapshot().items())
    assert len(restored) == len(windows)
    everyone = [account for account in windows.ids if account]
    assert rows_of(restored, everyone).tolist() == rows_of(windows, everyone).tolist()
    end = START_MS + DAY_MS + TICK_MS
    rows = rows_of(windows, everyone)
    assert np.array_equal(restored.features(rows, end), windows.features(rows, end))
    assert windows.snapshot() == {}


def test_pages_fit_a_message_even_with_the_longest_ids() -> None:
    windows = AccountWindows()
    rows_of(windows, [f"{number:04}" + "語" * 124 for number in range(256)])
    assert max(map(len, windows.snapshot().values())) < 700_000


def test_ring_order() -> None:
    assert len(RING) == len(COUNTS) + 1
    assert RING[:-1] == COUNTS

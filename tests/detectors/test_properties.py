"""What must hold of both stages whatever comes, in whatever order, however often, and whenever they are restarted."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detectors.accounts import DAY, DAY_MS, HOUR, HOUR_MS, PANE_MS
from detectors.alerts import Outputs
from detectors.columns import Extractor
from detectors.partials import Partial
from detectors.request import Request
from detectors.scan.requests import gather
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import START_MS, TICK_MS, campaign_among, request, rows_of, run, settings, told
from tests.faults import state

SETTINGS = settings()
LATENESS_MS = SETTINGS.windows.lateness_s * 1000
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=4)
EVENTS = st.lists(
    st.tuples(st.integers(0, 20 * 60_000), st.integers(0, 4), st.integers(0, 5), st.integers(0, 3_000)),
    min_size=1, max_size=80,
)  # fmt: skip
"""Time since the request before, ms; account; template; output tokens."""


def requests(events: list[tuple[int, int, int, int]]) -> list[Request]:
    """Return requests at times that are all different, in order."""
    made, time = [], START_MS
    for number, (after, account, template, tokens) in enumerate(events):
        time += after + 1
        made.append(
            request(
                number, time, f"acc-{account}", prompt_template=f"t{template}", prompt_content=f"c{number % 17}",
                gen_ai_usage_output_tokens=tokens, account_plan=("free", "pro")[account % 2],
                client_address=f"10.0.{template}.1", device_fingerprint=f"d{account // 2}",
            )
        )  # fmt: skip
    return made


def disordered(made: list[Request], jitter: list[int]) -> list[Request]:
    """Return `made` as they arrive when each is late by its jitter, repeated over and over."""
    arrival = [one.time + jitter[number % len(jitter)] for number, one in enumerate(made)]
    return [one for _, _, one in sorted(zip(arrival, range(len(made)), made, strict=True))]


def ended(stage: AccountStage, made: list[Request], sizes: list[int]) -> list[Partial]:
    return run(stage, made, sizes) + stage.advance()


@hypothesis_settings(max_examples=60, deadline=None)
@given(EVENTS, SIZES, st.lists(st.integers(0, LATENESS_MS - 1), min_size=1, max_size=7))
def test_windows_after_a_disordered_stream_equal_brute_force(
    events: list[tuple[int, int, int, int]], sizes: list[int], jitter: list[int]
) -> None:
    made = requests(events)
    stage = AccountStage(SETTINGS)
    ended(stage, disordered(made, jitter), sizes)
    mine = defaultdict(list)
    for one in made:
        mine[one.account_id].append(one)
    for account, own in mine.items():
        row = stage.accounts.table["window"][rows_of(stage.accounts, [account])]
        end = (own[-1].time // TICK_MS + 1) * TICK_MS
        counts = Extractor()(gather(own))["counts"].astype(np.float64)
        times = np.array([one.time for one in own])
        rings = ((stage.accounts.hour, PANE_MS, 12, HOUR), (stage.accounts.day, HOUR_MS, 24, DAY[:-1]))
        for ring, pane_ms, panes, held in rings:
            live = times // pane_ms > (end - 1) // pane_ms - panes
            assert ring.sums(row, end - 1)[0, : len(held)].tolist() == counts[live].sum(0)[held].tolist()
        period = [one for one in own if one.time // DAY_MS >= (end - 1) // DAY_MS - 1]
        templates = stage.accounts.distinct["template"].counts(row, end - 1)[0]
        assert round(templates) == len({one.prompt_template for one in period})


@hypothesis_settings(max_examples=60, deadline=None)
@given(EVENTS, SIZES, st.lists(st.integers(0, LATENESS_MS - 1), min_size=1, max_size=7))
def test_disorder_within_the_lateness_does_not_show(
    events: list[tuple[int, int, int, int]], sizes: list[int], jitter: list[int]
) -> None:
    made = requests(events)
    ordered, other = AccountStage(SETTINGS), AccountStage(SETTINGS)
    expected = told(ended(ordered, made, [len(made)]))
    assert told(ended(other, disordered(made, jitter), sizes)) == expected
    assert other.late == 0


@hypothesis_settings(max_examples=60, deadline=None)
@given(EVENTS, SIZES, st.lists(st.tuples(st.integers(0, 79), st.integers(0, 79)), max_size=20))
def test_repeats_do_not_show(
    events: list[tuple[int, int, int, int]], sizes: list[int], again: list[tuple[int, int]]
) -> None:
    made = requests(events)
    repeated = list(made)
    for which, later in again:
        first = repeated.index(made[which % len(made)])
        repeated.insert(min(first + 1 + later, len(repeated)), made[which % len(made)])
    plain, other = AccountStage(SETTINGS), AccountStage(SETTINGS)
    assert told(ended(other, repeated, sizes)) == told(ended(plain, made, sizes))
    assert other.duplicates == len(again)
    assert differing(other, plain, {"last_offset", "duplicates"}) == []


def differing(one: AccountStage | GroupStage, other: AccountStage | GroupStage, ignored: set[str]) -> list[str]:
    if isinstance(one, AccountStage) and isinstance(other, AccountStage):
        one, other = state.alphabetical(one), state.alphabetical(other)
    return list(state.differences(one, other, ignored=frozenset(ignored | {"requests", "late"})))


@hypothesis_settings(max_examples=60, deadline=None)
@given(EVENTS, SIZES, st.lists(st.integers(0, 80), max_size=5))
def test_the_account_stage_restarts_anywhere(
    events: list[tuple[int, int, int, int]], sizes: list[int], cuts: list[int]
) -> None:
    made = requests(events)
    whole, pieces, log = AccountStage(SETTINGS), AccountStage(SETTINGS), {}
    expected = ended(whole, made, sizes)
    found: list[Partial] = []
    start = 0
    for cut in [*sorted(min(cut, len(made)) for cut in cuts), len(made)]:
        found += run(pieces, made[start:cut], sizes, start)
        log |= pieces.snapshot()
        start, pieces = cut, AccountStage(SETTINGS)
        pieces.restore(log.items())
    assert told(found + pieces.advance()) == told(expected)
    log |= pieces.snapshot()
    restored, same = AccountStage(SETTINGS), AccountStage(SETTINGS)
    restored.restore(log.items())
    same.restore(whole.snapshot().items())
    assert differing(restored, same, set()) == []


@pytest.fixture(scope="module")
def partials() -> list[Partial]:
    stage, made = AccountStage(DetectorSettings()), campaign_among(200, 40, DAY_MS)
    return stage.process(made, range(len(made))) + stage.advance()


@pytest.fixture(scope="module")
def judged(partials: list[Partial]) -> tuple[Outputs, GroupStage]:
    stage = GroupStage(DetectorSettings())
    outputs = stage.process(partials, range(len(partials)))
    assert outputs.alerts
    return outputs, stage


@hypothesis_settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 100), max_size=6), repeated=st.integers(0, 5))
def test_the_group_stage_restarts_anywhere_and_is_told_twice(
    partials: list[Partial], judged: tuple[Outputs, GroupStage], cuts: list[int], repeated: int
) -> None:
    """After each restart the last few partials come again, as after a crash between results and state."""
    expected, whole = judged
    stage, log, found, start = GroupStage(DetectorSettings()), {}, Outputs([], []), 0
    for cut in [*sorted(cut * len(partials) // 100 for cut in cuts), len(partials)]:
        first = max(0, start - repeated)
        some = stage.process(partials[first:cut], range(first, cut))
        found.alerts += some.alerts
        found.decisions += some.decisions
        log |= stage.snapshot()
        start, stage = cut, GroupStage(DetectorSettings())
        stage.restore(log.items())
    assert found == expected
    same = GroupStage(DetectorSettings())
    same.restore(restorable(whole).items())
    assert differing(stage, same, {"last_offset"}) == []


def restorable(stage: GroupStage) -> dict[str, bytes]:
    """Return a whole snapshot of a stage, which is asked for one again and again."""
    if not hasattr(stage, "kept"):
        stage.kept = stage.snapshot()  # type: ignore[attr-defined]
    return stage.kept  # type: ignore[attr-defined, no-any-return]

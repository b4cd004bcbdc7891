"""A comparison that found nothing would let every experiment pass: what it must find."""

from __future__ import annotations

from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import HOUR_MS, crowd, settings
from tests.faults import state

SETTINGS = settings()


def account(requests: int, restored: bool = True, batch: int = 10) -> AccountStage:
    stage, made = AccountStage(SETTINGS), crowd(6, 90, HOUR_MS)[:requests]
    for start in range(0, len(made), batch):
        stage.process(made[start : start + batch], range(start, min(start + batch, len(made))))
    stage.advance()
    if restored:
        again = AccountStage(SETTINGS)
        again.restore(stage.snapshot().items())
        stage = again
    return state.alphabetical(stage)


def test_the_same_work_in_other_batches_leaves_the_same_state() -> None:
    assert list(state.differences(account(90, batch=7), account(90, batch=40))) == []


def test_one_request_less_shows_in_windows_ids_and_offset() -> None:
    found = list(state.differences(account(90), account(89), "account"))
    assert any("table._columns.capabilities: 1 of " in line for line in found)
    assert any(line.startswith("account._ids._recent: 1 only in the first") for line in found)
    assert "account.last_offset: 89, not 88" in found


def test_one_bit_of_a_window_shows() -> None:
    one, other = account(90), account(90)
    other.accounts.windows["hour_wide"][3, 0, 0] += 1
    assert list(state.differences(one, other)) == [
        ".accounts.day.table._columns.hour_wide: 1 of 256 rows differ, the first is row 3"
    ]


def test_a_group_stage_that_saw_more_differs() -> None:
    one, other = GroupStage(SETTINGS), GroupStage(SETTINGS)
    partials = AccountStage(SETTINGS)
    partials.process(crowd(6, 90, HOUR_MS), range(90))
    one.process(partials.advance())
    found = list(state.differences(one, other))
    assert any(".graph.accounts.rows: 6, not 0" in line for line in found)
    assert any(".live.counter: 6, not 0" in line for line in found)
    assert list(state.differences(one, one)) == list(state.differences(other, other)) == []

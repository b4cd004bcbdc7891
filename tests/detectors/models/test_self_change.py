"""Self-change: false alarms of honest accounts stay within 1/c, and what a step and a ramp must do to be seen."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.models.account_columns import SERIES
from detectors.models.peers import HOUR_FADING, MATURE_HOURS, RESIDUAL_DAYS
from detectors.models.reference import conformal_p
from detectors.models.self_change import MIN_POOL, MODEL_MIX, SelfChange
from detectors.windows import Table
from tests.detectors.models.honest_accounts import ODD, Accounts, table_of, watched

ACCOUNTS, WARM_DAYS, DAYS = 2_000, 7, 30
DEFAULT_C = 4.8e6
"""What an alarm needs by default (`AccountAlerts.needed`)."""
World = tuple[Accounts, SelfChange, Table, NDArray]


def scale() -> SelfChange:
    return SelfChange(HOUR_FADING, MATURE_HOURS, RESIDUAL_DAYS, 1)


@pytest.fixture(scope="module")
def world() -> World:
    """Thirty days of honest accounts; what each step added to an account's evidence: rows of (account, nats)."""
    accounts, change, table = Accounts(ACCOUNTS, 0), scale(), table_of(ACCOUNTS)
    before, added = np.zeros(ACCOUNTS), []
    everybody = np.ones(ACCOUNTS, bool)
    for hour, rows, evidence in watched(accounts, change, range(24 * DAYS), table, everybody):
        if hour >= 24 * WARM_DAYS:
            added.append(np.stack([rows, evidence - np.maximum(before[rows], 0.0)]))
        before[rows] = evidence
    return accounts, change, table, np.concatenate(added, axis=1)


def alarms(accounts: Accounts, added: NDArray, c: float) -> tuple[NDArray, NDArray]:
    """Return alarms and looks, of ordinary accounts and of each kind of `ODD`, of e-CUSUMs begun anew by an alarm."""
    who, nats = added[0].astype(np.int64), added[1]
    order = np.argsort(who, kind="stable")
    count, looks = np.zeros(len(ODD) + 1), np.bincount(accounts.kind[who] + 1, minlength=len(ODD) + 1)
    total, last = 0.0, -1
    for account, one in zip(who[order].tolist(), nats[order].tolist(), strict=True):
        total = (max(total, 0.0) if account == last else 0.0) + one
        last = account
        if total >= np.log(c):
            count[accounts.kind[account] + 1] += 1
            total = 0.0
    return count, looks


@pytest.mark.parametrize("c", [50.0, 100.0, 1_000.0])
def test_false_alarms_of_honest_accounts_are_rarer_than_one_in_c_looks(world: World, c: float) -> None:
    count, looks = alarms(world[0], world[3], c)
    rates = count / looks
    assert rates[0] <= 0.1 / c
    assert rates.max() <= 1.0 / c, dict(zip(("ordinary", *ODD), rates, strict=True))


def test_the_test_could_fail_without_prewhitening_residuals_there_is_no_guarantee(world: World) -> None:
    """Ranks of raw volumes, multiplied up, report those that are odd for good (DETECTION §0.7)."""
    accounts = copy.deepcopy(world[0])
    known = np.sort(np.concatenate([accounts.hour(hour)[1][:, 0] for hour in range(24)]))
    total, alarmed = np.zeros(ACCOUNTS), np.zeros(ACCOUNTS, bool)
    for hour in range(24, 24 * 6):
        rows, values = accounts.hour(hour)
        p = conformal_p(known, values[:, 0])
        total[rows] = np.maximum(total[rows], 0.0) + np.log(0.5 / np.sqrt(p))
        alarmed |= total >= np.log(1_000.0)
    assert alarmed[accounts.kind == ODD.index("all_day")].mean() > 0.9


def power(world: World, factors: Mapping[int, float], looks: int, c: float, all_of_it: bool = False) -> float:
    """Return the share of 400 ordinary accounts alarmed within `looks` active hours of a change of volume.

    Args:
        all_of_it: what they ask for and their models change with it.
    """
    accounts, change, table = copy.deepcopy(world[0]), copy.deepcopy(world[1]), copy.deepcopy(world[2])
    changing = np.flatnonzero(accounts.kind < 0)[:400]
    seen, hit = np.zeros(ACCOUNTS), np.zeros(ACCOUNTS, bool)
    before = accounts.wanted[changing].copy(), accounts.models[changing].copy()
    hours = range(24 * DAYS, 24 * DAYS + len(factors))
    steps = watched(accounts, change, hours, table, np.ones(ACCOUNTS, bool))
    for number in range(len(factors)):
        accounts.factor[changing] = factors[number]
        if all_of_it:
            done = np.log(factors[number]) / np.log(max(factors.values()))
            accounts.wanted[changing] = before[0] + (0.95 - before[0]) * done
            accounts.models[changing] = before[1] + (0.8 - before[1]) * done
        _, rows, evidence = next(steps)
        seen[rows] += 1
        hit[rows] |= (evidence >= np.log(c)) & (seen[rows] <= looks)
    return float(hit[changing].mean())


def test_power_against_a_step_and_a_ramp(world: World) -> None:
    hours = range(24 * 10)
    step, ramp = dict.fromkeys(hours, 8.0), {hour: 8.0 ** min(1.0, hour / 25) for hour in hours}
    slow, none = {hour: 8.0 ** (hour / len(hours)) for hour in hours}, dict.fromkeys(hours, 1.0)
    assert power(world, none, 60, 1_000.0) <= 0.01
    assert power(world, step, 60, 1_000.0) > 0.6
    assert power(world, ramp, 60, 1_000.0) > 0.6
    assert power(world, step, 60, DEFAULT_C) > 0.1
    assert power(world, slow, 60, DEFAULT_C) < 0.1  # a ramp of ten days is for the group stage to see


@pytest.mark.parametrize("days", [10, 20, 30])
def test_power_against_ramps_of_days(world: World, days: int) -> None:
    """What is called the slow contrast: an hour against two weeks that the ramp has not filled yet."""
    ramp = {hour: 8.0 ** min(1.0, hour / (24 * days)) for hour in range(24 * (days + 5))}
    assert power(world, ramp, len(ramp), DEFAULT_C, all_of_it=True) > 0.85
    assert power(world, ramp, len(ramp), DEFAULT_C) > 0.15


def stepped(change: SelfChange, table: Table, values: NDArray, held: bool = False, honest: bool = True) -> NDArray:
    rows = np.arange(len(values))
    change.settle()
    nobody = np.full(len(rows), honest)
    return change.step(table, rows, np.zeros(len(rows), np.int64), values, nobody, np.zeros(len(rows)), 0, held).nats


def test_while_references_are_held_a_new_model_says_nothing_and_nobody_votes() -> None:
    rng, change, table = np.random.default_rng(0), scale(), table_of(500)
    for _ in range(40):
        stepped(change, table, rng.normal(0.3, 0.05, (500, len(SERIES))))
    assert len(change.pools[0][0]) > MIN_POOL
    moved = rng.normal(0.3, 0.05, (500, len(SERIES)))
    moved[:, MODEL_MIX] = 1.0
    moved[:10, 0] = 9.0
    change.settle()
    votes = change.pools[0][0].sorted()
    other, same = copy.deepcopy(change), copy.deepcopy(table)
    free, held = stepped(other, same, moved), stepped(change, table, moved, held=True)
    assert (free[:, MODEL_MIX] > 1.0).all()
    assert (held[:, MODEL_MIX] == 0.0).all()
    assert np.array_equal(free[:, :MODEL_MIX], held[:, :MODEL_MIX])
    assert (held[:10, 0] > 1.0).all()
    change.settle()
    other.settle()
    assert np.array_equal(change.pools[0][0].sorted(), votes)
    assert not np.array_equal(other.pools[0][0].sorted(), votes)


def test_accused_accounts_do_not_vote() -> None:
    rng, change, table = np.random.default_rng(0), scale(), table_of(50)
    for _ in range(20):
        stepped(change, table, rng.normal(size=(50, len(SERIES))), honest=False)
    change.settle()
    assert len(change.pools[0][0]) == 0
    assert not change.phi().any()


def test_autocorrelation_is_learned_and_taken_out() -> None:
    rng, change, table = np.random.default_rng(0), scale(), table_of(400)
    level = np.zeros((400, len(SERIES)))
    for _ in range(120):
        level = 0.6 * level + 0.8 * rng.normal(size=level.shape)
        stepped(change, table, 2.0 * level)
    assert change.phi()[0] == pytest.approx(0.6, abs=0.12)


def test_state_round_trip_in_the_middle(world: World) -> None:
    accounts, change, table, _ = copy.deepcopy(world)
    other = scale()
    other.load(change.state())
    assert other.state() == change.state()
    ends = []
    for one in (change, other):
        mine, copied = copy.deepcopy(accounts), copy.deepcopy(table)
        hours = range(24 * DAYS, 24 * DAYS + 30)
        list(watched(mine, one, hours, copied, np.ones(ACCOUNTS, bool)))
        ends.append(copied)
    assert ends[0].page(0) == ends[1].page(0)
    assert other.state() == change.state()

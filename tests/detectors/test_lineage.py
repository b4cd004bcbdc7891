"""A second pool: the same prompts, or the same flow begun where the first was cut off."""

import numpy as np
import pytest

from detectors.lineage import continues, same_work, took_over
from detectors.linking.graph import DAY_MS, HOUR_MS, Graph
from detectors.partials import CAPABILITIES, COUNTS
from tests.detectors.made import use

BAN = 100 * DAY_MS
OLD, NEW = np.arange(30), np.arange(30, 60)


def world(new_first: int, new_last: int, capability: str = "coding", flow: float = 1.0, busy: float = 1.0) -> Graph:
    """Return two pools: one at work for five days until `BAN`, one from `new_first` to `new_last`."""
    graph = Graph(14.0, 1_000)
    graph.accounts.extend(500)
    rng = np.random.default_rng(0)
    spans = ((OLD, BAN - 5 * DAY_MS, BAN, "coding", 1.0), (NEW, new_first, new_last, capability, flow))
    for rows, first, last, ability, rate in spans:
        requests = 20.0 * busy * rate * (last - first) / DAY_MS
        graph.accounts["first"][rows] = first + rng.integers(0, HOUR_MS, 30)
        graph.accounts["last"][rows] = last - rng.integers(0, HOUR_MS, 30)
        graph.accounts["counts"][rows, COUNTS.index("requests")] = requests
        graph.accounts["capabilities"][rows, CAPABILITIES.index(ability)] = requests
    return graph


def test_a_pool_that_begins_where_another_was_cut_off_continues_it() -> None:
    graph = world(BAN + 5 * 60_000, BAN + DAY_MS)
    assert took_over(graph, OLD, NEW, BAN + DAY_MS)
    assert continues(graph, OLD, NEW, BAN + DAY_MS)


@pytest.mark.parametrize("minutes", [70, 120, 300])
def test_an_heir_is_one_from_its_first_hours_on(minutes: int) -> None:
    now = BAN + minutes * 60_000
    assert took_over(world(BAN, now, busy=10.0), OLD, NEW, now)
    assert not took_over(world(BAN, now, flow=0.05, busy=10.0), OLD, NEW, now)


@pytest.mark.parametrize(
    "graph",
    [
        world(BAN - 4 * DAY_MS, BAN + DAY_MS),
        world(BAN + 6 * DAY_MS, BAN + 7 * DAY_MS),
        world(BAN, BAN + DAY_MS, capability="vision"),
        world(BAN, BAN + DAY_MS, flow=0.1),
    ],
    ids=["at work before", "a week later", "other work", "a trickle"],
)
def test_others_do_not(graph: Graph) -> None:
    assert not took_over(graph, OLD, NEW, BAN + 7 * DAY_MS)


@pytest.mark.parametrize("known", [0, 3, 24])
def test_heirs_are_found_in_parts(known: int) -> None:
    """Six new accounts have a fifth of the flow; with those that are known already they have enough."""
    graph = world(BAN + 5 * 60_000, BAN + DAY_MS)
    old, some = np.concatenate([OLD, NEW[:known]]), NEW[known : known + 6]
    assert took_over(graph, old, some, BAN + DAY_MS) == (known > 0)
    graph.accounts["counts"][some] *= 30.0
    assert not took_over(graph, old, some, BAN + DAY_MS), "too much for heirs"


def test_the_same_rare_prompts_are_the_same_work_and_popular_ones_are_not() -> None:
    graph = world(BAN - 4 * DAY_MS, BAN)
    graph.values.extend(3)
    assert np.isnan(same_work(graph, OLD, NEW)), "no prompts"
    use(graph, np.arange(500), 2)
    assert np.isnan(same_work(graph, OLD, NEW)), "none of their own"
    assert not continues(graph, OLD, NEW, BAN)
    use(graph, OLD, 0)
    use(graph, NEW, 1)
    assert same_work(graph, OLD, NEW) < 0.01
    use(graph, np.concatenate([OLD, NEW]), 0)
    assert same_work(graph, OLD, NEW) > 0.5


def test_tools_that_many_others_use_make_no_heirs() -> None:
    graph = world(BAN - 4 * DAY_MS, BAN)
    graph.values.extend(3)
    use(graph, np.concatenate([OLD, NEW, np.arange(60, 160)]), 0)
    assert not same_work(graph, OLD, NEW) > 0.0
    use(graph, OLD, 1)
    use(graph, NEW, 2)
    assert same_work(graph, OLD, NEW) == 0.0


def test_a_young_campaign_some_of_whom_rest_has_no_heirs() -> None:
    """All began within hours of each other, so those at work followed nobody, and a few more do not either."""
    graph = world(BAN, BAN + DAY_MS)
    graph.accounts["first"][OLD] = BAN - 8 * HOUR_MS
    graph.accounts["first"][NEW[:24]] = BAN - 8 * HOUR_MS
    graph.accounts["counts"][OLD] /= 15.0
    assert not took_over(graph, np.concatenate([OLD, NEW[:24]]), NEW[24:], BAN + DAY_MS)


@pytest.mark.parametrize(("strangers", "same"), [(50, True), (70, False)])
def test_a_prompt_that_is_mostly_a_large_operations_own_is_its_work(strangers: int, same: bool) -> None:
    """A campaign is found in parts: what the known ones use, others use that are not known yet."""
    graph = world(BAN - 4 * DAY_MS, BAN)
    graph.values.extend(1)
    use(graph, np.concatenate([OLD, NEW[:8], np.arange(60, 60 + strangers)]), 0)
    assert (same_work(graph, OLD, NEW[:8]) > 0.9) == same


def test_freed_uses_are_nobodys() -> None:
    graph = world(BAN - 4 * DAY_MS, BAN)
    graph.values.extend(2)
    use(graph, np.arange(150), 0)
    before = same_work(graph, OLD, NEW)
    use(graph, np.arange(200, 500), 1)
    graph.uses.free(np.flatnonzero(graph.uses["value"][: graph.uses.rows] == 1))
    np.testing.assert_equal(same_work(graph, OLD, NEW), before)


def test_old_pools_rest_no_longer_than_young_ones() -> None:
    graph = world(BAN + 5 * 60_000, BAN + DAY_MS)
    assert took_over(graph, OLD, NEW, BAN + 5 * HOUR_MS)
    graph.accounts["first"][OLD] -= 400 * DAY_MS
    graph.accounts["counts"][OLD, COUNTS.index("requests")] = 20.0 * 14.0 / np.log(2.0)  # faded
    assert took_over(graph, OLD, NEW, BAN + 5 * HOUR_MS)


def test_accounts_that_only_rest_are_not_followed_by_others() -> None:
    graph = world(BAN - HOUR_MS, BAN + 4 * HOUR_MS)
    assert not took_over(graph, OLD, NEW, BAN + 2 * HOUR_MS), "twenty a day: two hours are nothing"
    assert took_over(graph, OLD, NEW, BAN + 4 * HOUR_MS)
    graph.accounts["last"][OLD[::2]] = BAN + 4 * HOUR_MS
    assert not took_over(graph, OLD, NEW, BAN + 4 * HOUR_MS), "half of them are at work"

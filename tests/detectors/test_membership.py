"""Who of a group is accused: those who do its work and are linked, or are like those who are."""

import numpy as np
import pytest

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.members import (
    BEHAVIOUR,
    BUNDLE,
    COMPONENT,
    INFRASTRUCTURE,
    SUBPOPULATION,
    TEMPLATE,
    Group,
    Groups,
    Population,
)
from detectors.linking.ties import linked_families, ringed, rings
from detectors.membership import LIST, accused, akin, like_the_sure, ordinary_share
from detectors.partials import FAMILIES
from tests.detectors.made import machines, pairs, population, share

NETWORK, PAYMENT = FAMILIES.index("network"), FAMILIES.index("payment")


@pytest.fixture
def graph() -> Graph:
    return population()


def users(graph: Graph, members: np.ndarray, share: float = 1.0, templates: int = 1) -> Groups:
    """Return the group of those who send a part of what they send through some templates."""
    values, uses = graph.values.take(templates), graph.uses.take(len(members))
    graph.uses["account"][uses] = members
    graph.uses["counts"][uses] = share * graph.accounts["counts"][members]
    part = Group(TEMPLATE, graph.uses, uses, members, values)
    if templates > 1:
        traffic = {"account": members, "counts": graph.uses["counts"][uses]}
        traffic["templates"] = np.full(len(members), templates)
        part = Group(BUNDLE, traffic, np.arange(len(members)), members, values)
    population = Population()
    population.young = 0.08
    return Groups(graph, [part], population)


def test_those_who_work_like_the_linked_are_accused_with_them(graph: Graph) -> None:
    campaign = machines(graph, np.arange(100))
    share(graph, campaign[:30], PAYMENT, 30)
    strangers = np.arange(1_000, 1_040)
    found = accused(users(graph, np.concatenate([campaign, strangers])), 0)
    assert found[:100].mean() > 0.95
    assert found[100:].mean() <= 0.05


def test_a_few_of_a_popular_prompts_users_make_nobody_guilty(graph: Graph) -> None:
    few = machines(graph, np.arange(20))
    share(graph, few, PAYMENT, 20)
    assert not accused(users(graph, np.concatenate([few, np.arange(1_000, 1_600)])), 0).any()


def test_young_users_that_nothing_links_are_accused_where_hardly_any_old_ones_are(graph: Graph) -> None:
    campaign = machines(graph, np.arange(60))
    assert accused(users(graph, campaign), 0).all()
    assert not accused(users(graph, np.concatenate([campaign[:10], np.arange(1_000, 1_100)])), 0).any()


def test_a_ring_that_spreads_its_work_over_many_prompts_is_accused_by_each(graph: Graph) -> None:
    campaign, crowd = machines(graph, np.arange(40)), np.arange(1_000, 1_040)
    for first in range(0, 40, 8):
        share(graph, campaign[first : first + 8], PAYMENT, 8)
    assert accused(users(graph, campaign, 0.1), 0).all()
    assert not accused(users(graph, np.concatenate([campaign[:8], crowd]), 0.1), 0).any()


def test_accounts_that_nothing_links_are_accused_for_one_list_of_work(graph: Graph) -> None:
    members = np.arange(1_000, 1_040)
    assert accused(users(graph, members, 0.9, LIST), 0).all()
    assert not accused(users(graph, members, 0.9, LIST - 1), 0).any()
    assert not accused(users(graph, members, 0.1, LIST), 0).any()


@pytest.mark.parametrize("templates", [LIST - 1, LIST])
def test_who_came_another_way_and_works_through_the_same_list_is_accused(graph: Graph, templates: int) -> None:
    campaign, others = machines(graph, np.arange(80)), np.arange(1_000, 1_016)
    chain(graph, campaign)
    graph.accounts["carries"][campaign] = 1 << PAYMENT
    graph.accounts["counts"][others, 0] = 20.0
    found = accused(users(graph, np.concatenate([campaign, others]), 0.9, templates), 0)
    assert found[:80].all()
    assert found[80:].any() == (templates == LIST)
    assert found[80:].all() == (templates == LIST)


@pytest.mark.parametrize(("young", "old", "low", "high"), [(99, 1, 0.0, 0.01), (50, 50, 0.05, 0.12), (8, 92, 0.8, 1.0)])
def test_the_old_tell_how_many_ordinary_young_ones_there_are(young: int, old: int, low: float, high: float) -> None:
    assert low <= ordinary_share(np.arange(young + old) < young, 0.08) <= high


def test_in_a_cell_that_is_a_mixture_only_the_ring_is_accused(graph: Graph) -> None:
    campaign, strangers = machines(graph, np.arange(20)), np.arange(1_000, 1_040)
    share(graph, campaign, PAYMENT, 20)
    found = accused(cell(graph, np.concatenate([campaign, strangers])), 0)
    assert found[:20].all()
    assert not found[20:].any()


def app_users(graph: Graph, rows: np.ndarray) -> np.ndarray:
    """Make accounts new and alike, each busy for a few hours; six of them have one network with 24 others."""
    graph.accounts["counts"][rows, 0] = np.random.default_rng(2).poisson(47, len(rows))
    graph.accounts["created"][rows] = 499 * DAY_MS
    graph.accounts["hours"][rows, 0] = (1 << 12) - 1
    share(graph, rows[:6], NETWORK, 30)
    return rows


def cell(graph: Graph, rows: np.ndarray) -> Groups:
    """Return the cell of behaviour of accounts with a card."""
    graph.accounts["carries"][rows] = 1 << PAYMENT
    return alike(graph, rows)


def alike(graph: Graph, rows: np.ndarray) -> Groups:
    """Return the cell of behaviour of accounts."""
    return Groups(graph, [Group(BEHAVIOUR, graph.accounts, rows, rows, np.zeros(0, np.int64))], Population())


def test_users_of_an_app_who_meet_on_an_exit_are_not_the_campaign_in_their_cell(graph: Graph) -> None:
    campaign, users = machines(graph, np.arange(20)), app_users(graph, np.arange(1_000, 1_100))
    graph.accounts["counts"][campaign, 0] = np.random.default_rng(1).poisson(71, 20)
    share(graph, campaign, PAYMENT, 20)
    rows = np.concatenate([campaign, users])
    assert ringed(graph, rows)[20:26].all()
    assert np.flatnonzero(accused(cell(graph, rows), 0)).tolist() == list(range(20))
    more = np.append(rows, np.arange(2_000, 2_400))
    graph.accounts["counts"][more[120:], 0] = 60
    assert not accused(cell(graph, more), 0).any(), "the campaign does a twentieth of the work now"


def cell_of_two_rings(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """Return new accounts linked in two families, and old ones that do the same from two exits or without a network."""
    campaign, customers = machines(graph, np.arange(30)), machines(graph, np.arange(100, 160))
    graph.accounts["created"][customers] = (500 - np.random.default_rng(2).integers(70, 400, 60)) * DAY_MS
    for first in range(0, 30, 10):
        share(graph, campaign[first : first + 10], PAYMENT, 10)
        share(graph, campaign[first : first + 10], NETWORK, 10)
    for first in (0, 20):
        share(graph, customers[first : first + 20], NETWORK, 20)
    graph.accounts["carries"][np.concatenate([campaign, customers[:40]])] = 1 << NETWORK
    return campaign, customers


def test_customers_of_one_tool_are_not_the_ring_in_their_cell(graph: Graph) -> None:
    campaign, customers = cell_of_two_rings(graph)
    rows = np.concatenate([campaign, customers])
    found = accused(alike(graph, rows), 0)
    assert found[:30].all()
    assert not found[30:].any()


def test_a_rings_own_accounts_are_accused_with_it_whatever_links_them(graph: Graph) -> None:
    campaign, others = cell_of_two_rings(graph)
    graph.accounts["created"][others] = 499 * DAY_MS
    assert accused(alike(graph, np.concatenate([campaign, others])), 0).all()


def chain(graph: Graph, rows: np.ndarray) -> None:
    """Give each ten accounts a card, and the last of them a device in common with the first of the next."""
    for first in range(0, len(rows), 10):
        share(graph, rows[first : first + 10], PAYMENT, 10)
        share(graph, rows[first + 9 : first + 11], FAMILIES.index("device"), 2)


def test_a_gateways_own_rings_are_not_a_relays(graph: Graph) -> None:
    relay, gateway = machines(graph, np.arange(60)), machines(graph, np.arange(1_000, 1_020))
    graph.accounts["created"][relay[:20]] = graph.accounts["created"][gateway[:14]] = 300 * DAY_MS
    graph.accounts["pathway"][gateway[8:]] = graph.names.codes(["reseller"])[0]
    chain(graph, relay)
    for first in (0, 10):
        chain(graph, gateway[first : first + 10])
    rows = np.concatenate([relay, gateway])
    ring = rings(graph, rows)
    assert len(np.unique(ring)) == 3
    assert (ring >= 0).all()
    for groups in (cell(graph, rows), users(graph, rows)):
        found = accused(groups, 0)
        assert found[:60].all()
        assert not found[60:].any()


def test_rings_of_one_kind_are_one_operation(graph: Graph) -> None:
    rows = machines(graph, np.arange(80))
    for first, last in ((0, 60), (60, 70), (70, 80)):
        chain(graph, rows[first:last])
    assert accused(cell(graph, rows), 0).all()
    assert accused(users(graph, rows), 0).all()


def test_nobody_in_a_cell_is_accused_for_a_ring_that_chance_may_have_made(graph: Graph) -> None:
    users = app_users(graph, np.arange(1_000, 1_200))
    assert ringed(graph, users).sum() == 6
    assert not accused(cell(graph, users), 0).any()


def test_cards_for_two_or_three_accounts_each_join_those_of_a_cell_most_of_whom_have_one(graph: Graph) -> None:
    campaign, strangers = machines(graph, np.arange(40)), np.arange(1_000, 1_060)
    for first in range(0, 39, 3):
        share(graph, campaign[first : first + 3], PAYMENT, 3)
    assert not ringed(graph, campaign).any()
    assert np.flatnonzero(accused(cell(graph, campaign), 0)).tolist() == list(range(39))
    assert not accused(cell(graph, np.concatenate([campaign, strangers])), 0).any()


def component(graph: Graph, rows: np.ndarray) -> Groups:
    """Return the group that shared values made of accounts."""
    return Groups(graph, [Group(COMPONENT, graph.accounts, rows, rows, np.zeros(0, np.int64))], Population())


def test_young_users_of_a_campaigns_exits_are_not_accused_with_it(graph: Graph) -> None:
    campaign, users = machines(graph, np.arange(30)), app_users(graph, np.arange(1_000, 1_010))
    graph.accounts["created"][users] = 480 * DAY_MS
    share(graph, campaign, PAYMENT, 30)
    share(graph, np.concatenate([campaign, users]), NETWORK, 40)
    found = accused(component(graph, np.concatenate([campaign, users])), 0)
    assert np.flatnonzero(found).tolist() == list(range(30))


def test_a_young_account_of_a_component_that_works_as_the_others_do_is_accused_for_one_link(graph: Graph) -> None:
    campaign = machines(graph, np.arange(40))
    share(graph, campaign[:30], PAYMENT, 30)
    share(graph, campaign, NETWORK, 40)
    assert accused(component(graph, campaign), 0).all()


@pytest.mark.parametrize("foreign", [True, False])
def test_a_resellers_own_accounts_are_not_a_campaigns_whose_exits_they_use(graph: Graph, foreign: bool) -> None:
    campaign, reseller = machines(graph, np.arange(30)), machines(graph, np.arange(1_000, 1_010))
    if foreign:
        graph.accounts["created"][reseller] = 300 * DAY_MS
        graph.accounts["pathway"][reseller] = graph.names.codes(["reseller"])[0]
    rows = np.concatenate([campaign, reseller])
    for own in (campaign, reseller):
        share(graph, own, PAYMENT, len(own))
        share(graph, own, NETWORK, len(own))
    share(graph, rows[25:35], NETWORK, 10, 1)
    found = accused(component(graph, rows), 0)
    assert found[:30].all()
    assert found[30:].all() != foreign
    assert found[30:].any() != foreign


def test_young_users_of_a_products_prompts_are_not_accused_for_its_exits(graph: Graph) -> None:
    campaign, users = machines(graph, np.arange(30)), app_users(graph, np.arange(1_000, 1_010))
    graph.accounts["created"][users] = 480 * DAY_MS
    share(graph, campaign, PAYMENT, 30)
    share(graph, np.concatenate([campaign, users]), NETWORK, 40)
    rows = np.concatenate([campaign, users])
    traffic = {"account": rows, "counts": graph.accounts["counts"][rows], "templates": np.full(len(rows), 6.0)}
    part = Group(SUBPOPULATION, traffic, np.arange(len(rows)), rows, np.zeros(0, np.int64))
    assert np.flatnonzero(accused(Groups(graph, [part], Population()), 0)).tolist() == list(range(30))
    graph.values["accounts"][:] = 2_000
    assert not accused(Groups(graph, [part], Population()), 0).any(), "nothing that they share is rare"


@pytest.mark.parametrize("kind", [SUBPOPULATION, INFRASTRUCTURE])
def test_a_few_are_not_accused_for_the_work_of_many(graph: Graph, kind: int) -> None:
    ring, others = machines(graph, np.arange(8)), app_users(graph, np.arange(1_000, 1_300))
    graph.accounts["recent"][others] = -1
    graph.accounts["shared"][ring] = graph.accounts["counts"][ring, 0]
    share(graph, ring, PAYMENT, 8)
    for rows, expected in ((ring, True), (np.concatenate([ring, others]), False)):
        traffic = {"account": rows, "counts": graph.accounts["counts"][rows], "templates": np.full(len(rows), 6.0)}
        traffic["capabilities"] = graph.accounts["capabilities"][rows]
        part = Group(kind, traffic, np.arange(len(rows)), rows, np.zeros(0, np.int64))
        assert accused(Groups(graph, [part], Population()), 0).any() == expected


def test_an_operation_of_loosely_linked_accounts_is_accused(graph: Graph) -> None:
    campaign = machines(graph, np.arange(100))
    share(graph, campaign[:12], PAYMENT, 12)
    pairs(graph, campaign[12:], 4)
    graph.accounts["carries"][campaign] = 1 << NETWORK
    assert accused(users(graph, campaign), 0).mean() > 0.9
    crowd = np.arange(1_000, 1_300)
    graph.accounts["carries"][crowd] = 1 << NETWORK
    found = accused(users(graph, np.concatenate([campaign, crowd])), 0)
    assert not found[100:].any()


def test_kin_are_members_or_surely_of_their_kind(graph: Graph) -> None:
    campaign, strangers = machines(graph, np.arange(60)), np.arange(1_000, 1_040)
    found = akin(graph, np.concatenate([campaign[20:], strangers]), campaign[:40])
    assert found[:20].all(), "members"
    assert found[20:40].mean() > 0.9, "others like them"
    assert not found[40:].any()


def work(graph: Graph, accounts: np.ndarray, templates: int) -> None:
    """Let accounts send all they send through templates of their own."""
    values = graph.values.take(templates)
    graph.values["accounts"][values] = len(accounts)
    for value in values:
        uses = graph.uses.take(len(accounts))
        graph.uses["account"][uses], graph.uses["value"][uses] = accounts, value
        graph.uses["counts"][uses, 0] = graph.accounts["counts"][accounts, 0] / templates


def test_who_is_linked_once_must_work_through_the_prompts_of_those_linked_twice(graph: Graph) -> None:
    campaign, customers = machines(graph, np.arange(30)), machines(graph, np.arange(100, 112))
    for first in range(0, 30, 10):
        share(graph, campaign[first : first + 10], PAYMENT, 10)
    share(graph, np.concatenate([campaign, customers]), NETWORK, 42)
    rows = np.concatenate([campaign, customers])
    assert accused(component(graph, rows), 0).all(), "no prompts are known"
    work(graph, campaign, 3)
    work(graph, customers, 5)
    assert np.flatnonzero(accused(component(graph, rows), 0)).tolist() == list(range(30))


def test_customers_of_a_campaigns_exits_are_not_of_those_who_are_young_and_linked_twice(graph: Graph) -> None:
    campaign, customers = machines(graph, np.arange(20)), app_users(graph, np.arange(1_000, 1_015))
    graph.accounts["created"][customers] = 100 * DAY_MS
    share(graph, campaign[:15], PAYMENT, 15)
    share(graph, np.concatenate([campaign, customers]), NETWORK, 35)
    rows, new = np.concatenate([campaign, customers]), np.arange(35) < 20
    core, twice = np.ones(35, bool), linked_families(graph, rows, rows) > 1
    assert np.flatnonzero(like_the_sure(graph, rows, core, new, twice)).tolist() == list(range(20)), (
        "though five are linked once"
    )
    assert like_the_sure(graph, rows, core, core, twice).all(), "most young ones are linked once"
    assert like_the_sure(graph, rows, core, np.arange(35) < 4, twice).all(), (
        "too few to show what the others must be like"
    )

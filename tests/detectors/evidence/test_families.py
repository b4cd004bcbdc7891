"""Each family on groups made to show it, and on groups made not to."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from detectors import typicality
from detectors.evidence import (
    FAMILIES,
    arbitrage,
    capability,
    cleaning,
    cohort,
    distribution,
    elicitation,
    evenness,
    failover,
    links,
    mass,
    onset,
    outlierness,
    pivot,
    place,
    relay,
    repetition,
    replay,
    rhythm,
    routing,
    sanitised,
    shared_prompts,
    subscription,
    sweep,
    synchrony,
    templates,
    verification,
    volume,
)
from detectors.linking import traits
from detectors.linking.graph import ASKED, Graph
from detectors.linking.members import BUNDLE, COMPONENT, TEMPLATE, Group, Groups, Population
from detectors.linking.profile import embed, profile
from detectors.partials import CAPABILITIES, COUNTS
from detectors.partials import FAMILIES as ATTRIBUTES
from tests.detectors.made import share

DAY_MS = 86_400_000
SIZE = 40


def population(accounts: int = 1_000) -> Population:
    made = Population()
    made.accounts, made.rate, made.elicited = accounts, 2.0, 0.02
    return made


def group(graph: Graph, requests: np.ndarray, kind: int = COMPONENT, **columns: np.ndarray) -> Groups:
    """Return one group of fresh accounts with `requests` over ten days each."""
    size = len(requests)
    rows = graph.accounts.extend(size)
    graph.ids += [f"a{row}" for row in rows]
    counts = np.zeros((size, len(COUNTS)))
    counts[:, 0] = requests
    traffic = {
        "first": np.full(size, 100 * DAY_MS),
        "last": np.full(size, 110 * DAY_MS),
        "counts": counts,
        "capabilities": np.ones((size, len(CAPABILITIES))),
        "contents": requests,
        "hours": np.full((size, 2), (1 << 24) - 1, np.uint32),
        "ticks": requests,
        "asked": np.full((size, ASKED), np.iinfo(np.uint64).max),
        **columns,
    }
    for name, column in traffic.items():
        graph.accounts[name][rows] = column
    part = Group(kind, graph.accounts, rows, rows, np.zeros(0, np.int64))
    return Groups(graph, [part], population())


@pytest.fixture
def graph() -> Graph:
    return Graph(14.0, 1_000)


def test_even_loads_score_high_and_heavy_tails_low(graph: Graph) -> None:
    rng = np.random.default_rng(3)
    balanced = evenness.statistic(group(graph, rng.poisson(100, SIZE).astype(float)))[0]
    lognormal = evenness.statistic(group(graph, rng.lognormal(4, 1.0, 4_000)))[0]
    heavy = evenness.statistic(group(graph, rng.lognormal(4, 2.0, 4_000)))[0]
    assert balanced > 0.9
    assert lognormal == pytest.approx(0.37, abs=0.1)
    assert heavy < 0.1


def test_evenness_of_single_requests_is_not_measured(graph: Graph) -> None:
    assert np.isnan(evenness.statistic(group(graph, np.ones(SIZE)))[0])


def test_focus_counts_only_what_is_over_represented_and_targeted(graph: Graph) -> None:
    requests = np.full(SIZE, 50.0)

    def mix(name: str) -> np.ndarray:
        return np.outer(requests, np.array(CAPABILITIES) == name)

    spread = capability.statistic(group(graph, requests))[0]
    grading = capability.statistic(group(graph, requests, capabilities=mix("rubric_grading")))[0]
    other = capability.statistic(group(graph, requests, capabilities=mix("other")))[0]
    assert spread == pytest.approx(0.0, abs=0.01)
    assert grading > 2.0
    assert other == 0.0


def test_focus_is_told_against_accounts_of_the_same_kind(graph: Graph) -> None:
    coding = np.array(CAPABILITIES) == "coding"
    coders = group(graph, np.full(200, 50.0), capabilities=np.outer(np.full(200, 50.0), coding))
    graph.accounts["plan"][coders.account] = graph.names.codes(["enterprise"])[0]
    people = group(graph, np.full(200, 50.0))
    world = Population()
    world.refresh(graph, 0)
    firms = capability.statistic(Groups(graph, coders.parts, world))[0]
    mule = group(graph, np.full(SIZE, 50.0), capabilities=np.outer(np.full(SIZE, 50.0), coding))
    assert capability.statistic(Groups(graph, people.parts, world))[0] < 0.1
    assert firms < 0.3
    assert capability.statistic(Groups(graph, mule.parts, world))[0] > firms + 1.0


def test_elicitation_is_shrunk_towards_the_population(graph: Graph) -> None:
    counts = np.zeros((SIZE, len(COUNTS)))
    counts[:, [0, 9]] = 0.5
    few = elicitation.statistic(group(graph, np.full(SIZE, 0.5), counts=counts))[0]
    many = elicitation.statistic(group(graph, np.full(SIZE, 0.5), counts=100 * counts))[0]
    assert 0.3 < few < 0.6 < 0.95 < many


@pytest.mark.parametrize(("per_value", "expected"), [(4, (0.5, 1.0)), (SIZE, (0.0, 0.01)), (1, (0.0, 0.01))])
def test_links_are_things_shared_by_few_not_by_all_nor_by_nobody(
    graph: Graph, per_value: int, expected: tuple[float, float]
) -> None:
    groups = group(graph, np.full(SIZE, 10.0))
    values = graph.values.extend(SIZE)
    graph.values["family"][values] = ATTRIBUTES.index("payment")
    graph.accounts["carries"][groups.account] = 1 << ATTRIBUTES.index("payment")
    graph.values["accounts"][values] = per_value
    graph.accounts["recent"][groups.account, 0, 0] = values[np.arange(SIZE) // per_value]
    assert expected[0] <= links.statistic(groups)[0] <= expected[1]


def test_links_of_accounts_that_carry_nothing_are_not_measured(graph: Graph) -> None:
    assert np.isnan(links.statistic(group(graph, np.full(SIZE, 10.0)))[0])


def test_accounts_that_carry_nothing_speak_neither_for_links_nor_against_them(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 10.0))
    graph.accounts["carries"][groups.account] = 1 << ATTRIBUTES.index("signature")
    assert np.isnan(links.statistic(groups)[0]), "a signature is no card, device or network"
    graph.accounts["carries"][groups.account[: SIZE // 4]] |= 1 << ATTRIBUTES.index("payment")
    assert links.statistic(groups)[0] == pytest.approx(0.75 * links.SILENT)


def test_one_card_among_those_who_carry_nothing_does_not_make_links_of_their_signatures(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 10.0))
    for first in range(0, SIZE, 2):
        share(graph, groups.account[first : first + 2], ATTRIBUTES.index("signature"), 2)
    graph.accounts["carries"][groups.account] = 1 << ATTRIBUTES.index("signature")
    graph.accounts["carries"][groups.account[0]] |= 1 << ATTRIBUTES.index("payment")
    assert links.statistic(groups)[0] <= 1.0


def test_cohort_is_young_and_born_together(graph: Graph) -> None:
    spread = np.linspace(1, 99, SIZE) * DAY_MS
    assert cohort.statistic(group(graph, np.ones(SIZE), created=np.full(SIZE, 98 * DAY_MS)))[0] == 1.0
    assert cohort.statistic(group(graph, np.ones(SIZE), created=spread))[0] < 0.2
    assert cohort.statistic(group(graph, np.ones(SIZE), created=np.full(SIZE, 9 * DAY_MS)))[0] == 0.0, "born together"
    assert np.isnan(cohort.statistic(group(graph, np.ones(SIZE), created=np.full(SIZE, -1)))[0])


def test_how_long_accounts_were_watched_changes_no_daily_figure(graph: Graph) -> None:
    """Ten requests a day, for ten days or for ninety: the counts fade, with a half-life of fourteen days."""
    days = np.repeat([10.0, 90.0], SIZE // 2)
    faded = 10.0 * graph.memory_days * (1.0 - np.exp(-days / graph.memory_days))
    first = (110 - days).astype(np.int64) * DAY_MS
    both = group(graph, faded, first=first)
    assert evenness.statistic(both)[0] == pytest.approx(1.0, abs=1e-3)
    assert volume.statistic(both)[0] == pytest.approx(np.log(5.0), abs=1e-3)
    old = group(graph, faded[SIZE // 2 :], first=first[SIZE // 2 :])
    young = group(graph, faded[: SIZE // 2], first=first[: SIZE // 2])
    assert mass.statistic(old)[0] == pytest.approx(mass.statistic(young)[0], abs=1e-3)
    rates = profile(graph, np.arange(graph.accounts.rows))[:, 0]
    assert rates == pytest.approx(rates[0], abs=1e-3)
    assert len(set(typicality.traits(graph, np.arange(graph.accounts.rows))[0].tolist())) == 1
    watched = Population()
    watched.refresh(graph, 0)
    assert watched.rate == pytest.approx(10.0, rel=1e-3)


def test_rhythm_tells_machines_from_people(graph: Graph) -> None:
    ticks = np.full(SIZE, 200.0)
    office = np.full((SIZE, 2), sum(1 << hour for hour in range(8, 18)), np.uint32)
    assert rhythm.statistic(group(graph, ticks))[0] == pytest.approx(1.0, abs=0.01)
    assert rhythm.statistic(group(graph, ticks, hours=office))[0] < 0.45
    assert np.isnan(rhythm.statistic(group(graph, np.full(SIZE, 2.0)))[0])


def test_volume_is_a_ratio_to_the_ordinary_account(graph: Graph) -> None:
    ten_days = 1.0 / graph.daily(np.ones(1), np.zeros(1), np.full(1, 10 * DAY_MS))
    assert volume.statistic(group(graph, np.full(SIZE, 20.0 * ten_days)))[0] == pytest.approx(np.log(10.0))
    assert volume.statistic(group(graph, np.full(SIZE, 2.0)))[0] == 0.0


def test_of_an_accounts_first_day_the_volume_is_a_lower_bound(graph: Graph) -> None:
    def of(requests: float, hours_old: int, newcomers: int) -> float:
        first = np.where(np.arange(SIZE) < newcomers, 110 * DAY_MS - hours_old * DAY_MS // 24, 100 * DAY_MS)
        return float(volume.statistic(group(graph, np.full(SIZE, requests), first=first))[0])

    assert np.isnan(of(1.0, 3, SIZE)), "three hours and one request say nothing"
    assert of(1.0, 25, SIZE) == 0.0, "a whole day does"
    assert np.isnan(of(1.0, 3, SIZE // 2 + 1))
    assert of(1.0, 3, SIZE // 2 - 1) == 0.0, "most have been here for long"
    assert of(40.0, 3, SIZE) > volume.TOLD, "so many are many already"


def test_repeated_exercises_are_no_work_list(graph: Graph) -> None:
    requests = np.full(SIZE, 50.0)
    own = templates.statistic(group(graph, requests, shared=requests))[0]
    repeated = templates.statistic(group(graph, requests, shared=requests, contents=np.full(SIZE, 2.0)))[0]
    elsewhere = templates.statistic(group(graph, requests, shared=0.1 * requests))[0]
    assert own == pytest.approx(1.0)
    assert repeated < 0.1
    assert elsewhere < 0.2


def test_only_bundles_share_prompts(graph: Graph) -> None:
    groups = group(graph, np.ones(SIZE))
    groups.parts[0].values = graph.values.extend(8)
    groups.parts[0].kind = BUNDLE
    assert shared_prompts.statistic(groups).tolist() == [3.0]
    groups.parts[0].kind = TEMPLATE
    assert shared_prompts.statistic(groups).tolist() == [0.0]


def test_every_family_speaks_in_a_sentence(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 30.0))
    for family in FAMILIES:
        assert len(family.text(groups, 0, 0.5, 0.25)) > 30


@pytest.mark.parametrize("family", [evenness, rhythm, capability, volume, outlierness], ids=lambda family: family.NAME)
def test_the_lowest_statistic_is_not_told_as_if_it_were_high(graph: Graph, family: ModuleType) -> None:
    groups = group(graph, np.full(SIZE, 30.0))
    text = family.text(groups, 0, 0.0, 0.25)
    for boast in ("even loads", "around the clock", "focused", "1.0 ×", "are odder"):
        assert boast not in text


@pytest.mark.parametrize(
    ("around", "nouns"), [("network", "card or device"), ("payment", "device or network"), ("", "card, device or")]
)
def test_a_place_is_not_what_the_group_formed_around(graph: Graph, around: str, nouns: str) -> None:
    groups = group(graph, np.full(SIZE, 30.0))
    if around:
        groups.parts[0].values = graph.values.extend(1)
        graph.values["family"][groups.parts[0].values] = ATTRIBUTES.index(around)
    assert place.text(groups, 0, 0.2, 0.0).startswith(f"80 % of the accounts have one {nouns}")


@pytest.mark.parametrize(("kind", "sent"), [(COMPONENT, "400 of their 2,000 requests"), (TEMPLATE, "2,000 requests")])
def test_only_requests_through_templates_are_called_so(graph: Graph, kind: int, sent: str) -> None:
    """A template's group counts what went through it, a component's all that its accounts did."""
    groups = group(graph, np.full(SIZE, 50.0), kind, shared=np.full(SIZE, 10.0))
    assert f"40 accounts sent about {sent} through shared prompt templates" in templates.text(groups, 0, 0.2, 0.0)


def test_who_used_one_template_of_a_bundle_does_not_share_it_all(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 50.0), BUNDLE)
    groups.parts[0].values = graph.values.extend(8)
    groups.parts[0].traffic = {"templates": np.repeat([1, 5], SIZE // 2)}
    groups.parts[0].rows = np.arange(SIZE)
    text = shared_prompts.text(groups, 0, 3.0, 0.0)
    assert "8 prompt templates" in text
    assert text.endswith("20 of the 40 accounts use more than one of them")


def test_a_cohort_says_how_many_were_born_together(graph: Graph) -> None:
    first = (100 + 3 * np.arange(SIZE)) * DAY_MS
    spread = group(graph, np.ones(SIZE), first=first, last=first, created=first - DAY_MS)
    assert cohort.statistic(spread)[0] > 0.5
    assert cohort.text(spread, 0, 0.5, 0.0).startswith("40 of 40 accounts with a known sign-up")
    assert cohort.text(spread, 0, 0.5, 0.0).endswith("; 3 of these signed up within one week")
    some = np.where(np.arange(SIZE) < 30, 98 * DAY_MS, -1)
    text = cohort.text(group(graph, np.ones(SIZE), created=some), 0, 1.0, 0.0)
    assert text.startswith("30 of 30 accounts")
    assert text.endswith("; 30 of these signed up within one week")


def test_a_moment_is_as_long_as_it_is_told_to_be() -> None:
    """A slot of a tick of 15 minutes, the default, is ten seconds; of an hour's, forty."""
    groups = group(Graph(14.0, 100), np.full(SIZE, 10.0))
    groups.parts[0].meetings = (400.0, 100.0)
    text = synchrony.text(groups, 0, float(synchrony.statistic(groups)[0]), 0.0)
    assert "1/90 of a tick, 10 s by default" in text
    assert "400 times" in text
    assert "a factor of 3.73" in text


def test_links_within_one_organisation_are_no_links(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 10.0), organization=np.repeat(np.arange(SIZE // 4) + 1, 4))
    values = graph.values.extend(SIZE)
    graph.values["family"][values] = ATTRIBUTES.index("payment")
    graph.values["accounts"][values] = 4
    graph.accounts["carries"][groups.account] = 1 << ATTRIBUTES.index("payment")
    graph.accounts["recent"][groups.account, 0, 0] = values[np.arange(SIZE) // 4]
    assert links.statistic(groups)[0] == 0.0
    graph.accounts["organization"][groups.account] = np.arange(SIZE) + 1
    assert links.statistic(groups)[0] > 0.5


def test_accounts_with_cards_of_their_own_are_measured_and_share_nothing(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 10.0), carries=np.full(SIZE, 1 << ATTRIBUTES.index("payment")))
    assert links.statistic(groups)[0] == 0.0


@pytest.mark.parametrize(("organizations", "expected"), [(np.arange(SIZE) + 1, 1.0), (np.full(SIZE, 7), 0.0)])
def test_a_signature_on_two_organisations_is_replayed(graph: Graph, organizations: np.ndarray, expected: float) -> None:
    groups = group(graph, np.full(SIZE, 10.0), organization=organizations)
    values = graph.values.extend(SIZE)
    place = ATTRIBUTES.index("signature") - 1
    graph.accounts["recent"][groups.account, place, 0] = values[np.arange(SIZE) // 2]
    graph.accounts["replayed"][groups.account] = 10.0
    assert replay.statistic(groups)[0] == expected
    graph.accounts["replayed"][groups.account] = 1.0
    assert replay.statistic(groups)[0] == pytest.approx(expected / 10), "a session that fails over, now and then"


def test_synchrony_counts_both_ways_and_needs_enough_to_say(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 10.0))
    results = []
    for meetings in ((400.0, 100.0), (25.0, 100.0), (100.0, 100.0), (9.0, 5.0)):
        groups.parts[0].meetings = meetings
        results.append(synchrony.statistic(groups)[0])
    assert results[0] > 1.2
    assert results[1] > 1.0
    assert results[2] == 0.0
    assert np.isnan(results[3])


def test_repetition_is_one_for_fresh_contents_and_small_for_a_class(graph: Graph) -> None:
    requests = np.full(SIZE, 50.0)
    assert repetition.statistic(group(graph, requests))[0] == 1.0
    assert repetition.statistic(group(graph, requests, contents=requests / 25))[0] == pytest.approx(0.04)
    assert np.isnan(repetition.statistic(group(graph, requests, contents=0 * requests))[0])
    ten_bits = np.zeros((SIZE, ASKED), np.uint64)
    ten_bits[:, 0] = 0b11_1111_1111
    assert repetition.statistic(group(graph, requests, asked=ten_bits))[0] == pytest.approx(10 / 50, rel=0.05)


def test_a_class_behind_one_address_is_in_one_place(graph: Graph) -> None:
    """A group formed around pairs of values, which all have one network, and cards of their own or shared by fives."""
    network, payment = ATTRIBUTES.index("network") - 1, ATTRIBUTES.index("payment") - 1
    recent = np.full((SIZE, len(ATTRIBUTES) - 1, 4), -1)
    recent[:, payment, 0] = graph.values.extend(SIZE // 5)[np.arange(SIZE) // 5]
    carries = np.full(SIZE, 1 << network + 1 | 1 << payment + 1, np.uint8)
    apart = place.statistic(group(graph, np.ones(SIZE), recent=recent, carries=carries))[0]
    recent[:, network, 0] = graph.values.extend(1)[0]
    together = place.statistic(group(graph, np.ones(SIZE), recent=recent, carries=carries))[0]
    assert apart == pytest.approx(1.0 - 5 / SIZE)
    assert together == 0.0
    assert np.isnan(place.statistic(group(graph, np.ones(SIZE)))[0])


def test_verification_falls_with_the_requests_of_known_customers(graph: Graph) -> None:
    known = np.where(np.arange(SIZE) < SIZE // 4, graph.names.codes(["contract"])[0], -1)
    assert verification.statistic(group(graph, np.full(SIZE, 10.0), verification=known))[0] == 0.75
    resellers = np.full(SIZE, graph.names.codes(["reseller"])[0])
    half = verification.statistic(group(graph, np.full(SIZE, 10.0), verification=known, pathway=resellers))
    assert half[0] == 0.375


def test_mass_is_what_all_of_them_ask_for(graph: Graph) -> None:
    few, many = (mass.statistic(group(graph, np.full(size, 100.0)))[0] for size in (20, 200))
    assert many - few == pytest.approx(np.log(10), abs=0.01)


def test_distribution_tells_a_crowd_like_everybody_from_one_of_its_own(graph: Graph) -> None:
    rng = np.random.default_rng(7)
    mixed = [np.eye(len(CAPABILITIES))[rng.integers(0, 10, size)] * 50.0 for size in (400, SIZE)]
    everybody = group(graph, np.full(400, 50.0), capabilities=mixed[0])
    everybody.population.embedding = embed(profile(graph, everybody.account)).mean(0)
    like = group(graph, np.full(SIZE, 50.0), capabilities=mixed[1])
    narrow = group(graph, np.full(SIZE, 50.0), capabilities=np.eye(len(CAPABILITIES))[[7] * SIZE] * 50.0)
    for groups in (like, narrow):
        groups.population = everybody.population
    assert distribution.statistic(like)[0] < 0.05
    assert distribution.statistic(narrow)[0] > 0.3
    narrow.population = population()
    assert np.isnan(distribution.statistic(narrow)[0])


def people(size: int, languages: int, countries: int) -> np.ndarray:
    """Return the `variety` of accounts with so many languages and countries, and one user agent."""
    bits = [(1 << languages) - 1, (1 << countries) - 1, 1]
    return np.tile(np.array([bits, [0, 0, 0]], np.uint64), (size, 1, 1))


def test_relay_counts_people_beyond_what_accounts_of_like_volume_have(graph: Graph) -> None:
    requests = np.full(SIZE, 100.0)
    results = []
    for languages, countries in ((1, 1), (8, 3)):
        groups = group(graph, requests, variety=people(SIZE, languages, countries))
        groups.population.norms.breadth[:] = np.log(2.0)
        results.append(relay.statistic(groups)[0])
    assert results[0] == 0.0
    assert results[1] == pytest.approx(np.log(12.0), abs=0.15)
    assert np.isnan(relay.statistic(group(graph, requests))[0])


def test_who_says_that_he_serves_others_shows_nothing_by_doing_so(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 100.0), variety=people(SIZE, 8, 3))
    groups.population.norms.breadth[:] = np.log(2.0)
    plain = relay.statistic(groups)[0]
    graph.accounts["pathway"][groups.account[: SIZE // 2]] = graph.names.codes(["reseller"])[0]
    assert relay.statistic(groups)[0] == pytest.approx(plain / 2)


def test_one_client_for_all_counts_on_top_unless_it_is_everybodys(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 100.0), variety=people(SIZE, 8, 3))
    groups.population.norms.breadth[:] = np.log(2.0)
    plain = relay.statistic(groups)[0]
    groups.population.norms.agents[:] = 1 / 64
    assert relay.statistic(groups)[0] > 1.7 * plain
    groups.population.norms.agents[0] = 1.0
    assert relay.statistic(groups)[0] == pytest.approx(plain)


@pytest.mark.parametrize(("different", "least", "most"), [(0, 0.0, 0.0), (1, 0.0, 0.05), (2_000, 3.2, 4.6)])
def test_sweep_counts_different_refused_techniques(graph: Graph, different: int, least: float, most: float) -> None:
    counts = np.zeros((SIZE, len(COUNTS)))
    counts[:, [0, 6, 9]] = 50.0
    groups = group(graph, np.full(SIZE, 50.0), counts=counts, carries=np.ones(SIZE))
    if different:
        who = np.random.default_rng(5).integers(0, SIZE, 4_000)
        templates = (np.arange(4_000) % different + 1).astype(np.uint64)
        traits.note_refusals(graph.accounts, groups.account[who], templates, np.ones((4_000, len(COUNTS))))
    assert least <= sweep.statistic(groups)[0] <= most


@pytest.fixture
def searchers(graph: Graph) -> Groups:
    """Return a group whose accounts had two prompts each refused, in 40 requests that do not elicit and 10 that do."""
    counts = np.zeros((SIZE, len(COUNTS)))
    counts[:, [0, 9]] = 50.0, 10.0
    groups = group(graph, np.full(SIZE, 50.0), counts=counts, carries=np.ones(SIZE))
    refuse(groups, 2)
    return groups


def refuse(groups: Groups, times: int) -> None:
    """Let each account of a group have so many prompts of its own refused."""
    who = np.tile(groups.account, times)
    templates = np.arange(1, len(who) + 1, dtype=np.uint64)
    traits.note_refusals(groups.graph.accounts, who, templates, np.ones((len(who), len(COUNTS))))


def test_sweep_allows_as_many_refusals_as_the_population_has_for_that_many_requests(searchers: Groups) -> None:
    alone = sweep.statistic(searchers)[0]
    searchers.population.norms.refresh(searchers.graph, searchers.account)
    assert sweep.statistic(searchers)[0] < 0.1 * alone, "everybody is refused like this"
    searchers.population.norms.refusals /= 100.0
    assert sweep.statistic(searchers)[0] > 0.9 * alone


def test_scaled_winners_do_not_drown_the_sweep(searchers: Groups) -> None:
    searchers.population.norms.refusals = 0.001
    before = sweep.statistic(searchers)[0]
    assert before > 0.5
    searchers.graph.accounts["counts"][searchers.account[:, None], [0, 9]] += 4_000.0
    assert sweep.statistic(searchers)[0] == before


def test_those_who_search_do_not_become_what_is_usual(searchers: Groups) -> None:
    refuse(searchers, 400)
    others = searchers.graph.accounts.extend(50 * SIZE)
    searchers.graph.accounts["counts"][others, 0] = 40.0
    everyone = np.arange(searchers.graph.accounts.rows)
    before = sweep.statistic(searchers)[0]
    searchers.population.norms.refresh(searchers.graph, everyone)
    assert searchers.population.norms.refusals < 0.01
    assert sweep.statistic(searchers)[0] > 0.9 * before


def test_sweep_is_not_measured_without_elicitation(graph: Graph) -> None:
    assert np.isnan(sweep.statistic(group(graph, np.full(SIZE, 50.0), carries=np.ones(SIZE)))[0])


@pytest.mark.parametrize(("others", "expected"), [(0.0, 0.8), (0.7, 0.1)])
def test_arbitrage_is_what_left_the_model_beyond_what_others_left(graph: Graph, others: float, expected: float) -> None:
    groups = group(graph, np.full(SIZE, 50.0))
    graph.accounts["models"][groups.account, :2] = [10.0, 40.0]
    assert np.isnan(arbitrage.statistic(groups)[0])
    graph.accounts["blocked"][groups.account, 0] = [5.0, 5.0]
    groups.population.norms.retreat[0, 0] = others
    assert arbitrage.statistic(groups)[0] == pytest.approx(expected)
    graph.accounts["models"][groups.account, :2] = [40.0, 0.0]
    assert arbitrage.statistic(groups)[0] == 0.0
    groups.population.norms.failing = 0.01
    assert np.isnan(arbitrage.statistic(groups)[0])
    graph.accounts["counts"][groups.account, 6] = 5.0
    assert arbitrage.statistic(groups)[0] == 0.0


def test_pivot_is_measured_against_everybody_elses_move(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 50.0))
    graph.models.codes(["old", "new"])
    graph.accounts["models"][groups.account, :2] = [5.0, 5.0]
    assert np.isnan(pivot.statistic(groups)[0])
    releases = groups.population.norms.releases
    releases.model, releases.time, releases.adoption = 1, 105 * DAY_MS, 0.05
    assert pivot.statistic(groups)[0] == pytest.approx(np.log(0.52 / 0.07))
    releases.adoption = 0.6
    assert pivot.statistic(groups)[0] == 0.0
    assert "new" in pivot.text(groups, 0, 0.0, 0.0)
    releases.time = 99 * DAY_MS
    assert np.isnan(pivot.statistic(groups)[0])


def test_failover_is_what_comes_back_beyond_what_comes_back_anyway(graph: Graph) -> None:
    groups = group(graph, np.full(SIZE, 50.0))
    assert np.isnan(failover.statistic(groups)[0])
    handed = graph.accounts["handed"]
    handed[groups.account, 0] = [[5.0, 0.5], [4.0, 3.0]]
    assert failover.statistic(groups)[0] == pytest.approx((0.75 - 0.1) * 160 / 170)
    handed[groups.account, 0, 0, 1] = 5.0
    assert failover.statistic(groups)[0] == 0.0


@pytest.mark.parametrize(("day", "busy", "expected"), [(60.0, 20.0, 1.0), (4.0, 20.0, 0.0), (60.0, 100.0, 0.0)])
def test_onset_is_full_and_busy_from_the_first_day(graph: Graph, day: float, busy: float, expected: float) -> None:
    groups = group(graph, np.full(SIZE, 500.0), created=np.full(SIZE, 98 * DAY_MS), first_day=np.full(SIZE, day))
    groups.population.norms.busy = busy
    assert onset.statistic(groups)[0] == expected
    graph.accounts["created"][groups.account] = 50 * DAY_MS
    assert np.isnan(onset.statistic(groups)[0])


def test_subscription_ranks_members_on_their_own_plan(graph: Graph) -> None:
    counts = np.zeros((SIZE, len(COUNTS)))
    counts[:, 2] = 1_000.0
    groups = group(graph, np.full(SIZE, 50.0), counts=counts, plan=np.arange(SIZE) % 2)
    assert np.isnan(subscription.statistic(groups)[0])
    usual = np.linspace(1.0, 90.0, 99)
    groups.population.norms.tokens = {0: usual, 1: usual}
    assert subscription.statistic(groups)[0] == pytest.approx(np.log(50.0))
    groups.population.norms.tokens = {0: 10 * usual, 1: 10 * usual}
    assert subscription.statistic(groups)[0] == 0.0


def test_cleaning_is_traces_to_rebuild_out_of_long_inputs(graph: Graph) -> None:
    counts = np.zeros((SIZE, len(COUNTS)))
    counts[:, :3] = [50.0, 9_000.0, 1_000.0]
    groups = group(graph, np.full(SIZE, 50.0), counts=counts)
    assert np.isnan(cleaning.statistic(groups)[0])
    graph.accounts["elicitations"][groups.account] = [25.0, 0.0, 0.0, 0.0]
    assert cleaning.statistic(groups)[0] == 0.0
    graph.accounts["elicitations"][groups.account, 1] = 25.0
    assert cleaning.statistic(groups)[0] == pytest.approx(0.45, rel=0.02)


def test_routing_is_what_comes_through_others_more_than_everybody_does(graph: Graph) -> None:
    crowd = group(graph, np.full(200, 50.0))
    assert np.isnan(routing.statistic(crowd)[0])
    own, cloud, reseller = graph.paths.codes(["first_party", "cloud-a", "aggregator-b"]).tolist()
    graph.accounts["paths"][crowd.account[:150], own] = 50.0
    graph.accounts["paths"][crowd.account[150:], cloud] = 50.0
    ring, direct = group(graph, np.full(SIZE, 50.0)), group(graph, np.full(SIZE, 50.0))
    graph.accounts["paths"][ring.account, reseller] = 50.0
    graph.accounts["paths"][direct.account, own] = 50.0
    world = Population()
    world.refresh(graph, 0)
    found = [routing.statistic(Groups(graph, one.parts, world))[0] for one in (crowd, ring, direct)]
    assert found[0] < 0.1
    assert found[1] > 1.0
    assert found[2] == 0.0, "the provider's own way in is nobody's detour"
    assert "aggregator-b" in routing.text(Groups(graph, ring.parts, world), 0, found[1], 0.1)


def test_sanitised_is_what_accounts_on_the_same_path_do_tell(graph: Graph) -> None:
    crowd, cloud = group(graph, np.full(200, 50.0)), group(graph, np.full(200, 50.0))
    graph.accounts["paths"][crowd.account, 0] = 1.0
    graph.accounts["paths"][cloud.account, 1] = 1.0
    graph.accounts["carries"][crowd.account] = 1 << ATTRIBUTES.index("device") | 1 << ATTRIBUTES.index("network")
    graph.accounts["variety"][crowd.account] = 1
    ring, passed = group(graph, np.full(SIZE, 50.0)), group(graph, np.full(SIZE, 50.0))
    graph.accounts["paths"][ring.account, 0] = 1.0
    graph.accounts["paths"][passed.account, 1] = 1.0
    world = Population()
    world.refresh(graph, 0)
    found = [sanitised.statistic(Groups(graph, one.parts, world))[0] for one in (crowd, ring, passed)]
    assert found[0] < 0.0
    assert found[1] > 0.6
    assert found[2] == pytest.approx(0.0, abs=0.05), "a cloud passes on less for everybody"

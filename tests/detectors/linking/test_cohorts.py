"""Accounts that share one rare value and signed up together are joined; those of households and offices are not."""

from collections.abc import Callable

import numpy as np
import pytest

from detectors.linking.cohorts import COHORT_MS, GRIDS
from detectors.linking.components import COHORT_SHARE
from detectors.linking.graph import DAY_MS, Graph
from tests.detectors.linking.test_components import Uses, found, graph

START_MS = 20_000 * DAY_MS
YEARS_MS = 800 * DAY_MS


def signed_up(uses: Uses, created: Callable[[str], int], bystanders: int = 500) -> Graph:
    """Return a graph of `uses` whose accounts signed up when `created` says, −1 for not known."""
    subject = graph(uses, bystanders)
    subject.accounts["created"][: subject.accounts.rows] = [created(account) for account in subject.ids]
    return subject


def chain(length: int, families: tuple[str, ...] = ("payment", "device")) -> Uses:
    """Return accounts each of which shares one value with the next, of the families in turn."""
    return [(f"r{n + side}", families[n % len(families)], 10 + n) for n in range(length - 1) for side in (0, 1)]


def spread(account: str) -> int:
    """Return a time within two years that depends on the account alone."""
    return START_MS - int(np.random.default_rng(list(account.encode())).integers(YEARS_MS))


def together(account: str) -> int:
    """Return one week for the chain, and any time for the crowd."""
    return START_MS + int(account[1:]) % 7 * DAY_MS if account.startswith("r") else spread(account)


def test_those_who_signed_up_together_are_joined_by_one_value_each() -> None:
    assert found(signed_up(chain(12), together)) == [{f"r{n}" for n in range(12)}]


def test_those_who_did_not_or_of_whom_it_is_not_known_are_not() -> None:
    assert found(signed_up(chain(12), lambda account: START_MS - int(account[1:].lstrip("z")) * 20 * DAY_MS)) == []
    assert found(signed_up(chain(12), lambda _: -1)) == []


@pytest.mark.parametrize("family", ["template", "signature"])
def test_prompts_and_traces_are_no_identities(family: str) -> None:
    uses = [(account, family, value) for account, _, value in chain(12)]
    joined = found(signed_up(uses, together))
    assert joined == found(signed_up(uses, lambda _: -1))


def test_a_launch_that_everybody_signed_up_for_joins_nobody() -> None:
    assert found(signed_up(chain(12), lambda _: START_MS)) == []


def test_the_keys_of_one_customer_are_left_out() -> None:
    subject = signed_up(chain(12), together)
    subject.accounts["organization"][[subject.account_row(f"r{n}") for n in range(12)]] = 7
    assert found(subject, np.ones(subject.accounts.rows, bool)) == []


@pytest.mark.parametrize("day", range(0, 2 * COHORT_MS // DAY_MS, 3))
def test_less_than_a_week_apart_is_together_whenever_it_is(day: int) -> None:
    def created(account: str) -> int:
        first = START_MS + day * DAY_MS
        return first + int(account[1:]) % 2 * (COHORT_MS // GRIDS - 1) if account.startswith("r") else spread(account)

    assert len(found(signed_up(chain(12), created))) == 1


def test_of_an_office_of_many_years_the_newcomers_are_not_joined() -> None:
    office = [(f"r{n}", "network", 5) for n in range(6)] + [(f"old{n}", "network", 5) for n in range(60)]
    assert found(signed_up(office, together)) == []


def test_of_few_old_colleagues_they_are() -> None:
    office = [(f"r{n}", "network", 5) for n in range(6)] + [(f"old{n}", "network", 5) for n in range(3)]
    assert found(signed_up(office, together)) == [{f"r{n}" for n in range(6)}]


@pytest.mark.parametrize("holders", [2, 5, 9])
def test_chance_joins_no_crowd(holders: int) -> None:
    """Everybody shares three values of each kind with strangers, and three in ten signed up in one fortnight."""
    rng, accounts = np.random.default_rng(holders), 3_000
    names = [f"zz{n}" for n in range(accounts)]
    uses = [
        (names[account], family, kind * 10**6 + place // holders)
        for kind, family in enumerate(("payment", "device", "network") * 3)
        for place, account in enumerate(rng.permutation(accounts).tolist())
    ]
    new = set(rng.choice(names, 3 * accounts // 10, replace=False).tolist())
    subject = signed_up(uses, lambda account: START_MS if account in new else spread(account), bystanders=0)
    assert max(map(len, found(subject)), default=0) <= COHORT_SHARE * accounts

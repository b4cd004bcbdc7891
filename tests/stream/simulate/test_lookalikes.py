"""Look-alikes share what their kind shares in life, and no more; they grow with the scale and with their strength."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from stream.simulate import build
from stream.simulate.circles import PEOPLE, circles
from stream.simulate.events import encode
from stream.simulate.lookalikes import LOOKALIKES, lookalike
from stream.simulate.networks import Networks
from stream.simulate.world import NEW_MODEL, World

ISSUE = {
    "nightly_evaluation", "synthetic_data", "ci_review", "rag_backfill", "fallback_router", "drift_monitor", "team_key",
    "reseller", "day_one_benchmark", "reasoning_capture", "classroom", "hackathon", "viral_app", "model_launch",
}  # fmt: skip


def grown(kind: str, scale: float = 0.005, strength: float = 1.0) -> World:
    world = World(11, scale, 14, strength)
    world.populations.append(lookalike(world, Networks(world, world.rng("networks")), kind, 0))
    return world


class Seen:
    """The values of each field, by account, of one group's events."""

    def __init__(self, kind: str) -> None:
        world = grown(kind)
        rows = np.concatenate(list(world.slices()))
        self.events = [msgspec.json.decode(line) for line in encode(rows, world.tables())]
        self.accounts = len({e["account.id"] for e in self.events})

    def distinct(self, field: str) -> int:
        return len({e[field] for e in self.events if field in e})

    def share(self, field: str, value: str) -> float:
        return float(np.mean([value in e.get(field, ()) for e in self.events]))


def test_all_kinds_of_the_issue_are_there() -> None:
    assert set(LOOKALIKES) >= ISSUE


def test_a_class_sits_behind_one_address_with_one_starter_prompt() -> None:
    seen = Seen("classroom")
    assert seen.accounts >= 140
    addresses = np.unique([e["client.address"] for e in seen.events], return_counts=True)[1]
    assert addresses.max() > 0.7 * len(seen.events)
    templates = np.unique([e["prompt.template"] for e in seen.events], return_counts=True)[1]
    assert templates.max() > 0.5 * len(seen.events)
    assert seen.share("prompt.elicitation", "chain_of_thought") > 0.5


def test_a_small_gateways_accounts_share_cards_and_devices_a_few_at_a_time() -> None:
    seen = Seen("gateway")
    assert seen.accounts >= 10
    for field in ("payment.fingerprint", "device.fingerprint"):
        assert seen.accounts / 7 <= seen.distinct(field) <= (seen.accounts + 1) / 2
    assert seen.distinct("organization.id") == seen.accounts
    assert seen.distinct("client.address") <= 3
    assert seen.distinct("prompt.language") > 3
    assert seen.share("account.signup_pathway", "reseller") == 1


def test_customers_of_a_framework_share_its_templates_alone() -> None:
    seen = Seen("agent_framework")
    assert seen.accounts >= 20
    assert seen.distinct("prompt.template") == 4
    assert seen.distinct("organization.id") == seen.accounts
    assert seen.distinct("client.address") >= 0.9 * len({e["account.id"] for e in seen.events if "client.address" in e})


def test_an_issuer_of_virtual_cards_and_a_carrier_serve_hundreds_of_strangers() -> None:
    cards = Seen("card_hub")
    assert cards.accounts >= 100
    assert cards.distinct("payment.fingerprint") == 2
    assert cards.distinct("device.fingerprint") == cards.accounts
    carrier = Seen("carrier_nat")
    assert carrier.accounts >= 120
    assert carrier.distinct("client.address") == 2
    assert carrier.distinct("client.geo.country") == 1
    campus = Seen("university_vpn")
    assert campus.accounts >= 90
    addresses = np.sort(np.unique([e["client.address"] for e in campus.events], return_counts=True)[1])
    assert addresses[-3:].sum() > 0.7 * len(campus.events)


def test_one_owner_has_many_keys_and_one_of_everything_else() -> None:
    seen = Seen("key_owner")
    assert seen.distinct("api_key.id") == seen.accounts >= 6
    assert seen.distinct("organization.id") == seen.distinct("device.fingerprint") == 1
    assert seen.distinct("client.address") == 1


def test_a_popular_prompt_goes_round_word_by_word_and_asks_for_the_reasoning() -> None:
    seen = Seen("popular_prompt")
    count = np.unique([e["prompt.content"] for e in seen.events], return_counts=True)[1]
    assert np.sort(count)[-6:].sum() > 0.4 * len(seen.events)
    assert seen.share("prompt.elicitation", "reasoning_tags") > 0.3
    assert 0.05 < np.mean([e["response.refused"] for e in seen.events]) < 0.3


def test_teams_run_one_public_benchmark_after_the_release() -> None:
    seen = Seen("day_one_benchmark")
    assert seen.accounts >= 12
    assert seen.distinct("organization.id") == seen.accounts
    assert np.mean([e["gen_ai.request.model"] == NEW_MODEL for e in seen.events]) > 0.8
    assert seen.share("prompt.elicitation", "chain_of_thought") > 0.3
    assert seen.distinct("prompt.content") < 0.8 * len(seen.events), "the same questions"


@pytest.mark.parametrize(("kind", "small", "large"), [("reseller", 70, 200), ("viral_app", 350, 1300)])
def test_crowds_grow_with_the_scale(kind: str, small: int, large: int) -> None:
    assert small <= len(grown(kind).accounts) <= 2.2 * small
    assert len(grown(kind, 1.0).accounts) >= large


def test_crowds_grow_with_the_strength_dial() -> None:
    sizes = [len(build("quiet", 3, 0.002, 1, {"strength": s}, ["viral_app"]).accounts) for s in (0.5, 1.0, 3.0)]
    none = len(build("quiet", 3, 0.002, 1, lookalikes=[]).accounts)
    assert sizes[1] - none == pytest.approx(2 * (sizes[0] - none), rel=0.02)
    assert sizes[2] - none == pytest.approx(3 * (sizes[1] - none), rel=0.02)


def test_people_share_companies_campuses_homes_and_accounts() -> None:
    world = World(2, 0.005, 1)
    networks, rng = Networks(world, world.rng("networks")), world.rng("circles")
    common = circles(networks, rng, networks.mixed(6000), PEOPLE)

    def fanout(groups: np.ndarray) -> np.ndarray:
        _, index, count = np.unique(groups, return_inverse=True, return_counts=True)
        return count[index]

    assert (fanout(common.devices) > 1).mean() == pytest.approx(0.5 * PEOPLE.family + 0.8 * PEOPLE.several, rel=0.2)
    assert fanout(common.devices).max() <= 6
    assert (fanout(common.organizations) > 1).mean() == pytest.approx(PEOPLE.company + 0.5 * PEOPLE.several, rel=0.2)
    assert 20 < fanout(common.organizations).max() <= 400
    assert fanout(common.exits[:, 0]).max() >= 30

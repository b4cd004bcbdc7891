"""Campaigns have no field, and no value of one, that honest accounts do not have as well."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import numpy as np
import pytest

from stream.simulate import SCENARIOS, build
from stream.simulate.events import encode
from stream.simulate.world import World
from tests.stream.simulate.campaign import campaign

SCALE, DAYS = 0.004, 4
FEW_VALUED = (
    "account.plan",
    "account.verification",
    "account.signup_pathway",
    "access.path",
    "client.geo.country",
    "client.asn",
    "user_agent.original",
    "gen_ai.request.model",
    "http.response.status_code",
    "prompt.language",
    "prompt.capabilities",
    "prompt.elicitation",
    "response.refused",
)


def rows_of(world: World) -> np.ndarray:
    return np.concatenate(list(world.slices()))


def values(world: World, rows: np.ndarray) -> dict[str, set[object]]:
    out: dict[str, set[object]] = defaultdict(set)
    for line in encode(rows, world.tables()):
        for key, value in msgspec.json.decode(line).items():
            out[key].update(value if isinstance(value, list) else [value] if key in FEW_VALUED else [])
    return out


@pytest.fixture(scope="module")
def honest() -> tuple[World, np.ndarray]:
    world = build("quiet", 1, SCALE, DAYS)
    return world, rows_of(world)


@pytest.fixture(scope="module")
def known(honest: tuple[World, np.ndarray]) -> dict[str, set[object]]:
    return values(*honest)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "quiet"])
def test_no_value_betrays_a_campaign(name: str, known: dict[str, set[object]]) -> None:
    c = campaign(name, 1, 0.002, DAYS)
    mine = values(c.world, c.rows)
    assert set(mine) <= set(known), "no key of its own"
    assert {key: mine[key] - known[key] for key in FEW_VALUED if mine[key] - known[key]} == {}


def test_honest_requests_are_refused_banned_and_carry_signatures_too(honest: tuple[World, np.ndarray]) -> None:
    _, rows = honest
    assert 0.001 < np.mean(rows["refused"] > 0) < 0.03
    assert np.sum(rows["status"] == 403) > 5
    assert 0.02 < np.mean(rows["signature"] > 0) < 0.4


def test_honest_signatures_come_back_in_other_conversations_and_models_change_downwards(
    honest: tuple[World, np.ndarray],
) -> None:
    world, rows = honest
    signed = rows[(rows["signature"] > 0) & (rows["conversation"] > 0)]
    assert len(np.unique(signed[["signature", "conversation"]])) > len(np.unique(signed["signature"]))
    large, mid = world.models["atlas-large-4"], world.models["atlas-mid-4"]
    first, last = (
        dict(zip(part["account"].tolist(), part["time"].tolist(), strict=True))
        for part in (rows[rows["model"] == mid][::-1], rows[rows["model"] == large])
    )
    assert sum(last[a] < first[a] for a in first.keys() & last.keys()) > 5


@pytest.mark.parametrize("name", ["drip", "adaptive", "failover"])
def test_memory_of_a_slice_does_not_depend_on_the_length_of_the_run(name: str) -> None:
    def largest(days: float) -> int:
        c = campaign(name, 1, 0.002, days)
        return int(np.bincount((c.time - c.world.start) // (6 * 3_600_000)).max())

    assert largest(24) < 1.5 * largest(8)

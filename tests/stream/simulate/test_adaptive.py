"""Every dial of the adaptive attacker does what it says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from stream.simulate.figures import HOUR_MS
from tests.stream.simulate.campaign import Campaign, campaign


def at(**dials: float) -> Campaign:
    return campaign("adaptive", scale=0.004, **dials)


def tied(c: Campaign) -> float:
    """Share of the accounts that have a card, a device or an address in common with another one."""
    out = np.zeros(len(c.facts), bool)
    for key in ("payment.fingerprint", "device.fingerprint", "client.address"):
        for accounts in c.seen(key).values():
            if len(accounts) > 1:
                out[list(accounts)] = True
    return float(out[c.counts > 0].mean())


def fresh(c: Campaign) -> float:
    """Share of the campaign's own requests whose template comes once only."""
    own = c.rows["template"][c.rows["own"] > 0]
    _, index, often = np.unique(own, return_inverse=True, return_counts=True)
    return float(np.mean(often[index] == 1))


def concentration(c: Campaign) -> float:
    """Share of the requests in the busiest tenth of the hours."""
    hours = np.sort(np.bincount((c.time - c.time.min()) // HOUR_MS))[::-1]
    return float(hours[: len(hours) // 10].sum() / hours.sum())


def unevenness(c: Campaign) -> float:
    return float(np.log(c.counts[c.counts > 0]).std())


def cover(c: Campaign) -> float:
    return float(np.mean(c.rows["own"] == 0))


def test_shared_is_the_share_of_accounts_with_a_tie() -> None:
    none, half, all_ = (tied(at(shared=v)) for v in (0.0, 0.5, 1.0))
    assert none < 0.1, "chance puts some behind one address"
    assert half == pytest.approx(0.5, abs=0.15)
    assert all_ > 0.8


def test_paraphrase_is_the_share_of_fresh_skeletons() -> None:
    low, mid, high = (fresh(at(paraphrase=v)) for v in (0.0, 0.5, 1.0))
    assert low < 0.02
    assert mid == pytest.approx(0.5, abs=0.05)
    assert high > 0.95


def test_paraphrase_1_leaves_no_near_simhash() -> None:
    own = at(paraphrase=1.0).rows
    hashes = own["simhash"][own["own"] > 0][:400]
    apart = np.bitwise_xor.outer(hashes, hashes)
    bits = np.unpackbits(apart.view(np.uint8), axis=-1).reshape(len(hashes), len(hashes), -1).sum(axis=-1)
    assert np.quantile(bits[np.triu_indices(len(hashes), 1)], 0.01) > 20


def test_jitter_takes_the_batches_away() -> None:
    values = [concentration(at(jitter=v)) for v in (0.0, 0.5, 1.0)]
    assert values[0] > 0.35
    assert values[0] > values[1] + 0.05 > values[2] + 0.1


def test_spread_makes_volumes_uneven() -> None:
    values = [unevenness(at(spread=v)) for v in (0.0, 0.6, 1.2, 2.0)]
    assert values == sorted(values)
    assert values[-1] > values[0] + 0.8


@pytest.mark.parametrize("dial", [0.0, 0.3, 0.9])
def test_camouflage_is_the_share_of_other_requests(dial: float) -> None:
    assert cover(at(camouflage=dial)) == pytest.approx(dial, abs=0.03)


def test_accounts_spread_the_same_requests() -> None:
    few, some, many = (at(accounts=v) for v in (0.25, 1.0, 4.0))
    sizes = [int(np.count_nonzero(c.counts)) for c in (few, some, many)]
    assert sizes[1] == pytest.approx(4 * sizes[0], rel=0.2)
    assert sizes[2] == pytest.approx(4 * sizes[1], rel=0.2)
    assert len(few.rows) == pytest.approx(len(many.rows), rel=0.1)

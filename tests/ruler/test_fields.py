"""The check of single fields finds one that gives the campaign away, and no other."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.detection.fields import LIMIT, Traffic, auc, separations


def world(**giveaway: object) -> Traffic:
    """Forty accounts of 300 requests, ten of them guilty; `giveaway` replaces a field's values in theirs."""
    rng = np.random.default_rng(5)
    account = np.repeat(np.arange(40), 300)
    guilty = account % 4 == 0
    n = len(account)
    fields: dict[str, list[object]] = {
        "time": rng.integers(0, 10**9, n).tolist(),
        "gen_ai.usage.output_tokens": rng.integers(1, 900, n).tolist(),
        "account.plan": rng.choice(["free", "pro"], n).tolist(),
        "device.fingerprint": [f"d{a // 2}-{i % 50}" for i, a in enumerate(account.tolist())],
    }
    for name, value in giveaway.items():
        key = name.replace("_", ".")
        fields[key] = [value if g else v for g, v in zip(guilty.tolist(), fields[key], strict=True)]
    return Traffic(fields, account, guilty)


@pytest.mark.parametrize(
    ("score", "expected"), [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 1.0), ([1, 1, 1, 1], 0.5), ([1, 3, 2, 4], 0.75)]
)
def test_area_is_the_chance_that_the_guilty_one_ranks_higher(score: list[float], expected: float) -> None:
    assert auc(np.array(score, float), np.array([False, False, True, True])) == pytest.approx(expected)


def test_nothing_is_above_the_limit_where_nothing_differs() -> None:
    assert max(s.decides for s in separations(world())) < 0.6


@pytest.mark.parametrize(
    ("field", "value"), [("account.plan", "max"), ("device.fingerprint", "one"), ("device.fingerprint", None)]
)
def test_a_field_that_gives_away_is_found_alone(field: str, value: object) -> None:
    rows = separations(world(**{field.replace(".", "_"): value}))
    assert [s.field for s in rows if s.decides > LIMIT] == [field]


def test_counts_of_requests_are_judged_by_account() -> None:
    traffic = world()
    kept = traffic.guilty | (np.arange(len(traffic.account)) % 300 < 3)
    fields = {name: [v for v, k in zip(values, kept, strict=True) if k] for name, values in traffic.fields.items()}
    del fields["device.fingerprint"]  # its fan-out follows the number of requests here
    rows = separations(Traffic(fields, traffic.account[kept], traffic.guilty[kept]))
    assert [s.field for s in rows if s.decides > LIMIT] == ["account.id"]

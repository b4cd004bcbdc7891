"""What is made of an account does not depend on who else is looked at, nor on the machine's threads."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from detectors.linking.profile import BLOCK, embed

PROFILES = np.random.default_rng(1).random((5_000, 17))
DIGEST = """
import hashlib, numpy as np
from detectors.linking.profile import embed
print(hashlib.sha256(embed(np.random.default_rng(1).random((5_000, 17))).tobytes()).hexdigest())
"""


def test_inner_products_approximate_a_gaussian_kernel() -> None:
    features = embed(PROFILES[:50]).astype(np.float64)
    apart = ((PROFILES[:50, None] - PROFILES[None, :50]) ** 2).sum(2)
    assert np.abs(features @ features.T - np.exp(-apart / 0.5)).max() < 0.3
    assert (features**2).sum(1) == pytest.approx(1.0, abs=1e-5)


def test_features_do_not_depend_on_how_many_accounts_there_are() -> None:
    every = embed(PROFILES)
    for count in (BLOCK, 10 * BLOCK, 4_000 // BLOCK * BLOCK):
        assert np.array_equal(embed(PROFILES[:count]), every[:count])


@pytest.mark.parametrize("threads", ["1", "2"])
def test_features_do_not_depend_on_the_number_of_threads(threads: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", DIGEST],
        capture_output=True,
        check=True,
        text=True,
        env={"OPENBLAS_NUM_THREADS": threads},
    )
    assert told.stdout.strip() == hashlib.sha256(embed(PROFILES).tobytes()).hexdigest()

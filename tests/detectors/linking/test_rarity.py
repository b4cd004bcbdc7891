"""A value of two accounts tells all, one of everybody nothing."""

import numpy as np

from detectors.linking.rarity import rarity


def test_rarity_is_1_for_a_pair_and_0_for_everybody() -> None:
    assert rarity(np.array([2, 1_000]), 1_000).tolist() == [1.0, 0.0]
    assert np.all(np.diff(rarity(np.arange(2, 1_000), 1_000)) < 0)

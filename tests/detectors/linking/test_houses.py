"""Values within one organisation, and beyond."""

import numpy as np

from detectors.linking.houses import crosses, houses


def test_an_unknown_organisation_is_the_accounts_own() -> None:
    known = houses(np.array([0, 5, 0], np.uint64), np.array([11, 12, 13]))
    assert known.tolist() == [11, 5, 13]
    assert known.dtype == np.uint64


def test_a_value_of_two_houses_crosses_and_of_one_does_not() -> None:
    value = np.array([3, 9, 3, 9, 4])
    assert crosses(value, np.array([1, 2, 1, 7, 1], np.uint64)).tolist() == [False, True, False, True, False]
    assert crosses(np.zeros(0, np.int64), np.zeros(0, np.uint64)).tolist() == []

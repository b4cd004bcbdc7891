"""Hashes stay the same for good: stored state and other processes rely on them."""

from detectors.hashing import digest


def test_known_answers() -> None:
    assert digest("hydra") == 4585773104027416731
    assert digest("") == 3244421341483603138  # XXH3-64 of the empty string, seed 0


def test_text_is_hashed_as_utf8() -> None:
    assert digest("ключ") != digest("ключ ")
    assert 0 <= digest("ключ") < 2**64

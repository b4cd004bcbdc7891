"""Hashes stay the same for good: stored state and other processes rely on them."""

from detectors.hashing import digest


def test_known_answers() -> None:
    assert digest("hydra") == 11080845389862602191
    assert digest("") == 0xEF46DB3751D8E999  # XXH64 of the empty string, seed 0


def test_text_is_hashed_as_utf8() -> None:
    assert digest("ключ") != digest("ключ ")
    assert 0 <= digest("ключ") < 2**64

"""Dials: the numbers of a scenario that a user may turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.errors import ConfigError


@dataclass(frozen=True)
class Dial:
    """One number of a scenario: its default, the least and the largest value allowed, and what it means."""

    default: float
    low: float
    high: float
    meaning: str


def settle(scenario: str, dials: Mapping[str, Dial], chosen: Mapping[str, float]) -> dict[str, float]:
    """Return the value of every dial: the chosen one, else its default.

    Raises:
        ConfigError: an unknown dial, or a value out of its range.
    """
    for name, value in chosen.items():
        if name not in dials:
            known = ", ".join(dials) or "none"
            raise ConfigError(f"dial: {name!r} is no dial of {scenario}; it has {known}")
        if not dials[name].low <= value <= dials[name].high:
            raise ConfigError(f"dial {name}: {value:g} is not in {dials[name].low:g} … {dials[name].high:g}")
    return {name: float(chosen.get(name, dial.default)) for name, dial in dials.items()}

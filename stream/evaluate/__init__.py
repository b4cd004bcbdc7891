"""The detection figures: what was found, how late, and at whose cost.

`load` reads a run's events and labels once; `figures` holds the alerts and decisions of any number of detectors
against them. How an alert is told to be right is in `verdicts`.
"""

from __future__ import annotations

from pathlib import Path

from stream.evaluate.measures import figures
from stream.evaluate.results import CampaignFigures, Figures, KindFigures
from stream.evaluate.traffic import DAY_MS, HONEST, Traffic, Truth, load

__all__ = [
    "DAY_MS",
    "HONEST",
    "CampaignFigures",
    "Figures",
    "KindFigures",
    "Traffic",
    "Truth",
    "evaluate",
    "figures",
    "load",
]


def evaluate(events: Path, labels: Path, alerts: Path, decisions: Path) -> Figures:
    """Compare the alerts and decisions of one detector with the truth; see `load` and `figures`.

    Raises:
        InputError: a file cannot be read, or a line of the last three is not what it should be.
    """
    return figures(load(events, labels), alerts, decisions)

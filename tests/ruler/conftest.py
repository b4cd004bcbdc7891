"""A small world with three campaigns, simulated and decoded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream import simulate
from stream.evaluate import Traffic, figures, load
from stream.evaluate.results import Figures
from tests.benchmarks.detection import columns
from tests.benchmarks.detection.alerts import Outcome

DAYS = 6.0


@dataclass(frozen=True)
class Small:
    events: Path
    columns: columns.Columns
    traffic: Traffic


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Small:
    folder = tmp_path_factory.mktemp("ruler")
    events, labels = folder / "events.jsonl", folder / "labels.jsonl"
    simulate.write("seeds", events, labels, seed=5, scale=0.001, days=DAYS)
    return Small(events, columns.read(events), load(events, labels))


@pytest.fixture
def measured(small, tmp_path) -> Callable[[Outcome], Figures]:
    def measure(outcome: Outcome) -> Figures:
        outcome.write(tmp_path)
        return figures(small.traffic, tmp_path / "alerts.jsonl", tmp_path / "decisions.jsonl")

    return measure

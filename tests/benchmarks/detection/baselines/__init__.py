"""Simpler detectors, for comparison. Each module has `NAME` and `detect(columns, settings)`.

Those in `BUDGETED` have one number to set. They offer `prepare(columns)`, all the work that does not depend on that
number, `levels(prepared)`, the values it may take, and `judge(columns, prepared, threshold)`; `calibrate` finds the
least threshold that keeps the false-alarm budget on quiet worlds. The oracle reads the labels; the rules after
Glasswally and AegisGate keep their published constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from stream.evaluate import Truth
from tests.benchmarks.detection.alerts import Outcome
from tests.benchmarks.detection.columns import Columns


@dataclass(frozen=True)
class Settings:
    """What a baseline may need: the frozen threshold of each by its name, and the truth, for the oracle alone."""

    thresholds: Mapping[str, float]
    truth: Truth


def budgeted() -> dict[str, ModuleType]:
    """Return the baselines with a threshold, by name."""
    from tests.benchmarks.detection.baselines import chance, linking, trees, volume, zscore

    return {module.NAME: module for module in (chance, volume, zscore, trees, linking)}


def everything() -> dict[str, ModuleType]:
    """Return all baselines by name, in the order of the tables."""
    from tests.benchmarks.detection.baselines import aegisgate, glasswally, oracle

    rules = {module.NAME: module for module in (glasswally, aegisgate)}
    return {oracle.NAME: oracle, **budgeted(), **rules}


def detect(name: str, columns: Columns, settings: Settings) -> Outcome:
    """Return what the baseline `name` says of a run."""
    modules = budgeted()
    if name not in modules:
        return everything()[name].detect(columns, settings)  # type: ignore[no-any-return]
    module = modules[name]
    return module.judge(columns, module.prepare(columns), settings.thresholds[name])  # type: ignore[no-any-return]

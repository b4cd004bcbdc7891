"""Freezes the thresholds of the budgeted baselines: `python -m tests.benchmarks.detection.calibrate [--scale S]`.

On quiet worlds of seeds that no run uses, every baseline gets the least threshold at which its false campaign alerts
stay within the product's default budget (`budget.false_campaigns_per_week`), and so do all higher ones that were tried.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from detectors.settings import BudgetSettings
from stream import simulate
from tests.benchmarks.detection import columns
from tests.benchmarks.detection.baselines import budgeted
from tests.benchmarks.detection.plan import SCALE
from tests.benchmarks.detection.run import THRESHOLDS, Thresholds

FIRST_SEED, SEEDS = 1001, 6


def calibrate(worlds: Sequence[columns.Columns], scale: float, seeds: list[int]) -> Thresholds:
    """Return the thresholds that keep the budget on `worlds`, which hold no campaign."""
    budget = BudgetSettings().false_campaigns_per_week
    allowed = budget * sum(round(world.days) for world in worlds) / 7
    chosen: dict[str, float] = {}
    alerts: dict[str, int] = {}
    for name, module in budgeted().items():
        prepared = [(world, module.prepare(world)) for world in worlds]
        for level in sorted({float(v) for _, one in prepared for v in module.levels(one)}, reverse=True):
            opened = sum(len(module.judge(world, one, level).alerts) for world, one in prepared)
            if opened > allowed:
                break
            chosen[name], alerts[name] = level, opened
    days = sum(world.days for world in worlds) / len(worlds)
    return Thresholds(scale, round(days, 2), seeds, budget, chosen, alerts)


def main() -> None:
    """Simulate, calibrate, and write the thresholds beside this module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", type=float, default=SCALE)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    arguments = parser.parse_args()
    seeds = list(range(FIRST_SEED, FIRST_SEED + arguments.seeds))
    worlds = []
    with tempfile.TemporaryDirectory(prefix="hydrawatch-calibrate-") as folder:
        events, labels = Path(folder, "events.jsonl.zst"), Path(folder, "labels.jsonl")
        for seed in seeds:
            simulate.write("quiet", events, labels, seed, arguments.scale)
            worlds.append(columns.read(events))
    made = calibrate(worlds, arguments.scale, seeds)
    known = msgspec.json.decode(THRESHOLDS.read_bytes(), type=list[Thresholds]) if THRESHOLDS.exists() else []
    entries = sorted([made, *(e for e in known if e.scale != made.scale)], key=lambda e: e.scale)
    THRESHOLDS.write_bytes(msgspec.json.format(msgspec.json.encode(entries)) + b"\n")
    for name, threshold in made.thresholds.items():
        print(f"{name:20}{threshold:12.4f}  {made.false_alerts[name]} alerts on {len(worlds)} quiet worlds")


if __name__ == "__main__":
    main()

"""Measures Hydrawatch and the baselines on every scenario: `python -m tests.benchmarks.detection --quick|--full`.

Runs go through a pool of processes. Those that are there already, of the same commit, are not made again, so that the
full form can be stopped and continued. Then come the parts on real streams, where their data is at hand. The results
are written to `tests/benchmarks/results/`, the runs themselves stay in the working folder.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from stream.evaluate import curves
from stream.evaluate.runs import Run
from stream.evaluate.summary import summarise
from stream.simulate import SCENARIOS
from tests.benchmarks.detection import plan, report
from tests.benchmarks.detection.baselines import everything
from tests.benchmarks.detection.run import PRODUCT, ROOT, commit, frozen, made_at, make


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the options, lists of names resolved."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.detection", description=__doc__.split("\n")[0])
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help="all scenarios at their default dials, 3 seeds (default)")
    form.add_argument("--full", action="store_true", help="all values of the dials, 10 seeds")
    parser.add_argument("--seeds", type=int, help="how many, from 1 on")
    parser.add_argument("--scenarios", help=f"some of {','.join(SCENARIOS)}")
    parser.add_argument("--detectors", help=f"some of {PRODUCT},{','.join(everything())}")
    parser.add_argument("--scale", type=float, default=plan.SCALE, help="of the simulator (default %(default)g)")
    parser.add_argument("--days", type=float, help="length of every run, the scenario's own by default")
    parser.add_argument("--work", type=Path, help="folder of the runs (default build/detection/<commit>)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2), help="processes (default %(default)d)")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="folder of the results")
    parser.add_argument("--no-parts", action="store_true", help="leave the real streams out")
    chosen = parser.parse_args(words)
    try:
        chosen.scenarios = report.names(chosen.scenarios, list(SCENARIOS), "scenarios")
        chosen.detectors = report.names(chosen.detectors, [PRODUCT, *everything()], "detectors")
        chosen.thresholds = frozen(chosen.scale)
    except (ValueError, LookupError) as error:
        parser.error(str(error))
    chosen.seeds = chosen.seeds or (plan.FULL_SEEDS if chosen.full else plan.QUICK_SEEDS)
    head = commit()
    chosen.work = chosen.work or ROOT / "build" / "detection" / head
    if head.endswith("changed"):
        print("the working tree has changes that are not committed: runs there already may be of an older state")
    return chosen


def make_all(chosen: argparse.Namespace) -> list[Run]:
    """Make the planned runs, in processes of their own; the events are kept in the quick form alone."""
    runs = plan.planned(chosen.full, chosen.seeds, chosen.scenarios, chosen.scale, chosen.days)
    done: list[Run] = []
    with ProcessPoolExecutor(chosen.jobs, get_context("spawn")) as pool:
        waiting: dict[Future[Run], str] = {
            pool.submit(make, one, chosen.work, chosen.detectors, not chosen.full): one.path for one in runs
        }
        for future in as_completed(waiting):
            run = future.result()
            done.append(run)
            seconds = sum(run.seconds.values())
            print(f"{len(done)}/{len(runs)} {waiting[future]}: {seconds:.0f} s", flush=True)
    return sorted(done, key=lambda run: run.path)


def on_real_streams() -> tuple[list[report.Part], dict[str, str]]:
    """Return the figures of every part, and of those whose data is missing why."""
    from tests.benchmarks.detection import parts

    rows: list[report.Part] = []
    missing: dict[str, str] = {}
    for found in pkgutil.iter_modules(parts.__path__):
        module = importlib.import_module(f"{parts.__name__}.{found.name}")
        if not hasattr(module, "run"):
            continue
        started = time.perf_counter()
        try:
            rows += report.as_parts(module.run())
        except FileNotFoundError as error:
            missing[module.NAME] = str(error)
        print(f"part {module.NAME}: {missing.get(module.NAME, '')} {time.perf_counter() - started:.0f} s", flush=True)
    return rows, missing


def main() -> None:
    """Make the runs, measure, and write the results."""
    chosen = arguments()
    started = time.perf_counter()
    runs = make_all(chosen)
    measured = summarise(runs)
    began = time.perf_counter()
    real, missing = ([], {}) if chosen.no_parts else on_real_streams()
    made = report.Results(
        facts=report.facts(
            "full" if chosen.full else "quick",
            sorted({made_at(chosen.work, run.path) for run in runs}),
            datetime.now(UTC).strftime("%Y-%m-%d"),
            sum(sum(run.seconds.values()) for run in runs) + time.perf_counter() - began,
            os.getloadavg()[0],
            os.cpu_count() or 1,
            chosen.thresholds,
        ),
        report=measured,
        parts=real,
        missing_parts=missing,
    )
    paths = report.write(made, chosen.results)
    if chosen.full:
        curves.write(curves.curves(measured.settings), chosen.results / "curves")
    print(report.summary(measured))
    print(f"{paths[0]}\n{paths[1]}\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

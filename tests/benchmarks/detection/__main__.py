"""Measures Hydrawatch and the baselines on every scenario: `python -m tests.benchmarks.detection --quick|--full`.

Runs go through a pool of processes. Those that are there already, of the same code, are not made again, so that this
can be stopped and continued, or divided by `--scenarios`: the results hold the runs of the same seeds and scale that
are there, whichever call made them. They are written to `tests/benchmarks/results/` after each run; the runs themselves
stay in the working folder. Last come the parts on real streams, where their data is at hand.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from stream.evaluate import curves
from stream.evaluate.runs import Run
from stream.evaluate.summary import summarise
from stream.simulate import SCENARIOS
from tests.benchmarks.detection import plan, report
from tests.benchmarks.detection.baselines import everything
from tests.benchmarks.detection.run import PRODUCT, ROOT, commit, frozen, made, made_at, make

Parts = tuple[list[report.Part], dict[str, str]]
"""Figures on real streams, and why some are missing."""


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the options, lists of names resolved."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.detection", description=__doc__.split("\n")[0])
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help="all scenarios at their default dials, 3 seeds (default)")
    form.add_argument("--full", action="store_true", help="all values of the dials, 10 seeds")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--first-seed", type=int, default=plan.FIRST_SEED, help="(default %(default)d)")
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
        chosen.thresholds = None if chosen.detectors == [PRODUCT] else frozen(chosen.scale)
    except (ValueError, LookupError) as error:
        parser.error(str(error))
    count = chosen.seeds or (plan.FULL_SEEDS if chosen.full else plan.QUICK_SEEDS)
    chosen.seeds = plan.seeds(chosen.first_seed, count)
    chosen.work = chosen.work or ROOT / "build" / "detection" / commit()
    chosen.keep_events = not chosen.full and count <= plan.QUICK_SEEDS
    return chosen


def make_all(chosen: argparse.Namespace, planned: Sequence[plan.Planned]) -> Iterator[Run]:
    """Yield the planned runs of the chosen scenarios as they are done, in processes of their own."""
    mine = [one for one in planned if one.scenario in chosen.scenarios]
    with ProcessPoolExecutor(chosen.jobs, get_context("spawn")) as pool:
        waiting: dict[Future[Run], str] = {
            pool.submit(make, one, chosen.work, chosen.detectors, chosen.keep_events): one.path for one in mine
        }
        for number, future in enumerate(as_completed(waiting), 1):
            run = future.result()
            print(f"{number}/{len(mine)} {waiting[future]}: {sum(run.seconds.values()):.0f} s", flush=True)
            yield run


def on_real_streams() -> Parts:
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


def results(
    chosen: argparse.Namespace, runs: Sequence[Run], planned: int, seconds: float = 0.0, parts: Parts = ([], {})
) -> report.Results:
    """Return the results of the runs so far.

    Args:
        planned: how many runs there will be.
        seconds: that `parts` took.
        parts: figures on real streams, and of those whose data is missing why.
    """
    facts = report.facts(
        command(chosen),
        chosen.seeds,
        (len(runs), planned),
        sorted({made_at(chosen.work, run.path) for run in runs}),
        sum(sum(run.seconds.values()) for run in runs) + seconds,
        chosen.thresholds,
    )
    ordered = sorted(runs, key=lambda run: run.path)
    return report.Results(facts=facts, report=summarise(ordered), parts=parts[0], missing_parts=parts[1])


def command(chosen: argparse.Namespace) -> str:
    """Return the command that makes all runs of these results in one go."""
    words = ["python -m tests.benchmarks.detection", "--full" if chosen.full else "--quick"]
    words += [f"--seeds {len(chosen.seeds)} --first-seed {chosen.seeds[0]} --scale {chosen.scale:g}"]
    return " ".join(words + ([f"--days {chosen.days:g}"] if chosen.days is not None else []))


def main(words: list[str] | None = None) -> None:
    """Make the runs, measure, and write the results."""
    chosen = arguments(words)
    started = time.perf_counter()
    planned = plan.planned(chosen.full, chosen.seeds, list(SCENARIOS), chosen.scale, chosen.days)
    there = {one.path: made(one, chosen.work, chosen.detectors) for one in planned}
    runs = {path: run for path, run in there.items() if run is not None}
    for run in make_all(chosen, planned):
        runs[run.path] = run
        report.write(results(chosen, list(runs.values()), len(planned)), chosen.results)
    began = time.perf_counter()
    parts: Parts = ([], {}) if chosen.no_parts else on_real_streams()
    final = results(chosen, list(runs.values()), len(planned), time.perf_counter() - began, parts)
    paths = report.write(final, chosen.results)
    if chosen.full:
        curves.write(curves.curves(final.report.settings), chosen.results / "curves")
    print(report.summary(final.report))
    print(f"{paths[0]}\n{paths[1]}\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

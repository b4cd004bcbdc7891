"""What each part of the detector is good for: `python -m tests.benchmarks.detection.ablation [--quick]`.

Every world is simulated once and goes through the account stage once; what comes out of that is judged by the group
stage once per variant (`variants`). Worlds made before, at the same commit, are not made again, and the results are
written after each, so that this can be stopped and continued.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import msgspec

from detectors.alerts import Outputs
from stream import simulate
from stream.evaluate import Truth, figures, load
from stream.evaluate.runs import Run
from stream.simulate import SCENARIOS
from tests.benchmarks import reference
from tests.benchmarks.detection import plan, report, variants
from tests.benchmarks.detection.ablation_report import Reach, World, document, lines, overall
from tests.benchmarks.detection.plan import Planned
from tests.benchmarks.detection.run import ROOT, commit, write_whole

FIGURES = "ablation.json"
HONEST_FIRST_SEED, HONEST_WORLDS, HONEST_SCALE = 2001, 8, 0.02
"""Honest worlds of the totals: as many, and as large, as those of the shipped reference, of other seeds."""
SEEDS, QUICK_SEEDS = 3, 1


def ablate(planned: Planned, honest: Sequence[Path], work: Path) -> World:
    """Let every variant judge one world, or read what they said.

    Args:
        honest: honest worlds, as `variants.keep_honest` left them.
        work: folder of all worlds.
    """
    path, head = work / planned.path / FIGURES, commit()
    chosen = variants.variants()
    if path.exists():
        done = msgspec.json.decode(path.read_bytes(), type=World)
        same = (done.commit, done.honest) == (head, [_label(world) for world in honest])
        if same and set(done.reach) == {variant.name for variant in chosen}:
            return done
    groups = {
        kinds: [group for world in honest for group in variants.load(variants.stored(world, kinds))]
        for kinds in (variants.EVERY_KIND, variants.UNBUNDLED)
    }
    seconds, measured, reach = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="hydrawatch-ablation-") as name:
        folder = Path(name)
        events, labels = folder / "events.jsonl", folder / "labels.jsonl"
        simulate.write(planned.scenario, events, labels, planned.seed, planned.scale, planned.days, planned.dials)
        partials, traffic = reference.partials_of(events), load(events, labels)
        for variant in chosen:
            started = time.perf_counter()
            outputs = variants.judge(variant, partials, groups)
            seconds[variant.name] = round(time.perf_counter() - started, 2)
            measured[variant.name] = figures(traffic, *_write(outputs, folder))
            reach[variant.name] = reached(outputs, traffic.truth)
    scenario = SCENARIOS[planned.scenario]
    run = Run(
        path=planned.path,
        scenario=planned.scenario,
        seed=planned.seed,
        scale=planned.scale,
        days=planned.days or scenario.days,
        dials={name: dial.default for name, dial in scenario.dials.items()} | dict(planned.dials),
        lookalikes=None,
        seconds=seconds,
        detectors=measured,
    )
    labels_of, count = [_label(world) for world in honest], len(groups[variants.EVERY_KIND])
    world = World(commit=head, honest=labels_of, groups=count, run=run, reach=reach)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(world))
    return world


def _label(honest: Path) -> str:
    return f"{honest.parent.name} {honest.name}"


def _write(outputs: Outputs, folder: Path) -> tuple[Path, Path]:
    paths = folder / "alerts.jsonl", folder / "decisions.jsonl"
    for path, records in zip(paths, (outputs.alerts, outputs.decisions), strict=True):
        path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    return paths


def reached(outputs: Outputs, truth: Truth) -> Reach:
    """Return how many accounts were ever under a decision."""
    under = {decision.value for decision in outputs.decisions if decision.type != "none"}
    guilty = sum(account in truth.campaign for account in under)
    return Reach(members=len(truth.campaign), reached=guilty, honest=len(under) - guilty)


def in_pool(jobs: int, calls: Sequence[tuple]) -> Iterator:
    """Yield the results of calls (function, *arguments) as they come."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for future in as_completed([pool.submit(*call) for call in calls]):
            yield future.result()


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    guilty = [name for name in SCENARIOS if name != "quiet"]
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seed in place of {SEEDS}")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--first-seed", type=int, default=plan.FIRST_SEED, help="(default %(default)d)")
    parser.add_argument("--scenarios", help=f"some of {','.join(guilty)}")
    parser.add_argument("--scale", type=float, default=plan.SCALE, help="of the simulator (default %(default)g)")
    parser.add_argument("--days", type=float, help="length of every run, the scenario's own by default")
    parser.add_argument("--honest-worlds", type=int, default=HONEST_WORLDS, help="for the totals (default %(default)d)")
    parser.add_argument("--honest-scale", type=float, default=HONEST_SCALE, help="(default %(default)g)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2), help="processes (default %(default)d)")
    parser.add_argument("--work", type=Path, help="folder of the worlds (default build/ablation/<commit>)")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="folder of the results")
    chosen = parser.parse_args(words)
    try:
        chosen.scenarios = report.names(chosen.scenarios, guilty, "scenarios")
    except ValueError as error:
        parser.error(str(error))
    chosen.seeds = chosen.seeds or (QUICK_SEEDS if chosen.quick else SEEDS)
    chosen.work = chosen.work or ROOT / "build" / "ablation" / commit()
    return chosen


def main(words: list[str] | None = None) -> None:
    """Make the worlds, measure every variant on them, and write the results."""
    chosen = arguments(words)
    command = f"python -m tests.benchmarks.detection.ablation --seeds {chosen.seeds} --first-seed {chosen.first_seed} "
    command += f"--scale {chosen.scale:g} --honest-worlds {chosen.honest_worlds} --honest-scale {chosen.honest_scale:g}"
    command += "" if chosen.days is None else f" --days {chosen.days:g}"
    seeds = range(HONEST_FIRST_SEED, HONEST_FIRST_SEED + chosen.honest_worlds)
    honest = [chosen.work / f"honest-{commit()}" / f"x{chosen.honest_scale:g}" / f"seed-{seed}" for seed in seeds]
    calls = [(variants.keep_honest, seed, chosen.honest_scale, path) for seed, path in zip(seeds, honest, strict=True)]
    for number, _ in enumerate(in_pool(chosen.jobs, calls), 1):
        print(f"honest world {number} of {len(honest)}", flush=True)
    runs = plan.planned(False, plan.seeds(chosen.first_seed, chosen.seeds), chosen.scenarios, chosen.scale, chosen.days)
    worlds: list[World] = []
    stem = chosen.results / f"ablation-{datetime.now(UTC):%Y-%m-%d}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    for world in in_pool(chosen.jobs, [(ablate, run, honest, chosen.work) for run in runs]):
        worlds.append(world)
        worlds.sort(key=lambda one: one.run.path)
        text = document(worlds, len(runs), command)
        stem.with_suffix(".md").write_text(text, encoding="utf-8")
        stem.with_suffix(".json").write_bytes(msgspec.json.encode(worlds) + b"\n")
        print(f"{len(worlds)}/{len(runs)} {world.run.path}: {sum(world.run.seconds.values()):.0f} s", flush=True)
    print(overall(lines(worlds)))
    print(f"{stem}.md\n{stem}.json")


if __name__ == "__main__":
    main()

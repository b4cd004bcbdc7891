"""One run: simulate, let the product replay the file, let the baselines judge it, measure.

The product is the command `hydrawatch replay` in a process of its own, which sees the events alone. A run leaves
`run.json`, the alerts and decisions of each detector, and `figures.json`. A later call reads these when both are of the
same code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

from detectors.alerts import stable_id
from detectors.settings import BudgetSettings
from stream import simulate
from stream.evaluate import load
from stream.evaluate.runs import MANIFEST, Manifest, Outputs, Run, measure
from tests.benchmarks.detection import columns
from tests.benchmarks.detection.baselines import Settings, detect
from tests.benchmarks.detection.plan import Planned

ROOT = Path(__file__).parents[3]
PRODUCT = "hydrawatch"
EVENTS, LABELS, FIGURES = "events.jsonl.zst", "labels.jsonl", "figures.json"
CODE = ("detectors", "stream", "tests/benchmarks", ":(exclude)tests/benchmarks/results")
THRESHOLDS = Path(__file__).with_name("thresholds.json")


class Thresholds(msgspec.Struct, frozen=True):
    """What `calibrate` froze for one scale: how, and the threshold of each budgeted baseline."""

    scale: float
    days: float
    seeds: list[int]
    false_campaigns_per_week: float
    thresholds: dict[str, float]
    false_alerts: dict[str, int]
    """Alerts of each on the quiet worlds, all seeds together, at its threshold."""


def frozen(scale: float, path: Path = THRESHOLDS) -> Thresholds:
    """Return the thresholds for runs of `scale`.

    Raises:
        LookupError: none were calibrated for it, or for another budget than the product's default.
    """
    known = msgspec.json.decode(path.read_bytes(), type=list[Thresholds]) if path.exists() else []
    budget = BudgetSettings().false_campaigns_per_week
    for entry in known:
        if entry.scale == scale and entry.false_campaigns_per_week == budget:
            return entry
    raise LookupError(
        f"no thresholds for scale {scale:g} and {budget:g} false campaigns a week: "
        f"python -m tests.benchmarks.detection.calibrate --scale {scale:g}"
    )


def make(planned: Planned, work: Path, detectors: Sequence[str], keep_events: bool = True) -> Run:
    """Make one run, or read the figures of one made before.

    Args:
        planned: what to simulate.
        work: folder of all runs.
        detectors: `hydrawatch` and names of baselines.
        keep_events: else the events are deleted once they are measured.

    Raises:
        RuntimeError: the product failed, with what it said.
        LookupError: see `frozen`.
    """
    folder = work / planned.path
    done = made(planned, work, detectors)
    if done is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    seconds = {"simulate": _simulate(planned, folder)}
    if PRODUCT in detectors:
        seconds[PRODUCT] = replay(folder)
    seconds |= _baselines(planned.scale, folder, [name for name in detectors if name != PRODUCT])
    manifest = Manifest(
        scenario=planned.scenario,
        seed=planned.seed,
        scale=planned.scale,
        days=planned.days,
        dials=dict(planned.dials),
        events=EVENTS,
        labels=LABELS,
        detectors={name: Outputs(f"{slug(name)}/alerts.jsonl", f"{slug(name)}/decisions.jsonl") for name in detectors},
        seconds={name: round(value, 2) for name, value in seconds.items()},
    )
    written = msgspec.to_builtins(manifest) | {"commit": commit()}
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(written)))
    run = msgspec.structs.replace(measure(folder)[0], path=planned.path)
    write_whole(folder / FIGURES, msgspec.json.encode(run))
    if not keep_events:
        (folder / EVENTS).unlink()
    return run


def made(planned: Planned, work: Path, detectors: Sequence[str]) -> Run | None:
    """Return the figures of a run that is there already, of the code as it is; None if there is none."""
    path = work / planned.path / FIGURES
    if not path.exists() or made_at(work, planned.path) != commit():
        return None
    done = msgspec.json.decode(path.read_bytes(), type=Run)
    return done if set(detectors) <= set(done.detectors) else None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all, since whoever continues takes it for done."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


@cache
def commit() -> str:
    """Return the last commit that changed the code; "unknown" without git.

    Where the working tree differs from it, `-changed` and a digest of how follow. Results and texts are no code.
    """
    try:
        head, change = (
            subprocess.run(["git", *words, "--", *CODE], cwd=ROOT, capture_output=True, text=True, check=True).stdout
            for words in (("log", "-1", "--format=%h", "--abbrev=12"), ("diff", "HEAD"))
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.strip() + (f"-changed-{stable_id(change)[:8]}" if change else "")


def made_at(work: Path, path: str) -> str:
    """Return the commit that the run at `path` was made at."""
    return str(msgspec.json.decode((work / path / MANIFEST).read_bytes())["commit"])


def slug(name: str) -> str:
    """Return the folder of a detector."""
    return name.lower().replace(" ", "-")


def _simulate(planned: Planned, folder: Path) -> float:
    started = time.perf_counter()
    simulate.write(
        planned.scenario,
        folder / EVENTS,
        folder / LABELS,
        planned.seed,
        planned.scale,
        planned.days,
        planned.dials,
    )
    return time.perf_counter() - started


def replay(folder: Path) -> float:
    """Run `hydrawatch replay` with its default configuration on a folder's events; return the seconds it took.

    Raises:
        RuntimeError: it failed, with what it said.
    """
    target = folder / PRODUCT
    target.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "stream", "replay", str(folder / EVENTS)]
    for name in ("alerts", "decisions"):
        command += [f"--{name}", str(target / f"{name}.jsonl")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYDRAWATCH_")}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{folder}: hydrawatch replay exited with {done.returncode}: {done.stderr[-2000:]}")
    return time.perf_counter() - started


def _baselines(scale: float, folder: Path, names: Sequence[str]) -> dict[str, float]:
    """Let the baselines judge a folder's events; return the seconds each took, decoding apart."""
    if not names:
        return {}
    settings = Settings(frozen(scale).thresholds, load(folder / EVENTS, folder / LABELS).truth)
    started = time.perf_counter()
    table = columns.read(folder / EVENTS)
    seconds = {"columns": time.perf_counter() - started}
    for name in names:
        started = time.perf_counter()
        detect(name, table, settings).write(folder / slug(name))
        seconds[name] = time.perf_counter() - started
    return seconds

"""Finds the runs below a folder and measures every detector on each.

A run is a folder with `run.json`: `{"scenario", "seed", "scale", "days", "dials", "lookalikes", "events", "labels",
"detectors": {name: {"alerts", "decisions"}}, "seconds"}`, paths relative to that folder. A dial that is not named has
the scenario's default.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from stream.errors import InputError
from stream.evaluate.measures import figures
from stream.evaluate.results import Figures
from stream.evaluate.traffic import load
from stream.reader import check_readable
from stream.simulate import SCENARIOS

MANIFEST = "run.json"


class Outputs(msgspec.Struct):
    """What one detector wrote; paths."""

    alerts: str
    decisions: str


class Manifest(msgspec.Struct, kw_only=True):
    """`run.json`. `days` None: the scenario's default; `lookalikes` None: all."""

    scenario: str
    seed: int
    scale: float
    days: float | None = None
    dials: dict[str, float] = {}
    lookalikes: list[str] | str | None = None
    events: str
    labels: str
    detectors: dict[str, Outputs]
    seconds: dict[str, float] = {}


class Run(msgspec.Struct, kw_only=True):
    """One measured run; `path` of its folder is relative to the folder of all runs."""

    path: str
    scenario: str
    seed: int
    scale: float
    days: float | None
    dials: dict[str, float]
    lookalikes: list[str] | None
    seconds: dict[str, float]
    detectors: dict[str, Figures]


def measure(folder: Path, progress: Callable[[int, int, str], None] | None = None) -> list[Run]:
    """Return the figures of all runs below `folder`, by path; each run's events are read once.

    Args:
        progress: called before each run with its number from 1, the number of runs and its path.

    Raises:
        InputError: there is no run, a `run.json` is not what it should be, or one of the files it names is missing or
            broken. Missing files are told before anything is measured.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'No such file or directory'}")
    found = sorted(folder.rglob(MANIFEST))
    if not found:
        raise InputError(f"{folder}: no {MANIFEST} in it or below")
    manifests = [_manifest(path) for path in found]
    runs = []
    for number, (path, manifest) in enumerate(zip(found, manifests, strict=True), 1):
        relative = path.parent.relative_to(folder).as_posix()
        if progress is not None:
            progress(number, len(found), relative)
        runs.append(_measure(path.parent, relative, manifest))
    return runs


def _manifest(path: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None
    if not manifest.detectors:
        raise InputError(f"{path}: names no detector")
    outputs = [name for made in manifest.detectors.values() for name in (made.alerts, made.decisions)]
    check_readable([str(path.parent / name) for name in (manifest.events, manifest.labels, *outputs)])
    return manifest


def _measure(folder: Path, relative: str, manifest: Manifest) -> Run:
    traffic = load(folder / manifest.events, folder / manifest.labels)
    scenario = SCENARIOS.get(manifest.scenario)
    defaults = {name: dial.default for name, dial in scenario.dials.items()} if scenario else {}
    return Run(
        path=relative,
        scenario=manifest.scenario,
        seed=manifest.seed,
        scale=manifest.scale,
        days=manifest.days if manifest.days is not None or scenario is None else scenario.days,
        dials=dict(sorted((defaults | manifest.dials).items())),
        lookalikes=_kinds(manifest.lookalikes),
        seconds=manifest.seconds,
        detectors={
            name: figures(traffic, folder / made.alerts, folder / made.decisions)
            for name, made in manifest.detectors.items()
        },
    )


def _kinds(given: list[str] | str | None) -> list[str] | None:
    if isinstance(given, str):
        given = {"all": None, "none": []}.get(given, given.split(","))
    return None if given is None else sorted(given)

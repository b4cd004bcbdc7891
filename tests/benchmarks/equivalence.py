"""The same file through `replay`, through one worker, and through two workers on four partitions: the same findings?

`python -m tests.benchmarks.equivalence FILE` (or none: traffic is simulated) compares the campaigns, their members and
every account decision, and exits 1 when they differ.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import harness
from tests.broker import kafka

SHOWN = 5


def differences(one: harness.Outcome, other: harness.Outcome) -> list[str]:
    """Return a line for each way in which the findings differ; none when they are the same."""
    found = _unequal("campaign", one.campaigns, other.campaigns)
    found += _unequal("members of", one.members, other.members)
    return found + _unequal("decision on", one.standing, other.standing)


def _unequal(what: str, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    found = [f"{what} {name}: only in one" for name in sorted(one.keys() ^ other.keys())]
    for name in sorted(one.keys() & other.keys()):
        if one[name] != other[name]:
            found.append(f"{what} {name}: {_where(one[name], other[name])}")
    return found


def _where(one: Any, other: Any) -> str:
    if isinstance(one, dict):
        fields = [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]
        shown = [f"{name} {str(one.get(name))[:120]} | {str(other.get(name))[:120]}" for name in fields[:SHOWN]]
        return "; ".join(shown)
    return f"{len(set(one) - set(other))} only in the first, {len(set(other) - set(one))} only in the second"


def verdict(name: str, one: harness.Outcome, other: harness.Outcome) -> bool:
    """Print whether the findings are the same and where not; return it."""
    found = differences(one, other)
    same_log = [a["alert_id"] for a in one.alerts] == [a["alert_id"] for a in other.alerts] and one == other
    print(f"{name}: {'SAME' if not found else f'DIFFERENT in {len(found)} places'} "
          f"({len(other.campaigns)} campaigns, {sum(map(len, other.members.values())):,} members, "
          f"{len(other.standing):,} decisions; whole log {'identical' if same_log else 'not identical'})")  # fmt: skip
    for line in found[: 2 * SHOWN]:
        print(f"    {line}")
    return not found


def main() -> None:
    """Judge the file three ways and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, help="request events, plain JSON Lines")
    parser.add_argument("--scale", type=float, default=0.005, help="of the simulated traffic, without a file")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hydrawatch-equivalence-") as work, kafka.bootstrap() as servers:
        directory = Path(work)
        file = arguments.file or simulated(directory, arguments.scale, arguments.seed)
        reference = harness.replay(file, directory)
        print(f"replay: {reference.requests:,} requests, {len(reference.outcome.campaigns)} campaigns, "
              f"{len(reference.outcome.standing):,} decisions", flush=True)  # fmt: skip
        same = bool(reference.outcome.alerts)
        if not same:
            print("nothing was found, so nothing can be compared")
        for workers, partitions in ((1, 1), (1, 4), (2, 4)):
            settings = harness.fresh(servers, partitions)
            events = harness.produce(settings, file)
            run = harness.judge(settings, events, directory, workers)
            name = f"replay = {workers} worker{'s' * (workers > 1)}, {partitions} partition{'s' * (partitions > 1)}"
            same &= verdict(name, reference.outcome, run.outcome)
            if workers > 1:
                print(f"    requests of each worker: {', '.join(f'{share:,}' for share in run.shares)}")
                same &= all(run.shares)
            sys.stdout.flush()
    sys.exit(not same)


def simulated(directory: Path, scale: float, seed: int, days: float | None = None) -> Path:
    """Write the traffic of `hydrawatch simulate seeds` and return its file."""
    events = directory / "events.jsonl"
    command = [sys.executable, "-m", "stream", "simulate", "seeds", "--scale", str(scale), "--seed", str(seed)]
    command += ["--out", str(events), "--labels", str(directory / "labels.jsonl")]
    command += ["--days", str(days)] if days else []
    subprocess.run(command, cwd=harness.ROOT, check=True)
    return events


if __name__ == "__main__":
    main()

"""Makes the shipped reference: `python -m tests.benchmarks.reference` rewrites `detectors/evidence/shipped.py`.

Runs the simulator's honest world, look-alikes included, through the two stages, one vote a group: what its last
judgement said of each family, and of the total the highest that two judgements in a row reached, since that is what
is compared with the budget. What comes out describes the simulator, so alerts say `provisional` until an
operator's own groups have taken over.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from detectors.evidence import shipped
from detectors.evidence.expected import EXPECTED
from detectors.evidence.fusion import INFRASTRUCTURE_NATS, NAMES
from detectors.evidence.reference import Reference
from detectors.linking.members import INFRASTRUCTURE
from detectors.request import decode_batch
from detectors.settings import DetectorSettings
from detectors.stages.account import END_OF_TIME_MS, AccountStage
from detectors.stages.group import GroupStage
from stream.simulate import write

POINTS = 200
BATCH = 8_000


def groups_of(events: Path) -> list[tuple[int, np.ndarray]]:
    """Return each judged group's kind and the statistics of its judgements, shape (judgements, families)."""
    account, group = AccountStage(DetectorSettings()), GroupStage(DetectorSettings())
    kinds: dict[int, int] = {}
    judged: dict[int, list[np.ndarray]] = {}

    def observe(end_ms, due, groups, judgement, calls):
        for position, cluster in enumerate(due):
            kinds[cluster] = int(groups.kind[position])
            judged.setdefault(cluster, []).append(judgement.statistics[:, position].copy())

    group.observer = observe
    offset = 0
    with events.open("rb") as lines:
        while batch := lines.readlines(BATCH * 700):
            requests, _, _ = decode_batch(batch, END_OF_TIME_MS)
            group.process(account.process(requests, np.arange(offset, offset + len(requests))))
            offset += len(requests)
    group.process(account.advance())
    return [(kinds[cluster], np.stack(rows)) for cluster, rows in judged.items()]


def peak(kind: int, rows: np.ndarray) -> float:
    """Return the highest total that two judgements in a row reached."""
    pairs = zip(NAMES, rows.T, strict=True)
    nats = np.stack([EXPECTED[name].bound(row, Reference(name).minus_ln_p(row)) for name, row in pairs])
    total = nats.sum(0) - (INFRASTRUCTURE_NATS if kind == INFRASTRUCTURE else 0.0)
    return float(np.minimum(total[1:], total[:-1]).max()) if len(total) > 1 else float(total[0])


def quantiles(values: np.ndarray) -> tuple[float, ...]:
    """Return `POINTS` equally likely values."""
    return tuple(round(float(value), 4) for value in np.nanquantile(values, (np.arange(POINTS) + 0.5) / POINTS))


def main() -> None:
    """Write the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--scale", type=float, default=0.02)
    options = parser.parse_args()
    votes: list[tuple[int, np.ndarray]] = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder, "events.jsonl")
            write("quiet", events, Path(folder, "labels.jsonl"), seed=seed, scale=options.scale)
            votes += groups_of(events)
        print(f"seed {seed}: {len(votes)} groups so far", flush=True)
    statistics = np.stack([rows[-1] for _, rows in votes], axis=1)
    table = {name: quantiles(row) for name, row in zip(NAMES, statistics, strict=True)}
    shipped.SHIPPED.clear()
    shipped.SHIPPED.update(table)
    table["total"] = quantiles(np.array([peak(kind, rows) for kind, rows in votes]))
    rows = "\n".join(f"    {name!r}: {values!r},".replace("'", '"') for name, values in table.items())
    command = f"--seeds {options.seeds} --first-seed {options.first_seed} --scale {options.scale}"
    text = f'''"""The reference that makes the first day work.

Written by `python -m tests.benchmarks.reference {command}`:
{POINTS} equally likely values of each statistic over {len(votes)} honest groups of the simulator.
"""

# fmt: off
SHIPPED: dict[str, tuple[float, ...]] = {{
{rows}
}}
'''
    Path(shipped.__file__).write_text(text)


if __name__ == "__main__":
    main()

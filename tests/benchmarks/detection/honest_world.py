"""The simulator's honest world beside the public traces that it was made after, figure by figure.

`python -m tests.benchmarks.detection.honest_world [--seeds N]`. Each pool of tenants is simulated with as many clients
as the trace has, for a week, at `PER_SECOND` requests a second (the traces have 210 to 1,600). What the traces under
`../shared/data` do not hold is compared with the published number, marked `p`. Exits 1 when a figure that issue 4
requires (marked `*`) is off by more than 20 %.

The traces show load alone: addresses, devices, cards and account ages are assumed, and compared with nothing.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stream.simulate.figures import NEW_MODEL_ADOPTERS
from stream.simulate.pools import POOLS, Pool
from tests.benchmarks.detection import shapes

DATA = Path(__file__).parents[4] / "shared" / "data"
CLIENTS = {"m-large": 135, "m-mid": 102, "m-small": 43}
PER_SECOND = 10.0
LIMIT = 0.2

PUBLISHED = {
    "m-small": {
        "Gini of requests": 0.84, "top-1 share": 0.30, "top-10 share": 0.93, "CV per window, q25": 1.06,
        "CV per window, q50": 1.21, "CV per window, q75": 2.49, "CV per window, q95": 9.2,
        "flat 24/7 of the always active": 0.41, "pairs moving together (r > 0.5)": 131 / 253,
        "uniform input length": 0.34,
    },
    "small users": {
        "requests of a user, q50": 2, "requests of a user, q90": 11, "requests of a user, q99": 65,
        "CV of a user's gaps, q25": 2.8, "CV of a user's gaps, q50": 4.3, "CV of a user's gaps, q75": 5.3,
        "quietest local hour / mean": 0.07, "busiest local hour / mean": 1.64,
        "turns of a session, mean": 1.78, "sessions of one turn": 0.588, "turns of a session, q99": 8,
        "gap in a session, s, q10": 15, "gap in a session, s, q50": 40, "gap in a session, s, q90": 301,
        "inputs that occur again word by word": 0.166,
    },
}  # fmt: skip
"""`../shared/research/DATA.md`, 1.1 (ServeGen) and 1.2 (RAGPulse, GenTD26)."""
REQUIRED = ("Gini", "CV per window", "flat 24/7", "pairs moving")


class Line(NamedTuple):
    """One figure: its value in the trace (None: nothing is published), and in the simulator, a mean over seeds."""

    group: str
    figure: str
    real: float | None
    published: bool
    simulated: float

    @property
    def ratio(self) -> float:
        """Simulated over real."""
        return self.simulated / self.real if self.real else math.nan

    @property
    def required(self) -> bool:
        """Whether issue 4 requires this figure: the tenants' shape."""
        return self.group in CLIENTS and self.figure.startswith(REQUIRED)

    @property
    def within(self) -> bool:
        """Whether the simulator is within 20 % of the trace."""
        return abs(self.ratio - 1) <= LIMIT


def mean(runs: Iterable[shapes.Figures]) -> shapes.Figures:
    """Return the mean of each figure over the runs."""
    values = list(runs)
    return {name: float(np.mean([v[name] for v in values])) for name in values[0]}


def simulate(pool: Pool, seeds: int, per_second: float = PER_SECOND) -> shapes.Figures:
    """Return the figures of a pool of tenants, means over seeds."""
    n = CLIENTS[pool.name]
    windows = mean(shapes.pool_figures(shapes.simulated(pool, n, per_second, seed)) for seed in range(1, seeds + 1))
    return windows | mean(shapes.simulated_lengths(pool, n, seed) for seed in range(1, seeds + 1))


def real(data: Path) -> dict[str, shapes.Figures]:
    """Return the figures of the traces that are there."""
    out: dict[str, shapes.Figures] = {}
    windows, lengths = data / "servegen/client_windows.csv.gz", data / "servegen/client_token_quantiles_6h.csv.gz"
    if windows.is_file():
        out |= {pool: shapes.pool_figures(part) for pool, part in shapes.trace(windows).items()}
    if lengths.is_file():
        for pool in out:
            out[pool] |= shapes.trace_lengths(lengths, pool)
    if (data / "ragpulse/trace.jsonl.gz").is_file():
        out["small users"] = shapes.assistant(data / "ragpulse/trace.jsonl.gz")
    return out


def lines(data: Path, seeds: int) -> Iterator[Line]:
    """Yield every figure."""
    traces = real(data)
    made = {pool.name: simulate(pool, seeds) for pool in POOLS}
    made["small users"] = mean(shapes.users(9000, seed) for seed in range(1, seeds + 1))
    for group, figures in made.items():
        traced, published = traces.get(group, {}), PUBLISHED.get(group, {})
        for name, value in figures.items():
            yield Line(group, name, traced.get(name, published.get(name)), name not in traced, value)


def table(rows: list[Line]) -> str:
    """Return the figures as one Markdown table."""
    out = ["| figure | trace | simulator | ratio | within 20 % |", "| --- | ---: | ---: | ---: | --- |"]
    for row in rows:
        star, known = "*" if row.required else "", "—"
        if row.real is not None:
            known = f"{row.real:.3g}{' p' if row.published else ''}"
        verdict = "" if row.real is None else "yes" if row.within else "**no**"
        ratio = "" if row.real is None else f"{row.ratio:.2f}"
        out.append(f"| {row.group}: {row.figure}{star} | {known} | {row.simulated:.3g} | {ratio} | {verdict} |")
    return "\n".join(out)


def main() -> None:
    """Print the table; exit 1 when a required figure is off."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with servegen/ and ragpulse/")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        print(f"{arguments.data}: not there; published figures alone are compared", file=sys.stderr)
    rows = list(lines(arguments.data, arguments.seeds))
    print(table(rows))
    known = [row for row in rows if row.real is not None]
    off = [f"{row.group}: {row.figure}" for row in known if row.required and not row.within]
    print(
        f"\n{arguments.seeds} seeds, {PER_SECOND:g} requests/s a pool; `p`: published, else recomputed from the trace; "
        f"`*`: required by the issue. {sum(row.within for row in known)} of {len(known)} within 20 %; "
        f"required and off: {', '.join(off) or 'none'}. Assumed: model adoption ({NEW_MODEL_ADOPTERS:.0%} move at all)."
    )
    sys.exit(1 if off else 0)


if __name__ == "__main__":
    main()

"""Which runs there are: scenario, values of its dials, seed, scale and length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from detectors.evidence import shipped
from stream.simulate import SCENARIOS

SCALE = 0.005
"""Some 130,000 to 230,000 requests of 4,700 accounts in a fortnight."""
FIRST_SEED, QUICK_SEEDS, FULL_SEEDS = 221, 3, 10
TUNING_SEEDS = (
    *(*range(1, 6), 11, 21, *range(31, 47), *range(51, 63), 71, *range(81, 87), *range(91, 101)),
    *(*range(201, 204), 216, 301, 401, 402),
)
"""Worlds of the simulator that the detector was looked at on while it was made: no figure is measured on them."""
TUNING_WORLDS = (
    "drip", "exits", "failover", "floor", "honest", "injected", "mixed", "paraphrase", "seeds",
    "adaptive-1", "arbitrage-1", "cleaner-1", "dense-1", "drip-1", "failover-1", "floor-1", "honest-1", "pathways-1",
    "proxy50-1", "proxy90-1", "ramp-1", "seeds-1", "sweep-1", "tiny-1",
    "evasive-1", "february-1", "pools-1", "quietcloud-1", "qwen-1", "relay-1", "resale-1", "startup-1",
    "technique-1", "zhipu-1",
    "third-adaptive", "third-cleaner", "third-drip", "third-february", "third-honest", "third-pathways", "third-pools",
    "third-proxy90", "third-qwen", "third-relay",
    "fourth-drip", "fourth-failover", "fourth-paraphrase", "fourth-seeds", "fourth-sweep", "fourth-proxy",
    "fifth-alibaba", "fifth-harvest", "fifth-seeds", "fifth-seeds-2", "fifth-proxy",
)  # fmt: skip
"""So were these worlds, by other authors than the simulator's; of their second halves, `-2`, only that named here."""
SWEEPS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "quiet": {"strength": (0.25, 0.5, 1.0, 2.0, 4.0)},
    "proxy": {"campaign_share": (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)},
    "ramp": {"growth_per_day": (0.01, 0.03, 0.06, 0.1), "final_share": (0.05, 0.2, 0.4)},
    "adaptive": {
        "shared": (0.0, 0.25, 0.5, 0.75, 1.0),
        "paraphrase": (0.0, 0.25, 0.5, 0.75, 1.0),
        "jitter": (0.0, 0.25, 0.5, 0.75, 1.0),
        "spread": (0.0, 0.6, 1.2, 2.0),
        "camouflage": (0.0, 0.3, 0.6, 0.9),
        "accounts": (0.25, 0.5, 1.0, 2.0, 4.0),
    },
}
"""Values of each dial in the full form, one dial at a time, the others at their defaults."""


@dataclass(frozen=True)
class Planned:
    """One run; `dials` holds what differs from the defaults, `days` None is the scenario's length."""

    scenario: str
    seed: int
    scale: float = SCALE
    days: float | None = None
    dials: Mapping[str, float] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Folder of the run below the folder of all runs."""
        dials = "".join(f"-{name}={value:g}" for name, value in sorted(self.dials.items()))
        days = "" if self.days is None else f"-{self.days:g}d"
        return f"{self.scenario}{dials}/x{self.scale:g}{days}/seed-{self.seed}"


def dial_values(scenario: str) -> Iterator[dict[str, float]]:
    """Yield the settings of a scenario in the full form: the defaults first."""
    yield {}
    for name, values in SWEEPS.get(scenario, {}).items():
        default = SCENARIOS[scenario].dials[name].default
        yield from ({name: value} for value in values if value != default)


def seeds(first: int, count: int) -> list[int]:
    """Return the seeds of a figure: `count` of them from `first` on."""
    return list(range(first, first + count))


def reference_seeds() -> list[int]:
    """Return the seeds of the honest worlds that the shipped reference was made from."""
    named = re.search(r"--seeds (\d+) --first-seed (\d+)", shipped.__doc__ or "")
    return seeds(int(named[2]), int(named[1])) if named else []


def tuning_text(used: Sequence[int]) -> str:
    """Return which worlds the detector was tuned on, and whether any of the seeds `used` is among them."""
    reference = reference_seeds()
    both = sorted(set(used) & {*TUNING_SEEDS, *reference})
    verdict = f"**Seeds used for both: {_listed(both)}.**" if both else "None of them is a seed of this figure."
    return (
        f"Tuned on the simulator's seeds {_listed(TUNING_SEEDS)} and on worlds of other authors "
        f"({', '.join(TUNING_WORLDS)}); the shipped reference is of the quiet worlds {_listed(reference)}. {verdict}"
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def planned(
    full: bool, seeds: Sequence[int], scenarios: Sequence[str], scale: float, days: float | None = None
) -> list[Planned]:
    """Return the runs, seed by seed, so that a part of them is balanced.

    Args:
        full: all values of the dials, else the defaults alone.
        seeds: of the simulator.
        scenarios: names in `stream.simulate.SCENARIOS`.
        scale: of the simulator.
        days: length of each run, the scenario's by default.
    """
    return [
        Planned(scenario, seed, scale, days, dials)
        for seed in seeds
        for scenario in scenarios
        for dials in (dial_values(scenario) if full else [{}])
    ]

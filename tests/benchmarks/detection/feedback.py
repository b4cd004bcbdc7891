"""`python -m tests.benchmarks.detection.feedback`: what late, missing and wrong verdicts do to detection.

Simulated fortnights follow one another as if they were one operator's; what the group stage said of every group is
judged again by the product's own fusion, labels and caps while verdicts on what was reported come in. A report is
answered by one of four reviewers with probability 0.6, after three days on average (exponential), wrongly at the rate
of the row; the malicious reviewer answers every report within the hour, always wrongly. Multipliers at work are those
of the verdicts known that day, and the figures are of the second half of the fortnights: nothing is learnt from what
is yet to come. Two budgets of false campaigns a week: the product's, at which there is hardly anything to dismiss, and
a generous one, at which reviewers see doubtful groups. What passes the budget's threshold twice in a row is reported;
the group stage's least nats, and its lower threshold for what is kin to a campaign, are left out.

The worlds take a while the first time: `--cache DIR` keeps what was said in them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.evidence.fusion import NAMES, Fusion, bounded
from detectors.evidence.reweighing import DAY_MS, Label, Reweighing
from detectors.evidence.totals import UNTOLD
from stream.evaluate.layout import columns
from tests.benchmarks.detection.judged import Row, World, worlds
from tests.benchmarks.detection.parts.ranking import average_precision

SCENARIOS = ("quiet", "seeds", "proxy", "cleaner")
FORTNIGHT_MS = 15 * DAY_MS
REVIEWERS, ANSWERED, DELAY_DAYS = 4, 0.6, 3.0
BUDGETS = (0.5, 20.0)
WRONG = (0.0, 0.1, 0.3)
DRAWS = 5


class Office(NamedTuple):
    """Who answers reports: the rate of wrong answers, whether one reviewer lies, whether anybody answers at all."""

    name: str
    wrong: float = 0.0
    liar: bool = False
    silent: bool = False


class Outcome(NamedTuple):
    """What became of the second half of the worlds."""

    precision: float
    campaigns: float
    groups: float
    false_a_week: float
    confirmed: float
    dismissed: float
    moved: float


OFFICES = (
    Office("nobody answers", silent=True),
    *(Office(f"{wrong:.0%} wrong", wrong) for wrong in WRONG),
    *(Office(f"{wrong:.0%} wrong, and a liar", wrong, liar=True) for wrong in WRONG),
    Office("a liar alone", liar=True, silent=True),
)


class Course:
    """All worlds, one after the other, under one office and one budget.

    Args:
        office: who answers.
        budget: false campaigns a week.
        draw: seed of who answers what.
    """

    def __init__(self, office: Office, budget: float, draw: int) -> None:
        self.office, self.budget = office, budget
        self.rng = np.random.default_rng(draw)
        self.fusion, self.labels = Fusion(), Reweighing()
        self.coming: list[Label] = []

    def world(self, number: int, world: World) -> tuple[dict[int, float], dict[int, str], set[int]]:
        """Judge one world; return each group's best surprise, its campaign or "", and which were reported."""
        shift = number * FORTNIGHT_MS - world.start
        best: dict[int, float] = defaultdict(float)
        before: dict[int, tuple[float, float]] = {}
        peaks: dict[int, float] = defaultdict(lambda: -np.inf)
        last: dict[int, Row] = {}
        reported: dict[str, int] = {}
        found: set[int] = set()
        threshold = float(np.log(max(len({row.group for row in world.rows}) / 2, 100) / self.budget))
        days: dict[int, list[Row]] = defaultdict(list)
        for row in world.rows:
            days[(row.time + shift) // DAY_MS].append(row)
        for day in sorted(days):
            self._learn(day * DAY_MS)
            rows = days[day]
            nats = np.array([row.nats for row in rows]).T
            telling = np.array([row.telling for row in rows])
            surprise = np.where(telling, self._surprise(nats, rows), 0.0)
            plain = np.where(telling, bounded(nats).sum(0), UNTOLD)
            for row, value, sum_ in zip(rows, surprise.tolist(), plain.tolist(), strict=True):
                past, past_plain = before.get(row.group, (0.0, -np.inf))
                before[row.group], last[row.group] = (value, sum_), row
                best[row.group] = max(best[row.group], min(past, value))
                peaks[row.group] = max(peaks[row.group], min(past_plain, sum_))
                subject = row.campaign or f"group {row.group}"
                if min(past, value) >= threshold:
                    found.add(row.group)
                    if subject not in reported:
                        reported[subject] = row.time
                        self._report(f"{world.name} {subject}", row, row.time + shift)
        for group, row in last.items():
            if best[group] < threshold / 2 and np.isfinite(peaks[group]):
                self.fusion.totals.add(peaks[group], row.kind, row.size)
                self.fusion.honest.add(np.array(row.nats))
        return best, {group: row.campaign for group, row in last.items()}, found

    def _surprise(self, nats: NDArray, rows: list[Row]) -> NDArray[np.float64]:
        fusion = self.fusion
        fusion.suit(rows[-1].identified)
        total = fusion.weighed(nats).sum(0) + fusion.shift
        kinds, sizes = np.array([row.kind for row in rows]), np.array([row.size for row in rows])
        return fusion.totals.minus_ln_p(total, kinds, sizes)

    def _learn(self, now: int) -> None:
        known = [label for label in self.coming if label.time <= now]
        self.coming = [label for label in self.coming if label.time > now]
        for label in known:
            self.labels.add(label)
        self.fusion.reweigh(self.labels.multipliers(now, len(NAMES)))

    def _report(self, subject: str, row: Row, now: int) -> None:
        who, answered, slip = self.rng.integers(REVIEWERS), self.rng.random(), self.rng.random()
        delay = self.rng.exponential()
        guilty = bool(row.campaign)
        if answered < ANSWERED and not self.office.silent:
            said = guilty ^ (slip < self.office.wrong)
            self.coming.append(Label(subject, said, f"r{who}", now + int(delay * DELAY_DAYS * DAY_MS), row.nats))
        if self.office.liar:
            self.coming.append(Label(subject, not guilty, "liar", now + DAY_MS // 24, row.nats))


def outcome(made: list[World], office: Office, budget: float, draw: int) -> Outcome:
    """Run one course."""
    course = Course(office, budget, draw)
    scores: list[float] = []
    guilty: list[bool] = []
    caught: list[bool] = []
    campaigns: list[bool] = []
    for number, world in enumerate(made):
        best, owner, found = course.world(number, world)
        if number < len(made) // 2:
            continue
        groups = sorted(best)
        scores += [best[group] for group in groups]
        guilty += [bool(owner[group]) for group in groups]
        caught += [group in found for group in groups]
        campaigns += [any(owner[group] == name for group in found) for name in world.campaigns]
    mask, hit = np.array(guilty), np.array(caught)
    said = [label["confirmed"] for label in course.labels.state()]
    moved = np.abs(course.labels.multipliers(len(made) * FORTNIGHT_MS, len(NAMES)) - 1.0).max()
    weeks = 2 * (len(made) - len(made) // 2)
    return Outcome(
        average_precision(np.array(scores), mask), float(np.mean(campaigns)), float(hit[mask].mean()),
        float(hit[~mask].sum()) / weeks, sum(said), len(said) - sum(said), float(moved),
    )  # fmt: skip


def main() -> None:
    """Print one table per budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=2, help=f"times {len(SCENARIOS)} fortnights")
    parser.add_argument("--first-seed", type=int, default=501)
    parser.add_argument("--scale", type=float, default=0.005)
    parser.add_argument("--cache", type=Path, help="keep what was said in the worlds here")
    options = parser.parse_args()
    started = time.perf_counter()
    names = [(name, options.first_seed + turn) for turn in range(options.rounds) for name in SCENARIOS]
    made = worlds(names, options.scale, options.cache)
    print(f"{len(made)} worlds: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    for budget in BUDGETS:
        rows, base = [], None
        for office in OFFICES:
            draws = 1 if office.silent else DRAWS
            mean = Outcome(*np.mean([outcome(made, office, budget, draw) for draw in range(draws)], axis=0))
            base = base or mean
            rows.append((
                office.name, f"{mean.confirmed:.0f}", f"{mean.dismissed:.0f}", f"{mean.moved:.2f}",
                f"{mean.precision:.3f}", f"{mean.precision / base.precision:.3f}", f"{mean.campaigns:.2f}",
                f"{mean.groups:.2f}", f"{mean.false_a_week:.2f}",
            ))  # fmt: skip
        print(f"\n{budget:g} false campaigns a week")
        head = (
            "verdicts", "confirmed", "dismissed", "largest change", "PR-AUC", "× nobody", "campaigns found",
            "their groups", "false groups/week",
        )  # fmt: skip
        print(columns(head, rows))
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

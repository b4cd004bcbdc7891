"""How often the honest world is accused: `python -m tests.benchmarks.detection.false_alarms [--seeds N] [--scale S]`.

Quiet worlds with every look-alike, none of them used for tuning: false campaigns per week and million accounts with the
exact Poisson interval (Garwood 1936), and honest accounts under a decision per million and day, by kind. A sample
without any false campaign still allows 3.69 per observed million account-weeks: each goal is called shown, missed, or
left open by the sample. Worlds that are there already, of the same code, are not made again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import msgspec

from stream.evaluate.intervals import Estimate, rate
from stream.evaluate.layout import markdown
from stream.evaluate.runs import Run
from stream.evaluate.summary import MILLION, KindRow, Row, summarise
from tests.benchmarks.detection import plan, report
from tests.benchmarks.detection.plan import Planned
from tests.benchmarks.detection.run import PRODUCT, ROOT, commit, make

SCALE, SEEDS = 0.02, 10
CAMPAIGNS_GOAL, ACCOUNTS_GOAL = 1.0, 10.0
"""Goals: false campaigns per week and million accounts, honest accounts under a decision per million and day."""


class Bounds(msgspec.Struct, kw_only=True):
    """What the sample says. `needed`: million account-weeks without a false campaign that would show the goal."""

    command: str
    commit: str
    tuning: str
    seeds: list[int]
    scale: float
    days: float | None
    strength: float
    account_weeks: float
    campaigns: int
    false_campaigns: Estimate
    needed: float
    honest_accounts: Estimate
    by_kind: list[KindRow]


def bounds(runs: Sequence[Run], command: str) -> Bounds:
    """Return what quiet worlds that differ in their seeds alone say about the product."""
    (setting,) = summarise(runs).settings
    row: Row = next(row for row in setting.rows if row.detector == PRODUCT)
    return Bounds(
        command=command,
        commit=commit(),
        tuning=plan.tuning_text(row.seeds),
        seeds=row.seeds,
        scale=setting.scale,
        days=setting.days,
        strength=setting.dials["strength"],
        account_weeks=row.account_weeks,
        campaigns=row.false_alerts,
        false_campaigns=row.false_alerts_per_week_per_million,
        needed=(rate(0, 1.0).high or 0.0) / CAMPAIGNS_GOAL,
        honest_accounts=row.honest_per_million_per_day,
        by_kind=row.honest,
    )


def verdict(figure: Estimate, goal: float) -> str:
    """Tell whether a sample shows that a figure keeps its goal.

    >>> verdict(rate(0, 10.0), 1.0), verdict(rate(0, 1.0), 1.0), verdict(rate(9, 1.0), 1.0)
    ('shown', 'open: the sample is too small to tell', 'missed')
    """
    if figure.high is not None and figure.high <= goal:
        return "shown"
    if figure.low is not None and figure.low > goal:
        return "missed"
    return "open: the sample is too small to tell"


def document(found: Bounds) -> str:
    """Return the bounds as Markdown."""
    weeks = found.account_weeks / MILLION
    head = [
        "# False alarms in the honest world",
        f"`{found.command}` at commit {found.commit}: {len(found.seeds)} quiet worlds, seeds "
        f"{', '.join(map(str, found.seeds))}, scale {found.scale:g}, {found.days:g} days, every look-alike at strength "
        f"{found.strength:g}; {weeks:.3g} million account-weeks. {found.tuning}",
    ]
    goals = [
        ("false campaigns per week and million accounts", found.false_campaigns, CAMPAIGNS_GOAL),
        ("honest accounts under a decision, per million and day", found.honest_accounts, ACCOUNTS_GOAL),
    ]
    body = [(name, _bounded(value), f"≤ {goal:g}", verdict(value, goal)) for name, value, goal in goals]
    sample = (
        f"{found.campaigns} false campaigns. To show ≤ {CAMPAIGNS_GOAL:g} with none takes {found.needed:.2f} million "
        f"account-weeks, {found.needed / weeks:.1f} times this sample."
    )
    return (
        "\n\n".join([*head, markdown(("figure", "value [95 %]", "goal", "verdict"), body), sample, _kinds(found)])
        + "\n"
    )


def _kinds(found: Bounds) -> str:
    head = ("kind", "accounts", "ever decided", "per million and day [95 %]", f"≤ {ACCOUNTS_GOAL:g}", "false campaigns")
    body = [
        (
            kind.kind,
            f"{kind.accounts:,}",
            f"{kind.accounts_decided:,}",
            _bounded(kind.per_million_per_day),
            verdict(kind.per_million_per_day, ACCOUNTS_GOAL),
            f"{kind.false_alerts}: {_bounded(kind.false_alerts_per_week_per_million)}",
        )
        for kind in found.by_kind
    ]
    return markdown(head, body)


def _bounded(figure: Estimate) -> str:
    if figure.value is None:
        return "–"
    known = figure.low is not None and figure.high is not None
    return f"{figure.value:,.1f}" + (f" [{figure.low:,.1f}, {figure.high:,.1f}]" if known else "")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many (default %(default)d)")
    parser.add_argument("--first-seed", type=int, default=plan.FIRST_SEED, help="(default %(default)d)")
    parser.add_argument("--scale", type=float, default=SCALE, help="of the simulator (default %(default)g)")
    parser.add_argument("--days", type=float, help="length of every run (default: the scenario's, 14)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the look-alikes (default %(default)g)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2), help="processes (default %(default)d)")
    parser.add_argument("--work", type=Path, help="folder of the runs (default build/detection/<commit>)")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="folder of the results")
    chosen = parser.parse_args(words)
    chosen.work = chosen.work or ROOT / "build" / "detection" / commit()
    return chosen


def main(words: list[str] | None = None) -> None:
    """Make the worlds, and write and print the bounds after each."""
    chosen = arguments(words)
    dials = {} if chosen.strength == 1.0 else {"strength": chosen.strength}
    seeds = plan.seeds(chosen.first_seed, chosen.seeds)
    worlds = [Planned("quiet", seed, chosen.scale, chosen.days, dials) for seed in seeds]
    command = f"python -m tests.benchmarks.detection.false_alarms --seeds {len(seeds)} --first-seed {seeds[0]} "
    command += f"--scale {chosen.scale:g} --strength {chosen.strength:g}"
    command += "" if chosen.days is None else f" --days {chosen.days:g}"
    stem = chosen.results / f"false-alarms-{datetime.now(UTC):%Y-%m-%d}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    runs: list[Run] = []
    with ProcessPoolExecutor(chosen.jobs, get_context("spawn")) as pool:
        waiting = [pool.submit(make, world, chosen.work, [PRODUCT], False) for world in worlds]
        for future in as_completed(waiting):
            runs.append(future.result())
            found = bounds(runs, command)
            stem.with_suffix(".md").write_text(document(found), encoding="utf-8")
            stem.with_suffix(".json").write_bytes(msgspec.json.encode(found) + b"\n")
            alarms = f"{found.campaigns} false campaigns so far"
            print(f"{len(runs)}/{len(worlds)} {runs[-1].path}: {alarms}", flush=True)
    print(document(bounds(runs, command)))
    print(f"{stem}.md\n{stem}.json")


if __name__ == "__main__":
    main()

"""Real clients' traffic with real prompts through a real Kafka, with and without a simulated campaign inside.

`python -m tests.benchmarks.real_background [--campaign] [--replay]`: a week of event time of ServeGen's API clients.
Without the campaign nothing may be reported; with it, it must be found. Identities are assumed (see `traffic`), so
this shows that nothing in real load and real prompts alone sets off an alarm, not the precision in the field.
Exits 1 when something honest is reported, or the campaign is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import equivalence, harness, traffic
from tests.broker import kafka

DATA = harness.ROOT.parent / "shared" / "data"
FILES = (
    "servegen/client_windows.csv.gz", "servegen/client_token_quantiles_6h.csv.gz",
    "prompts/prompts.jsonl.gz", "prompts/templates.jsonl.gz",
)  # fmt: skip


class Truth(NamedTuple):
    """The campaign mixed in: its accounts, and the event time of each of its requests (ms, ascending)."""

    accounts: set[str]
    times: NDArray[np.int64]


def write(path: Path, arguments: argparse.Namespace) -> Truth:
    """Write the events to `path`, say what they are, and return what is not honest in them."""
    began = time.perf_counter()
    rng = np.random.default_rng(arguments.seed)
    texts = traffic.Texts.read(arguments.data / "prompts")
    drawn = traffic.background(rng, arguments.data / "servegen", texts, arguments.events)
    honest = {identity.account for part in drawn for identity in part.who}
    truth = Truth(set(), np.zeros(0, np.int64))
    if arguments.campaign:
        part = traffic.campaign(rng, texts, arguments.accounts, arguments.per_account)
        truth = Truth({identity.account for identity in part.who}, traffic.START_MS + part.times)
        drawn.append(part)
    count = size = 0
    with path.open("wb") as file:
        for line in traffic.lines(rng, drawn):
            file.write(line)
            count, size = count + 1, size + len(line)
    print(f"events: {count:,} of {len(honest):,} honest accounts and {len(truth.accounts)} of a campaign, "
          f"{size / count:,.0f} bytes each, written in {time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
    return truth


def describe(name: str, run: harness.Judged, truth: Truth) -> bool:
    """Print what a run found and used; return whether it found what is there and nothing else."""
    print(f"{name}: {run.requests:,} requests in {run.committed_s:.1f} s ({run.requests / run.committed_s:,.0f}/s; "
          f"{run.usage.cpu_s:.1f} s of CPU), all ticks closed after {run.flushed_s:.1f} s, "
          f"peak RSS {run.usage.peak_mb:,.0f} MB")  # fmt: skip
    outcome, found, good = run.outcome, 0, True
    print(f"    {outcome.opened} campaigns opened, {len(outcome.campaigns)} at the end, "
          f"{len(outcome.standing):,} decisions")  # fmt: skip
    for campaign, alert in outcome.campaigns.items():
        accounts = set(outcome.members.get(campaign, ()))
        hits = len(accounts & truth.accounts)
        right = hits > len(accounts) / 2
        found, good = found + right, good and right
        first = next(a["time"] for a in outcome.alerts if a["campaign_id"] == campaign)
        day = (first - traffic.START_MS) / traffic.DAY_MS
        leaked = (
            f", after {np.searchsorted(truth.times, first):,} of its {len(truth.times):,} requests" if right else ""
        )
        print(f"    {campaign}: {'the campaign' if right else 'FALSE'}, {alert['severity']}, opened on day {day:.2f}, "
              f"{len(accounts)} accounts of which {hits} of the campaign's {len(truth.accounts)}, "
              f"score {alert['score']:.1f}{leaked}")  # fmt: skip
        for evidence in () if right else alert["evidence"]:
            print(f"        {evidence['family']} +{evidence['nats']:.1f}: {evidence['text']}")
    expected = 1 if truth.accounts else 0
    good = good and found == expected and outcome.opened == expected
    print(f"    {'AS EXPECTED' if good else 'NOT AS EXPECTED'}", flush=True)
    return good


def main() -> None:
    """Make the traffic, judge it, and say whether that went as it should."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with servegen/ and prompts/")
    parser.add_argument("--events", type=int, default=300_000, help="honest requests, about")
    parser.add_argument("--campaign", action="store_true", help="mix in a simulated campaign")
    parser.add_argument("--accounts", type=int, default=60, help="of the campaign")
    parser.add_argument("--per-account", type=int, default=400, help="requests of each of them")
    parser.add_argument("--replay", action="store_true", help="judge it with `hydrawatch replay` too, and compare")
    parser.add_argument("--replay-only", action="store_true", help="no Kafka at all")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the events here")
    arguments = parser.parse_args()
    missing = [name for name in FILES if not (arguments.data / name).is_file()]
    if missing:
        parser.exit(2, f"{arguments.data}: without {', '.join(missing)} (name the folder with --data)\n")
    with tempfile.TemporaryDirectory(prefix="hydrawatch-background-") as work:
        sys.exit(0 if _run(arguments, Path(work)) else 1)


def _run(arguments: argparse.Namespace, directory: Path) -> bool:
    path = arguments.out or directory / "events.jsonl"
    truth = write(path, arguments)
    good, outcomes = True, []
    if not arguments.replay_only:
        with kafka.bootstrap() as servers:
            settings = harness.fresh(servers, arguments.partitions)
            run = harness.judge(settings, harness.produce(settings, path), directory)
        outcomes.append(run.outcome)
        good &= describe(f"Kafka, 1 worker, {arguments.partitions} partitions", run, truth)
    if arguments.replay or arguments.replay_only:
        run = harness.replay(path, directory)
        outcomes.append(run.outcome)
        good &= describe("replay", run, truth)
    if len(outcomes) == 2:
        good &= equivalence.verdict("Kafka = replay", *outcomes)
    return good


if __name__ == "__main__":
    main()

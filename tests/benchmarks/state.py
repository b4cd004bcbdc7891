"""What an account costs in memory, in a checkpoint and at a restart: `python -m tests.benchmarks.state [ACCOUNTS …]`.

With `--once`, that many accounts come, make one request and are never seen again, 200,000 a tick: does memory stay
within what `max_accounts` allows?

Every account makes three requests within a day, with a card, a device and a template of its own, a network that ten
share and a template that a thousand share; both stages run in this process. Resident memory is that of the process
over what it had before the first account, which is more than the tables: interpreter, fragments and open ticks too.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from pathlib import Path

import numpy as np

from detectors.request import Request
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from stream.memory import give_back

TICKS, TICK_MS, START_MS = 32, 900_000, 1_750_000_000_000 // 86_400_000 * 86_400_000
MILLION = 1_000_000
ONCE = 200_000
"""Accounts that come in a tick, see `measure_once`."""


def resident() -> int:
    """Return the resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def requests(tick: int, accounts: int, rng: np.random.Generator, first: int = 0) -> list[Request]:
    """Return the requests of one tick, from about a tenth of the accounts."""
    who = np.flatnonzero(rng.random(accounts) < 3 / TICKS) + first
    times = START_MS + tick * TICK_MS + np.sort(rng.integers(0, TICK_MS, len(who)))
    return [
        request(one, tick, time_ms, f"own{one}" if (one + tick) % 2 else f"shared{one // 1000}")
        for one, time_ms in zip(who.tolist(), times.tolist(), strict=True)
    ]


def request(one: int, tick: int, time_ms: int, template: str) -> Request:
    """Return a request of account number `one`."""
    return Request(
        event_id=f"e{tick}-{one}",
        time=time_ms,
        account_id=f"account-{one:016x}",
        account_created=START_MS - (one % 900 + 40) * 86_400_000,
        gen_ai_request_model=f"m{one % 3}",
        prompt_template=template,
        prompt_content=f"c{tick}-{one}",
        prompt_capabilities=["coding"],
        payment_fingerprint=f"card{one}",
        device_fingerprint=f"device{one}",
        client_address=f"10.{one // 2560 % 256}.{one // 10 % 256}.{one // 655_360}",
        gen_ai_usage_input_tokens=300,
        gen_ai_usage_output_tokens=900,
    )


def fill(account: AccountStage, group: GroupStage, accounts: int) -> tuple[int, float]:
    """Run a day's third through both stages; return the largest resident memory and the seconds."""
    rng, offset, started = np.random.default_rng(1), 0, time.perf_counter()
    for tick in range(TICKS):
        batch = requests(tick, accounts, rng)
        for start in range(0, len(batch), 10_000):
            part = batch[start : start + 10_000]
            group.process(account.process(part, np.arange(len(part)) + offset))
            offset += len(part)
            group.model_scores.clear()  # as the metrics do
        give_back()  # as after a checkpoint
    group.process(account.advance())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, time.perf_counter() - started


def measure_once(accounts: int) -> None:
    """Let accounts come and go; print the memory a tenth at a time."""
    settings = DetectorSettings()
    account, group = AccountStage(settings), GroupStage(settings)
    gc.collect()
    before, started, offset = resident(), time.perf_counter(), 0
    for first in range(0, accounts, ONCE):
        rng = np.random.default_rng(first)
        times = START_MS + first // ONCE * TICK_MS + np.sort(rng.integers(0, TICK_MS, min(ONCE, accounts - first)))
        for start in range(0, len(times), 10_000):
            part = [
                request(first + n, 0, at, "once") for n, at in enumerate(times[start : start + 10_000].tolist(), start)
            ]
            group.process(account.process(part, np.arange(len(part)) + offset))
            offset += len(part)
            group.model_scores.clear()
        account.snapshot()
        group.snapshot()
        give_back()
        if (first // ONCE) % max(accounts // ONCE // 10, 1) == 0:
            print(
                f"{offset:12,} accounts seen, {account.tracked_accounts:,} and {group.graph.accounts.rows:,} held: "
                f"{(resident() - before) / 1e6:,.0f} MB, {time.perf_counter() - started:.0f} s",
                flush=True,
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    print(f"{offset:,} accounts of one request each: peak {peak / 1e6:,.0f} MB, {account.evicted:,} evicted")


def measure(accounts: int) -> None:
    """Print the figures for one number of accounts."""
    settings = DetectorSettings()
    gc.collect()
    before = resident()
    account, group = AccountStage(settings), GroupStage(settings)
    peak, seconds = fill(account, group, accounts)
    gc.collect()
    give_back()
    known, held = account.tracked_accounts, resident() - before
    graph = group.graph
    print(f"{known:,} accounts, {account.requests:,} requests, {seconds:.1f} s")
    print(f"  resident, both stages        {held / known:8,.0f} B an account; peak {(peak - before) / known:,.0f}")
    rows = {
        "account stage: accounts": account.accounts.table.nbytes,
        "account stage: windows": account.accounts.windows.nbytes,
        "account stage: event ids": account._ids.nbytes,
        "group stage: accounts": graph.accounts.nbytes,
        "group stage: values": graph.values.nbytes,
        "group stage: uses": graph.uses.nbytes,
        "group stage: singles, indices": graph.followed.nbytes,
        "group stage: clusters": group.clusters.table.nbytes,
    }
    for name, size in rows.items():
        print(f"  {name:28} {size / known:8,.0f} B an account")
    for name, stage, fresh in (
        ("account", account, AccountStage(settings)),
        ("group", group, GroupStage(settings)),
    ):
        started = time.perf_counter()
        full = stage.snapshot()
        wrote = time.perf_counter() - started
        size, again = sum(map(len, full.values())), sum(map(len, stage.snapshot().values()))
        started = time.perf_counter()
        fresh.restore(full.items())
        restored = time.perf_counter() - started
        print(f"  {name} stage: all of it {size / 1e6:,.0f} MB in {len(full):,} entries, written in {wrote:.1f} s;")
        print(f"    a checkpoint without news {again / 1e3:,.0f} kB; restored in {restored:.1f} s,")
        print(f"    a million accounts in {restored / known * MILLION:.0f} s (Kafka not counted)")


def main() -> None:
    """Measure each number of accounts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("accounts", nargs="*", type=int, default=[100_000], help="(default 100000)")
    parser.add_argument("--once", action="store_true", help="one request each, never seen again")
    arguments = parser.parse_args()
    for number in arguments.accounts:
        (measure_once if arguments.once else measure)(number)


if __name__ == "__main__":
    main()

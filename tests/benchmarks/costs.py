"""What a request costs, step by step, in worlds of few and of many accounts: `python -m tests.benchmarks.costs`.

Decoding, both stages, the encoding of partials and a checkpoint every `CHECKPOINT` requests, in this process, CPU time.
Every account is known before the clock runs. In one world an account sends nine tenths of the requests.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections import Counter
from collections.abc import Generator

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.partials import encode
from detectors.scan.requests import decode
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from stream.memory import give_back
from tests.benchmarks.harness import machine
from tests.benchmarks.state import resident

TICK, BATCH, CHECKPOINT = 500_000, 10_000, 200_000
"""Requests. So many a tick are 556 a second; an account among 10,000 sends 4,800 a day, one among a million 48."""
START_MS = 1_750_000_000_000 // 86_400_000 * 86_400_000
STEPS = ("decode", "account stage", "encode", "group stage", "checkpoint")


def lines(who: NDArray, first: int, tick_ms: int) -> list[bytes]:
    """Return one batch of requests from accounts `who`, a part of the tick that request `first` falls into."""
    event = msgspec.json.Encoder().encode
    numbers = np.arange(first, first + len(who))
    times = START_MS + numbers * tick_ms // TICK
    return [
        event(
            {
                "event.id": f"e{number}", "time": at, "account.id": f"account-{one:012x}",
                "account.created": START_MS - (one % 900 + 40) * 86_400_000, "organization.id": f"org{one // 2}",
                "account.plan": "api", "account.verification": "email", "account.signup_pathway": "self_serve",
                "payment.fingerprint": f"card{one}", "device.fingerprint": f"device{one}",
                "client.address": f"10.{one // 2560 % 256}.{one // 10 % 256}.{one // 655_360}", "client.asn": 64500,
                "gen_ai.request.model": f"m{one % 3}", "access.path": "first_party",
                "gen_ai.usage.input_tokens": 300 + number % 700, "gen_ai.usage.output_tokens": 900,
                "http.response.status_code": 200, "prompt.capabilities": ["coding"], "prompt.language": "en",
                "prompt.template": f"{(one if number % 2 else one // 1000) * 2654435761 % 2**64:016x}",
                "prompt.content": f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}",
            }
        )
        for number, at, one in zip(numbers.tolist(), times.tolist(), who.tolist(), strict=True)
    ]  # fmt: skip


class Pipeline:
    """Both stages and the CPU seconds of each step."""

    def __init__(self) -> None:
        settings = DetectorSettings()
        self.account, self.group = AccountStage(settings), GroupStage(settings, 1)
        self.tick_ms = settings.windows.tick_s * 1000
        self.spent: Counter[str] = Counter()
        self.requests = 0

    def take(self, who: NDArray) -> None:
        """Let the accounts make one request each."""
        for start in range(0, len(who), BATCH):
            batch = lines(who[start : start + BATCH], self.requests, self.tick_ms)
            clock = _laps(self.spent)
            next(clock)
            requests, _, _ = decode(batch, 1 << 60)
            clock.send("decode")
            partials = self.account.process(requests, np.arange(len(requests)) + self.requests)
            clock.send("account stage")
            for partial in partials:
                encode(partial)
            clock.send("encode")
            self.group.process(partials)
            self.group.model_scores.clear()
            clock.send("group stage")
            self.requests += len(requests)
            if self.requests % CHECKPOINT == 0:
                self.account.snapshot()
                self.group.snapshot()
                give_back()  # as the worker does
                clock.send("checkpoint")


def _laps(spent: Counter[str]) -> Generator[None, str, None]:
    before = time.process_time()
    while True:
        name = yield
        now = time.process_time()
        spent[name] += now - before
        before = now


def measure(accounts: int, requests: int, hot: float = 0.0) -> dict[str, float]:
    """Return CPU microseconds a request by step, and the resident bytes an account.

    Args:
        hot: share of the requests that one account makes.
    """
    rng, line = np.random.default_rng(1), Pipeline()
    gc.collect()
    before = resident()
    line.take(np.concatenate([rng.permutation(accounts), rng.integers(0, accounts, -accounts % TICK)]))
    line.spent.clear()
    who = rng.integers(0, accounts, requests)
    line.take(np.where(rng.random(requests) < hot, 0, who))
    gc.collect()
    give_back()
    found = {step: line.spent[step] / requests * 1e6 for step in STEPS}
    return found | {"all": sum(found.values()), "memory": (resident() - before) / accounts}


def main() -> None:
    """Measure the worlds and print their cost beside that of the first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--accounts", default="10000,100000,1000000", help="(default %(default)s)")
    parser.add_argument("--requests", type=int, default=1_000_000, help="(default %(default)d)")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.accounts.split(",")]
    print("; ".join(f"{name} {value}" for name, value in machine().items()))
    print(
        f"{'CPU µs a request':28}" + "".join(f"{step:>15}" for step in (*STEPS, "all")) + f"{'×':>8}{'B/account':>11}"
    )
    worlds = [(f"{size:,} accounts", size, 0.0) for size in sizes] + [(f"{sizes[0]:,}, one has 90 %", sizes[0], 0.9)]
    first = 0.0
    for name, accounts, hot in worlds:
        found = measure(accounts, arguments.requests, hot)
        first = first or found["all"]
        figures = "".join(f"{found[step]:15.2f}" for step in (*STEPS, "all"))
        print(f"{name:28}{figures}{found['all'] / first:8.2f}{found['memory']:11,.0f}", flush=True)


if __name__ == "__main__":
    main()

"""Stages that only count, and a worker process that runs them: what the machinery does can be told exactly.

`python -m tests.broker.counting` is a worker with these stages, configured by the environment.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from numpy.typing import NDArray

from detectors.alerts import Alert, Detector, Outputs, Volume, stable_id
from detectors.hashing import digest
from detectors.partials import Partial
from detectors.scan.requests import Requests

EVERY = 1000
"""A partition tells the group stage of each time it has seen so many requests."""


class CountingAccountStage:
    """Counts requests by account; a request that is seen twice would count twice."""

    def __init__(self, settings: object, partition: int, key: bytes | None) -> None:
        self.partition = partition
        self.counts: Counter[str] = Counter()
        self.last_offset = -1
        self.requests = self.late = self.duplicates = self.tracked_accounts = self.state_bytes = 0
        self._total = 0
        self._dirty: set[str] = set()
        self._idle: list[Partial] = []
        self._crash_at = int(os.environ.get("CRASH_AT", -1))

    def process(self, requests: Requests, offsets: NDArray) -> list[Partial]:
        if (requests.hash("event_id") == digest("poison")).any():
            raise RuntimeError("poisoned")
        found = []
        for row, offset in enumerate(offsets.tolist()):
            assert offset > self.last_offset, "offered twice"
            self.last_offset = offset
            account = requests.text("account_id", row)
            self.counts[account] += 1
            self._dirty.add(account)
            self._total += 1
            if self._total % EVERY == 0:
                found.append(Partial(self.partition, self._total // EVERY, 0, True, False))
            if self._total == self._crash_at:
                os.kill(os.getpid(), signal.SIGKILL)
        self.requests += len(requests)
        self._idle = []
        return found

    def advance(self, now_ms: int) -> list[Partial]:
        if self._idle:
            return []
        self._idle = [Partial(self.partition, self._total // EVERY, 1, True, True)]
        return self._idle

    def pending(self) -> list[Partial]:
        return self._idle

    def snapshot(self) -> dict[str, bytes]:
        dirty, self._dirty = self._dirty, set()
        return {**{name: b"%d" % self.counts[name] for name in dirty}, "idle": b"%d" % len(self._idle)}

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        values = dict(items)
        idle = int(values.pop("idle", 0))
        self.counts = Counter({name: int(value) for name, value in values.items()})
        self._total = self.counts.total()
        if idle:
            self._idle = [Partial(self.partition, self._total // EVERY, 1, True, True)]


class CountingGroupStage:
    """Writes an alert for each distinct partial."""

    def __init__(self, settings: object, partitions: int) -> None:
        self.tracked_clusters = self.state_bytes = 0
        self.open_campaigns: dict[str, int] = {}
        self.budget_used = 0.0
        self.model_scores: list[float] = []
        self.feedback_offset = -1
        self.seen: set[tuple[int, int, int]] = set()
        self._unsaved: set[tuple[int, int, int]] = set()

    def process(self, partials: list[Partial], offsets: Sequence[int]) -> Outputs:
        outputs = Outputs()
        for partial in partials:
            name = (partial.partition, partial.tick, partial.chunk)
            if name not in self.seen:
                self.seen.add(name)
                self._unsaved.add(name)
                outputs.alerts.append(_alert(partial))
        return outputs

    def snapshot(self) -> dict[str, bytes]:
        unsaved, self._unsaved = self._unsaved, set()
        return {"-".join(map(str, name)): b"1" for name in unsaved}

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        self.seen = {tuple(map(int, key.split("-"))) for key, _ in items}  # type: ignore[misc]


def _alert(partial: Partial) -> Alert:
    campaign = f"{'idle' if partial.idle else 'partition'}-{partial.partition}"
    return Alert(
        alert_id=stable_id(campaign, partial.tick), campaign_id=campaign, revision=partial.tick, state="open",
        kind="campaign", severity="info", time=0, first_seen=0, last_seen=0, score=0.0, p_value=1.0, accounts=0,
        sample_accounts=[], volume=Volume(0, 0, 0), capabilities={}, models={}, access_paths={}, evidence=[], links=[],
        mitigating=[], merged_into=None, lineage=[], provisional=False, detector=Detector("0", "0"),
    )  # fmt: skip


class IdlingAccountStage(CountingAccountStage):
    """Does nothing; says on standard output how fast it was offered `REPORT_AT` requests."""

    def process(self, requests: Requests, offsets: NDArray) -> list[Partial]:
        if not self.requests:
            self._started, self._cpu = time.perf_counter(), time.process_time()
            self._first = len(requests)
        self.requests += len(requests)
        if self.requests == int(os.environ.get("REPORT_AT", -1)):
            counted = self.requests - self._first
            seconds, cpu = time.perf_counter() - self._started, time.process_time() - self._cpu
            print(f"rate {counted / seconds:.1f} cpu {cpu / counted * 1e6:.2f}", flush=True)
        return []


def main() -> int:
    """Run a worker with the counting stages."""
    from stream import config, worker
    from stream.errors import HydrawatchError
    from stream.handlers import Factories

    account = IdlingAccountStage if os.environ.get("IDLING") else CountingAccountStage
    try:
        return worker.run(config.load(), Factories(account, CountingGroupStage))
    except HydrawatchError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2


def request(number: int, account: str, **more: object) -> bytes:
    """Return an event as it is on the topic."""
    event = {"event.id": f"e{number}", "time": 1_767_225_600_000 + number, "account.id": account}
    return msgspec.json.encode({**event, "gen_ai.request.model": "m", **more})


if __name__ == "__main__":
    sys.exit(main())

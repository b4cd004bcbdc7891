"""Workers that die, are stopped, or come back as zombies."""

from __future__ import annotations

import time

import msgspec

from stream import topics
from stream.worker import FENCED
from tests.faults.crashes import POINTS
from tests.faults.experiments import experiment
from tests.faults.oracle import Verdict
from tests.faults.rig import IDLE_S, Rig, stopped

IDLE = [11, 12, 13]
BUSY = [point for point in POINTS if point not in IDLE]


def _die_at(rig: Rig, point: int, most: int = 3, **environment: str) -> None:
    most = 1 if point == 14 else most  # a small input decides something in few batches
    worker = rig.start(f"{point}:{rig.random.randint(1, most)}", **environment)
    status = rig.dead(worker)
    rig.check(status == -9, f"point {point} ({POINTS[point]}) was not reached: status {status}")


def _die_idle(rig: Rig, points: list[int]) -> None:
    """Let everything be taken in and committed, then kill at the points that only a silent topic reaches."""
    rig.send()
    worker = rig.start()
    rig.drain()
    rig.stop(worker)
    idle = msgspec.structs.replace(rig.settings, idle_timeout_s=IDLE_S)
    for point in points:
        worker = rig.start(f"{point}:1", idle)
        rig.check(rig.dead(worker) == -9, f"point {point} ({POINTS[point]}) was not reached")


@experiment(1, quick=True)
def some_crash_points(rig: Rig) -> Verdict:
    """kill -9 at five points between the steps."""
    for point in (4, 5, 7, 8):
        rig.send(len(rig.lines) // 6)
        _die_at(rig, point)
    _die_idle(rig, [12])
    return rig.finish()


@experiment(1)
def every_crash_point(rig: Rig) -> Verdict:
    """kill -9 at every one of the 14 points between the steps, twice."""
    for point in BUSY * 2:
        rig.send(len(rig.lines) // (2 * len(BUSY) + 1))
        _die_at(rig, point)
    _die_idle(rig, IDLE * 2)
    return rig.finish()


@experiment(2)
def between_state_and_commit(rig: Rig) -> Verdict:
    """kill -9 five times after the state is durable, before the commit: nothing is said again."""
    for point in (8, 9, 8, 9, 8):
        rig.send(len(rig.lines) // 6)
        _die_at(rig, point, DELAY_US="50")
    verdict = rig.finish()
    rig.remarks.append(f"{verdict.repeats} repeats")
    return verdict


@experiment(3, quick=True)
def sigterm_in_a_batch(rig: Rig) -> Verdict:
    """SIGTERM in mid-batch, and on a silent topic."""
    rig.send()
    worker = rig.start(DELAY_US="300")
    rig.until(lambda: rig.said() > 8, "partials")
    rig.stop(worker)
    verdict = rig.finish()
    rig.check(not verdict.repeats, f"{verdict.repeats} repeats after orderly stops")
    return verdict


@experiment(3)
def sigterm_without_broker(rig: Rig) -> Verdict:
    """SIGTERM while the broker is down."""
    rig.send()
    worker = rig.start(DELAY_US="300")
    rig.until(lambda: rig.said() > 8, "partials")
    rig.broker.kill()
    began = time.monotonic()
    status = rig.terminated(worker)
    took = time.monotonic() - began
    rig.check(took < 12, f"it took {took:.1f} s to end")
    rig.check(status in (0, 70), f"status {status}")
    rig.remarks.append(f"ended with {status} after {took:.1f} s")
    rig.broker.start()
    return rig.finish()


@experiment(6, quick=True)
def zombie(rig: Rig) -> Verdict:
    """SIGSTOP beyond the session timeout, another worker takes over, SIGCONT: the zombie writes nothing."""
    rig.send(len(rig.lines) // 3)
    frozen = rig.start(DELAY_US="200")
    rig.until(lambda: rig.said() > 8, "partials")
    rig.freeze(frozen)
    heir = rig.start()
    rig.ready(heir, rig.settings.partitions + 1)
    rig.send(len(rig.lines) // 3)
    rig.until(lambda: rig.said() > 60, "the heir's partials")
    rig.thaw(frozen)
    rig.send()
    rig.drain()
    return rig.finish()


@experiment(6, quick=True)
def zombie_with_an_alert(rig: Rig) -> Verdict:
    """SIGSTOP between an alert and its sending, an heir says it, SIGCONT: the zombie's own is fenced off."""
    rig.send()
    frozen = rig.start(FREEZE="14:1")
    rig.until(lambda: stopped(frozen.popen.pid), "the worker to freeze")
    rig.check(rig.said(topics.ALERTS) == rig.said(topics.DECISIONS) == 0, "something was said before the freeze")
    rig.start()
    rig.until(lambda: rig.said(topics.ALERTS) > 0, "the heir's alerts")
    rig.thaw(frozen)
    status = rig.dead(frozen, 30)
    rig.check(status == FENCED, f"the zombie ended with {status}")
    rig.check("another worker has taken over" in frozen.output, "the zombie does not say why it ends")
    verdict = rig.finish()
    rig.check(not verdict.repeats, f"the zombie said {verdict.repeats} again, after its heir")
    return verdict


@experiment(6)
def zombie_in_a_checkpoint(rig: Rig) -> Verdict:
    """Four zombies, one after the other, each frozen at a random moment of its work."""
    frozen = []
    for _ in range(4):
        rig.send(len(rig.lines) // 5)
        worker = rig.start(DELAY_US="200")
        rig.ready(worker, 1)
        time.sleep(rig.random.uniform(0.2, 4.0))
        rig.freeze(worker)
        frozen.append(worker)
    heir = rig.start()
    rig.ready(heir, rig.settings.partitions + 1)
    for worker in frozen:
        rig.thaw(worker)
    rig.send()
    rig.drain()
    return rig.finish()


@experiment(0, quick=True)
def undisturbed(rig: Rig) -> Verdict:
    """Nothing happens: the worker says and keeps what the pure stages do."""
    rig.send()
    rig.start()
    verdict = rig.finish()
    rig.check(verdict.expected > 0, "the input holds no campaign: nothing would be compared")
    rig.check(not verdict.repeats, f"{verdict.repeats} repeats")
    rig.check(rig.said(topics.ALERTS) > 0, "no alert")
    return verdict

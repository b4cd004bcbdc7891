"""The headline: a hundred deaths at random moments, brokers' included."""

from __future__ import annotations

import time

from tests.broker.process import Process
from tests.faults.experiments import experiment
from tests.faults.experiments.deaths import BUSY
from tests.faults.oracle import Verdict
from tests.faults.rig import Rig

KILLS = 100
BROKER_EVERY = 20
"""Every so many rounds the broker dies with the worker, or instead of it."""
LIFE_S = 6.0
"""A worker lives for at most so long; its start takes two or three of them."""


@experiment(22)
def kills(rig: Rig) -> Verdict:
    """100 kills at random moments, crash points and free-running, some of the broker."""
    count, brokers, orders = KILLS, 0, 0
    for number in range(count):
        rig.send(max(1, len(rig.lines) // (count + 1)))
        if number % BROKER_EVERY == BROKER_EVERY // 2:
            _broker_dies(rig, brokers % 2 == 0)
            brokers += 1
            continue
        point = rig.random.choice(BUSY) if rig.random.random() < 0.5 else 0
        orders += bool(point)
        worker = rig.start(f"{point}:{rig.random.randint(1, 4)}" if point else "")
        _end(rig, worker)
    rig.remarks.append(f"seed {rig.seed}: {count} kills, {brokers} of the broker, {orders} workers with a crash point")
    return rig.finish()


def _end(rig: Rig, worker: Process) -> None:
    """Kill a worker at a random moment of its life, unless its crash point comes first."""
    deadline = time.monotonic() + rig.random.uniform(0.5, LIFE_S)
    while worker.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    if worker.alive:
        worker.kill()
    rig.check(worker.popen.returncode == -9, f"{worker.log.name} ended by itself with {worker.popen.returncode}")


def _broker_dies(rig: Rig, alone: bool) -> None:
    """Kill the broker under a working worker, which may go on or must end with a status that says why."""
    worker = rig.start(DELAY_US="200")
    rig.ready(worker, 1)
    time.sleep(rig.random.uniform(0.1, 2.0))
    rig.broker.kill()
    if not alone:
        worker.kill()
    time.sleep(rig.random.uniform(0.0, 3.0))
    rig.broker.start()
    time.sleep(rig.random.uniform(0.0, 3.0))
    if alone and worker.alive:
        worker.kill()
    status = worker.popen.returncode
    rig.check(status in (-9, 70), f"{worker.log.name} ended with {status} when the broker died")

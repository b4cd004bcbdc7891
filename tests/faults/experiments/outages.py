"""Brokers that stop, die, fill up or hide; networks that stall."""

from __future__ import annotations

import time

from tests.broker.process import Process
from tests.faults.experiments import experiment
from tests.faults.oracle import Verdict
from tests.faults.proxy import Proxy
from tests.faults.rig import Rig


def _working(rig: Rig, delay_us: int = 300) -> Process:
    rig.send()
    worker = rig.start(DELAY_US=str(delay_us))
    rig.until(lambda: rig.said() > 8, "partials")
    return worker


def _go_on(rig: Rig, worker: Process) -> None:
    """A worker may live through it, or end with status 70; then, as its supervisor would do, start another."""
    time.sleep(3)
    if worker.alive:
        rig.remarks.append("the worker lived on")
    else:
        rig.check(worker.popen.returncode == 70, f"status {worker.popen.returncode}")
        rig.remarks.append(f"the worker ended with {worker.popen.returncode}, another went on")
        rig.start()


@experiment(4)
def broker_restart(rig: Rig) -> Verdict:
    """The broker is stopped in order and started again."""
    worker = _working(rig)
    rig.broker.stop()
    rig.broker.start()
    _go_on(rig, worker)
    return rig.finish()


def _dead_for(rig: Rig, seconds: float) -> Verdict:
    worker = _working(rig)
    rig.broker.kill()
    time.sleep(seconds)
    rig.broker.start()
    _go_on(rig, worker)
    return rig.finish()


@experiment(4)
def broker_killed(rig: Rig) -> Verdict:
    """The broker is killed and comes back after 5 s."""
    return _dead_for(rig, 5)


@experiment(4)
def broker_gone_for_a_minute(rig: Rig) -> Verdict:
    """The broker is killed and comes back after 60 s."""
    return _dead_for(rig, 60)


@experiment(18)
def slow_network(rig: Rig) -> Verdict:
    """A network of 20 ms, with a stall of 15 s and three resets."""
    with Proxy(rig.broker.bootstrap_servers, delay_s=0.02) as proxy:
        rig.send()
        worker = rig.start(DELAY_US="100", PROXY=str(proxy.port))
        rig.until(lambda: rig.said() > 8, "partials")
        proxy.stall(15.0)
        for _ in range(3):
            time.sleep(1)
            proxy.reset()
        _go_on(rig, worker)
        rig.check(proxy.connections > 5, "the worker did not go through the proxy")
        return rig.finish()

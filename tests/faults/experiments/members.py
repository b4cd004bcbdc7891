"""Workers that come and go in order: the group's own faults are its rebalances."""

from __future__ import annotations

import time

from tests.broker.process import Process
from tests.faults.experiments import experiment
from tests.faults.oracle import Verdict
from tests.faults.rig import READY, Rig


@experiment(5)
def scale_out_and_in(rig: Rig) -> Verdict:
    """One worker, two, three, two, one: each leaves in order but the last, who is killed."""
    third = len(rig.lines) // 5
    workers = []
    for _ in range(3):
        rig.send(third)
        workers.append(rig.start(DELAY_US="200"))
        rig.ready(workers[-1])
        time.sleep(2)
    rig.send(third)
    rig.stop(workers[0])
    time.sleep(2)
    rig.send()
    workers[1].kill()
    verdict = rig.finish()
    rig.check(all(_took_part(worker) for worker in workers), "a worker never had a partition")
    return verdict


@experiment(5, partitions=2)
def join_storm(rig: Rig) -> Verdict:
    """A join storm: five workers within a second, for two partitions."""
    rig.send(len(rig.lines) // 2)
    for number in range(5):
        rig.start(DELAY_US="100")
        time.sleep(0.5 * (number > 2))
    rig.until(lambda: rig.said() > 20, "partials")
    return rig.finish()


def _took_part(worker: Process) -> bool:
    return READY in worker.output

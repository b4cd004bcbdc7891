"""More than can be taken in: bursts, downstream topics that are gone, a full disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream import topics
from tests.broker import log
from tests.faults.experiments import experiment
from tests.faults.experiments.starts import delete
from tests.faults.oracle import Verdict
from tests.faults.rig import Infeasible, Rig

BURST_MB = 96
"""What a burst may add to a worker's memory: its buffers are bounded in batches, not by the burst."""

SLOW, SLOW_S = 10_000, 30.0
"""Bytes a second, and how long no more are taken."""


@experiment(13)
def burst(rig: Rig) -> Verdict:
    """Ten times what the worker can take, at once, and kill -9 in the middle: bounded memory, nothing ahead."""
    tenth = len(rig.lines) // 10
    worker = rig.start(DELAY_US="500")
    rig.send(tenth)
    rig.drain()
    before = rig.peak_mb
    rig.send()
    rig.until(lambda: log.state(rig.settings, 0).offset > tenth // 2, "the burst to be under way")
    rig.check(rig.peak_mb < before + BURST_MB, f"memory grew from {before:.0f} to {rig.peak_mb:.0f} MB")
    rig.remarks.append(f"{before:.0f} MB before the burst, {rig.peak_mb:.0f} MB in it")
    worker.kill()
    return rig.finish()


@experiment(13, own_broker=True)
def downstream_slow(rig: Rig) -> Verdict:
    """The broker takes 10 kB/s from each producer for a while: memory bounded, nothing committed ahead."""
    tenth = len(rig.lines) // 10
    rig.send(tenth)
    worker = rig.start()
    rig.drain()
    before = rig.peak_mb
    rig.send()
    rig.broker.throttle(SLOW)
    began = time.monotonic()
    while time.monotonic() - began < SLOW_S:
        for partition in range(rig.settings.partitions):
            log.state(rig.settings, partition)  # raises when the group has committed more than the state covers
        time.sleep(1)
    rig.check(worker.alive, f"the worker ended with {worker.popen.poll()}")
    rig.check(not rig.drained(), f"{SLOW} bytes a second held nothing up")
    rig.remarks.append(f"{before:.0f} MB before, {rig.peak_mb:.0f} MB while held up")
    rig.check(rig.peak_mb < before + BURST_MB, f"memory grew from {before:.0f} to {rig.peak_mb:.0f} MB")
    rig.broker.throttle(None)
    began = time.monotonic()
    rig.drain()
    rig.remarks.append(f"nothing left {time.monotonic() - began:.0f} s after it was lifted")
    return rig.finish()


@experiment(13)
def downstream_gone(rig: Rig) -> Verdict:
    """The topic of alerts is deleted under a working worker and comes back: memory bounded, nothing lost."""
    worker = rig.start()
    rig.ready(worker, rig.settings.partitions + 1)
    delete(rig, topics.ALERTS)
    rig.send()
    began = time.monotonic()
    rig.until(lambda: not worker.alive or time.monotonic() - began > 20, "the worker to notice")
    rig.remarks.append("ended with 70" if not worker.alive else "waits for the topic")
    held = log.state(rig.settings, 0, "group").offset
    topics.create(rig.settings)
    rig.remarks.append(f"the group's state had stopped at partial {held} of {rig.said()}")
    status = rig.dead(worker, 60) if not _goes_on(rig, worker) else None
    rig.check(status in (None, 70), f"status {status}")
    return rig.finish()


def _goes_on(rig: Rig, worker: object) -> bool:
    """Tell whether the worker comes to speak of alerts within half a minute."""
    deadline = time.monotonic() + 30
    while worker.alive and time.monotonic() < deadline:  # type: ignore[attr-defined]
        if rig.said(topics.ALERTS):
            return True
        time.sleep(0.5)
    return False


@contextmanager
def _small_disk(rig: Rig, megabytes: int) -> Iterator[Path]:
    """Put the broker's log on a disk of its own."""
    disk = rig.broker.directory / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        raise Infeasible("a small disk needs the right to mount a tmpfs")
    try:
        rig.broker.stop()
        shutil.copytree(rig.broker.directory / "logs", disk / "logs")
        properties = rig.broker.directory / "server.properties"
        with properties.open("a") as file:
            file.write(f"\nlog.dirs={disk}/logs\nlog.index.size.max.bytes=65536\n")
        rig.broker.start()
        yield disk
    finally:
        rig.broker.stop()
        subprocess.run(["umount", str(disk)], capture_output=True)


@experiment(12, own_broker=True)
def full_disk(rig: Rig) -> Verdict:
    """The broker's disk fills up and the broker halts; space is made, it starts again."""
    with _small_disk(rig, 300) as disk:
        rig.send(len(rig.lines) // 2)
        worker = rig.start(DELAY_US="200")
        rig.until(lambda: rig.said() > 8, "partials")
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(bytes(64 << 10))
                    file.flush()
            except OSError:
                pass
        rig.until(lambda: not rig.broker.alive or not worker.alive, "the broker to halt", 90)
        rig.remarks.append("the broker halted" if not rig.broker.alive else "the broker refused to write")
        ballast.unlink()
        rig.broker.stop()
        rig.broker.start()
        if worker.alive:
            rig.remarks.append("the worker lived on")
        else:
            rig.check(worker.popen.returncode == 70, f"status {worker.popen.returncode}")
        return rig.finish()

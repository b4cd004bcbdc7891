"""Workers in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from stream.config import KafkaSettings


def variables(settings: KafkaSettings) -> dict[str, str]:
    """Return an environment that gives `settings` to a command."""
    given = {key: str(value) for key, value in msgspec.structs.asdict(settings).items() if value is not None}
    return {**os.environ, **{f"HYDRAWATCH_KAFKA__{key.upper()}": value for key, value in given.items()}}


class Process:
    """A worker in a process of its own, with the counting stages unless told otherwise."""

    def __init__(
        self, settings: KafkaSettings, log: Path, module: str = "tests.broker.counting", **environment: str
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            command = [sys.executable, "-m", *module.split()]
            self.popen = subprocess.Popen(command, env=variables(settings) | environment, stdout=output, stderr=output)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def terminate(self, timeout_s: float = 10.0) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout_s)

    def wait(self, timeout_s: float = 30.0) -> int:
        return self.popen.wait(timeout_s)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text()

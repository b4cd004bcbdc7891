"""A real Kafka for tests and benchmarks: one that is given, one in Docker, or one on this machine's JVM.

`python -m tests.broker.kafka` runs one in the foreground and prints its address.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.broker import secured

HERE = Path(__file__).parent
VERSION = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)", (HERE / "pom.xml").read_text()).group(1)
START_TIMEOUT_S = 60.0
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,MTLS:SSL
log.dirs={directory}/logs
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=2097152
log.segment.bytes=67108864
"""
LOGGING = """\
Configuration:
  status: warn
  Appenders:
    Console:
      name: stdout
      PatternLayout: {pattern: "%d %p %c{1} %m%n"}
  Loggers:
    Root: {level: info, AppenderRef: {ref: stdout}}
"""


class Unavailable(Exception):
    """No broker can be had here; the message says why."""


class LocalBroker:
    """Apache Kafka in KRaft mode, one node, on the loopback interface.

    Args:
        directory: where it keeps its log and its configuration.
        secure: also listen with TLS and SASL (`secured`); `addresses` tells where.
        extra: more lines of its configuration.

    Raises:
        Unavailable: no Java 17, no jars and no way to get them.
    """

    def __init__(self, directory: Path, *, secure: bool = False, extra: str = "") -> None:
        self.directory = directory
        self.classpath = f"{libraries()}/*"
        names = ("PLAINTEXT", *(secured.LISTENERS if secure else ()))
        self.addresses = {name: f"127.0.0.1:{free_port()}" for name in names}
        self.bootstrap_servers = self.addresses["PLAINTEXT"]
        self.process: subprocess.Popen[bytes] | None = None
        listeners = ",".join(f"{name}://{address}" for name, address in self.addresses.items())
        properties = PROPERTIES.format(listeners=listeners, controller=free_port(), directory=directory) + extra
        if secure:
            self.authority = secured.certificates(directory)
            properties += secured.properties(directory)
        (directory / "server.properties").write_text(properties)
        (directory / "log4j2.yaml").write_text(LOGGING)
        users = secured.users() if secure else []
        self._java(
            "kafka.tools.StorageTool", "format", "-t", "aHlkcmF3YXRjaC10ZXN0cw", "-c", "server.properties", *users
        )

    def start(self) -> LocalBroker:
        """Start it, or start it again, and wait until it serves."""
        output = self.directory / "broker.log"
        seen = output.stat().st_size if output.exists() else 0
        with output.open("ab") as log:
            self.process = subprocess.Popen(
                self._command("kafka.Kafka", "server.properties"),
                cwd=self.directory, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"Kafka Server started" not in output.read_bytes()[seen:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = output.read_text(errors="replace")[-2000:]
                self.stop()
                raise Unavailable(f"Kafka did not start on this JVM:\n{tail}")
            time.sleep(0.1)
        return self

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it with SIGTERM."""
        self._end(signal.SIGTERM)

    def throttle(self, bytes_per_s: int | None) -> None:
        """Take no more than `bytes_per_s` from every producer, as Kafka's quotas do; None lifts it."""
        change = ["--delete-config", "producer_byte_rate"]
        if bytes_per_s is not None:
            change = ["--add-config", f"producer_byte_rate={bytes_per_s}"]
        server = ["--bootstrap-server", self.bootstrap_servers]
        self._java("kafka.admin.ConfigCommand", "--alter", *change, *server, "--entity-type", "clients",
                   "--entity-default")  # fmt: skip

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def _command(self, *arguments: str) -> list[str]:
        memory = ["-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        return ["java", *memory, "-Dlog4j2.configurationFile=log4j2.yaml", "-cp", self.classpath, *arguments]

    def _java(self, *arguments: str) -> None:
        done = subprocess.run(self._command(*arguments), cwd=self.directory, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"{' '.join(arguments[:2])} failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")


def libraries() -> Path:
    """Return the directory of the broker's jars, fetching them with Maven the first time.

    Raises:
        Unavailable: Java or Maven is missing, or Maven cannot fetch.
    """
    if shutil.which("java") is None:
        raise Unavailable("no java on the path (Kafka needs Java 17)")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hydrawatch" / f"kafka-{VERSION}"
    if cache.is_dir():
        return cache
    if shutil.which("mvn") is None:
        raise Unavailable(f"no mvn on the path to fetch Kafka {VERSION}, and no {cache}")
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent) as work:
        shutil.copy(HERE / "pom.xml", work)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=libs"]
        try:
            done = subprocess.run(["mvn", "-q", "-B", *goal], cwd=work, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"mvn could not fetch Kafka {VERSION} within 300 s") from None
        if done.returncode:
            raise Unavailable(f"mvn could not fetch Kafka {VERSION}: {done.stdout[-500:]}")
        with contextlib.suppress(OSError):  # another process was first
            (Path(work) / "libs").rename(cache)
    return cache


@contextlib.contextmanager
def local(*, secure: bool = False, extra: str = "") -> Iterator[LocalBroker]:
    """Run a broker on this machine's JVM, in a directory of its own that goes with it; arguments of `LocalBroker`."""
    with tempfile.TemporaryDirectory(prefix="hydrawatch-kafka-", ignore_cleanup_errors=True) as directory:
        broker = LocalBroker(Path(directory), secure=secure, extra=extra)
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()


@contextlib.contextmanager
def bootstrap() -> Iterator[str]:
    """Yield the bootstrap servers of a broker: given by the environment, in Docker, or on the JVM.

    Raises:
        Unavailable: none of the three.
    """
    given = os.environ.get("HYDRAWATCH_BOOTSTRAP_SERVERS")
    if given:
        yield given
    elif _docker_answers():
        from testcontainers.community.kafka import KafkaContainer

        with KafkaContainer("confluentinc/cp-kafka:8.1.0").with_kraft() as container:
            yield container.get_bootstrap_server()
    else:
        with local() as broker:
            yield broker.bootstrap_servers


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def free_port() -> int:
    """Return a port on the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Run a broker until SIGTERM or Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with bootstrap() as address:
            print(address, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
    except Unavailable as reason:
        sys.exit(f"no Kafka: {reason}")


if __name__ == "__main__":
    main()

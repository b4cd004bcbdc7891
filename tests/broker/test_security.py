"""TLS and SASL from the configuration, for every client there is: admin, worker, followers, changelogs."""

from __future__ import annotations

import asyncio
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream import clients, topics
from stream.config import KafkaSettings
from stream.errors import BrokerError, ConfigError
from tests.broker import kafka, log, secured
from tests.broker.counting import EVERY, request
from tests.broker.process import variables

LISTEN = "0A"
# Each protocol and each mechanism; what is left out joins the same parts otherwise.
WAYS = [
    ("SSL", None),
    ("MTLS", None),
    ("SASL_SSL", "PLAIN"),
    ("SASL_SSL", "SCRAM-SHA-512"),
    ("SASL_PLAINTEXT", "SCRAM-SHA-256"),
]


@pytest.fixture(scope="module")
def broker() -> Iterator[kafka.LocalBroker]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the path to make certificates")
    try:
        with kafka.local(secure=True) as started:
            yield started
    except kafka.Unavailable as reason:
        pytest.skip(f"no Kafka of our own: {reason}")


@pytest.fixture(params=WAYS, ids=lambda way: "-".join(filter(None, way)))
def way(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    return request.param


def secure(broker: kafka.LocalBroker, listener: str, mechanism: str | None, **more: Any) -> KafkaSettings:
    name = f"{listener}-{mechanism}".lower()
    protocol = "SSL" if listener == "MTLS" else listener
    encrypted, asked = protocol.endswith("SSL"), mechanism is not None
    if listener == "MTLS":
        certificate, key = secured.certificate_of(broker.directory, "client")
        more = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)} | more
    return KafkaSettings(
        bootstrap_servers=broker.addresses[listener], security_protocol=protocol, topic_prefix=f"{name}.",
        group_id=name, ssl_cafile=str(broker.authority) if encrypted else None, sasl_mechanism=mechanism,
        sasl_username=secured.USER if asked else None, partitions=2, checkpoint_interval_s=0.5,
        sasl_password=secured.PASSWORD if asked else None, idle_timeout_s=1.0, session_timeout_s=6.0, **more,
    )  # fmt: skip


def test_every_client_gets_in_every_way(
    broker: kafka.LocalBroker, way: tuple[str, str | None], start: Callable[..., Any]
) -> None:
    settings = secure(broker, *way)
    plain = msgspec.structs.replace(settings, bootstrap_servers=broker.bootstrap_servers, security_protocol="PLAINTEXT")
    topics.create(settings)
    log.write(plain, topics.REQUESTS, [(0, request(number, "a")) for number in range(EVERY)])
    worker = start(settings)
    log.until(lambda: any(r.key == b"partition-0" for r in log.read(plain, topics.ALERTS)))
    log.until(lambda: log.counts(plain) == {"a": EVERY})
    shown = hydrawatch(settings, "alerts", "--json", "--from-beginning", "--timeout", "1")
    assert worker.terminate() == 0
    assert '"campaign_id":"partition-0"' in shown.stdout
    assert secured.PASSWORD not in worker.output


def hydrawatch(settings: KafkaSettings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream", *arguments]
    return subprocess.run(command, env=variables(settings), capture_output=True, text=True, timeout=30)


REFUSALS = {
    "password": (("SASL_SSL", "SCRAM-SHA-512"), {"sasl_password": "wrong"}, "kafka.sasl_username, kafka.sasl_password"),
    "plain password": (("SASL_SSL", "PLAIN"), {"sasl_password": "wrong"}, "kafka.sasl_username, kafka.sasl_password"),
    "authority": (("SSL", None), {"ssl_cafile": "other"}, "its certificate is not trusted: .* (kafka.ssl_cafile)"),
    "system's authorities": (("SASL_SSL", "PLAIN"), {"ssl_cafile": None}, "is not trusted: .* (kafka.ssl_cafile)"),
    "no certificate": (("MTLS", None), {"ssl_certfile": None, "ssl_keyfile": None}, "asks for a certificate, .*"),
    "certificate": (("MTLS", None), {"ssl_certfile": "other"}, "does not take ours (kafka.ssl_certfile)"),
    "protocol": (("SASL_SSL", "PLAIN"), {"security_protocol": "SASL_PLAINTEXT"}, "breaks off connections by SASL_PL"),
}


# The clients share their settings: every reason for the worker, one reason for each of the others.
CASES = [*((what, "worker") for what in REFUSALS), *(("password", c) for c in ("topics check", "alerts", "decisions"))]


@pytest.mark.parametrize(("what", "command"), CASES)
def test_a_refusal_is_one_line_that_names_the_key(broker: kafka.LocalBroker, what: str, command: str) -> None:
    way, wrong, expected = REFUSALS[what]
    if wrong.get("ssl_cafile"):
        wrong = {"ssl_cafile": str(secured.authority_of(broker.directory, "other"))}
    if wrong.get("ssl_certfile"):
        secured.authority_of(broker.directory, "other")
        certificate, key = secured.certificate_of(broker.directory, "stranger", "other")
        wrong = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    done = hydrawatch(msgspec.structs.replace(secure(broker, *way), **wrong), *command.split())
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last.startswith("hydrawatch: Kafka at 127.0.0.1:")
    for part in expected.split(".*"):
        assert part in last
    assert "Traceback" not in done.stderr
    assert "wrong" not in done.stderr


def test_a_missing_file_of_authorities_is_named(tmp_path: Path) -> None:
    settings = KafkaSettings(security_protocol="SSL", ssl_cafile=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"kafka\.ssl_cafile: .*none\.pem: No such file or directory"):
        clients.check(settings)


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    settings = KafkaSettings(security_protocol="SSL", ssl_certfile=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"kafka\.ssl_certfile: .*none\.pem: No such file or directory"):
        clients.check(settings)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on the path to make certificates")
def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-subj", "/CN=a"]
    subprocess.run([*command, "-keyout", tmp_path / "key", "-out", tmp_path / "pem"], check=True, capture_output=True)
    files = {"ssl_certfile": str(tmp_path / "pem"), "ssl_keyfile": str(tmp_path / "key")}
    with pytest.raises(ConfigError, match=r"kafka\.ssl_certfile: .*pem and .*key: the key asks for a passphrase"):
        clients.check(KafkaSettings(security_protocol="SSL", **files))


def test_one_of_two_brokers_that_lets_us_in_is_enough(broker: kafka.LocalBroker) -> None:
    plain, encrypted = broker.addresses["PLAINTEXT"], broker.addresses["SSL"]
    clients.check(KafkaSettings(bootstrap_servers=f"{encrypted},{plain}"))


def test_nobody_there_is_left_to_the_clients() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        clients.check(KafkaSettings(bootstrap_servers=f"127.0.0.1:{taken.getsockname()[1]}"))


def test_a_broker_that_says_nothing_sensible_is_refused_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ANSWER_S", 0.3)

    async def run() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            await asyncio.to_thread(clients.check, KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}"))

    with pytest.raises(BrokerError, match="breaks off connections by PLAINTEXT"):
        asyncio.run(run())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see where a process listens")
def test_a_worker_listens_on_the_loopback_interface_alone(made: KafkaSettings, start: Callable[..., Any]) -> None:
    """Prometheus metrics when asked for; neither Faust's web server nor its tables and graphs."""
    port = kafka.free_port()
    worker = start(made, HYDRAWATCH_METRICS__PORT=str(port))
    log.until(lambda: worker.output.count("restored in") == made.partitions + 1)
    assert listening(worker.popen.pid) == [("127.0.0.1", port)]
    assert worker.terminate() == 0


def listening(process: int) -> list[tuple[str, int]]:
    """Where a process accepts connections, as Linux tells it."""
    own = {str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()}
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and f"socket:[{fields[9]}]" in own:
                address, _, port = fields[1].partition(":")
                words = struct.unpack(f">{len(address) // 8}I", bytes.fromhex(address))
                found.append((socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)), int(port, 16)))
    return found

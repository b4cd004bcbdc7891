"""Connection settings, in the words of each Kafka client."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any, NamedTuple

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest
from faust.auth import SASLCredentials, SSLCredentials

from stream.config import KafkaSettings
from stream.errors import BrokerError, ConfigError

AIOKAFKA_COMPRESSION = "zstd"
"""aiokafka compresses lz4 at its slowest level: 17 ms for 512 kB of state where zstd takes 2.4 ms."""
ANSWER_S = 5.0
CERTIFICATE_ALERTS = ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")
"""Parts of OpenSSL's names of a broker's objections to a client's certificate."""


class Refusal(NamedTuple):
    """Why a broker does not let us in, and whether asking again is of no use."""

    reason: str
    final: bool


SILENCE = Refusal("", False)


def kafka_python(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments that every kafka-python client takes."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.servers,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        arguments["ssl_context"] = _trust(settings)
    if settings.security_protocol.startswith("SASL"):
        arguments["sasl_mechanism"] = settings.sasl_mechanism
        arguments["sasl_plain_username"] = settings.sasl_username
        arguments["sasl_plain_password"] = settings.sasl_password
    return arguments


def aiokafka(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments that every aiokafka client takes."""
    return kafka_python(settings)


def faust_credentials(settings: KafkaSettings) -> Any:
    """Return the credentials as Faust takes them, None for a plain connection."""
    if settings.security_protocol == "PLAINTEXT":
        return None
    encrypted = settings.security_protocol.endswith("SSL")
    context = _trust(settings) if encrypted else None
    if settings.security_protocol == "SSL":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password,
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )


def check(settings: KafkaSettings) -> None:
    """Knock at the brokers, so that a refusal has a name: the clients themselves only say that nobody let them in.

    Raises:
        BrokerError: those that answer do not let us in; silence is left to the clients, which know when to give up.
        ConfigError: the file of authorities cannot be used.
    """
    arguments = aiokafka(settings)
    del arguments["bootstrap_servers"]
    asyncio.run(_check(settings, arguments))


async def _check(settings: KafkaSettings, arguments: dict[str, Any]) -> None:
    deadline = time.monotonic() + ANSWER_S
    while True:
        refusals = {server: await _knock(server, arguments) for server in settings.servers}
        answers = [refusal for refusal in refusals.values() if refusal is not SILENCE]
        if not answers or None in answers:
            return
        if time.monotonic() > deadline or any(refusal.final for refusal in answers if refusal):
            server, refusal = next((server, r) for server, r in refusals.items() if r in answers)
            raise BrokerError(f"Kafka at {server} does not let us in: {refusal.reason}")  # type: ignore[union-attr]
        await asyncio.sleep(0.5)  # a broker that starts or stops also breaks connections off


async def _knock(server: str, arguments: dict[str, Any]) -> Refusal | None:
    """Return why a broker refuses us, `SILENCE` when nobody is there, None when it lets us in."""
    host, _, port = server.rpartition(":")
    try:
        connection = await create_conn(host.strip("[]"), int(port), request_timeout_ms=ANSWER_S * 1000, **arguments)
        try:
            await connection.send(MetadataRequest([]))
        finally:
            connection.close()
    except SaslAuthenticationFailed as error:
        return Refusal(f"{error.args[0]} (kafka.sasl_username, kafka.sasl_password)", True)
    except UnsupportedSaslMechanismError:
        return Refusal(f"it does not take {arguments['sasl_mechanism']} (kafka.sasl_mechanism)", True)
    except ssl.SSLCertVerificationError as error:
        return Refusal(f"its certificate is not trusted: {error.verify_message} (kafka.ssl_cafile)", True)
    except (ssl.SSLError, KafkaError, EOFError, ConnectionResetError, TimeoutError) as error:
        said = str(error.__cause__ or error).upper().replace(" ", "_")
        if any(word in said for word in CERTIFICATE_ALERTS):
            return Refusal("it asks for a certificate, or does not take ours (kafka.ssl_certfile)", True)
        protocol = arguments["security_protocol"]
        return Refusal(f"it breaks off connections by {protocol} (kafka.security_protocol)", False)
    except (OSError, ValueError):
        return SILENCE
    return None


def _trust(settings: KafkaSettings) -> ssl.SSLContext:
    """Return a context that verifies brokers against `ssl_cafile`, or the system's authorities without one.

    It shows them the certificate of `ssl_certfile` if there is one.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
    except OSError as error:  # also ssl.SSLError
        raise ConfigError(f"kafka.ssl_cafile: {settings.ssl_cafile}: {error.strerror or error}") from None
    if settings.ssl_certfile is not None:
        try:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password=_no_passphrase)
        except (OSError, ValueError) as error:
            files = " and ".join(filter(None, (settings.ssl_certfile, settings.ssl_keyfile)))
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"kafka.ssl_certfile: {files}: {reason}") from None
    return context


def _no_passphrase() -> str:
    """Keep OpenSSL from asking the terminal."""
    raise ValueError("the key asks for a passphrase")

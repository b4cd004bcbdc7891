"""What a broker needs to ask its clients for TLS and for a password: certificates, listeners and users."""

from __future__ import annotations

import subprocess
from pathlib import Path

USER, PASSWORD = "hydrawatch", "correct horse"
STORE_PASSWORD = "changeit"
LISTENERS = ("SSL", "SASL_SSL", "SASL_PLAINTEXT", "MTLS")
"""`MTLS` is TLS that asks the client for a certificate, too."""
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
MODULES = {
    "plain": f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    "scram-sha-256": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "scram-sha-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
}


def certificates(directory: Path) -> Path:
    """Make an authority and, in `server.p12`, a certificate it signed for 127.0.0.1; return the authority's."""
    authority = authority_of(directory, "ca")
    signed, key = certificate_of(directory, "server")
    _openssl("pkcs12", "-export", "-in", signed, "-inkey", key, "-passout", f"pass:{STORE_PASSWORD}",
             "-out", directory / "server.p12")  # fmt: skip
    return authority


def certificate_of(directory: Path, name: str, authority: str = "ca") -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that an authority of `directory` signed; return it and its key."""
    key, request, signed, extension = (directory / f"{name}.{end}" for end in ("key", "csr", "pem", "ext"))
    extension.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    _openssl("x509", "-req", "-in", request, "-CA", directory / f"{authority}.pem",
             "-CAkey", directory / f"{authority}.key", "-CAcreateserial", "-days", "2", "-extfile", extension,
             "-out", signed)  # fmt: skip
    return signed, key


def authority_of(directory: Path, name: str) -> Path:
    """Make a self-signed authority `name` and return its certificate."""
    certificate = directory / f"{name}.pem"
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=test {name}",
             "-keyout", directory / f"{name}.key", "-out", certificate)  # fmt: skip
    return certificate


def properties(directory: Path) -> str:
    """Return the broker's properties for `LISTENERS`, with the store that `certificates` made."""
    lines = [
        f"ssl.keystore.location={directory}/server.p12",
        "ssl.keystore.type=PKCS12",
        f"ssl.keystore.password={STORE_PASSWORD}",
        f"ssl.key.password={STORE_PASSWORD}",
        "listener.name.mtls.ssl.client.auth=required",
        "listener.name.mtls.ssl.truststore.type=PEM",
        f"listener.name.mtls.ssl.truststore.location={directory}/ca.pem",
        f"sasl.enabled.mechanisms=PLAIN,{','.join(SCRAM)}",
    ]
    for listener in LISTENERS:
        if listener.startswith("SASL"):
            lines += [f"listener.name.{listener.lower()}.{m}.sasl.jaas.config={jaas}" for m, jaas in MODULES.items()]
    return "\n".join(lines) + "\n"


def users() -> list[str]:
    """Return the arguments of `kafka-storage format` that make the user known to SCRAM."""
    return [word for mechanism in SCRAM for word in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")]


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

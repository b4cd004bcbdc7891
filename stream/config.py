"""The configuration: one TOML file, every key of which an environment variable overrides.

`HYDRAWATCH_SECTION__KEY` overrides `key` of the table `[section]`, `HYDRAWATCH_SEED` the top-level `seed`, and
`HYDRAWATCH_BOOTSTRAP_SERVERS` is a short name of `HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS`. The environment wins over the
file. Values from the environment are read as text, number or boolean, as their key asks. Secrets are taken from the
environment or from the file that a `..._file` key names, never from the TOML file itself.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from detectors.settings import BudgetSettings, DecisionSettings, DetectorSettings, LinkSettings, WindowSettings
from stream.errors import ConfigError

PREFIX = "HYDRAWATCH_"
ALIASES = {"HYDRAWATCH_BOOTSTRAP_SERVERS": ("kafka", "bootstrap_servers")}
SECRETS = {("kafka", "sasl_password"), ("privacy", "key")}
OUTSIDE = {"HYDRAWATCH_CONFIG", "HYDRAWATCH_SHARING__KEY"}
"""Variables with the prefix that are no keys of this configuration."""

LONGEST_S = {"checkpoint_interval_s": 3600, "idle_timeout_s": 3600, "session_timeout_s": 90}
"""Clients give up a request after 90 s, and refuse a session that is longer."""

MOST_PORT = 65_535

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0.0)]
Text = Annotated[str, Meta(min_length=1)]


class _Discreet(msgspec.Struct, frozen=True):
    """A struct whose representation keeps its secrets."""

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={'***' if (type(self).__name__, name) in _HIDDEN and value else repr(value)}"
            for name, value in msgspec.structs.asdict(self).items()
        )
        return f"{type(self).__name__}({shown})"


_HIDDEN = {("KafkaSettings", "sasl_password"), ("PrivacySettings", "key")}


class KafkaSettings(_Discreet, frozen=True, forbid_unknown_fields=True):
    """The broker, the consumer group and when its progress is made durable."""

    bootstrap_servers: Text = "127.0.0.1:9092"
    group_id: Text = "hydrawatch"
    topic_prefix: str = "hydrawatch."
    partitions: Positive = 4
    """Partitions of `requests`; more workers than this stand idle."""
    replication_factor: Annotated[int, Meta(ge=1, le=32767)] = 1
    checkpoint_interval_s: Seconds = 5.0
    """Seconds of requests that a restart reads again, at most."""
    checkpoint_requests: Positive = 200_000
    idle_timeout_s: Seconds = 10.0
    """A partition silent for this long no longer holds back the others' ticks."""
    fetch_max_records: Positive = 10_000
    session_timeout_s: Annotated[float, Meta(ge=6.0)] = 10.0
    """Brokers refuse less than 6 s unless told otherwise."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    """The client's own certificate (PEM), for brokers that ask for one."""
    ssl_keyfile: str | None = None
    """Its key, without a passphrase; None when it is in `ssl_certfile`."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    sasl_password_file: str | None = None

    @property
    def servers(self) -> list[str]:
        """The bootstrap servers, one by one."""
        return [server.strip() for server in self.bootstrap_servers.split(",") if server.strip()]


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the worker serves its Prometheus metrics."""

    port: Annotated[int, Meta(ge=0, le=MOST_PORT)] = 0
    """0: not served."""
    address: Text = "127.0.0.1"


class PrivacySettings(_Discreet, frozen=True, forbid_unknown_fields=True):
    """The key under which payment and device fingerprints are hashed again."""

    key: str | None = None
    key_file: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; each struct is a table of the TOML file."""

    kafka: KafkaSettings = KafkaSettings()
    metrics: MetricsSettings = MetricsSettings()
    privacy: PrivacySettings = PrivacySettings()
    windows: WindowSettings = WindowSettings()
    links: LinkSettings = LinkSettings()
    budget: BudgetSettings = BudgetSettings()
    decisions: DecisionSettings = DecisionSettings()
    seed: Annotated[int, Meta(ge=0)] = DetectorSettings().seed

    @property
    def detector(self) -> DetectorSettings:
        """The part that the detectors read."""
        return DetectorSettings(self.windows, self.links, self.budget, self.decisions, self.seed)

    @property
    def identifier_key(self) -> bytes | None:
        """The HMAC key of identifiers, None when identifiers are used as they come."""
        return self.privacy.key.encode() if self.privacy.key else None


class Key(NamedTuple):
    """One key of the configuration; `section` is "" for the top level."""

    section: str
    name: str
    default: Any

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return PREFIX + (f"{self.section}__{self.name}" if self.section else self.name).upper()


def keys() -> Iterator[Key]:
    """Yield every key there is, in the order of the file."""
    for field in msgspec.structs.fields(Config):
        if isinstance(field.default, msgspec.Struct):
            for inner in msgspec.structs.fields(type(field.default)):
                yield Key(field.name, inner.name, inner.default)
        else:
            yield Key("", field.name, field.default)


def load(path: str | Path | None = None, env: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    """Read the configuration.

    Args:
        path: the TOML file; without it the one that `HYDRAWATCH_CONFIG` names, without that the defaults.
        env: the environment, `os.environ` when None.
        overrides: `section__key=value` from the command line, stronger than all else; None values are ignored.

    Raises:
        ConfigError: an unreadable file, an unknown key or an impossible value; the message names the key.
    """
    env = os.environ if env is None else env
    path = path or env.get("HYDRAWATCH_CONFIG") or None
    tables = _read_toml(Path(path)) if path else {}
    source = f"{path}: " if path else ""
    for section, name in SECRETS:
        if name in _table(tables, section):
            raise ConfigError(f"{source}{section}.{name}: secrets come from the environment or from {name}_file")
    for (section, name), value in _from_env(env):
        _table(tables, section)[name] = value
    for key, value in overrides.items():
        if value is not None:
            section, _, name = key.rpartition("__")
            _table(tables, section)[name] = value
    try:
        config = msgspec.convert(tables, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(source + _explain(str(error))) from None
    return _check(_with_secrets(config))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None


def _table(tables: dict[str, Any], section: str) -> dict[str, Any]:
    table = tables.setdefault(section, {}) if section else tables
    if not isinstance(table, dict):
        raise ConfigError(f"{section}: expected a table")
    return table


def _from_env(env: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], str]]:
    known = {key.variable: (key.section, key.name) for key in keys()}
    misspelt = {variable.replace("__", "_"): variable for variable in known}
    for variable, target in ALIASES.items():
        if variable in env:
            yield target, env[variable]
    for variable in sorted(env):
        if variable in known:
            yield known[variable], env[variable]
        elif meant := misspelt.get(variable.replace("__", "_")):
            raise ConfigError(f"{variable}: did you mean {meant}?")
        elif variable.startswith(PREFIX) and "__" in variable and variable not in OUTSIDE:
            section, _, name = variable.removeprefix(PREFIX).lower().partition("__")
            raise ConfigError(f"{variable}: there is no key {section}.{name}")


def _explain(message: str) -> str:
    """Turn msgspec's "... - at `$.section.key`" into "section.key: ..."."""
    reason, _, place = message.partition(" - at ")
    path = place.strip("`").removeprefix("$").lstrip(".")
    if reason.startswith("Object contains unknown field "):
        name = reason.removeprefix("Object contains unknown field ").strip("`")
        return f"{path}.{name}: unknown key" if path else f"{name}: unknown key"
    return f"{path or 'configuration'}: {reason[:1].lower()}{reason[1:]}"


def _with_secrets(config: Config) -> Config:
    """Fill the secrets that a `..._file` key names."""
    for section, name in SECRETS:
        part = getattr(config, section)
        file = getattr(part, f"{name}_file")
        if file is None or getattr(part, name) is not None:
            continue
        try:
            secret = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{section}.{name}_file: {getattr(error, 'strerror', None) or error}: {file}") from None
        if not secret:
            raise ConfigError(f"{section}.{name}_file: {file} is empty")
        config = msgspec.structs.replace(config, **{section: msgspec.structs.replace(part, **{name: secret})})
    return config


def _check_servers(servers: list[str]) -> None:
    """Refuse no broker at all, and one at an impossible port."""
    if not servers:
        raise ConfigError("kafka.bootstrap_servers: names no broker")
    for server in servers:
        _, colon, port = server.rpartition(":")
        if colon and not (server.endswith("]") or (port.isdecimal() and 0 < int(port) <= MOST_PORT)):
            raise ConfigError(f"kafka.bootstrap_servers: {server}: expected host:port, ports 1 to {MOST_PORT}")


def _check(config: Config) -> Config:
    """Refuse numbers that are none and values that do not go together."""
    for key in keys():
        value = getattr(getattr(config, key.section) if key.section else config, key.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{key.section}.{key.name}: expected a finite number")
    kafka = config.kafka
    _check_servers(kafka.servers)
    if kafka.security_protocol.startswith("SASL"):
        for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
            if getattr(kafka, name) is None:
                raise ConfigError(f"kafka.{name}: required by kafka.security_protocol = {kafka.security_protocol}")
    if kafka.ssl_keyfile is not None and kafka.ssl_certfile is None:
        raise ConfigError("kafka.ssl_certfile: required by kafka.ssl_keyfile")
    for name, most in LONGEST_S.items():
        if getattr(kafka, name) > most:
            raise ConfigError(f"kafka.{name}: expected at most {most} s")
    if config.privacy.key is not None and len(config.privacy.key) < 16:
        raise ConfigError("privacy.key: expected at least 16 characters")
    return config

"""The records that leave Hydrawatch: alerts and decisions, in the form their consumers rely on."""

from __future__ import annotations

import hashlib

import msgspec


def stable_id(*parts: object) -> str:
    """Return 32 hex digits that depend on `parts` alone, the same in every process."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


class Volume(msgspec.Struct, frozen=True):
    """Traffic of the campaign's members since its first request."""

    requests: int
    input_tokens: int
    output_tokens: int


class Evidence(msgspec.Struct, frozen=True):
    """One family's testimony: its statistic beside what honest groups show."""

    family: str
    nats: float
    statistic: float
    reference_median: float
    reference_p99: float
    text: str


class Link(msgspec.Struct, frozen=True):
    """How many values of an attribute family tie how many members together."""

    family: str
    values: int
    accounts: int


class Mitigating(msgspec.Struct, frozen=True):
    """Something that speaks against the inference."""

    fact: str
    text: str


class Detector(msgspec.Struct, frozen=True):
    """What took the decision."""

    version: str
    config: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One transition in the life of a campaign. Times in Unix ms of event time, `score` in nats."""

    alert_id: str
    campaign_id: str
    revision: int
    state: str
    kind: str
    severity: str
    time: int
    first_seen: int
    last_seen: int
    score: float
    p_value: float
    accounts: int
    sample_accounts: list[str]
    volume: Volume
    capabilities: dict[str, float]
    models: dict[str, float]
    access_paths: dict[str, float]
    evidence: list[Evidence]
    links: list[Link]
    mitigating: list[Mitigating]
    merged_into: str | None
    lineage: list[str]
    provisional: bool
    detector: Detector


class Limits(msgspec.Struct, frozen=True):
    """What a throttled subject is still allowed."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What the rate-limit or the verification service should do about one subject."""

    decision_id: str
    campaign_id: str
    revision: int
    scope: str
    value: str
    type: str
    limits: Limits
    restrict: list[str]
    from_: int
    until: int
    simulated: bool
    reason: str


class Outputs(msgspec.Struct):
    """What a stage hands on from one call."""

    alerts: list[Alert] = []
    decisions: list[Decision] = []

"""Every Prometheus metric of Hydrawatch, constructed on a registry and updated once per batch.

Names, units and labels are a public contract. No label holds an account, an address or a campaign: every label takes
values from a short fixed list.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import HistogramMetricFamily

from detectors import __version__
from detectors.alerts import Alert, Decision
from detectors.request import REASONS

SEVERITIES = ("info", "warning", "critical")
BATCH_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HOUR_S = 3600.0
DELAY_BUCKETS_S = tuple(hours * HOUR_S for hours in (0.25, 0.5, 1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 672))
RANK_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ranks are uniform among accounts that behave as they did; the low end is where the anomalies are."""

disable_created_metrics()


class AccountCounters(Protocol):
    """What the metrics read of an account stage; the counters only grow while the process lives."""

    requests: int
    late: int
    duplicates: int

    @property
    def tracked_accounts(self) -> int:
        """Accounts in memory."""

    @property
    def state_bytes(self) -> int:
        """Bytes they take."""


class GroupCounters(Protocol):
    """What the metrics read of the group stage; `model_scores` is emptied by reading it here."""

    @property
    def tracked_clusters(self) -> int:
        """Candidate groups in memory."""

    @property
    def open_campaigns(self) -> Mapping[str, int]:
        """Open campaigns by severity."""

    @property
    def state_bytes(self) -> int:
        """Bytes that the group's tables take."""

    @property
    def model_scores(self) -> list[float]:
        """Scores given since the list was emptied."""

    @property
    def budget_used(self) -> float:
        """Share of the allowed false campaigns."""


class Metrics:
    """The metrics of one process.

    Args:
        registry: where they are registered; each process, and each test, has its own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = CollectorRegistry() if registry is None else registry
        self._accounts: dict[int, _PartitionFigures] = {}
        self._requests = Counter("hydrawatch_requests", "Request events counted once each.", registry=registry)
        self._dead = Counter(
            "hydrawatch_dead_letters", "Values refused as request events.", ["reason"], registry=registry
        )
        self._late = Counter("hydrawatch_late_requests", "Requests whose tick was already closed.", registry=registry)
        self._duplicates = Counter(
            "hydrawatch_duplicate_requests", "Requests whose event id was counted before.", registry=registry
        )
        self._alerts = Counter(
            "hydrawatch_alerts", "Alert transitions written.", ["kind", "severity", "state"], registry=registry
        )
        self._open = Gauge("hydrawatch_open_campaigns", "Campaigns not resolved.", ["severity"], registry=registry)
        self._decisions = Counter(
            "hydrawatch_decisions", "Decisions written.", ["type", "simulated"], registry=registry
        )
        self._batch = Histogram(
            "hydrawatch_batch_duration_seconds",
            "Time to decode a batch and pass it through its stage.",
            buckets=BATCH_BUCKETS_S,
            registry=registry,
        )
        self._delay = Histogram(
            "hydrawatch_detection_delay_seconds",
            "Event time from the first request of a campaign to its first alert.",
            buckets=DELAY_BUCKETS_S,
            registry=registry,
        )
        self._lag = Gauge(
            "hydrawatch_consumer_lag_records",
            "Records in the partition that are not yet processed.",
            ["topic", "partition"],
            registry=registry,
        )
        self._missed = Counter(
            "hydrawatch_missed_records",
            "Records that the broker deleted, by age or size, before they were read.",
            ["topic"],
            registry=registry,
        )
        self._tracked_accounts = Gauge("hydrawatch_tracked_accounts", "Accounts in memory.", registry=registry)
        self._tracked_clusters = Gauge(
            "hydrawatch_tracked_clusters", "Groups of linked accounts in memory.", registry=registry
        )
        self._state = Gauge("hydrawatch_state_bytes", "Size of the state in memory.", ["store"], registry=registry)
        self._checkpoint = Histogram(
            "hydrawatch_checkpoint_duration_seconds",
            "Time from taking a snapshot until the log has it.",
            buckets=BATCH_BUCKETS_S,
            registry=registry,
        )
        self._scores = ScoreHistogram(
            "hydrawatch_model_score",
            "Rank of an account's anomaly score among its peers' latest ones; near 0 is rare.",
            RANK_BUCKETS,
        )
        registry.register(self._scores)
        self._budget = Gauge(
            "hydrawatch_false_positive_budget_used_ratio",
            "Share of the allowed false campaigns that the open alerts are expected to use.",
            registry=registry,
        )
        info = Info("hydrawatch_build", "Version of Hydrawatch and of Python.", registry=registry)
        info.info({"version": __version__, "python": platform.python_version()})
        for reason in REASONS:
            self._dead.labels(reason)
        for severity in SEVERITIES:
            self._open.labels(severity)

    def batch(self, seconds: float) -> None:
        """Note the time that one batch took."""
        self._batch.observe(seconds)

    def dead_letters(self, reasons: Iterable[str]) -> None:
        """Count refused values by reason."""
        for reason in reasons:
            self._dead.labels(reason).inc()

    def outputs(self, alerts: Iterable[Alert], decisions: Iterable[Decision]) -> None:
        """Count what was written, and the delay of each campaign's first alert."""
        for alert in alerts:
            self._alerts.labels(alert.kind, alert.severity, alert.state).inc()
            if alert.state == "open" and alert.kind == "campaign":
                self._delay.observe(max(alert.time - alert.first_seen, 0) / 1000)
        for decision in decisions:
            self._decisions.labels(decision.type, str(decision.simulated).lower()).inc()

    def account_stage(self, partition: int, stage: AccountCounters) -> None:
        """Bring the request counters and gauges up to the stage of `partition`."""
        before = self._accounts.get(partition, _NOTHING)
        now = _PartitionFigures(stage)
        self._requests.inc(now.requests - before.requests)
        self._late.inc(now.late - before.late)
        self._duplicates.inc(now.duplicates - before.duplicates)
        self._accounts[partition] = now
        self._sum_accounts()

    def forget_partition(self, partition: int) -> None:
        """Drop what an account stage held, when its partition goes to another worker or the stage is made anew."""
        self._accounts.pop(partition, None)
        self._sum_accounts()

    def _sum_accounts(self) -> None:
        self._tracked_accounts.set(sum(figures.tracked_accounts for figures in self._accounts.values()))
        self._state.labels("account").set(sum(figures.state_bytes for figures in self._accounts.values()))

    def group_stage(self, stage: GroupCounters) -> None:
        """Bring the gauges and the score histogram up to the group stage, whose scores are taken out."""
        self._tracked_clusters.set(stage.tracked_clusters)
        self._state.labels("group").set(stage.state_bytes)
        self._budget.set(stage.budget_used)
        for severity in SEVERITIES:
            self._open.labels(severity).set(stage.open_campaigns.get(severity, 0))
        if len(stage.model_scores):
            self._scores.observe_many("half_space_trees", stage.model_scores)
            stage.model_scores.clear()

    def forget_group(self) -> None:
        """Zero the group's gauges, when its partition goes to another worker."""
        self._tracked_clusters.set(0)
        self._state.labels("group").set(0)
        self._budget.set(0)
        for severity in SEVERITIES:
            self._open.labels(severity).set(0)

    def checkpoint(self, seconds: float) -> None:
        """Note how long a snapshot took to become durable."""
        self._checkpoint.observe(seconds)

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Set how far behind the end of a partition this worker is."""
        self._lag.labels(topic, str(partition)).set(records)

    def missed(self, topic: str, records: int) -> None:
        """Count records that were deleted before they were read."""
        self._missed.labels(topic).inc(records)

    def forget_lag(self, topic: str, partition: int) -> None:
        """Drop the series of a partition that went to another worker."""
        with suppress(KeyError):
            self._lag.remove(topic, str(partition))

    def exposition(self) -> str:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry).decode()


class ScoreHistogram:
    """A histogram that takes scores by the array; prometheus-client's takes them one by one.

    Args:
        name: of the metric.
        documentation: its help text.
        bounds: upper bounds of the buckets, ascending; one for all above is added.
    """

    def __init__(self, name: str, documentation: str, bounds: tuple[float, ...]) -> None:
        self._name, self._documentation = name, documentation
        self._bounds = np.asarray(bounds)
        self._labels = [*(str(bound) for bound in bounds), "+Inf"]
        self._counts: dict[str, np.ndarray] = {}
        self._sums: dict[str, float] = {}

    def observe_many(self, model: str, scores: ArrayLike) -> None:
        """Count `scores` of `model`."""
        values = np.asarray(scores, float)
        slots = np.searchsorted(self._bounds, values, side="left")
        counts = np.bincount(slots, minlength=len(self._labels))
        self._counts[model] = self._counts.get(model, 0) + counts
        self._sums[model] = self._sums.get(model, 0.0) + float(values.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram of each model; called by the registry."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=["model"])
        for model, counts in self._counts.items():
            buckets = list(zip(self._labels, np.cumsum(counts).astype(float).tolist(), strict=True))
            family.add_metric([model], buckets, self._sums[model])
        yield family


class _PartitionFigures:
    """The figures of an account stage at one moment."""

    def __init__(self, stage: AccountCounters | None = None) -> None:
        self.requests = stage.requests if stage else 0
        self.late = stage.late if stage else 0
        self.duplicates = stage.duplicates if stage else 0
        self.tracked_accounts = stage.tracked_accounts if stage else 0
        self.state_bytes = stage.state_bytes if stage else 0


_NOTHING = _PartitionFigures()

"""Fixed rules in the manner of Glasswally, with its published weights and constants (DOMAIN §3.1, and its source).

Each worker gives a score and a confidence; score × (0.4 + 0.6 × confidence) is summed by weight, × 1.30 for access from
China, + 0.08 in a cluster of five or more, and from 0.35 on the account is limited. Of its sixteen workers these can be
computed from our events: velocity, chain of thought, hydra cluster, timing cluster, pivot, template entropy and session
gaps, 0.48 of the weights, which are therefore divided by 0.48. The others need TLS and HTTP/2 fingerprints, the
prompt's text, embeddings, names of networks' owners, `max_tokens` or planted watermarks.

What differs: an account is judged at the end of each hour of the clock, on that hour; clusters are found every six
hours; the elicitation flags stand for the phrases and capabilities for the domains. A day's flagged accounts are one
alert, as with the other detectors of accounts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.detection.alerts import Flags, Outcome, by_day
from tests.benchmarks.detection.baselines import Settings
from tests.benchmarks.detection.baselines import glasswally_workers as workers
from tests.benchmarks.detection.baselines.glasswally_clusters import Clusters
from tests.benchmarks.detection.columns import Columns

NAME = "Glasswally rules"
LIMIT = 0.35
WEIGHTS = {
    "velocity": 0.10,
    "cot": 0.09,
    "hydra": 0.08,
    "timing": 0.07,
    "pivot": 0.05,
    "entropy": 0.05,
    "session_gap": 0.04,
}
CHINA, CLUSTER_BONUS, CLUSTER_LEAST = 1.30, 0.08, 5


def detect(columns: Columns, settings: Settings) -> Outcome:
    """Return the alerts of the rules."""
    return by_day(NAME, columns.ids, scores(columns), LIMIT)


def scores(columns: Columns) -> Flags:
    """Return the fused score of each account and hour, known at the hour's end."""
    hours = workers.Hours(columns)
    clusters = Clusters(columns, hours)
    signals = {
        "velocity": workers.velocity(hours),
        "cot": workers.chain_of_thought(hours),
        "hydra": clusters.hydra(),
        "timing": workers.timing(hours),
        "pivot": clusters.pivot(),
        "entropy": workers.template_entropy(hours),
        "session_gap": workers.session_gap(hours),
    }
    fused = np.zeros(len(hours.start))
    for name, (score, confidence) in signals.items():
        fused += WEIGHTS[name] * score * (0.4 + 0.6 * confidence)
    fused /= sum(WEIGHTS.values())
    fused = np.where(hours.any(columns.china), np.minimum(fused * CHINA, 1.0), fused)
    fused = np.where(clusters.size >= CLUSTER_LEAST, fused + CLUSTER_BONUS, fused)
    return _in_time(hours, fused)


def _in_time(hours: workers.Hours, fused: NDArray) -> Flags:
    order = np.argsort(hours.end, kind="stable")
    return Flags(hours.end[order], hours.account[order], np.minimum(fused, 1.0)[order])

"""What an account looks like at the end of a tick: sixteen numbers in [0, 1] for the half-space trees.

Half-space trees need bounded features, and a running min-max scaler ruins them on heavy tails (AUC 0.75 against 0.96
with a fixed logarithmic squash), so counts are squashed by `squash` with fixed caps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

NAMES = (
    "rate_1h", "output_tokens_1h", "burst", "duty_24h",
    "regularity", "output_per_input", "reasoning_share", "single_turn_share",
    "template_concentration", "slot_filling", "elicitation_share", "rubric_share",
    "code_agent_share", "vision_rewrite_share", "networks", "quota_share",
)  # fmt: skip
PANES_PER_DAY = 288


def squash(value: ArrayLike, cap: float) -> NDArray[np.float64]:
    """Return min(1, ln(1 + value) / ln(1 + cap)).

    >>> squash([0, 9, 99, 1e6], 99)
    array([0. , 0.5, 1. , 1. ])
    """
    return np.minimum(1.0, np.log1p(np.maximum(value, 0.0)) / np.log1p(cap))


def features(
    hour: NDArray, day: NDArray, capabilities: NDArray, gaps: NDArray, distinct: dict[str, NDArray]
) -> NDArray[np.float32]:
    """Return the features of B accounts, shape (B, 16), in the order of `NAMES`.

    Args:
        hour, day: window sums (B, 12) in the order of `accounts.RING`.
        capabilities: decayed requests per capability (B, 10).
        gaps: decayed count, sum and sum of squares of the gaps between requests in seconds (B, 3).
        distinct: different `template`, `content` and `network` values of the last day or two, (B,) each.
    """
    n1, n24 = hour[:, 0], np.maximum(day[:, 0], 1.0)
    mean_gap = gaps[:, 1] / np.maximum(gaps[:, 0], 1e-9)
    variance = np.maximum(gaps[:, 2] / np.maximum(gaps[:, 0], 1e-9) - mean_gap**2, 0.0)
    variation = np.where(gaps[:, 0] >= 3, np.sqrt(variance) / np.maximum(mean_gap, 1e-9), 10.0)
    share = capabilities / np.maximum(capabilities.sum(1, keepdims=True), 1e-9)
    templates = np.minimum(distinct["template"], n24)
    contents = np.minimum(distinct["content"], n24)
    columns = (
        squash(n1, 1e4),
        squash(hour[:, 2], 1e7),
        1.0 / (1.0 + np.exp(-np.log((n1 + 0.5) * 24.0 / n24))),
        day[:, 11] / PANES_PER_DAY,
        1.0 / (1.0 + variation),
        squash(day[:, 2] / np.maximum(day[:, 1], 1.0), 50.0),
        day[:, 3] / np.maximum(day[:, 2], 1.0),
        1.0 - day[:, 10] / n24,
        1.0 - np.log1p(templates) / np.log1p(n24 + 1.0),
        contents / n24 * (1.0 - templates / n24),
        day[:, 9] / n24,
        share[:, 7],
        share[:, 1] + share[:, 2] + share[:, 3],
        share[:, 4] + share[:, 8],
        squash(distinct["network"], 256.0),
        (day[:, 7] + day[:, 8]) / n24,
    )
    return np.clip(np.stack(columns, axis=1), 0.0, 1.0).astype(np.float32)

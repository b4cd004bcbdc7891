"""Trace cleaning: captured reasoning sent back to be rebuilt and polished, long texts in, shorter ones out.

One pool sent 770,609 requests through such a cleaner in ten days (threat-intelligence report of September 2026).
Judges and graders read long texts too, but do not ask for a trace to be reconstructed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import Groups
from detectors.partials import COUNTS, ELICITATIONS

NAME = "cleaning"
TRACE = ELICITATIONS.index("trace_reconstruction")
INPUT, OUTPUT = COUNTS.index("input_tokens"), COUNTS.index("output_tokens")
PRIOR = 20.0


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return (share of requests that ask to reconstruct a trace) × (input tokens / all tokens), over whole accounts.

    Shrunk towards 0 by twenty requests; NaN for groups without any elicitation request.
    """
    table = groups.graph.accounts
    counts = groups.sum(table["counts"][groups.account])
    traces = groups.sum(table["elicitations"][groups.account])
    heavy = counts[:, INPUT] / np.maximum(counts[:, INPUT] + counts[:, OUTPUT], 1.0)
    return np.where(traces.sum(1) > 0, traces[:, TRACE] / (counts[:, 0] + PRIOR) * heavy, np.nan)


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    members = groups.account[groups.group == group]
    traces = groups.graph.accounts["elicitations"][members, TRACE].sum()
    return (
        f"about {traces:,.0f} requests ask for a reasoning trace to be reconstructed, with long inputs: strength "
        f"{value:.2f} (honest groups: {median:.2f})"
    )

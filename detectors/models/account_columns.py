"""What the models keep of an account between ticks."""

from __future__ import annotations

from detectors.windows.table import Column

SERIES = ("requests", "output_tokens", "elicitation", "model_mix")
"""ln(1 + requests), ln(1 + output tokens), log-odds of requests that elicit or grade, Hellinger distance of the
models used to the mix of the account's last days."""
SUMS = ("requests", "wanted", "distance")

_SERIES: Column = ("f4", (len(SERIES),))
COLUMNS: dict[str, Column] = {
    "score": ("f4", ()),
    "scored": ("i8", ()),
    "novelty_weight": ("f4", ()),
    "peak": ("f4", ()),
    "day": ("i4", ()),
    "hour_sums": ("f4", (len(SUMS),)),
    "change_mean": _SERIES,
    "change_variance": _SERIES,
    "change_before": _SERIES,
    "change_seen": ("u2", ()),
    "change_evidence": ("f4", ()),
}
"""90 bytes. `score` is D1's decayed mean, of `novelty_weight` ticks' weight, `scored` when it was last brought up to
date, `peak` its highest value of the day. `hour_sums` run since then, `day` is the number of the day of the
latest tick. The rest is D2's, see `self_change`."""

"""What the models keep of an account between ticks."""

from __future__ import annotations

from detectors.windows.table import Column

SERIES = ("requests", "output_tokens", "elicitation", "model_mix")
"""ln(1 + requests), ln(1 + output tokens), log-odds of requests that elicit or grade, Hellinger distance of the
models used to the mix of the account's last days."""
SUMS = ("requests", "output_tokens", "wanted", "distance")
SCALES = ("fast", "slow")

_SERIES: Column = ("f4", (len(SERIES),))
COLUMNS: dict[str, Column] = {
    "score": ("f4", ()),
    "scored": ("i8", ()),
    "novelty_weight": ("f4", ()),
    "peak": ("f4", ()),
    "day": ("i4", ()),
    "hour_sums": ("f4", (len(SUMS),)),
    "day_sums": ("f4", (len(SUMS),)),
    **{f"{scale}_{part}": _SERIES for scale in SCALES for part in ("mean", "variance", "before")},
    **{f"{scale}_seen": ("u2", ()) for scale in SCALES},
    **{f"{scale}_evidence": ("f4", ()) for scale in SCALES},
}
"""164 bytes. `score` is D1's decayed mean, of `novelty_weight` ticks' weight, `scored` when it was last brought up to
date, `peak` its highest value of the day. `hour_sums` run since then, `day_sums` over the day number `day` of the
latest tick. The rest is D2's, see `self_change`."""

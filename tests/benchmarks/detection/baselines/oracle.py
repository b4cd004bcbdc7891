"""The truth an hour late: the best that the ruler can show.

One alert per campaign, an hour after its first request; every account is under a decision from then, or from its own
first request, to the end.
"""

from __future__ import annotations

import numpy as np

from tests.benchmarks.detection.alerts import Outcome
from tests.benchmarks.detection.baselines import Settings
from tests.benchmarks.detection.columns import DAY_MS, HOUR_MS, Columns

NAME = "oracle"
DELAY_MS = HOUR_MS
RENEW_MS = 6 * DAY_MS


def detect(columns: Columns, settings: Settings) -> Outcome:
    """Return one alert per true campaign."""
    out = Outcome(NAME, columns.ids)
    number = {name: position for position, name in enumerate(columns.ids)}
    first = np.full(len(columns.ids), np.iinfo(np.int64).max)
    np.minimum.at(first, columns.account, columns.time)
    last = int(columns.time[-1])
    for names in settings.truth.members.values():
        members = sorted((number[name] for name in names if name in number), key=lambda a: int(first[a]))
        if not members:
            continue
        alert = int(first[members[0]]) + DELAY_MS
        campaign = out.open([a for a in members if first[a] <= alert], alert)
        for account in members:
            start = max(int(first[account]), alert)
            for revision, time in enumerate(range(start, last + 1, RENEW_MS), 1):
                if time > alert:
                    out.decide(campaign, account, time, revision)
    return out

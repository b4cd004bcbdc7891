"""What a campaign has to look like, family by family: how much each counts, and where it begins to speak against one.

Each honest look-alike is extreme in some family: a class is perfectly even and perfectly new, an evaluation runs all
night, a viral app fills one template. And each of them lacks something that paid-for extraction can hardly do without.
The figures are read off the published campaigns and the timing tables of DETECTION §3.3; the weights are judgements:
no labelled campaigns are public, and weights fitted to simulated ones (logistic regression) did worse on traffic made
by others, where they leaned on what happened to be common in the simulator.

- evenness: a dispatcher gives 0.5 to 1, lognormal loads with σ = 1 give 0.37, honest heavy tails under 0.25;
- templates, repetition: a work list asks each question once or a few times, a class and a benchmark repeat theirs;
- links: a campaign's cards and devices are shared by few; a crowd behind one network shares one common thing;
- cohort: most accounts of a campaign are young, unless they were bought;
- verification: nobody signs a contract, or shows documents, for twenty thousand throw-away accounts;
- volume: accounts that cost money are used;
- place: a class, an office or an event share one network or card among most of them;
- relay: resellers, gateways and apps serve many people too: it adds, it does not carry;
- sweep: below one refused technique an account (ln 2) there is no search, only people who try their luck;
- arbitrage: less than a fifth of the traffic moved is what fallback routers do;
- pivot: twice the population (ln 2) is what enthusiasts do;
- failover: between organisations nothing honest goes on where another was turned away; one in ten is chance;
- cleaning: one in twenty requests is what a security team sends; much of it is counted under elicitation already;
- onset, subscription: volume by other measures, hence little; half of the new, the top fifth of the plan at least;
- routing, sanitised: customers of a cloud and scripts do it too: twice the population (ln 2), one fact in five.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_NATS = 5.0
"""A family's rank counts for no more, before it is weighed."""


@dataclass(frozen=True)
class Expected:
    """Bounds of one family.

    Attributes:
        pro: what a nat of the rank among honest groups counts; 0 for a family that only speaks against.
        contra: nats against a campaign, at most …
        low: … for a statistic below this, linearly …
        width: … down to `low` − `width`.
    """

    pro: float
    contra: float = 0.0
    low: float = 0.0
    width: float = 1.0

    def weigh(self, statistic: NDArray, nats: NDArray) -> NDArray[np.float64]:
        """Return signed nats, shape (G,).

        Args:
            statistic: shape (G,); NaN is not measured and says nothing.
            nats: what the rank of each among honest groups gives, shape (G,).
        """
        short = self.contra * np.clip((self.low - statistic) / self.width, 0.0, 1.0)
        signed = np.where(statistic < self.low, -short, self.pro * np.minimum(nats, MOST_NATS))
        return np.where(np.isnan(statistic), 0.0, signed)


AXES = (
    (
        5.0,
        (
            "outlierness",
            "evenness",
            "templates",
            "rhythm",
            "volume",
            "onset",
            "subscription",
            "synchrony",
            "mass",
            "distribution",
            "routing",
            "sanitised",
        ),
    ),
    (4.0, ("capability", "elicitation", "sweep", "cleaning")),
    (10.0, ("links", "cohort", "shared_prompts", "replay", "relay", "failover", "pivot", "arbitrage")),
)
"""Families that one cause moves together, with the nats that they may give altogether. A machine at work shows in
every family of the first line, whoever it works for: a drift monitor or an evaluation has them all. The second is what
is asked for, the third that hands are joined; only that last one is nothing an honest customer does alone."""


EXPECTED = {
    "outlierness": Expected(0.4, 0.7, low=0.6, width=0.6),
    "evenness": Expected(0.6, 1.5, low=0.35, width=0.35),
    "templates": Expected(0.5, 1.5, low=0.35, width=0.35),
    "capability": Expected(0.5, 0.5, low=0.5, width=0.4),
    "elicitation": Expected(0.9),
    "links": Expected(1.0, 2.5, low=0.3, width=0.3),
    "cohort": Expected(0.4, 0.5, low=0.4, width=0.3),
    "rhythm": Expected(0.7, 1.5, low=0.8, width=0.3),
    "volume": Expected(0.6, 2.5, low=0.5, width=0.5),
    "shared_prompts": Expected(0.6),
    "replay": Expected(0.9, 0.0, low=0.1, width=0.1),
    "synchrony": Expected(0.4),
    "repetition": Expected(0.0, 3.0, low=0.5, width=0.5),
    "mass": Expected(0.4),
    "distribution": Expected(0.4),
    "place": Expected(0.0, 2.0, low=0.6, width=0.5),
    "verification": Expected(0.0, 6.0, low=0.7, width=0.6),
    "relay": Expected(0.4, low=0.2),
    "sweep": Expected(0.5, low=0.7),
    "arbitrage": Expected(0.5, low=0.2),
    "pivot": Expected(0.3, low=0.7),
    "failover": Expected(0.6, low=0.1),
    "cleaning": Expected(0.3, low=0.05),
    "onset": Expected(0.3, low=0.5),
    "subscription": Expected(0.2, low=1.0),
    "routing": Expected(0.2, low=0.7),
    "sanitised": Expected(0.2, low=0.2),
}

"""What a campaign has to look like, family by family: how much each may count for it, and when it speaks against.

Capped nats for, since each honest look-alike is extreme in some family: a class is perfectly even and perfectly new,
an evaluation runs all night, a viral app fills one template. And nats against, since each of them lacks something that
paid-for extraction cannot do without. The figures are read off the published campaigns and the timing tables of
DETECTION §3.3, not fitted to traffic:

- evenness: a dispatcher gives 0.5 to 1, lognormal loads with σ = 1 give 0.37, honest heavy tails under 0.25;
- templates: a work list asks each question once or a few times, a class and a benchmark repeat theirs many times over;
- links: a campaign's cards and devices are shared by few; a crowd behind one network shares one common thing;
- cohort: most accounts of a campaign are young, but so are those of many honest events, so it counts for little;
- volume: accounts that cost money are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Expected:
    """Bounds of one family.

    Attributes:
        cap: most nats for a campaign.
        low: a statistic below this speaks against, linearly …
        width: … down to `low` − `width`, …
        against: … by up to this many nats.
    """

    cap: float
    low: float = 0.0
    width: float = 1.0
    against: float = 0.0

    def bound(self, statistic: NDArray, nats: NDArray) -> NDArray[np.float64]:
        """Return signed nats, shape (G,).

        Args:
            statistic: shape (G,); NaN is not measured and says nothing.
            nats: what the rank of each among honest groups gives, shape (G,).
        """
        short = self.against * np.clip((self.low - statistic) / self.width, 0.0, 1.0)
        signed = np.where(statistic < self.low, -short, np.minimum(nats, self.cap))
        return np.where(np.isnan(statistic), 0.0, signed)


EXPECTED = {
    "outlierness": Expected(3.0, low=0.6, width=0.6, against=2.0),
    "evenness": Expected(3.0, low=0.35, width=0.35, against=3.0),
    "templates": Expected(2.5, low=0.35, width=0.35, against=4.0),
    "capability": Expected(3.0, low=0.5, width=0.4, against=2.0),
    "elicitation": Expected(4.5),
    "links": Expected(5.0, low=0.5, width=0.4, against=2.0),
    "cohort": Expected(2.0, low=0.4, width=0.3, against=2.5),
    "rhythm": Expected(3.5, low=0.8, width=0.3, against=2.0),
    "volume": Expected(3.0, low=0.5, width=0.5, against=3.0),
    "shared_prompts": Expected(3.0),
}

"""Published figures the simulator draws on, each with its source.

Identities (addresses, devices, cards, account ages) are assumptions: no public trace of an LLM API holds them. A result
on simulated traffic proves mechanics, not precision in the field.

Sources:
    [ServeGen] arXiv 2505.09999, github.com/alibaba/ServeGen: windows of API clients; its tables are in `pools`.
    [RAGPulse] arXiv 2511.12979, github.com/flashserve/RAGPulse: a university's assistant.
    [GenTD26] requests per user of a generative service over 23 days.
    [Hop] github.com/hop-protocol/hop-airdrop: real multi-account fraud, groups of ten and more.
    [Feb26] anthropic.com/news/detecting-and-preventing-distillation-attacks, 23 February 2026.
    [Jun26] Anthropic's letter to the Senate Banking Committee, 10 June 2026: 28.8 M exchanges, about 25,000 accounts,
        45 days.
    [Sep26] Anthropic, Threat Intelligence Report, 10 September 2026, pages 143-154.
    [Assumed] no public figure.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
START_MS = 1_769_990_400_000
"""2026-02-02T00:00:00Z, a Monday."""


class Quantiles(NamedTuple):
    """A distribution given by its published quantiles; between them it is linear in log(value)."""

    at: tuple[float, ...]
    value: tuple[float, ...]

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Draw `size` values by inverting the interpolated distribution function."""
        return self.at_level(rng.random(size))

    def at_level(self, level: np.ndarray) -> np.ndarray:
        """Return the quantiles at `level` (0 … 1), any shape."""
        return np.exp(np.interp(level, self.at, np.log(self.value)))


def spread(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return `n` uniform numbers in random order, one in each n-th of (0, 1), so that few have their due share too."""
    return (rng.permutation(n) + rng.random(n)) / max(n, 1)


# [RAGPulse] requests by hour of the day relative to the mean: 0.07 at 03-05 h (with what began earlier), 1.64 at 15 h.
HUMAN_HOURS = np.array(
    [
        0.45, 0.25, 0.12, 0.066, 0.066, 0.10, 0.22, 0.50, 0.95, 1.40, 1.52, 1.40,
        1.15, 1.40, 1.58, 1.64, 1.60, 1.48, 1.35, 1.40, 1.45, 1.35, 1.10, 0.75,
    ]
)  # fmt: skip
HUMAN_HOURS /= HUMAN_HOURS.mean()
# [ServeGen] clients that are not flat: peak/mean 1.9, night/mean 0.3.
BUSINESS_HOURS = np.array(
    [
        0.30, 0.30, 0.30, 0.30, 0.30, 0.32, 0.40, 0.65, 1.05, 1.55, 1.85, 1.90,
        1.60, 1.70, 1.90, 1.85, 1.65, 1.45, 1.15, 0.95, 0.80, 0.65, 0.50, 0.38,
    ]
)  # fmt: skip
BUSINESS_HOURS /= BUSINESS_HOURS.mean()

# [GenTD26] requests per user over 23 days q50/90/99/max = 2/11/65/1207, among those who came: log-normal rates, so that
# those who do come have these.
USER_MEDIAN_PER_DAY = 0.27 / 23
USER_SIGMA = 1.85
# [RAGPulse] share of sessions with at most 1, 2, 3 … turns: mean 1.78, 58.8 % of one, p99 8, max 25.
SESSION_TURNS = (
    0.587, 0.827, 0.924, 0.960, 0.976, 0.983, 0.988, 0.991, 0.994, 0.9965, 0.9973, 0.998, 0.998, 0.9985, 0.999, 1.0,
)  # fmt: skip
# [RAGPulse] gap between turns of a session in s: q10/50/90 = 15/40/301.
TURN_GAP_S = Quantiles((0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), (5, 15, 23, 40, 88, 301, 1500))
# [GenTD26] gaps of one user q25/50/75 = 43/73/159 s, far more of them than sessions account for: people begin one
# conversation after the other. This is the pause between two.
TALK_GAP_S = Quantiles((0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), (15, 40, 60, 100, 160, 300, 1800))
# [GenTD26] per-user CV of gaps q25/50/75 = 2.8/4.3/5.3: this many conversations in a sitting, times the 0.7th power of
# what a user sends in 23 days.
TALKS_PER_SITTING = 0.45
DEVELOPER_MEDIAN_PER_DAY = 12.0  # [Assumed] users of coding agents, sigma 1
# [Assumed] agent loops send the next request when the tools are done.
AGENT_GAP_S = Quantiles((0, 0.1, 0.5, 0.9, 1), (2, 5, 14, 70, 900))
# [RAGPulse] share of user inputs that repeat verbatim, most of them a few popular ones.
POPULAR_SHARE = 0.166

# [Hop] gap between consecutive members of a group in s, q10/25/50/75/90 = 33 s/6 min/22 min/2.4 h/25 h.
SIGNUP_GAP_S = Quantiles((0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), (3, 33, 360, 1320, 8640, 90000, 400000))
# [Hop] largest shared funder, account-weighted: honest q50/75/90/95 = 1/3/233/413, fraud 1/1/5/21.
HONEST_CARD_FANOUT = Quantiles((0, 0.5, 0.55, 0.75, 0.90, 0.95, 1), (1, 1, 2, 3, 233, 413, 500))
FRAUD_CARD_FANOUT = Quantiles((0, 0.5, 0.75, 0.9, 0.95, 1), (1, 2, 3, 8, 21, 30))

NEW_MODEL_ADOPTERS = 0.6  # [Assumed] the rest stay pinned within the fortnight
SAVERS = 0.06  # [Assumed] accounts that go down to a cheaper model within the run
ADOPTION_DAYS = Quantiles((0, 0.1, 0.25, 0.5, 0.75, 0.9, 1), (0.02, 0.25, 0.9, 3.0, 7.0, 14.0, 40.0))  # [Assumed]


class CampaignFigures(NamedTuple):
    """Published size of one campaign: [Feb26], accounts from 16.55 M exchanges over ~24,000 accounts."""

    exchanges: int
    accounts: int
    least_accounts: int


FEBRUARY = {
    "deepseek": CampaignFigures(150_000, 220, 25),
    "moonshot": CampaignFigures(3_400_000, 800, 32),
    "minimax": CampaignFigures(13_000_000, 20_000, 40),
}
"""Moonshot used "hundreds" of accounts; how the others split the rest of the 24,000 is assumed."""


class Reported(NamedTuple):
    """Size of one campaign: its exchanges in so many days, its accounts, and the fewest of them at a small scale."""

    exchanges: int
    days: float
    accounts: int
    least_accounts: int


REPORTED = {
    "failover": Reported(151_000_000, 92, 5_000, 30),  # [Sep26] Alibaba, May to July; the first pool's accounts
    "proxy": Reported(28_800_000, 45, 20_000, 60),  # [Feb26] accounts of one network; volume [Jun26], its customers too
    "drip": Reported(300_000, 10, 5_380, 60),  # [Sep26] Moonshot, 5.6 a day and account
    "cleaner": Reported(3_400_000, 17, 273, 60),  # [Sep26] Zhipu, 730 a day and account
    "sweep": Reported(600_000, 14, 900, 40),  # [Assumed], at [Feb26]'s mean of 670 exchanges an account
    "arbitrage": Reported(3_400_000, 17, 273, 40),  # [Sep26] Zhipu
    "pathways": Reported(3_400_000, 14, 800, 40),  # [Feb26] Moonshot, "hundreds of accounts"
    "ramp": Reported(28_800_000, 45, 25_000, 40),  # [Jun26] 26 a day and account; as many as its share takes
    "adaptive": Reported(28_800_000, 45, 25_000, 40),  # [Jun26]
}
SWEEP_TECHNIQUES = 12_000
"""[Sep26] requests "each with a different extraction technique", mostly rejected, before the successes were scaled."""
LATE_SHARE = 0.002  # [Assumed] events that reach the stream late
DUPLICATE_SHARE = 0.001  # [Assumed] events that a producer sends twice

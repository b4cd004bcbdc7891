"""From statistics to one figure: signed, bounded nats per family, their sum, and the rank of the sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.evidence import FAMILIES
from detectors.evidence.expected import EXPECTED
from detectors.evidence.reference import Reference
from detectors.evidence.rescale import ENOUGH, HonestNats
from detectors.linking.members import INFRASTRUCTURE, Groups

NAMES = tuple(family.NAME for family in FAMILIES)
PURPOSE = np.array([name in ("capability", "elicitation") for name in NAMES])
DECISIVE = np.array([name in ("elicitation", "shared_prompts", "links", "replay") for name in NAMES])
DECISIVE_NATS = 2.0
"""New, even, busy and round the clock is any app on the day it goes viral. What it does not do is ask for reasoning,
work through many prompts together, or share cards and devices a few at a time: one of these must show."""
INFRASTRUCTURE_NATS = 4.0
"""A group around one card, device or network needs this much more: honest people share those with campaigns."""


@dataclass
class Judgement:
    """G groups judged by F families.

    Attributes:
        statistics: shape (F, G).
        plain: signed nats before reviewers' verdicts re-weigh them, shape (F, G).
        plain_total: their sum, shape (G,).
        nats: signed: for a campaign or against it, shape (F, G).
        total: their sum, on the scale of `plain_total`, shape (G,).
        surprise: −ln p of the total among honest groups, shape (G,).
        telling: whether what is asked speaks for extraction at all, and something that honest crowds do not do for a
            campaign, shape (G,).
    """

    statistics: NDArray
    plain: NDArray
    plain_total: NDArray
    nats: NDArray
    total: NDArray
    surprise: NDArray
    telling: NDArray


class Fusion:
    """Adds up the evidence of every family against references that honest groups keep up to date."""

    def __init__(self) -> None:
        self.references = {name: Reference(name) for name in NAMES}
        self.total = Reference("total")
        self.honest = HonestNats()
        self.factors = np.ones(len(NAMES))
        """What the nats of each family are multiplied by, …"""
        self.scale, self.shift = 1.0, 0.0
        """… what else is in a total, and what is added in the end; see `rescale`."""

    @property
    def provisional(self) -> bool:
        """Whether the shipped reference still counts."""
        return self.total.provisional

    def judge(self, groups: Groups) -> Judgement:
        """Return what the families say of the groups."""
        statistics = np.stack([family.statistic(groups) for family in FAMILIES])
        plain = self.nats(statistics)
        plain_total = self.totals(plain, groups.kind)
        nats = self.factors[:, None] * plain
        total = self.scale * (plain_total - plain.sum(0)) + nats.sum(0) + self.shift
        surprise = self.total.minus_ln_p(total)
        return Judgement(statistics, plain, plain_total, nats, total, surprise, self.is_telling(plain))

    def reweigh(self, multipliers: NDArray) -> None:
        """Let multipliers (F,) on the families count from the next judgement on; 1 each leaves them as they are.

        Nothing is re-weighed before enough honest groups show what that does to the honest tail.
        """
        self.factors, self.scale, self.shift = np.ones(len(NAMES)), 1.0, 0.0
        if len(self.honest) >= ENOUGH and (multipliers != 1.0).any():
            self.scale, self.shift = self.honest.line(multipliers)
            self.factors = multipliers * self.scale

    def nats(self, statistics: NDArray) -> NDArray[np.float64]:
        """Return the signed, weighed nats of statistics of shape (F, G)."""
        pairs = zip(NAMES, statistics, strict=True)
        return np.stack([EXPECTED[name].weigh(row, self.references[name].minus_ln_p(row)) for name, row in pairs])

    @staticmethod
    def totals(nats: NDArray, kind: NDArray) -> NDArray[np.float64]:
        """Return the total of each group, shape (G,)."""
        return np.asarray(nats.sum(0) - np.where(kind == INFRASTRUCTURE, INFRASTRUCTURE_NATS, 0.0))

    @staticmethod
    def is_telling(nats: NDArray) -> NDArray[np.bool_]:
        """Tell whether nats (F, …) speak for extraction, and show something that honest crowds do not do, shape (…)."""
        decisive = np.maximum(nats[DECISIVE], 0.0).sum(0) >= DECISIVE_NATS
        return np.asarray((nats[PURPOSE].sum(0) > 0.0) & decisive)

    def vote(self, judgement: Judgement, group: int, peak: float) -> None:
        """Let one group that is taken for honest join the references.

        Args:
            peak: the highest plain total that two judgements in a row reached: alerts are called by peaks, so peaks it
                is that they are compared with.
        """
        for name, row in zip(NAMES, judgement.statistics, strict=True):
            self.references[name].add(row[group])
        self.total.add(peak)
        plain = judgement.plain[:, group]
        self.honest.add(plain, float(judgement.plain_total[group] - plain.sum()))

    def state(self) -> dict[str, Any]:
        """Return what `load` takes."""
        values = {name: reference.state() for name, reference in [*self.references.items(), ("total", self.total)]}
        return values | {"honest": self.honest.state(), "line": [self.factors.tolist(), self.scale, self.shift]}

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        self.honest.load(state["honest"])
        factors, self.scale, self.shift = state["line"]
        self.factors = np.array(factors)
        for name, reference in [*self.references.items(), ("total", self.total)]:
            reference.load(state[name])

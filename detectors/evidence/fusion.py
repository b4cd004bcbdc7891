"""From statistics to one figure: capped nats per family, their sum, and the rank of the sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.evidence import FAMILIES
from detectors.evidence.reference import Reference, bucket
from detectors.linking.members import Groups

CAP = 6.0
PURPOSE = ("capability", "elicitation", "templates")
COORDINATION = ("links", "evenness", "cohort", "rhythm", "volume", "outlierness")
NAMES = tuple(family.NAME for family in FAMILIES)
_PURPOSE = np.array([name in PURPOSE for name in NAMES])


@dataclass
class Judgement:
    """G groups judged by F families.

    Attributes:
        buckets: shape (G,).
        statistics, nats: shape (F, G).
        total: sum of the capped nats, shape (G,).
        surprise: −ln p of the total among honest groups of the same kind and size, shape (G,).
        purposeful: whether both what is asked and how it is asked speak, shape (G,).
    """

    buckets: NDArray
    statistics: NDArray
    nats: NDArray
    total: NDArray
    surprise: NDArray
    purposeful: NDArray


class Fusion:
    """Adds up the evidence of every family against references that honest groups keep up to date."""

    def __init__(self) -> None:
        self.references = {name: Reference(name) for name in NAMES}
        self.total = Reference("total")

    def judge(self, groups: Groups, kinds: NDArray) -> Judgement:
        """Return what the families say of the groups; `kinds` are positions in `reference.KINDS`, shape (G,)."""
        buckets = bucket(kinds, groups.size)
        statistics = np.stack([family.statistic(groups) for family in FAMILIES])
        nats = np.stack(
            [self.references[name].minus_ln_p(buckets, row) for name, row in zip(NAMES, statistics, strict=True)]
        )
        nats = np.clip(nats, 0.0, CAP)
        total = nats.sum(0)
        purposeful = (nats[_PURPOSE].sum(0) >= CAP / 2) & (nats[~_PURPOSE].sum(0) >= CAP / 2)
        return Judgement(buckets, statistics, nats, total, self.total.minus_ln_p(buckets, total), purposeful)

    def vote(self, judgement: Judgement, group: int) -> None:
        """Let one group that is taken for honest join the references."""
        number = int(judgement.buckets[group])
        for name, row in zip(NAMES, judgement.statistics, strict=True):
            self.references[name].add(number, float(row[group]))
        self.total.add(number, float(judgement.total[group]))

    def provisional(self, bucket: int) -> bool:
        """Return whether a bucket still leans on the shipped reference."""
        return self.total.own(bucket) < 200

    def state(self) -> dict:
        """Return what `load` takes."""
        return {name: reference.state() for name, reference in [*self.references.items(), ("total", self.total)]}

    def load(self, state: dict) -> None:
        """Put back what `state` returned."""
        for name, reference in [*self.references.items(), ("total", self.total)]:
            reference.load(state[name])

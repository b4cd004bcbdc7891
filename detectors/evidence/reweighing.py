"""What reviewers' verdicts teach about the families: a multiplier on each, near 1 until many agree.

A campaign that was reported and then confirmed or dismissed is one label; its features are the nats that the families
gave when it was reported. River's logistic regression goes through the labels once, so a family that is strong in
confirmed campaigns and weak in dismissed ones gains, and the other way round. The order of the labels is that of a
hash: gradient descent forgets what came early, and age is counted already.

Labels of operations are late, partial and wrong: a model that scores AUPRC 0.99 against the truth scores 0.31 against
what operations can see (arXiv 2609.38239). Therefore:

- a multiplier stays within 0.5 and 1.5, and is drawn to 1 as if `PRIOR` labels had said so; a contrast needs both
  verdicts, so the rarer one counts;
- a label fades with a half-life, since campaigns change, and ends with its verdict;
- no reviewer has more than a third of all weight, the prior counted in, and after `PER_WEEK` verdicts in a week no
  more is learnt from them: one account taken over, or one careless reader, moves little;
- who is contradicted by others on the same campaigns is believed less, in everything they say.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from river import linear_model, optim

from detectors.alerts import stable_id
from detectors.evidence.expected import MOST_NATS

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
HALF_LIFE_MS = 90 * DAY_MS
PRIOR = 20.0
SHARE = 1 / 3
"""Of all weight, for one reviewer."""
PER_WEEK = 10
LEAST, MOST = 0.5, 1.5
LEARNING_RATE, L2 = 0.5, 0.01
MAX_LABELS = 500
"""The oldest are forgotten beyond."""


class Label(msgspec.Struct, frozen=True):
    """What one reviewer says of a reported campaign: `nats` of the families as they were reported, shape (F,).

    It teaches nothing from `until` on, Unix ms; None for no end.
    """

    campaign_id: str
    confirmed: bool
    by: str
    time: int
    nats: list[float]
    until: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What there is one label of: nobody can unsay what another reviewer taught."""
        return self.campaign_id, self.by

    def stands(self, now: int) -> bool:
        """Tell whether it still counts at `now`, ms of event time."""
        return self.until is None or now < self.until


class Reweighing:
    """The labels, and the multipliers that follow from them."""

    def __init__(self) -> None:
        self._labels: dict[tuple[str, str], Label] = {}

    def __len__(self) -> int:
        return len(self._labels)

    def add(self, label: Label) -> None:
        """Take a label; another of the same reviewer on the same campaign is replaced."""
        self._labels[label.key] = label
        if len(self._labels) > MAX_LABELS:
            del self._labels[min(self._labels.values(), key=_order).key]

    def weights(self, now: int) -> dict[tuple[str, str], float]:
        """Return how much each label counts at `now`, ms of event time, by campaign and reviewer; 1 is a fresh one."""
        seen: Counter[tuple[str, int]] = Counter()
        trust = _trust([label for label in self._labels.values() if label.stands(now)])
        weights: dict[tuple[str, str], float] = {}
        sums: dict[str, float] = {}
        for label in sorted(self._labels.values(), key=_order):
            week = (label.by, label.time // WEEK_MS)
            seen[week] += 1
            counts = label.stands(now) and seen[week] <= PER_WEEK
            fresh = 0.5 ** (max(now - label.time, 0) / HALF_LIFE_MS)
            weights[label.key] = weight = fresh * trust[label.by] if counts else 0.0
            sums[label.by] = sums.get(label.by, 0.0) + weight
        most = cap(list(sums.values()))
        kept = {by: min(1.0, most / total) if total else 0.0 for by, total in sums.items()}
        return {key: weight * kept[key[1]] for key, weight in weights.items()}

    def multipliers(self, now: int, families: int) -> NDArray[np.float64]:
        """Return the multiplier of each family at `now`, shape (F,)."""
        weights = self.weights(now)
        model = linear_model.LogisticRegression(optim.SGD(LEARNING_RATE), l2=L2, intercept_lr=LEARNING_RATE)
        agreed = [0.0, 0.0]
        for label in sorted(self._labels.values(), key=lambda label: stable_id(*label.key)):
            weight = weights[label.key]
            if weight > 0.0 and len(label.nats) == families:
                features = {family: nats / MOST_NATS for family, nats in enumerate(label.nats)}
                model.learn_one(features, label.confirmed, weight)
                agreed[label.confirmed] += weight
        learnt = np.array([model.weights.get(family, 0.0) for family in range(families)])
        enough = 2 * min(agreed)
        return np.clip(1.0 + learnt * enough / (enough + PRIOR), LEAST, MOST)

    def state(self) -> list[dict[str, Any]]:
        """Return what `load` takes."""
        return [msgspec.to_builtins(label) for label in self._labels.values()]

    def load(self, state: list[dict[str, Any]]) -> None:
        """Put back what `state` returned."""
        self._labels = {label.key: label for label in msgspec.convert(state, list[Label])}


def cap(weights: list[float]) -> float:
    """Return the weight at which reviewers have to stop for none to hold more than `SHARE` of all, the prior included.

    >>> cap([100.0]), cap([4.0, 100.0]), cap([30.0, 30.0, 30.0]) >= 30.0
    (10.0, 12.0, True)
    """
    below = PRIOR + sum(weights)
    for above, weight in enumerate(sorted(weights, reverse=True)):
        most = below / (1 / SHARE - above)
        if weight <= most:
            return most
        below -= weight
    return below / (1 / SHARE - len(weights))


def _trust(labels: list[Label]) -> dict[str, float]:
    """Return how far each reviewer is believed: (1 + agreements) / (1 + agreements + contradictions)."""
    said: dict[str, Counter[bool]] = {}
    for label in labels:
        said.setdefault(label.campaign_id, Counter())[label.confirmed] += 1
    agreed: Counter[str] = Counter()
    contradicted: Counter[str] = Counter()
    for label in labels:
        agreed[label.by] += said[label.campaign_id][label.confirmed] - 1
        contradicted[label.by] += said[label.campaign_id][not label.confirmed]
    return {by: (1 + count) / (1 + count + contradicted[by]) for by, count in agreed.items()}


def _order(label: Label) -> tuple[int, tuple[str, str]]:
    return label.time, label.key

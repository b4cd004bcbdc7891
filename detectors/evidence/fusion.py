"""From statistics to one figure: signed, bounded nats per family, their sum, and the rank of the sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.evidence import FAMILIES
from detectors.evidence.expected import AXES, EXPECTED, Expected
from detectors.evidence.reference import Reference
from detectors.evidence.rescale import ENOUGH, HonestNats, line
from detectors.evidence.totals import Totals
from detectors.linking.members import Groups

NAMES = tuple(family.NAME for family in FAMILIES)
PURPOSE = np.array([name in ("capability", "elicitation", "sweep", "cleaning") for name in NAMES])
DECISIVE = np.array(
    [name in ("elicitation", "shared_prompts", "links", "replay", "failover", "sweep") for name in NAMES]
)
ELICITATION, SHARED_PROMPTS, LINKS, REPLAY, COHORT = (
    NAMES.index(name) for name in ("elicitation", "shared_prompts", "links", "replay", "cohort")
)
TELLING = np.union1d(np.flatnonzero(PURPOSE | DECISIVE), [SHARED_PROMPTS, REPLAY, COHORT]).tolist()
"""Places of the families that decide whether a group is telling."""
AXIS_OF = np.array([next((a for a, (_, names) in enumerate(AXES) if name in names), -1) for name in NAMES])
DECISIVE_NATS = 2.0
"""New, even, busy and round the clock is any app on the day it goes viral. What it does not do is ask for reasoning,
work through many prompts together, share cards and devices a few at a time, go on where another was turned away, or try
technique after technique: one of these must show. An app may ask for reasoning too, through the one prompt it has:
where cards and devices are known and no more shared than honest crowds share them, asking alone decides nothing."""
PURPOSE_NATS = 1.0
"""What is asked must speak for extraction: by what it is about, or by being one list of work that many go through. A
product that harvests its own users' sessions asks for nothing in particular: what shows instead is that reasoning goes
from one account to the next. Many people behind an account are no purpose: so are a gateway's."""
LIST_OF_WORK = float(np.log2(5.0))
"""An agent or an app has a few templates, which show no purpose however many go through them, unless those who do came
together."""


@dataclass
class Judgement:
    """G groups judged by F families.

    Attributes:
        statistics: shape (F, G).
        raw: signed nats of each family by itself, before reviewers' verdicts re-weigh them, shape (F, G).
        plain_total: the sum of `raw` within the bounds of `expected.AXES`, shape (G,).
        nats: re-weighed, within the same bounds, and on the scale of `plain_total`, shape (F, G).
        total: their sum, with what takes the honest tail to where that of `plain_total` is (`rescale`), shape (G,).
        surprise: −ln p of the total among honest groups, shape (G,).
        telling: whether what is asked speaks for extraction at all, and something that honest crowds do not do for a
            campaign, shape (G,).
    """

    statistics: NDArray
    raw: NDArray
    plain_total: NDArray
    nats: NDArray
    total: NDArray
    surprise: NDArray
    telling: NDArray


class Fusion:
    """Adds up the evidence of every family against references that honest groups keep up to date.

    Args:
        expected: how much each family counts, by its name.
        totals: what those of honest groups reach with these weights, the shipped ones by default.
    """

    def __init__(self, expected: Mapping[str, Expected] = EXPECTED, totals: Totals | None = None) -> None:
        self.expected = expected
        self.references = {name: Reference(name) for name in NAMES}
        self.totals = totals or Totals()
        self.honest = HonestNats()
        self.factors = np.ones(len(NAMES))
        """What verdicts multiply the nats of each family by, …"""
        self.scale, self.shift = 1.0, 0.0
        """… what that multiplies their bounded sum by, and what is added to it; see `rescale`."""

    def judge(self, groups: Groups) -> Judgement:
        """Return what the families say of the groups."""
        statistics = np.stack([family.statistic(groups) for family in FAMILIES])
        self.suit(groups.population.identified)
        raw = self.nats(statistics)
        nats = self.weighed(raw)
        total = nats.sum(0) + self.shift
        surprise = self.totals.minus_ln_p(total, groups.kind, groups.size)
        return Judgement(statistics, raw, bounded(raw).sum(0), nats, total, surprise, self.is_telling(raw, statistics))

    def suit(self, identified: int) -> None:
        """Choose what is shipped for providers that know so much of who a customer is; see `Population.identified`."""
        for reference in self.references.values():
            reference.suit(identified)
        self.totals.suit(identified)

    def telling(self, groups: Groups) -> NDArray[np.bool_]:
        """Return what `judge` would say about `telling` alone, at half of its cost or less."""
        self.suit(groups.population.identified)
        statistics, nats = np.zeros((2, len(NAMES), len(groups)))
        for place in TELLING:
            statistics[place] = FAMILIES[place].statistic(groups)
            nats[place] = self._weigh(place, statistics[place])
        return self.is_telling(nats, statistics)

    def weighed(self, raw: NDArray) -> NDArray[np.float64]:
        """Return raw nats (F, …) as verdicts re-weigh them, bounded; with `shift`, their sum is the total."""
        return self.scale * bounded((raw.T * self.factors).T)

    def reweigh(self, multipliers: NDArray) -> None:
        """Let multipliers (F,) on the families count from the next judgement on; 1 each leaves them as they are.

        Nothing is re-weighed before enough honest groups show what that does to the honest tail.
        """
        self.factors, self.scale, self.shift = np.ones(len(NAMES)), 1.0, 0.0
        if len(self.honest) >= ENOUGH and (multipliers != 1.0).any():
            raw = self.honest.raw
            self.scale, self.shift = line(bounded(raw).sum(0), bounded(multipliers[:, None] * raw).sum(0))
            self.factors = multipliers

    def nats(self, statistics: NDArray) -> NDArray[np.float64]:
        """Return the signed, weighed nats of statistics of shape (F, G)."""
        return np.stack([self._weigh(place, row) for place, row in enumerate(statistics)])

    def _weigh(self, place: int, row: NDArray) -> NDArray[np.float64]:
        name = NAMES[place]
        return self.expected[name].weigh(row, self.references[name].minus_ln_p(row))

    @staticmethod
    def is_telling(nats: NDArray, statistics: NDArray) -> NDArray[np.bool_]:
        """Tell whether what is asked speaks for extraction or harvest, and something is what honest crowds do not do.

        Args:
            nats: raw ones of every family, shape (F, …), …
            statistics: … and what they are for, shape (F, …).
        """
        decisive = np.maximum(nats[DECISIVE], 0.0).sum(0)
        decisive = np.where(nats[LINKS] < 0.0, decisive - np.maximum(nats[ELICITATION], 0.0), decisive)
        listed = (statistics[SHARED_PROMPTS] >= LIST_OF_WORK) | (nats[COHORT] > 0.0)
        asked = nats[PURPOSE].sum(0) + np.where(listed, np.maximum(nats[SHARED_PROMPTS], 0.0), 0.0)
        return np.asarray((np.maximum(asked, nats[REPLAY]) >= PURPOSE_NATS) & (decisive >= DECISIVE_NATS))

    def vote(self, judgement: Judgement, groups: Groups, group: int, peak: float) -> None:
        """Let one group that is taken for honest join the references.

        Args:
            peak: the highest plain total that two judgements in a row reached while they were telling: alerts are
                called by peaks, so peaks it is that they are compared with; `UNTOLD` for none.
        """
        for name, row in zip(NAMES, judgement.statistics, strict=True):
            self.references[name].add(row[group])
        self.totals.add(peak, int(groups.kind[group]), float(groups.size[group]))
        self.honest.add(judgement.raw[:, group])

    def doubt(self, groups: Groups, group: int, minus_ln_p: float) -> None:
        """Let one group that may be honest or not count as one whose total reaches a rank, or further."""
        kind, size = int(groups.kind[group]), float(groups.size[group])
        self.totals.doubt(self.totals.value_at(minus_ln_p, kind, size), kind, size)

    def state(self) -> dict[str, Any]:
        """Return what `load` takes."""
        families = {name: reference.state() for name, reference in self.references.items()}
        line = [self.factors.tolist(), self.scale, self.shift]
        return {"families": families, "totals": self.totals.state(), "honest": self.honest.state(), "line": line}

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` returned."""
        for name, reference in self.references.items():
            reference.load(state["families"].get(name, []))
        self.totals.load(state["totals"])
        self.honest.load(state["honest"])
        factors, self.scale, self.shift = state["line"]
        self.factors = np.array(factors)


def bounded(raw: NDArray) -> NDArray[np.float64]:
    """Return nats (F, …) with what speaks for a campaign scaled down, axis by axis, to what the axis may give.

    >>> raw = np.where(AXIS_OF == 0, 2.0, 0.0)
    >>> float(raw.sum()), float(bounded(raw).sum())
    (16.0, 5.0)
    """
    speaks_for = np.maximum(raw, 0.0)
    result = np.minimum(raw, 0.0)
    for axis, (most, _) in enumerate(AXES):
        mine = axis == AXIS_OF
        result[mine] += speaks_for[mine] * np.minimum(1.0, most / np.maximum(speaks_for[mine].sum(0), 1e-9))
    return result

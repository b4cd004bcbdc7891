"""What the judgement of one group says, in a form that can be kept and read: facts, doubts and whom it accuses."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.alerts import Evidence, Link, Mitigating
from detectors.evidence import FAMILIES
from detectors.evidence.fusion import NAMES, Fusion, Judgement
from detectors.evidence.links import counts as shared_counts
from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.members import BEHAVIOUR, BUNDLE, SUBPOPULATION, TEMPLATE, Groups
from detectors.models.peers import verified

NOTABLE_NATS = 0.5
KIN_NATS = 4.0
"""What shares accounts or work with a known campaign is asked for so much less of −ln p."""


class Testimony(msgspec.Struct):
    """What speaks for one group, and whom it accuses."""

    accounts: list[int]
    by_content: bool
    first_seen: int
    score: float
    surprise: float
    evidence: list[Evidence]
    links: list[Link]
    mitigating: list[Mitigating]
    provisional: bool
    alone: bool
    """Whether it would be reported if no campaign were known."""
    nats: list[float] = []
    """Of every family, before verdicts re-weigh them."""


def testify(
    groups: Groups,
    judgement: Judgement,
    position: int,
    accounts: NDArray,
    fusion: Fusion,
    threshold: float,
) -> Testimony:
    """Return what the judgement says of one group.

    Args:
        accounts: whom it accuses, as rows of the graph's accounts.
        threshold: −ln p from which groups are reported that are no kin of a known campaign.
    """
    evidence, against = [], []
    for number in np.argsort(-judgement.nats[:, position], kind="stable").tolist():
        nats, value = float(judgement.nats[number, position]), float(judgement.statistics[number, position])
        median, far = fusion.references[NAMES[number]].shape()
        if abs(nats) < NOTABLE_NATS:
            continue
        text = FAMILIES[number].text(groups, position, value, median)
        if nats > 0:
            figures = (round(nats, 3), round(value, 4), round(median, 4), round(far, 4))
            evidence.append(Evidence(NAMES[number], *figures, text))
        else:
            against.append(Mitigating(NAMES[number], f"{text}; that speaks against a campaign"))
    mine = groups.group == position
    first = groups.column("first")[mine]
    return Testimony(
        accounts=accounts.tolist(),
        by_content=int(groups.kind[position]) in (TEMPLATE, BUNDLE, BEHAVIOUR, SUBPOPULATION),
        first_seen=int(first[first > 0].min()),
        score=float(judgement.total[position]),
        surprise=float(judgement.surprise[position]),
        evidence=evidence,
        links=[Link(family, values, n) for family, (values, n) in shared_counts(groups.graph, accounts).items()],
        mitigating=[
            *against,
            *_left_out(len(first), len(accounts)),
            *_established(groups.graph, accounts),
            *_reweighed(judgement, position, fusion),
            Mitigating("counterfactual", counterfactual(groups, judgement, position, fusion, threshold)),
        ],
        provisional=fusion.totals.provisional(int(groups.kind[position])),
        alone=bool(judgement.telling[position]) and float(judgement.surprise[position]) >= threshold,
        nats=judgement.raw[:, position].tolist(),
    )


def counterfactual(groups: Groups, judgement: Judgement, position: int, fusion: Fusion, threshold: float) -> str:
    """Return which evidence would have had to be missing for the group to be left alone: the strongest, in order.

    A group that is reported though it falls short, or does not tell by itself what it is after, is kin.
    """

    def needed(minus_ln_p: float) -> float:
        return fusion.totals.value_at(minus_ln_p, int(groups.kind[position]), float(groups.size[position]))

    total, telling = float(judgement.total[position]), bool(judgement.telling[position])
    short = float(judgement.surprise[position]) < threshold
    least = min(needed(threshold - KIN_NATS * short), total)
    gone: list[str] = []
    raw, statistics = judgement.raw[:, position].copy(), judgement.statistics[:, position]
    for number in np.argsort(-judgement.nats[:, position], kind="stable").tolist():
        if raw[number] <= 0.0:
            break
        gone.append(NAMES[number].replace("_", " "))
        raw[number] = 0.0
        if fusion.weighed(raw).sum() + fusion.shift < least or (telling and not fusion.is_telling(raw, statistics)):
            break
    figures = f"it stands at {total:.1f} nats, {least:.1f} are needed"
    if not telling:
        why = f"{figures}, and it counts only because it shares accounts with a known campaign"
    elif short:
        why = (
            f"{figures} because it shares accounts or work with a known campaign, else {needed(threshold):.1f} would be"
        )
    else:
        why = f"{figures} within the false-alarm budget"
    alone = " by itself" if telling and not short else ""
    return f"without the evidence of {' and '.join(gone)} it would not have been reported{alone}: {why}"


def _reweighed(judgement: Judgement, position: int, fusion: Fusion) -> list[Mitigating]:
    """Say so when reviewers' verdicts changed what a group's families count."""
    factors = fusion.factors
    if (factors == 1.0).all():
        return []
    order = np.argsort(-np.abs(factors - 1.0), kind="stable")[:3].tolist()
    changed = ", ".join(f"{NAMES[number].replace('_', ' ')} ×{factors[number]:.2f}" for number in order)
    plain = float(judgement.plain_total[position])
    return [
        Mitigating("reweighed", f"verdicts of reviewers count {changed}; without them it stands at {plain:.1f} nats")
    ]


def _left_out(members: int, accounts: int) -> list[Mitigating]:
    """Say so when the evidence is of more accounts than are accused."""
    if members <= accounts:
        return []
    text = f"the evidence is of the {members} accounts of a group; {members - accounts} of them are not accused"
    return [Mitigating("group", text)]


def _established(graph: Graph, accounts: NDArray) -> list[Mitigating]:
    facts = []
    known = float(verified(graph, accounts).mean()) if len(accounts) else 0.0
    if known > 0:
        text = f"{100 * known:.0f} % of the accounts passed a document check or are under contract"
        facts.append(Mitigating("verified", text))
    age = graph.accounts["first"][accounts] - graph.accounts["created"][accounts]
    old = float(((graph.accounts["created"][accounts] >= 0) & (age > 60 * DAY_MS)).mean()) if len(accounts) else 0.0
    if old > 0:
        text = f"{100 * old:.0f} % of the accounts were over 60 days old at first use"
        facts.append(Mitigating("established", text))
    return facts

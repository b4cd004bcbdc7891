"""What speaks for and against an alert about a single account, in sentences a person can check."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.alerts import Evidence, Mitigating
from detectors.evidence.place import NOUNS
from detectors.linking.graph import DAY_MS, RECENT, Graph
from detectors.models.account_columns import SERIES
from detectors.models.peers import PEERS, PeerModels, peers, verified
from detectors.models.self_change import Change
from detectors.partials import FAMILIES, PLACES

NOTABLE_NATS = 0.5


class Facts(msgspec.Struct, frozen=True):
    """What D2 said when it alarmed."""

    evidence: Evidence
    counterfactual: Mitigating


def self_change_evidence(graph: Graph, change: Change, place: int, nats: float, needed: float) -> Facts:
    """Return the testimony of D2 about the account at `place` of the latest comparison.

    Args:
        nats: ln of its e-CUSUM.
        needed: nats from which it alarms.
    """
    order = np.argsort(-change.nats[place], kind="stable").tolist()
    told = [number for number in order if change.nats[place, number] >= NOTABLE_NATS] or order[:1]
    now, usual = change.values[place], change.usual[place]
    others = graph.accounts["change_evidence"][: graph.accounts.rows]
    median, far = (float(value) for value in np.quantile(others, (0.5, 0.99)))
    parts = [_phrase(number, float(now[number]), float(usual[number])) for number in told]
    text = f"it does not go on as it used to: in its latest hour {', '.join(parts)}"
    counterfactual = (
        f"without the change it would not have been reported: its change amounts to {nats:.1f} nats, {needed:.1f} are "
        f"needed within the false-alarm budget, and a score that is usual among its peers would have been enough too"
    )
    evidence = Evidence("self_change", round(nats, 3), round(nats, 4), round(median, 4), round(far, 4), text)
    return Facts(evidence, Mitigating("counterfactual", counterfactual))


def _phrase(number: int, now: float, usual: float) -> str:
    name = SERIES[number]
    if name in ("requests", "output_tokens"):
        return f"{math.expm1(now):,.0f} {name.replace('_', ' ')} against {math.expm1(usual):,.0f} usually"
    if name == "elicitation":
        odds = [100.0 / (1.0 + math.exp(-value)) for value in (now, usual)]
        return f"{odds[0]:.0f} % of requests that elicit or grade against {odds[1]:.0f} %"
    return f"models at a distance of {now:.2f} from its mix against {usual:.2f}"


def novelty_evidence(graph: Graph, models: PeerModels, row: int, p: float) -> Evidence:
    """Return the testimony of D1 about one account; `p` is the conformal rank of its score."""
    peer = int(peers(graph, np.array([row]))[0])
    known = models.account_days[peer].sorted()
    score = float(graph.accounts["score"][row])
    median, far = (float(value) for value in np.quantile(known, (0.5, 0.99)))
    text = (
        f"by the online models it is odder than {100 * (1 - p):.2f} % of the account-days of honest {PEERS[peer]} "
        f"accounts ({score:.2f}, half of them stay below {median:.2f})"
    )
    return Evidence("novelty", round(-math.log(p), 3), round(score, 4), round(median, 4), round(far, 4), text)


def mitigating(graph: Graph, models: PeerModels, row: NDArray, now: int) -> list[Mitigating]:
    """Return what speaks against suspecting an account, `row` of shape (1,)."""
    table, facts = graph.accounts, []
    if verified(graph, row)[0]:
        facts.append(Mitigating("verified", "the account passed a document check or is under contract"))
    created, first = int(table["created"][row[0]]), int(table["first"][row[0]])
    if created >= 0 and first - created > 60 * DAY_MS:
        facts.append(Mitigating("established", "the account was over 60 days old at first use"))
    peer = PEERS[int(peers(graph, row)[0])]
    if peer in models.drifting or now < models.hold_until:
        facts.append(Mitigating("drift", f"{peer} accounts as a whole have changed of late"))
    if table["component"][row[0]] < 0:
        facts.append(Mitigating("alone", f"it is in no group of linked accounts; {_shared(graph, int(row[0]))}"))
    return facts


def _shared(graph: Graph, row: int) -> str:
    """Return what cards, devices and networks an account has in common with any other, as far as they are remembered.

    A card by itself links nobody (`linking.components`), so who is in no group may still share one.
    """
    carries, parts = int(graph.accounts["carries"][row]), []
    for name in PLACES:
        family = FAMILIES.index(name)
        recent = graph.accounts["recent"][row, family - 1]
        count = int((graph.values["accounts"][recent[recent >= 0]] >= 2).sum())
        if count:
            parts.append(f"{'at least ' * (count == RECENT)}{count} {NOUNS[name]}{'s' * (count > 1)}")
    if parts:
        return f"it has {' and '.join(parts)} in common with others"
    if not any(carries >> FAMILIES.index(name) & 1 for name in PLACES):
        return "no card, device or network of it is known"
    return "no other account is known to use its cards, devices or networks"

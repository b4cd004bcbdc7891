"""How much an account of a campaign looks made for it: a figure with its reasons, for the verification service.

Log-odds of a few facts that an analyst can check, after the anatomy of published campaigns: identities are
manufactured in batches, through the pathways that ask least, with cards and devices used again (February and
September 2026 reports; CISA AA26-251A, indicators 2 and 3). The weights are judgements, not estimates: no labelled
accounts are public.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.graph import DAY_MS, Graph
from detectors.linking.ties import linked

BASE = 0.5
EXPLOITED_PATHWAYS = ("education", "research", "startup")
VERIFICATION = {"none": 1.0, "email": 0.7, "phone": 0.0, "document": -1.5, "contract": -3.0}
COHORT_MS = DAY_MS
COHORT_SHARE, COHORT_ACCOUNTS = 0.05, 4


def risk(graph: Graph, rows: NDArray, members: NDArray) -> tuple[NDArray[np.float64], list[str]]:
    """Return the risk in 0 … 1 of each account, shape (B,), and what speaks for and against it in a phrase.

    Args:
        rows: the accounts, shape (B,).
        members: all accounts of their campaign.
    """
    facts: list[tuple[NDArray, float, str]] = []
    table = graph.accounts
    pathway, verification = table["pathway"][rows], table["verification"][rows]
    facts.append((np.isin(pathway, graph.names.codes(EXPLOITED_PATHWAYS)), 0.7, "signed up through a programme"))
    for level, weight in VERIFICATION.items():
        holds = (verification >= 0) & (verification == graph.names.codes([level])[0])
        facts.append((holds, weight, "not verified at all" if level == "none" else f"verified by {level}"))
    created, first = table["created"][rows], table["first"][rows]
    age = np.where(created >= 0, first - created, 30 * DAY_MS)
    facts.append((age < DAY_MS, 1.0, "at work within a day of its sign-up"))
    facts.append(((age >= DAY_MS) & (age < 14 * DAY_MS), 0.7, "at work within two weeks of its sign-up"))
    facts.append((age > 60 * DAY_MS, -1.0, "over 60 days old at first use"))
    facts.append((_cohort(graph, rows, members), 1.0, "signed up within a day of other members"))
    shares = "shares a rare card, device, network or thinking signature with other members"
    facts.append((linked(graph, rows, members), 1.5, shares))
    odds = BASE + sum(holds * weight for holds, weight, _ in facts)
    texts = [text for _, _, text in facts]
    held = np.stack([holds for holds, _, _ in facts], axis=1)
    return 1.0 / (1.0 + np.exp(-odds)), [", ".join(t for t, h in zip(texts, row, strict=True) if h) for row in held]


def _cohort(graph: Graph, rows: NDArray, members: NDArray) -> NDArray[np.bool_]:
    """Tell which accounts signed up within a day of at least four, and 5 %, of the members."""
    created = graph.accounts["created"]
    born = np.sort(created[members][created[members] >= 0])
    mine = created[rows]
    near = np.searchsorted(born, mine + COHORT_MS, "right") - np.searchsorted(born, mine - COHORT_MS, "left") - 1
    return np.asarray((mine >= 0) & (near >= max(COHORT_ACCOUNTS, COHORT_SHARE * len(members))), bool)

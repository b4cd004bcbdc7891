"""The risk of an account: more reasons, more risk, and every reason by name."""

import numpy as np

from detectors.linking.graph import Graph
from detectors.partials import FAMILIES
from detectors.risk import risk
from tests.detectors.made import DAY_MS, START_MS, population, share


def graph_of(accounts: list[dict]) -> Graph:
    graph = Graph(14.0, 1000)
    rows = graph.accounts.extend(len(accounts))
    for row, account in zip(rows.tolist(), accounts, strict=True):
        graph.accounts["created"][row] = account.get("created", -1)
        graph.accounts["first"][row] = START_MS
        for name in ("pathway", "verification"):
            graph.accounts[name][row] = graph.names.codes([account.get(name)])[0]
    return graph


def test_made_accounts_are_riskier_than_old_verified_ones() -> None:
    born = [START_MS - 3_600_000 + n for n in range(8)]
    made = [{"created": t, "pathway": "education", "verification": "email"} for t in born]
    old = {"created": START_MS - 400 * DAY_MS, "pathway": "self_serve", "verification": "contract"}
    graph = graph_of([*made, old])
    rows = np.arange(9)
    figures, reasons = risk(graph, rows, rows)
    assert (figures[:8] > 0.95).all()
    assert figures[8] < 0.05
    for phrase in ("programme", "verified by email", "within a day of its sign-up", "within a day of other members"):
        assert phrase in reasons[0]
    assert reasons[8] == "verified by contract, over 60 days old at first use"


def test_nothing_known_is_neither() -> None:
    graph = graph_of([{}, {}])
    figures, reasons = risk(graph, np.arange(2), np.arange(2))
    assert ((figures > 0.5) & (figures < 0.7)).all()
    assert reasons == ["", ""]


def test_what_is_shared_may_be_a_signature_and_no_card() -> None:
    graph, rows = population(), np.arange(2)
    share(graph, rows, FAMILIES.index("signature"), 2)
    for reasons in risk(graph, rows, rows)[1]:
        assert "shares a rare card, device, network or thinking signature with other members" in reasons

"""Made-up alerts, decisions and events for tests."""

from typing import Any

import msgspec

from detectors.alerts import Alert, Decision, Detector, Evidence, Limits, Link, Mitigating, Volume

START_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC."""
HOUR_MS = 3_600_000


def alert(**changes: Any) -> Alert:
    """Return an `open` alert of campaign c1, six hours after its first request."""
    plain = Alert(
        alert_id="a1",
        campaign_id="c1",
        revision=1,
        state="open",
        kind="campaign",
        severity="critical",
        time=START_MS + 6 * HOUR_MS,
        first_seen=START_MS,
        last_seen=START_MS + 5 * HOUR_MS,
        score=42.25,
        p_value=1e-9,
        accounts=1234,
        sample_accounts=["acc-1", "acc-2"],
        volume=Volume(56_789, 1_000_000, 2_000_000),
        capabilities={"reasoning": 0.9, "coding": 0.1},
        models={"m-large": 0.75, "m-small": 0.25},
        access_paths={"first_party": 1.0},
        evidence=[Evidence("links", 30.0, 12.0, 1.0, 3.0, "40 cards pay for 1,234 accounts")],
        links=[Link("payment", 40, 1234)],
        mitigating=[Mitigating("research_pathway", "12 accounts signed up as research")],
        merged_into=None,
        lineage=[],
        provisional=False,
        detector=Detector("0.1.0", "cfg"),
    )
    return msgspec.structs.replace(plain, **changes)


def decision(**changes: Any) -> Decision:
    """Return a simulated throttle of account acc-1."""
    plain = Decision(
        decision_id="d1",
        campaign_id="c1",
        revision=1,
        scope="account",
        value="acc-1",
        type="throttle",
        limits=Limits(2, 4000),
        restrict=[],
        from_=START_MS,
        until=START_MS + HOUR_MS,
        simulated=True,
        reason="member of campaign c1",
    )
    return msgspec.structs.replace(plain, **changes)


def event(number: int, account: str = "acc-1", **keys: Any) -> dict[str, Any]:
    """Return a request event, a second after that of the number before."""
    return {
        "event.id": f"e{number}",
        "time": START_MS + number * 1000,
        "account.id": account,
        "gen_ai.request.model": "m-large",
        **keys,
    }

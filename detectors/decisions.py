"""What to do about an account of a campaign: the ladder observe → throttle → restrict → verify → suspend.

A new campaign is throttled; a critical one also loses what is worth copying, and its accounts that look made for it
(`risk`) are to be verified on top. Nothing here suspends: that rung is an operator's alone.
"""

from __future__ import annotations

import msgspec

from detectors.alerts import Decision, Limits, stable_id
from detectors.settings import DecisionSettings

HOUR_MS = 3_600_000
WORTH_COPYING = ["reasoning_summary_only", "newest_model"]


VERIFY_RISK = 0.9


class Subject(msgspec.Struct, frozen=True):
    """An account with its risk in 0 … 1 and the reasons for it."""

    account: str
    risk: float
    reasons: str


def decide(
    settings: DecisionSettings, campaign_id: str, severity: str, subject: Subject, revision: int, now: int
) -> Decision:
    """Return the decision about one account as of `now`, ms of event time."""
    critical = severity == "critical"
    strict = "verify" if subject.risk >= VERIFY_RISK else "restrict"
    return Decision(
        decision_id=stable_id(campaign_id, "account", subject.account, revision),
        campaign_id=campaign_id,
        revision=revision,
        scope="account",
        value=subject.account,
        type=strict if critical else "throttle",
        limits=Limits(settings.requests_per_minute, settings.tokens_per_minute),
        restrict=list(WORTH_COPYING) if critical else [],
        from_=now,
        until=now + int(settings.duration_hours * HOUR_MS),
        simulated=not settings.enforce,
        reason=f"member of {campaign_id} ({severity}); risk {subject.risk:.2f}: {subject.reasons or 'nothing known'}",
    )


def spare(
    settings: DecisionSettings, campaign_id: str, account: str, revision: int, span: tuple[int, int], reason: str
) -> Decision:
    """Return the decision that nothing is to be done about an account, in force for `span`, ms of event time.

    Args:
        campaign_id: of the campaign, or of the alert about the account alone.
    """
    return Decision(
        decision_id=stable_id(campaign_id, "account", account, revision),
        campaign_id=campaign_id,
        revision=revision,
        scope="account",
        value=account,
        type="none",
        limits=Limits(),
        restrict=[],
        from_=span[0],
        until=span[1],
        simulated=not settings.enforce,
        reason=reason,
    )

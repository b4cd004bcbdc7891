"""What to do about an account of a campaign: the ladder observe → throttle → restrict → verify → suspend.

A new campaign is throttled; a critical one also loses what is worth copying. Nothing here suspends: that rung is an
operator's alone.
"""

from __future__ import annotations

from detectors.alerts import Decision, Limits, stable_id
from detectors.settings import DecisionSettings

HOUR_MS = 3_600_000
WORTH_COPYING = ["reasoning_summary_only", "newest_model"]


def decide(
    settings: DecisionSettings, campaign_id: str, severity: str, account: str, revision: int, now: int
) -> Decision:
    """Return the decision about one account as of `now`, ms of event time."""
    critical = severity == "critical"
    return Decision(
        decision_id=stable_id(campaign_id, "account", account, revision),
        campaign_id=campaign_id,
        revision=revision,
        scope="account",
        value=account,
        type="restrict" if critical else "throttle",
        limits=Limits(settings.requests_per_minute, settings.tokens_per_minute),
        restrict=list(WORTH_COPYING) if critical else [],
        from_=now,
        until=now + int(settings.duration_hours * HOUR_MS),
        simulated=not settings.enforce,
        reason=f"member of {campaign_id} ({severity}); see its alert for the evidence",
    )

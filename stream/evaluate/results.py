"""The detection figures of one run and one detector: what was found, how late, and at whose cost."""

from __future__ import annotations

import msgspec

from stream.evaluate.layout import columns, percent


class CampaignFigures(msgspec.Struct, kw_only=True):
    """How one true campaign fared. Shares in 0 … 1; `hours_to_alert` and `precision` are None when never alerted.

    `contained_share`: of the campaign's exchanges from the first alert on, the share whose account was under a decision
    stronger than `observe` at that moment; None when never alerted, or when nothing followed.
    """

    campaign: str
    found: bool
    exchanges: int
    leaked: int
    leaked_share: float
    hours_to_alert: float | None
    contained_share: float | None
    accounts: int
    accounts_decided: int
    accounts_decided_share: float
    precision: float | None
    open_alerts: int


class KindFigures(msgspec.Struct, kw_only=True):
    """Honest accounts of one kind that were ever, and on an average day, under a decision.

    `false_alerts`: false campaign alerts of whose honest accounts this kind is the most frequent.
    """

    kind: str
    accounts: int
    accounts_decided: int
    per_million_per_day: float
    false_alerts: int


class Figures(msgspec.Struct, kw_only=True):
    """All detection figures of one run. `precision`: share of the accounts ever decided that are in a campaign.

    `b_cubed_precision`, `b_cubed_recall`: how well the campaign ids, merged ones taken together, divide the campaigns'
    accounts; an account belongs to the id of its last decision. For an account that was decided, the first is the share
    of its id's accounts that are of its campaign; the second is the share of its campaign's accounts that have its id,
    over all accounts of campaigns, one that was never decided standing alone (Bagga & Baldwin 1998, B³).
    """

    events: int
    bad_lines: int
    days: float
    accounts: int
    campaigns: list[CampaignFigures]
    precision: float | None
    b_cubed_precision: float | None
    b_cubed_recall: float | None
    open_alerts: int
    false_alerts: int
    false_alerts_per_week_per_million: float
    honest_per_million_per_day: float
    honest: list[KindFigures]

    def json(self) -> bytes:
        """Return the figures as one JSON object."""
        return msgspec.json.encode(self)

    def table(self) -> str:
        """Return the figures as plain text."""
        head = (
            *("campaign", "found", "exchanges", "leaked", "share", "hours to alert"),
            *("accounts", "decided", "precision", "open alerts"),
        )
        body = [
            (
                c.campaign,
                "yes" if c.found else "no",
                f"{c.exchanges:,}",
                f"{c.leaked:,}",
                percent(c.leaked_share),
                "–" if c.hours_to_alert is None else f"{c.hours_to_alert:.1f}",
                f"{c.accounts:,}",
                percent(c.accounts_decided_share),
                percent(c.precision),
                str(c.open_alerts),
            )
            for c in self.campaigns
        ]
        kinds = [
            (k.kind, f"{k.accounts:,}", str(k.false_alerts), f"{k.accounts_decided:,}", f"{k.per_million_per_day:,.0f}")
            for k in self.honest
            if k.accounts_decided or k.false_alerts
        ]
        parts = [
            f"{self.events:,} events of {self.accounts:,} accounts in {self.days:.1f} days"
            + (f", {self.bad_lines:,} lines unreadable" if self.bad_lines else ""),
            columns(head, body) if body else "no campaign in the labels",
            f"precision of decisions: {percent(self.precision)}",
            f"open campaign alerts: {self.open_alerts}, false: {self.false_alerts} "
            f"({self.false_alerts_per_week_per_million:,.1f} per week and million accounts)",
            f"honest accounts under a decision: {self.honest_per_million_per_day:,.1f} per million and day",
        ]
        if kinds:
            parts.append(columns(("honest kind", "accounts", "false alerts", "decided", "per million and day"), kinds))
        return "\n\n".join(parts) + "\n"

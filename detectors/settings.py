"""What an operator may set about detection: units in the names, the reason beside each default."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
PositiveFloat = Annotated[float, Meta(gt=0.0)]
Hours = Annotated[float, Meta(gt=0.0, le=87_600.0)]


class WindowSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Event time."""

    tick_s: Annotated[int, Meta(ge=60, le=3600)] = 900
    """Length of a tick: groups are judged once per tick."""
    lateness_s: Annotated[int, Meta(ge=0, le=3600)] = 120
    """How far the watermark stays behind the greatest time seen."""
    max_jump_s: Annotated[int, Meta(ge=60)] = 3_600
    """A request further ahead than this moves the watermark only when another account, or ten requests, agree: a clock
    may be wrong."""
    duplicate_ids: Positive = 1 << 20
    """Event ids remembered per partition before the oldest half is forgotten."""
    idle_account_days: Positive = 30
    """An account silent for this long is dropped from memory."""
    max_accounts: Positive = 1_000_000
    """Accounts of one partition in memory; beyond, those silent for longest are dropped."""


class LinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which accounts belong together."""

    theta: PositiveFloat = 1.0
    """Evidence two accounts need, from at least two families, to be joined (DETECTION §3.2); one rare value and the
    sign-up cohort join as well, where chance seldom does (`linking.cohorts`)."""
    min_accounts: Annotated[int, Meta(ge=3)] = 5
    """Values and components of fewer accounts are not followed."""
    min_group_accounts: Annotated[int, Meta(ge=5)] = 10
    """Smaller groups are not judged, nor cells of behaviour under twice as many: published campaigns had hundreds of
    accounts, a household, or a customer's own keys, are few."""
    min_requests: Positive = 40
    """Nor are groups of fewer requests: no statistic means anything on them."""
    half_life_days: PositiveFloat = 14.0
    max_values: Positive = 2_000_000
    """Attribute values seen on one account only that are remembered."""
    max_accounts: Positive = 1_000_000
    """Accounts of all partitions that are linked; beyond, those that share nothing and were silent for longest go."""


class BudgetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The false alarms an operator is willing to read."""

    false_campaigns_per_week: PositiveFloat = 0.5
    false_accounts_per_day: PositiveFloat = 5.0
    """Alerts of kind `account` about honest accounts, a day and per million accounts, each looked at 24 times a day."""


class DecisionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rate-limit service is told."""

    enforce: bool = False
    """False: every decision is `simulated`."""
    duration_hours: Hours = 168.0
    requests_per_minute: Positive = 2
    tokens_per_minute: Positive = 4_000
    quiet_hours: Hours = 168.0
    """A campaign with no request for this long is resolved."""


class DetectorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; each section is a table of the configuration file."""

    windows: WindowSettings = WindowSettings()
    links: LinkSettings = LinkSettings()
    budget: BudgetSettings = BudgetSettings()
    decisions: DecisionSettings = DecisionSettings()
    seed: int = 20_260_223
    """Seed of the half-space trees and of every reservoir."""

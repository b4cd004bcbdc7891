"""Figures over seeds: one row per detector for every setting, that is scenario, dials, scale, length and look-alikes.

Seeds are the independent observations. A figure of campaigns is averaged over the campaigns of a seed first, each
counting alike, then over seeds. Different settings are never pooled: with the same seed they hold the same honest
world, so that together they would promise more than was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import msgspec

from stream.errors import InputError
from stream.evaluate.intervals import CONFIDENCE, Estimate, mean, proportion, rate
from stream.evaluate.results import CampaignFigures, Figures
from stream.evaluate.runs import Run

MILLION = 1e6


class KindRow(msgspec.Struct, kw_only=True):
    """Honest accounts of one kind. The rate of false alerts is per million accounts of all kinds: the rates add up."""

    kind: str
    accounts: int
    accounts_decided: int
    per_million_per_day: Estimate
    false_alerts: int
    false_alerts_per_week_per_million: Estimate


class CampaignRow(msgspec.Struct, kw_only=True):
    """One campaign by its name, over the `seeds` in which there is one."""

    campaign: str
    seeds: int
    found: int
    found_share: Estimate
    leaked_share: Estimate
    hours_to_alert: Estimate
    accounts_decided_share: Estimate


class Row(msgspec.Struct, kw_only=True):
    """One detector in one setting. Counts are sums over seeds; `account_weeks` is what was observed of all accounts.

    `found_share` treats the campaigns of a seed as independent. `hours_to_alert` and `open_alerts_per_campaign` are
    over found campaigns alone, so `n` counts the seeds with one. See `Figures` for the rest.
    """

    detector: str
    seeds: list[int]
    campaigns: int
    found: int
    missed: int
    found_share: Estimate
    leaked: Estimate
    leaked_share: Estimate
    hours_to_alert: Estimate
    contained_share: Estimate
    accounts_decided_share: Estimate
    precision: Estimate
    b_cubed_precision: Estimate
    b_cubed_recall: Estimate
    open_alerts_per_campaign: Estimate
    account_weeks: float
    false_alerts: int
    false_alerts_per_week_per_million: Estimate
    honest_per_million_per_day: Estimate
    by_campaign: list[CampaignRow]
    honest: list[KindRow]


class Setting(msgspec.Struct, kw_only=True):
    """Runs that differ in their seed alone; `lookalikes` None for all kinds."""

    scenario: str
    scale: float
    days: float | None
    dials: dict[str, float]
    lookalikes: list[str] | None
    seeds: list[int]
    rows: list[Row]


class Report(msgspec.Struct, kw_only=True):
    """Everything measured: the runs one by one, and over seeds."""

    confidence: float = CONFIDENCE
    settings: list[Setting]
    runs: list[Run]

    def json(self) -> bytes:
        """Return the report as one JSON object."""
        return msgspec.json.encode(self)


def summarise(runs: Sequence[Run]) -> Report:
    """Return the figures of `runs` over seeds.

    Raises:
        InputError: two runs differ in nothing, seed included.
    """
    groups: dict[bytes, list[Run]] = {}
    for run in runs:
        groups.setdefault(_key(run), []).append(run)
    settings = [_setting(sorted(group, key=lambda r: r.seed)) for group in groups.values()]
    settings.sort(key=lambda s: (s.scenario, s.scale, s.days or 0.0, tuple(s.dials.items()), s.lookalikes or []))
    return Report(settings=settings, runs=list(runs))


def _key(run: Run) -> bytes:
    return msgspec.json.encode([run.scenario, float(run.scale), run.days, run.dials, run.lookalikes])


def _setting(runs: list[Run]) -> Setting:
    for one, other in pairwise(runs):
        if one.seed == other.seed:
            raise InputError(f"{one.path} and {other.path}: the same run of {one.scenario}, seed {one.seed}, twice")
    names = dict.fromkeys(name for run in runs for name in run.detectors)
    return Setting(
        scenario=runs[0].scenario,
        scale=runs[0].scale,
        days=runs[0].days,
        dials=runs[0].dials,
        lookalikes=runs[0].lookalikes,
        seeds=[run.seed for run in runs],
        rows=[_row(name, {run.seed: run.detectors[name] for run in runs if name in run.detectors}) for name in names],
    )


def _row(detector: str, by_seed: dict[int, Figures]) -> Row:
    every = list(by_seed.values())
    campaigns = [c for f in every for c in f.campaigns]
    found = sum(c.found for c in campaigns)
    weeks = sum(f.accounts * f.days / 7 for f in every)
    false = sum(f.false_alerts for f in every)

    def over(value: Callable[[CampaignFigures], float | None], ceiling: float | None = None) -> Estimate:
        return mean([_mean(value(c) for c in f.campaigns) for f in every], ceiling)

    return Row(
        detector=detector,
        seeds=list(by_seed),
        campaigns=len(campaigns),
        found=found,
        missed=len(campaigns) - found,
        found_share=proportion(found, len(campaigns)),
        leaked=over(lambda c: c.leaked),
        leaked_share=over(lambda c: c.leaked_share, 1),
        hours_to_alert=over(lambda c: c.hours_to_alert),
        contained_share=over(lambda c: c.contained_share, 1),
        accounts_decided_share=over(lambda c: c.accounts_decided_share, 1),
        precision=mean([f.precision for f in every], 1),
        b_cubed_precision=mean([f.b_cubed_precision for f in every], 1),
        b_cubed_recall=mean([f.b_cubed_recall for f in every], 1),
        open_alerts_per_campaign=over(lambda c: c.open_alerts if c.found else None),
        account_weeks=weeks,
        false_alerts=false,
        false_alerts_per_week_per_million=rate(false, weeks / MILLION),
        honest_per_million_per_day=_burden(
            [f.honest_per_million_per_day for f in every], sum(k.accounts for f in every for k in f.honest)
        ),
        by_campaign=_campaigns(campaigns),
        honest=_kinds(every, weeks),
    )


def _campaigns(campaigns: list[CampaignFigures]) -> list[CampaignRow]:
    rows = []
    for name in sorted({c.campaign for c in campaigns}):
        mine = [c for c in campaigns if c.campaign == name]
        found = sum(c.found for c in mine)
        rows.append(
            CampaignRow(
                campaign=name,
                seeds=len(mine),
                found=found,
                found_share=proportion(found, len(mine)),
                leaked_share=mean([c.leaked_share for c in mine], 1),
                hours_to_alert=mean([c.hours_to_alert for c in mine]),
                accounts_decided_share=mean([c.accounts_decided_share for c in mine], 1),
            )
        )
    return rows


def _kinds(every: list[Figures], weeks: float) -> list[KindRow]:
    rows = []
    for kind in sorted({k.kind for f in every for k in f.honest}):
        mine = [k for f in every for k in f.honest if k.kind == kind]
        accounts, false = sum(k.accounts for k in mine), sum(k.false_alerts for k in mine)
        rows.append(
            KindRow(
                kind=kind,
                accounts=accounts,
                accounts_decided=sum(k.accounts_decided for k in mine),
                per_million_per_day=_burden([k.per_million_per_day for k in mine], accounts),
                false_alerts=false,
                false_alerts_per_week_per_million=rate(false, weeks / MILLION),
            )
        )
    return rows


def _burden(per_seed: list[float], accounts: int) -> Estimate:
    """Return accounts under a decision per million and day, over seeds.

    An account's days are no independent observations. Where no account was touched, the bound is therefore that of no
    event among `accounts`, each of which might have been under a decision all the time.
    """
    if any(per_seed):
        return mean(per_seed, MILLION)
    return rate(0, accounts / MILLION)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None

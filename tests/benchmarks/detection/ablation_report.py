"""The tables of the ablation: what every variant found, over all scenarios and in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from stream.evaluate import Figures
from stream.evaluate.layout import markdown, percent
from stream.evaluate.runs import Run
from tests.benchmarks.detection import plan, variants


class Reach(msgspec.Struct, kw_only=True):
    """Accounts under any decision, of an alert about themselves as well as of a campaign."""

    members: int
    reached: int
    honest: int


class World(msgspec.Struct, kw_only=True):
    """One world as every variant judged it; the variants are the detectors of `run`.

    `honest`: the honest worlds that the totals come from; `groups`: how many groups there are in them.
    """

    commit: str
    honest: list[str]
    groups: int
    run: Run
    reach: dict[str, Reach]


class Line(msgspec.Struct, kw_only=True):
    """One variant over all worlds; shares are means over campaigns, `precision` over the worlds with decisions."""

    variant: str
    campaigns: int
    found: int
    leaked_share: float
    accounts_decided_share: float
    precision: float | None
    false_campaigns: int
    members_reached_share: float
    honest_reached: int
    found_by_scenario: dict[str, tuple[int, int]]


def lines(worlds: Sequence[World]) -> list[Line]:
    """Return a line per variant, in the order of the worlds' variants."""
    names = dict.fromkeys(name for world in worlds for name in world.run.detectors)
    return [
        _line(name, [(world.run, world.run.detectors[name], world.reach[name]) for world in worlds]) for name in names
    ]


def _line(name: str, judged: Sequence[tuple[Run, Figures, Reach]]) -> Line:
    campaigns = [campaign for _, one, _ in judged for campaign in one.campaigns]
    precision = [one.precision for _, one, _ in judged if one.precision is not None]
    by_scenario: dict[str, tuple[int, int]] = {}
    for run, one, _ in judged:
        found, every = by_scenario.get(run.scenario, (0, 0))
        by_scenario[run.scenario] = found + sum(c.found for c in one.campaigns), every + len(one.campaigns)
    return Line(
        variant=name,
        campaigns=len(campaigns),
        found=sum(campaign.found for campaign in campaigns),
        leaked_share=_mean(campaign.leaked_share for campaign in campaigns),
        accounts_decided_share=_mean(campaign.accounts_decided_share for campaign in campaigns),
        precision=_mean(precision) if precision else None,
        false_campaigns=sum(one.false_alerts for _, one, _ in judged),
        members_reached_share=sum(r.reached for *_, r in judged) / max(sum(r.members for *_, r in judged), 1),
        honest_reached=sum(r.honest for *_, r in judged),
        found_by_scenario=dict(sorted(by_scenario.items())),
    )


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.0


def document(worlds: Sequence[World], planned: int, command: str) -> str:
    """Return the results as Markdown; `planned` is how many worlds there will be."""
    made, seeds = lines(worlds), sorted({world.run.seed for world in worlds})
    scales = ", ".join(f"{value:g}" for value in sorted({world.run.scale for world in worlds}))
    head = [
        "# Ablation",
        f"`{command}` at commit {', '.join(sorted({world.commit for world in worlds}))}: {len(worlds)} of {planned} "
        f"worlds, scale {scales}, seeds {', '.join(map(str, seeds))}, default dials. {plan.tuning_text(seeds)}",
        f"Each variant ranks its totals among those of {min(world.groups for world in worlds)} groups of honest worlds "
        f"by its own weights ({', '.join(worlds[0].honest)}), so that all keep the same false-alarm budget; "
        "`as shipped` ranks them among the shipped ones: where it differs from `whole`, the sample of groups is why.",
        "Found, leaked, decided and precision are of campaign alerts and what they decide; `reached` counts accounts "
        "under any decision, of alerts about single accounts too. All variants see the same worlds: differences "
        "between rows are paired, their spread over seeds is in the JSON.",
        f"`{variants.NO_D3}` is left with alerts about single accounts; their test of novelty stays where D1 is out.",
    ]
    return "\n\n".join([*head, "## All scenarios", overall(made), "## Campaigns found", _by_scenario(made)]) + "\n"


def overall(made: Sequence[Line]) -> str:
    head = ("variant", "found", "leaked", "accounts decided", "precision", "false campaigns")
    body = [
        (
            line.variant,
            f"{line.found}/{line.campaigns}",
            percent(line.leaked_share),
            percent(line.accounts_decided_share),
            percent(line.precision),
            str(line.false_campaigns),
            percent(line.members_reached_share),
            str(line.honest_reached),
        )
        for line in made
    ]
    return markdown((*head, "members reached", "honest reached"), body)


def _by_scenario(made: Sequence[Line]) -> str:
    scenarios = list(made[0].found_by_scenario) if made else []
    whole = made[0].found_by_scenario if made else {}

    def cell(line: Line, name: str) -> str:
        found, every = line.found_by_scenario[name]
        change = found - whole[name][0]
        return f"{found}/{every}" + (f" ({change:+d})" if change else "")

    return markdown(("variant", *scenarios), [(line.variant, *(cell(line, s) for s in scenarios)) for line in made])

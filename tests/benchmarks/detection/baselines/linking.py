"""Linking alone: components of accounts that share rare values of two families, and how large they are.

The product's own graph and components (`detectors.linking`), with its own defaults, found every six hours. A component
of enough accounts is an alert; it keeps the campaign id under which most of its accounts already are. No evidence but
the size is asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.linking.components import components
from detectors.linking.graph import Graph
from detectors.linking.templates import TemplateFamilies
from detectors.partials import FAMILIES
from detectors.settings import LinkSettings
from tests.benchmarks.detection.alerts import Outcome
from tests.benchmarks.detection.columns import DAY_MS, HOUR_MS, Columns, uses

NAME = "linking"
EVERY_MS = 6 * HOUR_MS


@dataclass(frozen=True)
class Component:
    """A component as of `time`, ms."""

    time: int
    members: list[int]


def prepare(columns: Columns) -> list[Component]:
    """Return all components of at least the product's `links.min_accounts` accounts, in the order of time."""
    links = LinkSettings()
    world = _World(_canonical(columns))
    found = []
    last = int(columns.time[-1])
    for now in range(int(columns.time[0]) // EVERY_MS * EVERY_MS + EVERY_MS, last + EVERY_MS, EVERY_MS):
        graph = world.graph(now, links)
        if graph is None:
            continue
        label = components(
            graph, links.theta, links.min_accounts, world.verified, now - int(2 * links.half_life_days * DAY_MS)
        )
        joined = np.flatnonzero(label >= 0)
        order = joined[np.argsort(label[joined], kind="stable")]
        parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
        found += [Component(now, world.number[part].tolist()) for part in parts if len(part)]
    return found


def _canonical(columns: Columns) -> Columns:
    """Return the columns with paraphrases of one template made one."""
    known = np.flatnonzero(columns.values["template"] > 0)
    template = columns.values["template"].copy()
    _, first, inverse = np.unique(template[known], return_index=True, return_inverse=True)
    order = np.argsort(first)
    rows = known[first[order]]
    family = np.empty(len(order), np.uint64)
    family[order] = TemplateFamilies().canonical(template[rows], columns.values["simhash"][rows])
    template[known] = family[inverse]
    values = {**columns.values, "template": template}
    return Columns(**{**columns.__dict__, "values": values})


class _World:
    """Who used which value, as of a time that only moves on; accounts stand in the order of their first request.

    `number` is the account at each of these places, `verified` is by place.
    """

    def __init__(self, columns: Columns) -> None:
        self.uses = uses(columns, FAMILIES)
        self.last = np.zeros(len(self.uses.first), np.int64)
        first = np.full(len(columns.ids), np.iinfo(np.int64).max)
        np.minimum.at(first, columns.account, columns.time)
        self.number = np.argsort(first, kind="stable")
        self._came = first[self.number]
        self._place = np.empty(len(first), np.int64)
        self._place[self.number] = np.arange(len(first))
        self.verified = columns.verified[self.number]
        self._organization = _organizations(columns)[self.number]
        self._read = 0

    def graph(self, now: int, links: LinkSettings) -> Graph | None:
        """Return the graph of the values that two or more accounts used before `now`."""
        read = int(np.searchsorted(self.uses.event_time, now))
        self.last[self.uses.event_use[self._read : read]] = self.uses.event_time[self._read : read]
        self._read = read
        value = self.uses.value[: int(np.searchsorted(self.uses.first, now))]
        degree = np.bincount(value, minlength=1)
        kept = np.flatnonzero(degree[value] > 1)
        if not len(kept):
            return None
        shared, dense = np.unique(value[kept], return_inverse=True)
        graph = Graph(links.half_life_days, links.max_values)
        accounts = int(np.searchsorted(self._came, now))
        graph.accounts.extend(accounts)
        graph.accounts["organization"][:accounts] = self._organization[:accounts]
        graph.values.extend(len(shared))
        graph.values["family"][dense] = self.uses.family[kept]
        graph.values["accounts"][: len(shared)] = degree[shared]
        graph.uses.extend(len(kept))
        graph.uses["account"][: len(kept)] = self._place[self.uses.account[kept]]
        graph.uses["value"][: len(kept)] = dense
        graph.uses["last"][: len(kept)] = self.last[kept]
        return graph


def _organizations(columns: Columns) -> NDArray[np.uint64]:
    out = np.zeros(len(columns.ids), np.uint64)
    out[columns.account] = columns.values["organization"]
    return out


def levels(found: list[Component]) -> NDArray[np.float64]:
    """Return the sizes to try, descending; the largest is out of reach."""
    sizes = {len(component.members) for component in found}
    return np.array(sorted(sizes | {max(sizes, default=0) + 1}, reverse=True), float)


def judge(columns: Columns, found: list[Component], threshold: float) -> Outcome:
    """Return the alerts about components of at least `threshold` accounts."""
    out = Outcome(NAME, columns.ids)
    held: dict[int, tuple[str, int]] = {}
    for component in found:
        if len(component.members) < threshold:
            continue
        votes = Counter(held[a][0] for a in component.members if a in held)
        if votes:
            campaign = min(votes, key=lambda name: (-votes[name], name))
        else:
            campaign = out.open(component.members, component.time)
            held.update(dict.fromkeys(component.members, (campaign, out.decisions[-1].until)))
        for account in component.members:
            if held.get(account, ("", 0))[1] - component.time < DAY_MS:
                held[account] = (campaign, out.decide(campaign, account, component.time))
    return out

"""The group stage: partials of every partition in, alerts and decisions out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Sequence
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.account_alerts import AccountAlerts
from detectors.alerts import Alert, Outputs
from detectors.campaigns import Campaigns
from detectors.clusters import Clusters
from detectors.evidence.fusion import Fusion, Judgement
from detectors.evidence.totals import UNTOLD
from detectors.feedback import Verdict
from detectors.linking.behaviour import SHIFTS, cells, crowds
from detectors.linking.bundles import bundles
from detectors.linking.components import SIGNATURE, components
from detectors.linking.eviction import forget_idle, forget_surplus
from detectors.linking.graph import DAY_MS, HOUR_MS, Graph, Tick
from detectors.linking.members import BUNDLE, KINDS, Group, Groups, Population
from detectors.membership import accused, akin
from detectors.merge import merge
from detectors.models.activity import main_clusters
from detectors.models.peers import PeerModels, verified
from detectors.partials import Partial, decode, encode
from detectors.settings import DetectorSettings
from detectors.stages.entries import Entries, joined, pieces
from detectors.stages.header import header_entry, open_snapshot
from detectors.strands import telling_parts
from detectors.testimony import KIN_NATS, Testimony, testify
from detectors.windows.table import LIVE

SCHEMA_VERSION = 11
LINK_EVERY_MS = 2 * HOUR_MS
VOTE_AFTER_MS = DAY_MS
VOTE_EVERY_MS = 7 * DAY_MS
WEEK_MS = 7 * DAY_MS
LEAST_NATS = 9.0
"""However low honest groups stay: if one group in a thousand is a campaign (7 nats), nine to one that this one is."""
LEAST_CHANCES = np.array([80.0, 85.0, 35.0, 65.0, 35.0, 4.0])
"""Groups of each of `KINDS` a week that are taken for granted however young a world is, about as the reference has."""
CELL = 2
"""A cell of behaviour has so many times `min_group_accounts`: what a few accounts do alike is easily chance."""
PERSISTENCE = 2
"""Judgements in a row that must call for an alert, and the last two of which must accuse an account."""
NOBODY = np.zeros(0, np.int64)


class GroupStage:
    """Judges groups once per tick of event time, over the accounts of every partition.

    A tick is judged when every partition that is not idle has closed it, with its accounts in the order of their ids,
    so the result depends neither on how accounts are spread over partitions nor on who is ahead.

    Args:
        settings: see `detectors.settings`.
        partitions: how many partitions send partials.
        fusion: weighs the evidence; the shipped weights and references by default.
        kinds: positions in `KINDS` of the groups that are judged, all by default.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        partitions: int = 1,
        fusion: Fusion | None = None,
        kinds: Collection[int] = range(len(KINDS)),
    ) -> None:
        self.settings, self.partitions, self.kinds = settings, partitions, frozenset(kinds)
        self.tick_ms = settings.windows.tick_s * 1000
        self.last_offset = self.feedback_offset = -1
        self.graph = Graph(settings.links.half_life_days, settings.links.max_values)
        self.clusters = Clusters(self.graph)
        self.models = PeerModels(settings.seed)
        self.population = Population()
        self.fusion = fusion or Fusion()
        self.campaign_book = Campaigns(settings, self.graph, self.clusters)
        self.account_alerts = AccountAlerts(settings, self.graph, self.models, self.campaign_book)
        self._waiting: dict[int, list[Partial]] = {}
        self._closed: dict[int, tuple[int, int]] = {}
        self._idle: dict[int, bool] = {}
        self._judged_tick = -1
        self._linked_ms = self._counted_ms = 0
        self._independent = np.zeros(len(KINDS))
        self._evicted_on = 0
        self._accused: dict[int, NDArray] = {}
        self.evicted = 0
        """Accounts forgotten so far."""
        self._entries = Entries()
        self.observer: Callable[[int, list[int], Groups, Judgement, NDArray], None] | None = None
        """Called with the time, the clusters, their groups, the judgement and which of them called for an alert."""

    @property
    def tracked_clusters(self) -> int:
        """Candidate groups in memory."""
        return self.clusters.table.live

    @property
    def open_campaigns(self) -> dict[str, int]:
        """Open campaigns by severity."""
        return self.campaign_book.open_by_severity()

    @property
    def state_bytes(self) -> int:
        """Bytes of the tables."""
        return self.graph.nbytes + self.clusters.table.nbytes

    @property
    def model_scores(self) -> list[float]:
        """Tail ranks that the online models gave lately; whoever reads them empties the list."""
        return self.models.latest

    @property
    def budget_used(self) -> float:
        """Expected false campaigns of this week over those allowed, had every open campaign been at its p-value."""
        return self.campaign_book.budget_used()

    @property
    def waiting_verdicts(self) -> int:
        """Verdicts whose time has not come."""
        return self.campaign_book.rulings.waiting

    def campaigns(self) -> list[Alert]:
        """Return the latest alert of each campaign."""
        return self.campaign_book.latest()

    def process(self, partials: Sequence[Partial], offsets: Sequence[int] | NDArray | None = None) -> Outputs:
        """Take in partials in their order; judge the ticks that are now complete.

        Args:
            offsets: where each partial stands in the log, ascending; those at or below `last_offset` are skipped.
        """
        for position, partial in enumerate(partials):
            if offsets is not None:
                if offsets[position] <= self.last_offset:
                    continue
                self.last_offset = int(offsets[position])
            self._receive(partial)
        outputs = Outputs([], [])
        for tick in self._complete():
            judged = self._judge_tick(tick, self._waiting.pop(tick))
            outputs.alerts += judged.alerts
            outputs.decisions += judged.decisions
        return outputs

    def feedback(self, verdicts: Sequence[Verdict], offset: int | None = None, scheduled: bool = False) -> None:
        """Take in verdicts, to count from the next judged tick on.

        Args:
            offset: of the last one in its log; `feedback_offset` tells it after a restore.
            scheduled: let each count only from the first tick that ends at its `time` or later.
        """
        self.campaign_book.rulings.receive(list(verdicts), scheduled)
        if offset is not None:
            self.feedback_offset = offset

    def _receive(self, partial: Partial) -> None:
        closed = self._closed.get(partial.partition, (-1, -1))
        if (partial.tick, partial.chunk) > closed:
            self._closed[partial.partition] = (partial.tick, partial.chunk)
            if partial.accounts:
                self._waiting.setdefault(max(partial.tick, self._judged_tick + 1), []).append(partial)
            if not partial.last_chunk:
                self._idle.pop(partial.partition, None)
        if partial.last_chunk and partial.tick >= closed[0]:
            self._idle[partial.partition] = partial.idle

    def _complete(self) -> list[int]:
        """Return the ticks that may be judged, in order: those that every partition has closed, idle ones apart."""
        if len(self._idle) < self.partitions:
            return []
        through = [tick for partition, (tick, _) in self._closed.items() if not self._idle[partition]]
        ready = min(through) if through else max(tick for tick, _ in self._closed.values())
        return sorted(tick for tick in self._waiting if tick <= ready)

    def _judge_tick(self, number: int, partials: list[Partial]) -> Outputs:
        self._judged_tick = number
        tick = merge(self.graph, (number + 1) * self.tick_ms, partials)
        graph, links = self.graph, self.settings.links
        rows, uses, evicted = *graph.update(tick), self.evicted
        self.population.norms.releases.see(tick.columns, tick.end_ms)
        self.models.observe(graph, tick, rows, main_clusters(graph, tick, rows, uses), self.account_alerts.accused)
        since = tick.end_ms - int(2 * links.half_life_days * DAY_MS)
        linked = tick.end_ms - self._linked_ms >= LINK_EVERY_MS
        if linked:
            self._linked_ms = tick.end_ms
            self._link(tick.end_ms, since)
        for names in graph.contenders:
            names.end_tick(tick.end_ms)
        multipliers = self.campaign_book.rulings.multipliers(tick.end_ms)
        if multipliers is not None:
            self.fusion.reweigh(multipliers)
        touched = self._count(tick, rows, uses)
        due = self.clusters.due(touched, links.min_requests, links.min_group_accounts, tick.end_ms)
        hot = self._judge(due, tick.end_ms) if due else []
        outputs = self.campaign_book.update(hot, rows, uses, tick)
        alone = self.account_alerts.update(tick)
        if linked and tick.end_ms // DAY_MS != self._evicted_on:
            self._evicted_on = tick.end_ms // DAY_MS
            self.evicted += forget_idle(graph, self.clusters, self.campaign_book, since, tick.end_ms)
            held = self.clusters.table[LIVE]
            self._accused = {cluster: who for cluster, who in self._accused.items() if held[cluster]}
        self.evicted += forget_surplus(graph, self.clusters, self.campaign_book, links.max_accounts)
        self.account_alerts.forget()
        if self.evicted > evicted:
            self.campaign_book.forget()
        return Outputs(outputs.alerts + alone.alerts, outputs.decisions + alone.decisions)

    def _link(self, end_ms: int, since_ms: int) -> None:
        """Look again at everybody, and at which accounts belong together by what they did since `since_ms`."""
        graph, links = self.graph, self.settings.links
        active = np.flatnonzero(graph.accounts["last"][: graph.accounts.rows] >= end_ms - WEEK_MS)
        given = [names.settle(graph.accounts, active, end_ms) for names in graph.contenders]
        self.population.norms.releases.forget(given[0])
        self.population.refresh(graph, end_ms - WEEK_MS)
        everyone = np.arange(graph.accounts.rows)
        label = components(graph, links.theta, links.min_accounts, verified(graph, everyone), since_ms)
        self.clusters.assign_components(label)
        if BUNDLE in self.kinds:
            self.clusters.assign_bundles(bundles(graph, links.min_accounts, since_ms))
        at_work = graph.accounts["last"][everyone] >= since_ms
        codes = [np.where(at_work, cells(graph, everyone, shift), -1) for shift in SHIFTS]
        self.clusters.assign_cells([crowds(graph, code, CELL * links.min_group_accounts) for code in codes])
        self.clusters.assign_subpopulations(links.min_accounts, since_ms)

    def _count(self, tick: Tick, rows: NDArray, uses: NDArray) -> NDArray:
        """Add the tick to the windows of every cluster it touches; return those."""
        minimum = self.settings.links.min_accounts
        seen = uses >= 0
        values = self.graph.uses["value"][uses[seen]]
        cluster = self.clusters.of_values(values, minimum) if seen.any() else np.zeros(0, np.int64)
        counts = tick.columns["use_counts"][seen]
        inside = cluster >= 0
        template = inside & (tick.columns["use_family"][seen] == 0)
        who = rows[tick.columns["use_account"][seen][template]]
        np.add.at(self.graph.accounts["shared"], who, counts[template, 0])
        signed = tick.columns["use_family"][seen] == SIGNATURE
        who = rows[tick.columns["use_account"][seen][signed]]
        np.add.at(self.graph.accounts["replayed"], who, counts[signed, 0])
        whole = np.column_stack([self.graph.accounts["component"][rows], self.graph.accounts["cells"][rows]])
        joined, column = np.nonzero(whole >= 0)
        owner = whole[joined, column].astype(np.int64)
        bundle = np.fromiter(map(self.clusters.bundle_of.get, values.tolist(), repeat(-1)), np.int64, len(values))
        bundled = bundle >= 0
        alone = inside & ~bundled
        user, slots = rows[tick.columns["use_account"][seen]], tick.columns["use_slots"][seen]
        work = self.clusters.works.clusters(self.graph.accounts["component"][user], values)
        working = work >= 0
        clusters = np.concatenate([cluster[alone], bundle[bundled], work[working], owner])
        if len(clusters):
            accounts = np.concatenate([user[alone], user[bundled], user[working], rows[joined]])
            slots = np.concatenate([slots[alone], slots[bundled], slots[working], tick.columns["slots"][joined]])
            self.clusters.meet(clusters, accounts, slots, tick.end_ms)
        counts = np.concatenate([counts[alone], counts[bundled], counts[working], tick.columns["counts"][joined]])
        return self.clusters.count(clusters, counts, tick.end_ms)

    def _judge(self, due: list[int], end_ms: int) -> list[tuple[int, Testimony]]:
        """Judge the due clusters; return those that call for an alert with what speaks for it."""
        parts = self._of_kinds([(cluster, self.clusters.group(cluster)) for cluster in due])
        parts = [pair for pair in parts if len(pair[1].account) >= self.settings.links.min_group_accounts]
        parts = [pair for pair in parts if not self._one_house(pair[1])]
        if not parts:
            return []
        due = [cluster for cluster, _ in parts]
        groups = Groups(self.graph, [group for _, group in parts], self.population)
        judgement = self.fusion.judge(groups)
        thresholds = self._thresholds(end_ms)[groups.kind]
        guilty = self._guilty(groups, judgement, thresholds)
        calls = self._calls(judgement, thresholds, guilty, end_ms)
        table = self.clusters.table
        table["tested"][due] = np.where(table["tested"][due] == 0, end_ms, table["tested"][due])
        reportable = judgement.telling & np.isin(np.arange(len(due)), list(guilty))
        total = np.where(reportable, judgement.plain_total, UNTOLD)
        before = table["total"][due]
        pair = np.where(before == 0, total, np.minimum(total, before))
        table["peak"][due] = np.where(before == 0, pair, np.maximum(pair, table["peak"][due]))
        table["total"][due] = np.where(total == 0, 1e-6, total)
        table["streak"][due] = np.where(calls, table["streak"][due] + 1, 0)
        self._vote(judgement, groups, due, end_ms, thresholds, guilty)
        if self.observer is not None:
            self.observer(end_ms, due, groups, judgement, calls)
        streak = table["streak"][due]
        return [
            (cluster, testify(groups, judgement, position, who, self.fusion, float(thresholds[position])))
            for position, (cluster, who) in enumerate(zip(due, self._twice(due, calls, guilty), strict=True))
            if streak[position] >= PERSISTENCE and len(who) >= self.settings.links.min_accounts
        ]

    def _twice(self, due: list[int], calls: NDArray[np.bool_], guilty: dict[int, NDArray]) -> list[NDArray]:
        """Return whom each cluster accuses that accused them the last time too; nobody where it does not call."""
        result = []
        for position, cluster in enumerate(due):
            before = self._accused.pop(cluster, NOBODY)
            who = guilty[position] if calls[position] else NOBODY
            if calls[position]:
                self._accused[cluster] = who
            result.append(np.intersect1d(who, before))
        return result

    def _guilty(self, groups: Groups, judgement: Judgement, thresholds: NDArray) -> dict[int, NDArray]:
        """Return the accounts that each group accuses, by position, of the groups that could be reported."""
        possible = judgement.telling | (judgement.surprise >= thresholds) & self._known(groups)
        possible &= judgement.total >= LEAST_NATS
        members = {position: groups.account[groups.group == position] for position in np.flatnonzero(possible).tolist()}
        found = {position: who[accused(groups, position)] for position, who in members.items()}
        found = {position: telling_parts(groups, position, who, self.fusion) for position, who in found.items()}
        return {position: who for position, who in found.items() if len(who) >= self.settings.links.min_accounts}

    def _known(self, groups: Groups) -> NDArray[np.bool_]:
        """Tell which groups hold members of a campaign, shape (G,)."""
        return np.bincount(groups.group, self.campaign_book.is_member(groups.account), len(groups)) > 0.0

    def _calls(
        self, judgement: Judgement, thresholds: NDArray, guilty: dict[int, NDArray], end_ms: int
    ) -> NDArray[np.bool_]:
        """Tell which groups call for an alert, shape (G,).

        What shares accounts or work with a known campaign is likelier to be a part of it than a stranger is to be
        one, and makes no new page: it needs less, or need not tell by itself what a campaign is after where it shares
        accounts; and it accuses only who is like those known. The others are taken out of `guilty`.
        """
        calls = np.zeros(len(thresholds), bool)
        for position, who in list(guilty.items()):
            lacking, telling = thresholds[position] - judgement.surprise[position], judgement.telling[position]
            kin = None
            if not telling or 0.0 < lacking <= KIN_NATS:
                kin = self.campaign_book.kin(who, end_ms, by_work=bool(telling))
            calls[position] = (telling and lacking <= 0.0) or kin is not None
            if kin is not None:
                guilty[position] = who[akin(self.graph, who, kin)]
            elif not telling:
                del guilty[position]
        return calls

    def _of_kinds(self, parts: list[tuple[int, Group]]) -> list[tuple[int, Group]]:
        """Drop the groups of other kinds than `kinds`, also from those that the false-alarm budget is shared among."""
        dropped = np.array([cluster for cluster, group in parts if group.kind not in self.kinds], np.int64)
        self.clusters.table["judged"][dropped] = self.clusters.table["tested"][dropped] = 0
        return [pair for pair in parts if pair[1].kind in self.kinds]

    def _thresholds(self, end_ms: int) -> NDArray[np.float64]:
        """Return the −ln p, by kind, that keeps the expected false campaigns of a week within the budget.

        Honest groups vote with their highest total, so a group uses up its part of the budget once: what counts is
        how many were judged for the first time within the week. Every kind has the same part of the budget (weighted
        Bonferroni): of the many prompts and exits one must stand out further than of the few bundles.
        """
        new = np.flatnonzero(self.clusters.table["tested"][: len(self.clusters)] > end_ms - WEEK_MS)
        if end_ms - self._counted_ms >= DAY_MS and len(new):
            self._counted_ms = end_ms
            self._independent = self.clusters.independent(new) / len(new)
        chances = np.maximum(self._independent * len(new), LEAST_CHANCES)
        return np.log(len(KINDS) * chances / self.settings.budget.false_campaigns_per_week)

    def _one_house(self, group: Group) -> bool:
        """Tell whether most of a group's traffic belongs to one organisation: a customer with keys, not a crowd."""
        organization = self.graph.accounts["organization"][group.account]
        requests = group.traffic["counts"][group.rows, 0].astype(np.float64)
        houses, inverse = np.unique(organization, return_inverse=True)
        by_house = np.bincount(inverse, requests)
        return bool(by_house[houses > 0].max(initial=0.0) > 0.5 * requests.sum())

    def _vote(
        self,
        judgement: Judgement,
        groups: Groups,
        due: list[int],
        end_ms: int,
        thresholds: NDArray,
        guilty: Container[int],
    ) -> None:
        """Let mature groups that nothing speaks against join the references, once a week each.

        One that is neither likely nor called for is doubted: left out altogether, the others would seem to reach no
        further (DETECTION §4.3).
        """
        if end_ms < self.models.hold_until:
            return
        table = self.clusters.table
        for position, cluster in enumerate(due):
            mature = end_ms - table["first"][cluster] >= VOTE_AFTER_MS
            rested = end_ms - table["voted"][cluster] >= VOTE_EVERY_MS
            if not (mature and rested):
                continue
            campaign, surprise = int(table["campaign"][cluster]), judgement.surprise[position]
            if position in guilty:
                kind, size = int(groups.kind[position]), float(groups.size[position])
                doubt = self.fusion.totals.doubtful(float(thresholds[position]), kind, size)
                likely, doubted = surprise < doubt, doubt <= surprise < thresholds[position]
            else:
                likely, doubted = judgement.total[position] < LEAST_NATS / 2, False
            if (campaign < 0 and likely) or self.campaign_book.may_vote(campaign, end_ms):
                self.fusion.vote(judgement, groups, position, float(table["peak"][cluster]))
            elif campaign < 0 and doubted:
                self.fusion.doubt(groups, position, doubt)
            else:
                continue
            table["voted"][cluster] = end_ms

    def snapshot(self) -> dict[str, bytes]:
        """Return the entries that changed since the last call; an empty value deletes its key."""
        graph = self.graph
        entries = {f"graph/{key}": page for key, page in graph.snapshot().items()}
        entries |= self.clusters.snapshot()
        templates = graph.templates.state()
        book = self.campaign_book.state()
        rest = {
            "progress": {
                "closed": self._closed,
                "idle": self._idle,
                "judged_tick": self._judged_tick,
                "linked_ms": self._linked_ms,
                "counted": [self._counted_ms, self._independent.tolist()],
                "evicted": [self._evicted_on, self.evicted],
                "accused": {cluster: who.tolist() for cluster, who in self._accused.items()},
                "singles": graph.singles.arrived,
                "population": self.population.state(),
            },
            "names": [graph.names.known, graph.models.known, graph.paths.known],
            "contenders": [names.state() for names in graph.contenders],
            "handovers": graph.handovers.state(),
            "works": self.clusters.works.state(),
            "bundles": {cluster: values.tolist() for cluster, values in self.clusters.bundles.items()},
            "cells": self.clusters.cell_of,
            "fusion": self.fusion.state(),
            **{f"models/{name}": data for name, data in self.models.state().items()},
            **{key: part for n, each in enumerate(templates) for key, part in pieces(f"templates{n}", each).items()},
            "account_alerts": self.account_alerts.state(),
            **pieces("campaigns", book["campaigns"], 1),
            **pieces("alerts", book["alerts"], 1),
            **pieces("revisions", list(book["revisions"].items())),
            "rulings": book["rulings"],
        }
        for tick, partials in self._waiting.items():
            rest |= {f"waiting/{tick}/{place}": encode(partial) for place, partial in enumerate(partials)}
        header = header_entry(
            SCHEMA_VERSION, {"last_offset": self.last_offset, "feedback_offset": self.feedback_offset}
        )
        return entries | self._entries.changed(rest) | header

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Put back a state from the latest value of each snapshot key.

        Raises:
            StateVersionError: the snapshot is of another schema.
        """
        snapshot = open_snapshot(items, SCHEMA_VERSION, "group")
        if snapshot is None:
            return
        entries, header = snapshot
        self.last_offset, self.feedback_offset = header["last_offset"], header["feedback_offset"]
        parts = self._entries.load(entries.items())
        rest: dict[str, Any] = msgspec.msgpack.decode(parts["progress"], strict=False)
        self._closed = {partition: tuple(place) for partition, place in rest["closed"].items()}
        self._idle = rest["idle"]
        self._judged_tick, self._linked_ms = rest["judged_tick"], rest["linked_ms"]
        self._counted_ms, self._independent = rest["counted"][0], np.array(rest["counted"][1])
        self._evicted_on, self.evicted = rest["evicted"]
        self._accused = {cluster: np.array(who, np.int64) for cluster, who in rest["accused"].items()}
        known = msgspec.msgpack.decode(parts["names"])
        for names, mine in zip((self.graph.names, self.graph.models, self.graph.paths), known, strict=True):
            names.codes(mine)
        for one, state in zip(self.graph.contenders, msgspec.msgpack.decode(parts["contenders"]), strict=True):
            one.load(state)
        pages = ((key[6:], value) for key, value in entries.items() if key.startswith("graph/"))
        self.graph.restore(pages, rest["singles"])
        self.graph.templates.load([joined(parts, f"templates{number}") for number in range(4)])
        self.clusters.restore(entries.items())
        self.models.load({key[7:]: value for key, value in parts.items() if key.startswith("models/")})
        self.population.load(rest["population"])
        self.fusion.load(msgspec.msgpack.decode(parts["fusion"], strict=False))
        self.clusters.load_bundles(msgspec.msgpack.decode(parts["bundles"], strict=False))
        self.clusters.cell_of = msgspec.msgpack.decode(parts["cells"], strict=False)
        self.graph.handovers.load(msgspec.msgpack.decode(parts["handovers"], strict=False))
        self.clusters.works.load(msgspec.msgpack.decode(parts["works"], strict=False))
        book: dict[str, Any] = {name: joined(parts, name) for name in ("campaigns", "alerts", "revisions")}
        book["rulings"] = msgspec.msgpack.decode(parts["rulings"], strict=False)
        self.campaign_book.load(book)
        self.account_alerts.load(msgspec.msgpack.decode(parts["account_alerts"], strict=False))
        self._waiting = {}
        for key, partial in parts.items():
            if key.startswith("waiting/"):
                self._waiting.setdefault(int(key.split("/")[1]), []).append(decode(partial))

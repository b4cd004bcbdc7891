"""What the pure stages say of the log of a run, and how what the workers said and kept differs from it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from detectors import partials
from detectors.partials import Partial
from detectors.scan.requests import decode
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from stream import topics
from stream.config import KafkaSettings
from tests.broker import log
from tests.faults import state

BATCH = 2_000
SHOWN = 5
GROUP_IGNORED = frozenset({"last_offset", "observer"})
"""The offset of the last partial counts repeats in, which the oracle's own partials do not have."""


class Expected(NamedTuple):
    """What should have come of a log."""

    partials: dict[tuple[int, int, int, bool], bytes]
    """Those that hold accounts: an empty one says how far a partition is, which depends on the batches."""
    alerts: dict[str, bytes]
    decisions: dict[str, bytes]
    dead: dict[tuple[int, int], str]
    accounts: list[AccountStage]


class Verdict(NamedTuple):
    """How a run differs from what it should be, all zero when it does not.

    `lost` were never said, `doubled` are ids of the same campaign and revision said with another id, `wrong` were never
    to be said or were said otherwise, `state` counts places of the state at the end. `repeats` are the same bytes under
    the same id again, which consumers drop.
    """

    expected: int
    lost: int
    doubled: int
    wrong: int
    state: int
    repeats: int
    notes: list[str]

    @property
    def exact(self) -> bool:
        """Tell whether nothing was lost, doubled, wrong or forgotten."""
        return not (self.lost or self.doubled or self.wrong or self.state)


def expected(requests: Sequence[Sequence[ConsumerRecord]], settings: DetectorSettings, flush: bool = True) -> Expected:
    """Run the pure stages over the records of each partition.

    Args:
        requests: the records of each partition of the topic, in order.
        settings: of the detectors.
        flush: whether the workers were left alone until they had closed every tick.
    """
    found: list[Partial] = []
    dead: dict[tuple[int, int], str] = {}
    stages = []
    for number, records in enumerate(requests):
        stage = AccountStage(settings, number)
        for start in range(0, len(records), BATCH):
            part = records[start : start + BATCH]
            good, indices, rejects = decode([r.value for r in part], [r.timestamp for r in part])
            dead.update({(number, part[reject.index].offset): reject.reason for reject in rejects})
            found += stage.process(good, [part[index].offset for index in indices])
        found += stage.advance(int(time.time() * 1000)) if flush else []
        stages.append(stage)
    outputs = GroupStage(settings, len(requests)).process(found)
    return Expected(
        {name(partial): partials.encode(partial) for partial in found if partial.accounts},
        {alert.alert_id: msgspec.json.encode(alert) for alert in outputs.alerts},
        {decision.decision_id: msgspec.json.encode(decision) for decision in outputs.decisions},
        dead,
        stages,
    )


def _partial(record: ConsumerRecord) -> Partial:
    return partials.decode(record.value)


def name(partial: Partial) -> tuple[int, int, int, bool]:
    """Return what tells a partial from all others."""
    return partial.partition, partial.tick, partial.chunk, partial.idle


def judge(settings: KafkaSettings, detector: DetectorSettings | None = None) -> Verdict:
    """Compare what is in the topics of a run with what the pure stages make of its requests."""
    detector = detector or DetectorSettings()
    requests = by_partition(log.read(settings, topics.REQUESTS, settings.partitions), settings.partitions)
    wanted = expected(requests, detector)
    said = log.read(settings, topics.PARTIALS)
    tally = _Tally()
    told = [(partial, record.value) for partial, record in zip(map(_partial, said), said, strict=True)]
    tally.compare("partial", wanted.partials, [(name(partial), value) for partial, value in told if partial.accounts])
    for topic, wanted_of in ((topics.ALERTS, wanted.alerts), (topics.DECISIONS, wanted.decisions)):
        identity = f"{topic.removesuffix('s')}_id"
        records = [(msgspec.json.decode(r.value), r.value) for r in log.read(settings, topic)]
        tally.compare(topic, wanted_of, [(record[identity], value) for record, value in records])
        tally.twins(topic, identity, [record for record, _ in records])
        tally.stale(topic, [record for record, _ in records])
    letters = map(msgspec.json.decode, (r.value for r in log.read(settings, topics.DEAD_LETTER)))
    reasons = {place: reason.encode() for place, reason in wanted.dead.items()}
    tally.compare("dead letter", reasons, [((x["partition"], x["offset"]), x["reason"].encode()) for x in letters])
    for partition, stage in enumerate(wanted.accounts):
        tally.compare_state(settings, detector, "account", partition, stage)
    tally.compare_state(settings, detector, "group", 0, _group(said, detector, settings.partitions))
    return tally.verdict(len(wanted.alerts) + len(wanted.decisions))


def by_partition(records: Iterable[ConsumerRecord], partitions: int) -> list[list[ConsumerRecord]]:
    """Return the records of each partition."""
    found: list[list[ConsumerRecord]] = [[] for _ in range(partitions)]
    for record in records:
        found[record.partition].append(record)
    return found


def _group(said: Sequence[ConsumerRecord], detector: DetectorSettings, partitions: int) -> GroupStage:
    """The group stage after the partials in the order in which they came: names are numbered in that order."""
    stage = GroupStage(detector, partitions)
    stage.process([partials.decode(record.value) for record in said], [record.offset for record in said])
    return stage


class _Tally:
    """Counts differences and keeps some words about each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []

    def _note(self, kind: str, text: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= SHOWN:
            self.notes.append(f"{kind}: {text}")

    def compare(self, what: str, wanted: dict[Any, bytes], found: Sequence[tuple[Any, bytes]]) -> None:
        seen: dict[Any, bytes] = {}
        for identity, value in found:
            if identity not in wanted:
                self._note("wrong", f"{what} {identity} was not to be said")
            elif value != wanted[identity] and what != "dead letter":
                self._note("wrong", f"{what} {identity} is {_first_difference(value, wanted[identity])}")
            elif value != wanted[identity]:
                self._note("wrong", f"{what} {identity} says {value!r}, not {wanted[identity]!r}")
            elif identity in seen:
                self.counts["repeats"] += what != "partial"
            seen[identity] = value
        for identity in wanted.keys() - seen.keys():
            self._note("lost", f"{what} {identity}")

    def twins(self, what: str, identity: str, records: Sequence[dict[str, Any]]) -> None:
        """Count records that say under another id what was said before."""
        first: dict[tuple[Any, ...], str] = {}
        for record in records:
            subject = (record["campaign_id"], record["revision"], record.get("scope"), record.get("value"))
            if first.setdefault(subject, record[identity]) != record[identity]:
                self._note("doubled", f"{what} {subject}")

    def stale(self, what: str, records: Sequence[dict[str, Any]]) -> None:
        """Count subjects whose last record is not the latest revision: compaction would keep the older one."""
        last: dict[tuple[Any, ...], int] = {}
        highest: dict[tuple[Any, ...], int] = {}
        for record in records:
            subject = (record.get("scope", record["campaign_id"]), record.get("value"))
            last[subject] = record["revision"]
            highest[subject] = max(record["revision"], highest.get(subject, 0))
        for subject, revision in last.items():
            if revision < highest[subject]:
                self._note("wrong", f"{what}: the last about {subject} is revision {revision}, not {highest[subject]}")

    def compare_state(
        self, settings: KafkaSettings, detector: DetectorSettings, stage: str, partition: int, wanted: Any
    ) -> None:
        restored, same = _fresh(stage, detector, settings, partition), _fresh(stage, detector, settings, partition)
        kept = log.state(settings, partition, stage)
        restored.restore(kept.entries.items())
        same.restore(wanted.snapshot().items())
        if stage == "account":
            restored, same = state.alphabetical(restored), state.alphabetical(same)
        ignored = GROUP_IGNORED if stage == "group" else frozenset()
        for line in state.differences(restored, same, f"{stage}/{partition}", ignored):
            self._note("state", line)

    def verdict(self, said: int) -> Verdict:
        count = self.counts
        return Verdict(
            said, count["lost"], count["doubled"], count["wrong"], count["state"], count["repeats"], self.notes
        )


def _fresh(stage: str, detector: DetectorSettings, settings: KafkaSettings, partition: int) -> Any:
    return AccountStage(detector, partition) if stage == "account" else GroupStage(detector, settings.partitions)


def _first_difference(value: bytes, wanted: bytes) -> str:
    at = next((i for i, (a, b) in enumerate(zip(value, wanted, strict=False)) if a != b), min(len(value), len(wanted)))
    return f"{value[max(at - 20, 0) : at + 20]!r}, not {wanted[max(at - 20, 0) : at + 20]!r}"

"""What a stage does with the records of its topic, and to which topics its results go: no Kafka, no waiting.

A handler turns fetched records into messages for other topics. `runner` decides when, and makes them durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import partials
from detectors.alerts import Outputs
from detectors.errors import FeedbackError
from detectors.feedback import Verdict, decode
from detectors.request import FUTURE_MS
from detectors.scan.requests import Requests
from detectors.scan.requests import decode as requests_of
from detectors.settings import DetectorSettings
from stream import topics
from stream.metrics import AccountCounters, GroupCounters, Metrics

NOT_A_PARTIAL = "not_a_partial"
"""The reason of a dead letter from the internal topic, where only a foreign writer can have put it."""

NOT_A_VERDICT = "not_a_verdict"
"""The reason of a dead letter from the topic of feedback."""


class Message(NamedTuple):
    """One record to send; `topic` without the prefix."""

    topic: str
    key: bytes | None
    value: bytes


class Stage(Protocol):
    """What the runner needs of a stage to make it durable."""

    def snapshot(self) -> dict[str, bytes]:
        """Return the entries that changed since the last call; an empty value deletes its entry."""

    def restore(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Take over the entries of earlier snapshots."""


class AccountStage(AccountCounters, Stage, Protocol):
    """`detectors.stages.account.AccountStage`."""

    def process(self, requests: Requests, offsets: NDArray) -> list[partials.Partial]:
        """Take in requests, in log order."""

    def advance(self, now_ms: int) -> list[partials.Partial]:
        """Close what can be closed, as nothing is waiting."""

    def pending(self) -> list[partials.Partial]:
        """Return what has to be sent again after a restore."""


class GroupStage(GroupCounters, Stage, Protocol):
    """`detectors.stages.group.GroupStage`."""

    @property
    def feedback_offset(self) -> int:
        """How far the topic of feedback has been taken in."""

    def feedback(self, verdicts: Sequence[Verdict], offset: int) -> None:
        """Take in verdicts, to count from the next tick on."""

    def process(self, partials: list[partials.Partial], offsets: Sequence[int]) -> Outputs:
        """Take in partials, in log order."""


class Factories(NamedTuple):
    """How the stages of an assigned partition are made."""

    account: Callable[[DetectorSettings, int, bytes | None], AccountStage]
    group: Callable[[DetectorSettings, int], GroupStage]


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that was refused and where it still is. Never its content, which may hold a prompt."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    record_time: int
    value_bytes: int


class AccountHandler:
    """Requests of one partition to partials."""

    def __init__(self, stage: AccountStage, partition: int, metrics: Metrics) -> None:
        self.stage = stage
        self.partition = partition
        self.metrics = metrics

    def process(self, records: Sequence[Any]) -> list[Message]:
        """Return the partials that `records` complete, and a dead letter for each record that is no request."""
        requests, accepted, rejects = requests_of([r.value for r in records], [r.timestamp for r in records])
        offsets = np.array([record.offset for record in records], np.int64)[accepted]
        found = self.stage.process(requests, offsets) if len(requests) else []
        self.metrics.account_stage(self.partition, self.stage)
        self.metrics.dead_letters(r.reason for r in rejects)
        return [*(_dead_letter(records[r.index], r.reason, r.detail) for r in rejects), *_messages(found)]

    def advance(self, now_ms: int) -> list[Message]:
        """Return the partials that can be closed because nothing is waiting."""
        found = self.stage.advance(now_ms)
        self.metrics.account_stage(self.partition, self.stage)
        return _messages(found)

    def pending(self) -> list[Message]:
        """Return the messages that must be sent again after a restore."""
        return _messages(self.stage.pending())

    def forget(self) -> None:
        """Take the stage out of the metrics."""
        self.metrics.forget_partition(self.partition)


class GroupHandler:
    """Partials to alerts and decisions."""

    def __init__(self, stage: GroupStage, metrics: Metrics) -> None:
        self.stage = stage
        self.metrics = metrics

    def process(self, records: Sequence[Any]) -> list[Message]:
        """Return the alerts and decisions that follow from `records`."""
        accepted, offsets, messages = [], [], []
        for record in records:
            try:
                accepted.append(partials.decode(record.value or b""))
                offsets.append(record.offset)
            except msgspec.DecodeError as error:
                messages.append(_dead_letter(record, NOT_A_PARTIAL, str(error)))
        outputs = self.stage.process(accepted, offsets) if accepted else Outputs()
        self.metrics.group_stage(self.stage)
        self.metrics.outputs(outputs.alerts, outputs.decisions)
        self.metrics.dead_letters([NOT_A_PARTIAL] * len(messages))
        messages.extend(
            Message(topics.ALERTS, alert.campaign_id.encode(), msgspec.json.encode(alert)) for alert in outputs.alerts
        )
        messages.extend(
            Message(topics.DECISIONS, f"{d.scope}:{d.value}".encode(), msgspec.json.encode(d))
            for d in outputs.decisions
        )
        return messages

    def feedback(self, records: Sequence[Any]) -> list[Message]:
        """Take in verdicts; return a dead letter for each record that is none. A tombstone says nothing.

        A time ahead of the record's is refused like an event's: nobody could overrule it before it has come.
        """
        verdicts, letters = [], []
        for record in records:
            try:
                verdict = None if record.value is None else decode(record.value)
            except FeedbackError as error:
                letters.append(_dead_letter(record, NOT_A_VERDICT, str(error)))
                continue
            if verdict and verdict.time > record.timestamp + FUTURE_MS:
                letters.append(_dead_letter(record, NOT_A_VERDICT, "time: more than an hour ahead of its record"))
            elif verdict:
                verdicts.append(verdict)
        self.stage.feedback(verdicts, offset=records[-1].offset)
        self.metrics.dead_letters([NOT_A_VERDICT] * len(letters))
        return letters

    def advance(self, now_ms: int) -> list[Message]:
        """Return nothing: this stage waits for partials, never for the clock."""
        return []

    def pending(self) -> list[Message]:
        """Return nothing: what was not sent before a crash follows again from the same partials."""
        return []

    def forget(self) -> None:
        """Take the stage out of the metrics."""
        self.metrics.forget_group()


def _messages(found: list[partials.Partial]) -> list[Message]:
    return [Message(topics.PARTIALS, b"%d" % p.partition, partials.encode(p)) for p in found]


def _dead_letter(record: Any, reason: str, detail: str) -> Message:
    letter = DeadLetter(
        reason, detail, record.topic, record.partition, record.offset, record.timestamp, len(record.value or b"")
    )
    key = f"{record.topic}:{record.partition}:{record.offset}".encode()
    return Message(topics.DEAD_LETTER, key, msgspec.json.encode(letter))

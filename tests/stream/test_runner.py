"""The order in which things become durable, with every participant writing down what it was asked to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from stream.checkpoint import Mark, Restored
from stream.config import KafkaSettings
from stream.handlers import Message
from stream.metrics import Metrics
from stream.runner import Kept, Runner

SOURCE = TP("requests", 0)
RESULT = Message("partials", b"0", b"result")
IDLE = Message("partials", b"0", b"idle")


NOTHING = Restored({}, -1)


class World:
    """A handler, a stage, a changelog and an outlet in one; `did` is the order of events."""

    def __init__(self, restored: Restored = NOTHING) -> None:
        self.did: list[Any] = []
        self.restored = restored
        self.results = [RESULT]
        self.again: list[Message] = []
        self.fails = ""
        self.end = 7

    def note(self, *what: Any) -> None:
        self.did.append(what if len(what) > 1 else what[0])
        if what[0] == self.fails:
            raise RuntimeError(self.fails)

    @property
    def stage(self) -> Any:
        return SimpleNamespace(snapshot=lambda: {"a": b"1"}, restore=self.take_over)

    def take_over(self, items: Iterable[tuple[str, bytes]]) -> None:
        self.note("restore", dict(items))

    def process(self, records: Sequence[Any]) -> list[Message]:
        self.note("process", [record.offset for record in records])
        return self.results

    def advance(self, now_ms: int) -> list[Message]:
        self.note("advance")
        return [IDLE]

    def pending(self) -> list[Message]:
        return self.again

    def forget(self) -> None:
        self.note("forget")

    async def open(self) -> None:
        self.note("open")

    async def restore(self, kept: Mark | None = None) -> Restored:
        self.asked = kept
        return self.restored

    async def write(self, entries: dict[str, bytes], offset: int) -> None:
        self.note("write", offset)

    async def close(self) -> None:
        self.note("close")

    async def send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.note("send", message.value.decode())

    def runner(self, kept: Kept | None = None, **settings: Any) -> Runner:
        kafka = KafkaSettings(**{"checkpoint_interval_s": 3600.0, "idle_timeout_s": 3600.0, **settings})
        done = lambda tp, offset: self.note("commit", offset)  # noqa: E731
        return Runner(SOURCE, self, self, self, kafka, Metrics(), done, kept)  # type: ignore[arg-type]


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in offsets]


async def yes() -> int:
    return 0


async def no() -> None:
    return None


def test_results_then_state_then_offsets() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner(checkpoint_requests=3)
        await runner.restore()
        await runner.process(records(0, 1))
        await runner.process(records(2, 3))

    asyncio.run(run())
    assert world.did == [
        "open", ("restore", {}), ("process", [0, 1]), ("send", "result"), ("process", [2, 3]), ("send", "result"),
        ("write", 3), ("commit", 3),
    ]  # fmt: skip


def test_when_the_clock_closes_ticks_state_goes_before_results() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner(idle_timeout_s=1e-9)
        await runner.restore()
        runner._idle_at -= 10
        await runner.tick(yes)

    asyncio.run(run())
    assert world.did[2:] == ["advance", ("write", -1), ("commit", -1), ("send", "idle")]


def test_a_drained_partition_is_committed_to_its_end_past_the_mark_of_a_transaction() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner(idle_timeout_s=1e-9)
        await runner.restore()
        await runner.process(records(0, 1))
        runner._idle_at -= 10

        async def end() -> int:
            return 3

        await runner.tick(end)

    asyncio.run(run())
    assert world.did[-4:] == ["advance", ("write", 2), ("commit", 2), ("send", "idle")]


def test_records_deleted_before_they_were_read_are_counted() -> None:
    world = World(Restored({}, 5, missed=7))
    metrics = Metrics()

    async def run() -> None:
        runner = world.runner()
        runner.metrics = metrics
        await runner.restore()

    asyncio.run(run())
    assert metrics.registry.get_sample_value("hydrawatch_missed_records_total", {"topic": "requests"}) == 7


def test_a_partition_with_records_waiting_is_not_idle() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner(idle_timeout_s=1e-9)
        await runner.restore()
        runner._idle_at -= 10
        await runner.tick(no)

    asyncio.run(run())
    assert "advance" not in world.did


def test_time_makes_a_checkpoint_without_further_records() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner()
        await runner.restore()
        await runner.process(records(0))
        runner._checkpoint_at -= 3601
        await runner.tick(no)
        await runner.tick(no)

    asyncio.run(run())
    assert world.did[4:] == [("write", 0), ("commit", 0)]


def test_commits_but_does_not_repeat_what_the_restored_state_covers_and_sends_what_was_pending() -> None:
    world = World(Restored({"a": b"1"}, 4))
    world.again = [IDLE]

    async def run() -> None:
        runner = world.runner()
        await runner.restore()
        await runner.process(records(2, 3, 4))
        await runner.process(records(4, 5, 6))

    asyncio.run(run())
    expected = ["open", ("restore", {"a": b"1"}), ("send", "idle"), ("commit", 4), ("process", [5, 6])]
    assert world.did == [*expected, ("send", "result")]


def test_a_partition_that_comes_back_untouched_goes_on_with_the_stage_in_memory() -> None:
    before, after = World(), World(Restored(None, 3))
    after.again = [IDLE]

    async def run() -> None:
        runner = before.runner()
        await runner.restore()
        await runner.process(records(2, 3))
        await runner.close(checkpoint=True)
        assert runner.kept == Kept(before, Mark(3, 7))
        before.did.clear()
        heir = after.runner(runner.kept)
        await heir.restore()
        await heir.process(records(4))

    asyncio.run(run())
    assert after.asked == Mark(3, 7)
    assert before.did == [("process", [4])]
    assert after.did == ["open", ("send", "result")]


def test_a_partition_that_another_worker_has_had_is_restored() -> None:
    before, after = World(), World(Restored({"a": b"2"}, 5))

    async def run() -> None:
        heir = after.runner(Kept(before, Mark(3, 7)))
        await heir.restore()
        await heir.process(records(6))

    asyncio.run(run())
    assert before.did == []
    assert after.did == ["open", ("restore", {"a": b"2"}), ("process", [6]), ("send", "result")]


def test_nothing_is_kept_that_was_never_restored() -> None:
    world = World()

    async def run() -> Runner:
        runner = world.runner()
        await runner.close(checkpoint=True)
        return runner

    assert asyncio.run(run()).kept is None


def test_waits_for_the_restore() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner()
        early = asyncio.create_task(runner.process(records(0)))
        await asyncio.sleep(0.01)
        assert world.did == []
        await runner.restore()
        await early

    asyncio.run(run())
    assert ("process", [0]) in world.did


@pytest.mark.parametrize("failing", ["process", "send", "write"])
def test_a_failure_commits_nothing(failing: str) -> None:
    world = World()

    async def run() -> None:
        runner = world.runner(checkpoint_requests=1)
        await runner.restore()
        world.fails = failing
        with pytest.raises(RuntimeError, match=failing):
            await runner.process(records(0))
        assert runner.durable == -1

    asyncio.run(run())
    assert ("commit", 0) not in world.did


def test_close_makes_the_rest_durable_and_ends_the_work() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner()
        await runner.restore()
        await runner.process(records(0))
        await runner.close(checkpoint=True)
        await runner.process(records(1))
        await runner.tick(yes)

    asyncio.run(run())
    assert world.did[4:] == [("write", 0), ("commit", 0), "forget", "close"]


def test_close_before_the_restore_lets_waiting_batches_go() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner()
        early = asyncio.create_task(runner.process(records(0)))
        await asyncio.sleep(0.01)
        await runner.close(checkpoint=True)
        await early

    asyncio.run(run())
    assert world.did == ["forget", "close"]


def test_what_comes_between_batches_is_sent_and_nothing_once_closed() -> None:
    world = World()

    async def run() -> None:
        runner = world.runner()
        await runner.restore()
        await runner.between(lambda: [RESULT])
        runner.abandon()
        await runner.between(lambda: [IDLE])

    asyncio.run(run())
    assert world.did == ["open", ("restore", {}), ("send", "result"), "forget"]

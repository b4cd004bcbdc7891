"""A worker that dies at a numbered point, or takes its time; the product knows nothing of it.

`python -m tests.faults.crashes` is `hydrawatch worker` with its participants wrapped: `CRASH=5:3` ends it with SIGKILL
when it passes point 5 for the third time, `FREEZE=14:1` stops it with SIGSTOP where it is. `DELAY_US=100` makes it
sleep for each record, `SESSION_S=2` lets the group notice its death sooner than the configuration allows,
`CLOCK_S=3600` puts its clock an hour ahead, `PROXY=4711` leads its connections through that port.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec
from aiokafka import conn

from stream import batching, checkpoint, config, handlers, runner, topics, worker
from stream.errors import HydrawatchError

POINTS = {
    1: "the changelog is ours, nothing is read",
    2: "the state is read, nothing of it sent again",
    3: "a batch is judged, no result sent",
    4: "half of its results are sent",
    5: "all results are delivered, no state written",
    6: "a snapshot is taken, none of it written",
    7: "a snapshot or an alert is written, its transaction open",
    8: "the state is durable, the committer not told",
    9: "the committer is told, nothing committed",
    10: "the offsets are committed",
    11: "ticks are closed by the clock, nothing durable",
    12: "closed ticks are durable, not sent",
    13: "closed ticks are sent",
    14: "an alert or a decision is taken, none sent",
}
DELAY_S = float(os.environ.get("DELAY_US", 0)) / 1e6
CLOCK_MS = int(float(os.environ.get("CLOCK_S", 0)) * 1000)
doing: ContextVar[str] = ContextVar("doing", default="")


class Trap:
    """Sends the process a signal at the `count`-th passage of `point`."""

    def __init__(self, order: str, number: int = signal.SIGKILL) -> None:
        point, _, count = order.partition(":")
        self.point, self.left, self.number = int(point or -1), int(count or 1), number

    def __call__(self, point: int) -> None:
        if point == self.point:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), self.number)


def _wrap(owner: type, name: str, before: Callable[..., None] | None, after: Callable[..., None] | None) -> None:
    original = getattr(owner, name)

    async def wrapped(self: Any, *arguments: Any, **more: Any) -> Any:
        if before:
            before(*arguments)
        result = await original(self, *arguments, **more)
        if after:
            after(*arguments)
        return result

    setattr(owner, name, wrapped)


def _wrap_handlers(trap: Trap) -> None:
    for owner in (handlers.AccountHandler, handlers.GroupHandler):
        process, advance = owner.process, owner.advance

        def judged(self: Any, records: Sequence[Any], process: Any = process) -> Any:
            doing.set("batch")
            time.sleep(DELAY_S * len(records))
            found = process(self, records)
            trap(3)
            if any(message.topic in (topics.ALERTS, topics.DECISIONS) for message in found):
                trap(14)
            return found

        def closed(self: Any, now_ms: int, advance: Any = advance) -> Any:
            found = advance(self, now_ms + CLOCK_MS)
            if found:
                doing.set("idle")
                trap(11)
            return found

        owner.process, owner.advance = judged, closed  # type: ignore[method-assign]


def _wrap_outlet(trap: Trap, owner: type) -> None:
    send = owner.send  # type: ignore[attr-defined]

    async def halting(self: Any, messages: Sequence[Any]) -> None:
        if messages and doing.get() == "batch" and trap.point == 4:
            await send(self, messages[: (len(messages) + 1) // 2])
            trap(4)
        await send(self, messages)
        if messages:
            trap({"batch": 5, "idle": 13}.get(doing.get(), 0))
        doing.set("")

    owner.send = halting  # type: ignore[attr-defined]


def set_traps(trap: Trap) -> None:
    """Wrap the participants of the work."""
    log = checkpoint.Changelog
    _wrap(log, "open", None, lambda: trap(1))
    _wrap(log, "restore", None, lambda *_: trap(2))
    _wrap(log, "write", lambda *_: trap(6), lambda *_: trap(12 if doing.get() == "idle" else 8))
    _wrap(log, "_send", None, lambda *_: trap(7))
    _wrap(batching.Consumer, "_commit", None, lambda *_: trap(10))
    told = batching.Consumer.checkpointed

    def checkpointed(self: Any, *arguments: Any) -> None:
        told(self, *arguments)
        trap(9)

    batching.Consumer.checkpointed = checkpointed  # type: ignore[method-assign]
    _wrap_handlers(trap)
    for owner in (runner.Outlet, checkpoint.Changelog):
        _wrap_outlet(trap, owner)


def _go_through(port: int) -> None:
    """Connect to `port` on this machine whatever port the broker names."""
    original = conn.AIOKafkaConnection.__init__

    def through(self: Any, host: str, _: int, **more: Any) -> None:
        original(self, host, port, **more)

    conn.AIOKafkaConnection.__init__ = through  # type: ignore[method-assign]


def main() -> int:
    """Run the worker."""
    freeze = os.environ.get("FREEZE", "")
    set_traps(Trap(freeze, signal.SIGSTOP) if freeze else Trap(os.environ.get("CRASH", "")))
    if "PROXY" in os.environ:
        _go_through(int(os.environ["PROXY"]))
    try:
        chosen = config.load()
        session = float(os.environ.get("SESSION_S", chosen.kafka.session_timeout_s))
        kafka = msgspec.structs.replace(chosen.kafka, session_timeout_s=session)
        return worker.run(msgspec.structs.replace(chosen, kafka=kafka))
    except HydrawatchError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

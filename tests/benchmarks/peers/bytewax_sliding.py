"""Bytewax with one sliding window of a minute every ten seconds per account: how many requests and output tokens."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as win
import msgspec
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from tests.benchmarks.peers.speedometer import Speedometer


class Request(msgspec.Struct):
    """The fields that the window needs."""

    time: int
    account: str = msgspec.field(name="account.id")
    tokens: int | None = msgspec.field(name="gen_ai.usage.output_tokens", default=None)


class Nowhere(StatelessSinkPartition[Any]):
    """Drops what it gets."""

    def write_batch(self, items: list[Any]) -> None:
        """Drop `items`."""


class Discard(DynamicSink[Any]):
    """The windows are not wanted, only their making."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Nowhere:
        """Return the part of one worker."""
        return Nowhere()


def main() -> None:
    """Run to the end of the topic; snapshots are off."""
    prefix, meter, decode = os.environ["HYDRAWATCH_KAFKA__TOPIC_PREFIX"], Speedometer(), msgspec.json.Decoder(Request)

    def parsed(message: Any) -> tuple[str, Request]:
        meter.count()
        request = decode.decode(message.value)
        return request.account, request

    flow = Dataflow("sliding")
    servers = [os.environ["HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS"]]
    source = KafkaSource(servers, [f"{prefix}requests"], tail=False, batch_size=1000)
    keyed = op.map("parse", op.input("requests", flow, source), parsed)
    clock = win.EventClock(
        lambda request: datetime.fromtimestamp(request.time / 1000, UTC), wait_for_system_duration=timedelta(seconds=5)
    )
    windower = win.SlidingWindower(
        length=timedelta(minutes=1), offset=timedelta(seconds=10), align_to=datetime(2026, 1, 1, tzinfo=UTC)
    )
    folded = win.fold_window(
        "window", keyed, clock, windower, lambda: (0, 0),
        lambda sums, request: (sums[0] + 1, sums[1] + (request.tokens or 0)), lambda a, b: (a[0] + b[0], a[1] + b[1]),
        ordered=False,
    )  # fmt: skip
    op.output("out", folded.down, Discard())
    run_main(flow)


if __name__ == "__main__":
    main()

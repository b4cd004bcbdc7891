"""Quix Streams with one tumbling window of a minute per account: how many requests, and how many output tokens."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from typing import Any

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Sum

from tests.benchmarks.peers.speedometer import Speedometer


def event_time(value: Any, *_: Any) -> int:
    """Return the time of a request, ms since 1970."""
    return int(value["time"])


def main() -> None:
    """Run until killed; state in RocksDB with its changelog, as by default."""
    prefix, meter = os.environ["HYDRAWATCH_KAFKA__TOPIC_PREFIX"], Speedometer()
    app = Application(
        broker_address=os.environ["HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS"], consumer_group=f"{prefix}quix",
        auto_offset_reset="earliest", state_dir=tempfile.mkdtemp(), loglevel="ERROR",
    )  # fmt: skip
    requests = app.topic(f"{prefix}requests", value_deserializer="json", timestamp_extractor=event_time)
    frame = app.dataframe(requests)
    frame = frame.update(lambda _: meter.count())
    window = frame.tumbling_window(timedelta(minutes=1), grace_ms=5_000)
    window.agg(requests=Count(), tokens=Sum("gen_ai.usage.output_tokens")).final()
    app.run()


if __name__ == "__main__":
    main()

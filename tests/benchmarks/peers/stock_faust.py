"""A Faust agent as in the user guide, which does nothing with raw events."""

from __future__ import annotations

import os
import tempfile

import faust

from tests.benchmarks.peers.speedometer import Speedometer

servers = os.environ["HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS"]
prefix = os.environ["HYDRAWATCH_KAFKA__TOPIC_PREFIX"]
app = faust.App(
    f"{prefix}stock", broker=f"kafka://{servers}", value_serializer="raw", store="memory://", web_enabled=False,
    table_standby_replicas=0, topic_allow_declare=False, topic_disable_leader=True, datadir=tempfile.mkdtemp(),
)  # fmt: skip
topic = app.topic(f"{prefix}requests", value_serializer="raw")


@app.agent(topic)
async def nothing(stream: faust.StreamT) -> None:
    """Count, and say how fast."""
    meter = Speedometer()
    async for _ in stream:
        meter.count()


if __name__ == "__main__":
    faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False).execute_from_commandline()

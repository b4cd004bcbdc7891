"""A Faust agent as in the user guide, which does nothing with raw events, for `worker_throughput`."""

from __future__ import annotations

import os
import tempfile
import time

import faust

servers = os.environ["HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS"]
prefix = os.environ["HYDRAWATCH_KAFKA__TOPIC_PREFIX"]
report_at = int(os.environ["REPORT_AT"])
app = faust.App(
    f"{prefix}stock", broker=f"kafka://{servers}", value_serializer="raw", store="memory://", web_enabled=False,
    table_standby_replicas=0, topic_allow_declare=False, topic_disable_leader=True, datadir=tempfile.mkdtemp(),
)  # fmt: skip
topic = app.topic(f"{prefix}requests", value_serializer="raw")


@app.agent(topic)
async def nothing(stream: faust.StreamT) -> None:
    """Count, and say how fast."""
    seen, started, cpu = 0, 0.0, 0.0
    async for _ in stream:
        if not seen:
            started, cpu = time.perf_counter(), time.process_time()
        seen += 1
        if seen == report_at:
            seconds, used = time.perf_counter() - started, time.process_time() - cpu
            os.write(1, f"rate {seen / seconds:.1f} cpu {used / seen * 1e6:.2f}\n".encode())


if __name__ == "__main__":
    faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False).execute_from_commandline()

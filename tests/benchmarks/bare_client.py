"""aiokafka's `getmany` and msgspec's decoding, nothing else: as fast as Python takes requests in, for `throughput`."""

from __future__ import annotations

import asyncio
import os
import time

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from detectors.request import Request


async def main() -> None:
    """Read and decode `REPORT_AT` requests and say how fast that went."""
    topic = os.environ["HYDRAWATCH_KAFKA__TOPIC_PREFIX"] + "requests"
    places = [TopicPartition(topic, number) for number in range(int(os.environ["HYDRAWATCH_KAFKA__PARTITIONS"]))]
    decode = msgspec.json.Decoder(Request).decode
    async with AIOKafkaConsumer(
        bootstrap_servers=os.environ["HYDRAWATCH_KAFKA__BOOTSTRAP_SERVERS"], max_partition_fetch_bytes=4 << 20,
        auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=50,
    ) as consumer:  # fmt: skip
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        seen, started, cpu = 0, time.perf_counter(), time.process_time()
        while seen < int(os.environ["REPORT_AT"]):
            for fetched in (await consumer.getmany(timeout_ms=1000, max_records=10_000)).values():
                seen += len([decode(record.value) for record in fetched])
        seconds, used = time.perf_counter() - started, time.process_time() - cpu
        print(f"rate {seen / seconds:.1f} cpu {used / seen * 1e6:.2f}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())

"""aiokafka's `getmany` and msgspec's decoding, nothing else: as fast as Python takes requests in."""

from __future__ import annotations

import asyncio
import os

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from detectors.request import Request
from tests.benchmarks.peers.speedometer import Speedometer


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
        meter = Speedometer()
        while meter.seen < meter.report_at:
            for fetched in (await consumer.getmany(timeout_ms=1000, max_records=10_000)).values():
                meter.count(len([decode(record.value) for record in fetched]))


if __name__ == "__main__":
    asyncio.run(main())

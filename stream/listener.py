"""Brings the verdicts of the feedback topic to the group stage, wherever it runs.

The topic is compacted and verdicts are idempotent, so nothing of it is committed: the group stage's own state holds
how far it has read, and a worker that takes the stage over reads on from there. What was taken in after the last
checkpoint is simply read again.
"""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream import clients, topics
from stream.config import KafkaSettings
from stream.handlers import GroupHandler
from stream.runner import Runner

POLL_MS = 500


async def listen(kafka: KafkaSettings, runner: Runner) -> None:
    """Hand verdicts over as they come, from where the restored state left off, until the runner is closed.

    Args:
        kafka: how to reach the broker.
        runner: of the group stage; nothing is read before it is ready.

    Raises:
        aiokafka.errors.KafkaError: the topic cannot be read.
    """
    await runner.ready.wait()
    handler = runner.handler
    assert isinstance(handler, GroupHandler), "the stage of groups takes verdicts"
    partition = TopicPartition(kafka.topic_prefix + topics.FEEDBACK, 0)
    async with AIOKafkaConsumer(
        **clients.aiokafka(kafka),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    ) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, handler.stage.feedback_offset + 1)
        while not runner.closed:
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                await runner.between(lambda records=records: handler.feedback(records))  # type: ignore[misc]

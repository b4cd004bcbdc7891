"""`hydrawatch worker`: a Faust application whose agents hand each batch to the runner of its partition.

Faust keeps the consumer group, the assignment, the fetching and the commits. The stages' state is kept by
`checkpoint`, not in Faust's tables. A worker ends at once, with a status, when something goes wrong that is not the
input's fault: nothing is acknowledged before it is durable, so starting again is the whole recovery.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from typing import Any, NoReturn

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client import start_http_server

from detectors.errors import DetectorError
from stream import clients, topics
from stream.batching import BatchStrategy, Transport
from stream.checkpoint import Changelog
from stream.config import Config
from stream.errors import FencedError, HydrawatchError, TopicError
from stream.handlers import AccountHandler, Factories, GroupHandler
from stream.listener import listen
from stream.memory import relax_collector
from stream.metrics import Metrics
from stream.runner import Handler, Kept, Outlet, Runner

log = logging.getLogger(__name__)

REFUSED = 2
UNEXPECTED = 70
"""Exit status `EX_SOFTWARE`."""
FENCED = 75
"""Exit status `EX_TEMPFAIL`: the worker was away for so long that another has its partitions; it may start again."""
REBALANCE_S = 30.0
REVOKE_S = 15.0
"""A last checkpoint may take this long at a rebalance, and `STOP_CHECKPOINT_S` when the worker is stopped."""
STOP_CHECKPOINT_S = 5.0
STOP_S = 9.0
TICK_S = 0.25
FETCHED_S = 2.0
FETCH_BYTES = 4 << 20
BUFFERED_BATCHES = 4
"""Batches that wait in front of an agent; a full buffer holds up the fetch."""


class App(faust.App):
    """The Faust application of one worker.

    Args:
        config: all of the configuration.
        factories: make the stages.
        metrics: of this process.
        datadir: an empty directory that Faust may write to.
    """

    def __init__(self, config: Config, factories: Factories, metrics: Metrics, datadir: str) -> None:
        kafka = config.kafka
        self.config = config
        self.factories = factories
        self.metrics = metrics
        self.outlet = Outlet(kafka)
        self.runners: dict[TP, Runner] = {}
        self._kept: dict[TP, Kept] = {}
        self._restoring: set[asyncio.Task[None]] = set()
        self._listening: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Lock()
        """Held while a state is read, which is in memory twice then: one partition after the other."""
        super().__init__(
            kafka.group_id,
            broker=[f"kafka://{server}" for server in kafka.servers],
            broker_credentials=clients.faust_credentials(kafka),
            broker_session_timeout=kafka.session_timeout_s,
            broker_heartbeat_interval=kafka.session_timeout_s / 3.3,
            broker_rebalance_timeout=REBALANCE_S,
            broker_commit_interval=1.0,
            broker_max_poll_records=kafka.fetch_max_records,
            consumer_max_fetch_size=FETCH_BYTES,
            consumer_auto_offset_reset="earliest",
            ConsumerScheduler=BatchStrategy,
            stream_buffer_maxsize=BUFFERED_BATCHES,
            stream_wait_empty=False,
            table_standby_replicas=0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            value_serializer="raw",
            web_enabled=False,
            store="memory://",
            datadir=datadir,
        )
        self.requests = kafka.topic_prefix + topics.REQUESTS
        self.partials = kafka.topic_prefix + topics.PARTIALS
        for name in (self.requests, self.partials):
            self.agent(self.topic(name, value_serializer="raw"), name=name)(self._consume)
        self.task(self._keep_time)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    async def on_start(self) -> None:
        """Connect what sends the results, before anything is consumed."""
        await self.outlet.start()
        await super().on_start()

    async def on_stop(self) -> None:
        """Make durable what is done, then let Faust stop."""
        self.flow_control.suspend()
        await self._release(STOP_CHECKPOINT_S)
        await super().on_stop()
        await self.outlet.stop()

    async def before_revoked(self) -> None:
        """Make durable what is done while the partitions are still ours."""
        await self._release(REVOKE_S)

    async def after_assigned(self, assigned: set[TP]) -> None:
        """Make the stages of the assigned partitions; they are restored, if they were not kept, while Faust goes on."""
        await self._release(REVOKE_S)
        kept, self._kept = self._kept, {}
        for tp in assigned:
            self.runners[tp] = runner = self._runner(tp, kept.get(tp))
            task = asyncio.create_task(self._restore(runner))
            self._restoring.add(task)
            task.add_done_callback(self._restoring.discard)
            if isinstance(runner.handler, GroupHandler):
                listening = asyncio.create_task(self._listen(runner))
                self._listening.add(listening)
                listening.add_done_callback(self._listening.discard)

    async def _listen(self, runner: Runner) -> None:
        try:
            await listen(self.config.kafka, runner)
        except Exception as error:
            _die(error, "the topic of feedback")

    async def _restore(self, runner: Runner) -> None:
        try:
            async with contextlib.nullcontext() if runner.kept else self._reading:
                await runner.restore()
        except Exception as error:
            _die(error, f"restoring {runner.tp.topic}/{runner.tp.partition}")

    async def _consume(self, stream: Any) -> None:
        async for event in stream.noack().events():
            runner = self.runners.get(event.message.tp)
            if runner is not None:
                try:
                    await runner.process(event.value)
                except Exception as error:
                    _die(error, f"{event.message.topic}/{event.message.partition} up to {event.message.offset}")

    async def _keep_time(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(TICK_S)
            for tp, runner in list(self.runners.items()):
                try:
                    await runner.tick(lambda tp=tp, runner=runner: self._drained(tp, runner))  # type: ignore[misc]
                    self._note_lag(tp, runner)
                except Exception as error:
                    _die(error, f"{tp.topic}/{tp.partition}")

    async def _drained(self, tp: TP, runner: Runner) -> int | None:
        """Return the end of the partition when everything before it has been taken in, None otherwise."""
        consumer = self.consumer
        if tp not in consumer.assignment() or not self.flow_control.is_active():
            return None
        highwater, handed_over = consumer.highwater(tp), consumer.scheduler.handed_over
        if highwater is None or handed_over.get(tp, -1) > runner.position:
            return None
        if runner.position + 1 >= highwater:
            return int(highwater)
        try:
            async with asyncio.timeout(FETCHED_S):
                fetched = await consumer.position(tp)  # past the marks of transactions, which are no records
                await asyncio.sleep(TICK_S)  # until what was fetched before that is handed over
        except (TimeoutError, KafkaError):
            return None
        return int(fetched) if fetched >= highwater and handed_over.get(tp, -1) <= runner.position else None

    def _note_lag(self, tp: TP, runner: Runner) -> None:
        if tp in self.runners and tp in self.consumer.assignment():
            highwater = self.consumer.highwater(tp)
            if highwater is not None:
                self.metrics.lag(tp.topic, tp.partition, max(0, highwater - runner.position - 1))

    def _runner(self, tp: TP, kept: Kept | None) -> Runner:
        kafka, detector = self.config.kafka, self.config.detector
        if tp.topic == self.requests:
            stage = self.factories.account(detector, tp.partition, self.config.identifier_key)
            handler: Handler = AccountHandler(stage, tp.partition, self.metrics)
            name, target, partitions = "account", topics.ACCOUNT_STATE, kafka.partitions
        else:
            handler = GroupHandler(self.factories.group(detector, kafka.partitions), self.metrics)
            name, target, partitions = "group", topics.GROUP_STATE, 1
        changelog = Changelog(kafka, name, kafka.topic_prefix + target, tp.topic, tp.partition, partitions)
        outlet = changelog if tp.topic == self.partials else self.outlet
        return Runner(tp, handler, changelog, outlet, kafka, self.metrics, self._checkpointed, kept)

    def _checkpointed(self, tp: TP, offset: int) -> None:
        self.consumer.checkpointed(tp, offset)

    async def _release(self, limit_s: float) -> None:
        """Give up all partitions, with a last checkpoint and commit if they come in time; keep what they then have."""
        for task in self._restoring:
            task.cancel()
        runners, self.runners = self.runners, {}
        if not runners:
            return
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(runner.close(checkpoint=True) for runner in runners.values()))
                await self.consumer.commit()
            self._kept = {tp: runner.kept for tp, runner in runners.items() if runner.kept}
        except TimeoutError:
            log.warning("no last checkpoint within %.0f s: the rest will be read again", limit_s)
            for runner in runners.values():
                runner.abandon()
        except Exception as error:
            _die(error, "the last checkpoint")
        for task in self._listening:
            task.cancel()
        for tp in runners:
            self.metrics.forget_lag(tp.topic, tp.partition)


class Worker(faust.Worker):
    """Faust's worker, which a signal ends within `STOP_S` even when the broker does not answer."""

    def _schedule_shutdown(self, number: signal.Signals) -> None:
        timer = threading.Timer(STOP_S, _leave)
        timer.daemon = True
        timer.start()
        super()._schedule_shutdown(number)

    def _setproctitle(self, info: str, **_: Any) -> None:
        """Leave the process its name."""


def run(config: Config, factories: Factories | None = None) -> int:
    """Work until SIGTERM or SIGINT.

    Args:
        config: all of the configuration.
        factories: make the stages; those of `detectors` when None.

    Returns:
        The exit status.

    Raises:
        TopicError: topics are missing, or have other numbers of partitions.
        BrokerError: Kafka cannot be reached.
    """
    differences = topics.blocking(config.kafka)
    if differences:
        raise TopicError(f"{'; '.join(differences)} (see `hydrawatch topics create`)")
    _set_up_logging()
    relax_collector()
    metrics = Metrics()
    if config.metrics.port:
        start_http_server(config.metrics.port, addr=config.metrics.address, registry=metrics.registry)
    with tempfile.TemporaryDirectory(prefix="hydrawatch-") as datadir:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        app = App(config, factories or default_factories(), metrics, datadir)
        worker = Worker(app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False)
        worker.spinner = None
        try:
            worker.execute_from_commandline()
        except SystemExit as status:
            return status.code if isinstance(status.code, int) else int(status.code is not None)
        return 0


def default_factories() -> Factories:
    """Return the stages of `detectors`."""
    from detectors.stages.account import AccountStage
    from detectors.stages.group import GroupStage

    return Factories(AccountStage, GroupStage)


def _set_up_logging() -> None:
    if not logging.root.handlers:
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("stream").setLevel(logging.INFO)


def _die(error: Exception, where: str) -> NoReturn:
    """End the process before anything else is acknowledged."""
    if isinstance(error, HydrawatchError | DetectorError):
        log.critical("%s: %s", where, error)
        _leave(FENCED if isinstance(error, FencedError) else REFUSED)
    log.critical("%s: unexpected %s, ending before anything is acknowledged", where, type(error).__name__)
    log.critical("", exc_info=error)
    _leave(UNEXPECTED)


def _leave(status: int = 0) -> NoReturn:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

"""The embedded default: files of request events through the same detectors as the workers, without a broker.

Reader, account stage and group stage run in one process, in event time; plain lists stand where the worker has topics.
Alerts and decisions are written as soon as the batch that decided them is done. A file that turns out corrupt ends the
reading: what came before it is judged as if the input ended there, the outputs are completed, and only then is the
error raised.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from detectors.alerts import Alert, Outputs
from detectors.feedback import Verdict
from detectors.request import Reject
from detectors.scan.requests import Requests, decode
from detectors.settings import DetectorSettings
from stream import report
from stream.distinct import Distinct
from stream.errors import InputError
from stream.files import JsonLinesFile, check_writable, write_text
from stream.memory import relax_collector
from stream.metrics import AccountCounters, GroupCounters, Metrics
from stream.reader import Batch, LineReader, check_readable

REJECTS_SHOWN = 5
"""Refused lines of each reason that are named on standard error; `--errors` has them all."""


class Accounts(AccountCounters, Protocol):
    """What replay needs of `detectors.stages.account.AccountStage`."""

    def process(self, requests: Requests, offsets: Any) -> list[Any]:
        """Return the partials of the ticks that `requests` close."""

    def advance(self) -> list[Any]:
        """Return the partials of all ticks still open."""


class Groups(GroupCounters, Protocol):
    """What replay needs of `detectors.stages.group.GroupStage`."""

    def process(self, partials: list[Any], offsets: Any) -> Outputs:
        """Return the alerts and decisions that `partials` lead to."""

    def campaigns(self) -> list[Alert]:
        """Return the latest alert of each campaign."""

    def feedback(self, verdicts: Sequence[Verdict], *, scheduled: bool) -> None:
        """Take in verdicts; `scheduled`, each counts from its own time on."""

    @property
    def waiting_verdicts(self) -> int:
        """Verdicts whose time has not come."""


class Targets(msgspec.Struct, frozen=True):
    """Where the results go; None for nowhere."""

    alerts: str | None = None
    decisions: str | None = None
    errors: str | None = None
    metrics: str | None = None
    report: str | None = None


class Refused(msgspec.Struct, frozen=True):
    """One refused line, as `--errors` writes it."""

    file: str
    line: int
    reason: str
    detail: str


def stages(settings: DetectorSettings, key: bytes | None = None) -> tuple[Accounts, Groups]:
    """Return the two stages for one partition."""
    from detectors.stages.account import AccountStage
    from detectors.stages.group import GroupStage

    return AccountStage(settings, partition=0, key=key), GroupStage(settings, partitions=1)


class Replay:
    """One run over a sequence of batches.

    Args:
        accounts: the account stage.
        groups: the group stage.
        metrics: updated per batch.
        alerts: written one line per alert transition.
        decisions: written one line per decision.
        refused: called with the refused lines of each batch that has any.
        now_ms: the wall clock, Unix ms; an event more than an hour ahead of it is refused.
    """

    def __init__(
        self,
        accounts: Accounts,
        groups: Groups,
        metrics: Metrics,
        alerts: JsonLinesFile,
        decisions: JsonLinesFile,
        refused: Callable[[list[Refused]], None],
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._accounts, self._groups, self._metrics = accounts, groups, metrics
        self._alerts, self._decisions, self._refused, self._now_ms = alerts, decisions, refused, now_ms
        self._lines = 0
        self._partials = 0
        self._seen_accounts = Distinct()
        self._rejected = self._decided = 0
        self._first_ms: int | None = None
        self._last_ms: int | None = None
        self.opened: dict[str, int] = {}
        """Campaign id → event time of its first alert, Unix ms."""

    def batch(self, path: str, batch: Batch) -> None:
        """Take one batch of lines of the file `path`."""
        started = time.perf_counter()
        requests, accepted, rejects = decode(batch.lines, self._now_ms())
        if rejects:
            self._refuse(path, batch, rejects)
        if len(requests):
            self._note(requests)
            self._pass_on(self._accounts.process(requests, self._lines + accepted))
        self._lines += len(batch.lines)
        self._metrics.account_stage(0, self._accounts)
        self._metrics.batch(time.perf_counter() - started)

    def finish(self) -> None:
        """Close what is open: nothing more will come."""
        self._pass_on(self._accounts.advance())
        self._metrics.account_stage(0, self._accounts)
        self._metrics.group_stage(self._groups)

    def totals(self, seconds: float) -> report.Totals:
        """Return what was read, after `seconds`."""
        return report.Totals(
            requests=self._accounts.requests,
            rejected=self._rejected,
            late=self._accounts.late,
            duplicates=self._accounts.duplicates,
            accounts=self._seen_accounts.count,
            decisions=self._decided,
            first_ms=self._first_ms,
            last_ms=self._last_ms,
            seconds=seconds,
        )

    def _note(self, requests: Requests) -> None:
        self._seen_accounts.add(requests.hash("account_id"))
        times = requests.number("time")
        earliest, latest = int(times.min()), int(times.max())
        self._first_ms = earliest if self._first_ms is None else min(self._first_ms, earliest)
        self._last_ms = latest if self._last_ms is None else max(self._last_ms, latest)

    def _refuse(self, path: str, batch: Batch, rejects: list[Reject]) -> None:
        self._rejected += len(rejects)
        self._metrics.dead_letters(reject.reason for reject in rejects)
        self._refused([Refused(path, batch.numbers[reject.index], reject.reason, reject.detail) for reject in rejects])

    def _pass_on(self, partials: list[Any]) -> None:
        if not partials:
            return
        outputs = self._groups.process(partials, range(self._partials, self._partials + len(partials)))
        self._partials += len(partials)
        for alert in outputs.alerts:
            if alert.state == "open" and alert.kind == "campaign":
                self.opened.setdefault(alert.campaign_id, alert.time)
        self._alerts.write(outputs.alerts)
        self._decisions.write(outputs.decisions)
        self._decided += len(outputs.decisions)
        self._metrics.outputs(outputs.alerts, outputs.decisions)
        self._metrics.group_stage(self._groups)


def run(
    paths: Sequence[str],
    made: tuple[Accounts, Groups],
    targets: Targets,
    out: Console,
    err: Console,
    verdicts: Sequence[Verdict] = (),
) -> None:
    """Replay `paths` in the order given and print the table of campaigns to `out`.

    Args:
        paths: files of request events, "-" for standard input.
        made: the two stages, see `stages`.
        targets: files to write.
        out: the console of the table.
        err: the console of progress and of refused lines.
        verdicts: what people said, each to count from its `time` on, in event time.

    Raises:
        InputError: before anything is read when a file cannot be opened; at the very end when one could not be read
            to its end.
        OutputError: before anything is read when a target cannot be written, or when a disk is full.
    """
    relax_collector()
    size = check_readable(paths)
    check_writable(targets.metrics)
    check_writable(targets.report)
    metrics = Metrics()
    failure: InputError | None = None
    started = time.perf_counter()
    with ExitStack() as stack:
        errors, alerts, decisions = (
            stack.enter_context(JsonLinesFile(path)) for path in (targets.errors, targets.alerts, targets.decisions)
        )
        complaints = Complaints(err, errors)
        if verdicts:
            made[1].feedback(verdicts, scheduled=True)
        job = Replay(*made, metrics, alerts, decisions, complaints.take)
        try:
            _read(paths, job, size, err)
        except InputError as error:
            failure = error
        job.finish()
        complaints.summary()
        if verdicts and made[1].waiting_verdicts:
            complaints.say(
                f"{made[1].waiting_verdicts:,} of {len(verdicts):,} verdicts are of a time after the last tick"
            )
    totals = job.totals(time.perf_counter() - started)
    found = report.rows(made[1].campaigns(), job.opened)
    if targets.metrics:
        write_text(targets.metrics, metrics.exposition())
    if targets.report:
        write_text(targets.report, report.page(found, totals))
    report.print_table(out, found, totals)
    if failure:
        raise failure


def _read(paths: Sequence[str], job: Replay, size: int | None, err: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("replay", total=size)
        done = 0
        for path in paths:
            reader = LineReader(path)
            for batch in reader:
                job.batch(path, batch)
                progress.update(task, completed=done + reader.position)
            done += reader.position


class Complaints:
    """Names refused lines on standard error, a few of each reason, and writes all of them to a file.

    Args:
        console: standard error.
        file: all of them, one JSON object per line.
    """

    def __init__(self, console: Console, file: JsonLinesFile) -> None:
        self._console, self._file = console, file
        self._counts: Counter[str] = Counter()

    def take(self, refused: list[Refused]) -> None:
        """Take the refused lines of one batch."""
        self._file.write(refused)
        for item in refused:
            self._counts[item.reason] += 1
            if self._counts[item.reason] <= REJECTS_SHOWN:
                self.say(f"{item.file}:{item.line}: {item.reason}: {item.detail}")

    def summary(self) -> None:
        """Say how many there were of each reason, when any."""
        if self._counts:
            parts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self._counts.items()))
            self.say(f"refused lines: {parts}")

    def say(self, text: str) -> None:
        """Print one line, without what would move the cursor of a terminal."""
        self._console.print(report.clean(text), markup=False, highlight=False, soft_wrap=True)

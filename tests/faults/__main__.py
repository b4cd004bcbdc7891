"""Run fault experiments and print what they showed.

`python -m tests.faults` runs all of them, `python -m tests.faults kills` the headline, `--list` names them. Every
random choice follows from the seed that is printed. Exit status 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.broker import kafka
from tests.faults import experiments, rig, table
from tests.faults.experiments import deaths, inputs, kills, members, outages, pressure, starts  # noqa: F401

QUICK, FULL = (0.005, 1.0), (0.01, 3.0)
"""Scale and days of the simulated traffic."""
HEADER = f"{'#':>2} {'experiment':26} {'lost':>5} {'doubled':>7} {'wrong':>5} {'state':>5} {'repeats':>7} " \
         f"{'stall s':>7} {'peak MB':>7} {'took s':>6}  exits"  # fmt: skip


class Brokers:
    """A broker for one experiment after the other, made anew when one did not leave it as it was."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._broker: kafka.LocalBroker | None = None

    def __enter__(self) -> Brokers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def one(self, new: bool) -> kafka.LocalBroker:
        """Return a broker that serves; a `new` one that nobody else gets if so asked."""
        if self._broker is None or new or not self._broker.alive:
            self._stack.close()
            self._broker = self._stack.enter_context(kafka.local())
        broker = self._broker
        if new:
            self._broker = None
        return broker


def run(
    chosen: experiments.Experiment, lines: Sequence[bytes], directory: Path, seed: int, brokers: Brokers
) -> rig.Report:
    """Run one experiment."""
    began = time.monotonic()
    directory.mkdir()
    broker = brokers.one(chosen.own_broker)
    means = rig.Rig(broker, lines, directory, seed, **chosen.settings)
    verdict = None
    try:
        verdict = chosen.body(means)
    except rig.Infeasible as reason:
        means.remarks.append(f"NOT DONE: {reason}")
    except Exception as error:
        means.failures.append(f"{type(error).__name__}: {error}")
        traceback.print_exc()
    finally:
        means.close()
    return rig.Report(
        chosen.number, chosen.name, verdict, means.stall_s, means.peak_mb, means.exits(), time.monotonic() - began,
        means.failures, means.remarks,
    )  # fmt: skip


def row(report: rig.Report) -> str:
    """Return a line of the table, and a line for each thing to say."""
    v = report.verdict
    numbers = [v.lost, v.doubled, v.wrong, v.state, v.repeats] if v else ["-"] * 5
    text = "{:>2} {:26} {:>5} {:>7} {:>5} {:>5} {:>7} {:>7.1f} {:>7.0f} {:>6.0f}  {}".format(
        report.number, report.title, *numbers, report.stall_s, report.peak_mb, report.seconds, report.exits
    )
    more = [f"FAILED: {failure}" for failure in report.failures] + (v.notes if v and not v.exact else [])
    return "\n".join([text, *(f"      {line}" for line in [*more, *report.remarks])])


def record(report: rig.Report, seed: int) -> dict[str, Any]:
    """Return what a report says, for a machine."""
    found = {"seed": seed, "passed": report.passed, **report._asdict()}
    found["verdict"] = report.verdict and report.verdict._asdict()
    return found


def main() -> None:
    """Run the chosen experiments."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="all when none is named")
    parser.add_argument("--list", action="store_true", help="name the experiments")
    parser.add_argument("--quick", action="store_true", help="those of `make test`, on little traffic")
    parser.add_argument("--except", dest="without", action="append", default=[], metavar="NAME", help="leave one out")
    parser.add_argument("--traffic", type=float, nargs=2, metavar=("SCALE", "DAYS"), help="how much to simulate")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--kills", type=int, default=kills.KILLS, help="of the experiment `kills`")
    parser.add_argument("--session", type=float, default=rig.SESSION_S, help="s; more where processors are scarce")
    parser.add_argument("--json", type=Path, help="write one JSON object per experiment to this file, too")
    parser.add_argument("--markdown", type=Path, help="write a table of the experiments to this file, too")
    parser.add_argument("--keep", type=Path, help="keep the workers' logs here")
    arguments = parser.parse_args()
    chosen = sorted(experiments.ALL.values(), key=lambda one: one.number)
    if unknown := {*arguments.names, *arguments.without} - experiments.ALL.keys():
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}")
    chosen = [e for e in chosen if (not arguments.names or e.name in arguments.names) and e.quick >= arguments.quick]
    chosen = [e for e in chosen if e.name not in arguments.without]
    if arguments.list:
        print("\n".join(f"{e.number:>2} {e.name:26} {'quick ' if e.quick else '      '}{e.title}" for e in chosen))
        return
    kills.KILLS, rig.SESSION_S = arguments.kills, arguments.session
    if arguments.json:
        arguments.json.write_bytes(b"")
    print(f"seed {arguments.seed}\n{HEADER}", flush=True)
    reports: list[rig.Report] = []
    with tempfile.TemporaryDirectory(prefix="hydrawatch-faults-") as work, Brokers() as brokers:
        directory = arguments.keep or Path(work)
        directory.mkdir(parents=True, exist_ok=True)
        traffic = arguments.traffic or (QUICK if arguments.quick else FULL)
        lines = rig.simulated(directory, *traffic, arguments.seed % 1000)
        for one in chosen:
            report = run(one, lines, directory / one.name, arguments.seed, brokers)
            print(row(report), flush=True)
            if arguments.json:
                with arguments.json.open("ab") as file:
                    file.write(msgspec.json.encode(record(report, arguments.seed)) + b"\n")
            reports.append(report)
            if arguments.markdown:
                arguments.markdown.write_text(table.document(reports, arguments.seed), encoding="utf-8")
    passed = all(report.passed for report in reports)
    print("all promises kept" if passed else "PROMISES WERE BROKEN")
    sys.exit(not passed)


if __name__ == "__main__":
    main()

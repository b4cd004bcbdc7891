"""The fault experiments as a table for people to read."""

from __future__ import annotations

from collections.abc import Sequence

from stream.evaluate.layout import markdown
from tests.faults.rig import Report

HEAD = ["#", "experiment", "lost", "doubled", "wrong", "state", "repeats", "stall", "peak", "took", "exits", "kept"]
ABOUT = """\
Written by `python -m tests.faults --seed {seed} --markdown FILE`: alerts, decisions and the state at the end, compared
with the detectors run over the same log without a broker. Lost, doubled and wrong count alerts and decisions; state
counts places that differ; repeats are the same bytes under the same id, which consumers drop. Stall is the longest time
between two outputs of the account stage, peak the largest resident memory of a worker, exits are the workers' statuses
(negative: the signal)."""


def document(reports: Sequence[Report], seed: int) -> str:
    """Return what the experiments showed as Markdown, and what was said of single ones."""
    kept = sum(report.passed for report in reports)
    told = [
        f"- {report.title}: {text}"
        for report in reports
        for text in [*(f"**{failure}**" for failure in report.failures), *report.remarks]
    ]
    return "\n".join(
        [
            "# Fault experiments",
            "",
            ABOUT.format(seed=seed),
            "",
            f"**{kept} of {len(reports)} experiments kept all promises.**",
            "",
            markdown(HEAD, map(_row, reports)),
            "",
            *told,
            "",
        ]
    )


def _row(report: Report) -> list[str]:
    verdict = report.verdict
    found = [verdict.lost, verdict.doubled, verdict.wrong, verdict.state, verdict.repeats] if verdict else ["–"] * 5
    seen = [f"{report.stall_s:.1f} s", f"{report.peak_mb:.0f} MB", f"{report.seconds:.0f} s", report.exits]
    return [str(report.number), report.title, *map(str, found), *seen, "yes" if report.passed else "**no**"]

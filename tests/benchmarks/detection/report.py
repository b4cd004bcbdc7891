"""What a ruler run leaves: `results/detection-<date>.json`, and `.md` with the summary that the README quotes.

The JSON holds every figure of every seed; the kinds of honest accounts, per seed, only where a detector touched them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from stream.evaluate.intervals import Estimate
from stream.evaluate.layout import markdown
from stream.evaluate.summary import Report, Row, Setting
from stream.evaluate.tables import markdown_text
from tests.benchmarks.detection.plan import tuning_text
from tests.benchmarks.detection.run import PRODUCT, Thresholds, commit

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("numpy", "scipy", "river", "msgspec", "xxhash")
NO_RIVALS = (PRODUCT, "oracle")


class Part(msgspec.Struct, frozen=True):
    """One figure on a real stream: the line to beat (None without one) and where that comes from."""

    part: str
    measure: str
    value: float
    line: float | None
    source: str
    beaten: bool | None


class Facts(msgspec.Struct, kw_only=True):
    """How the figures came about. `seconds`: wall clock of all runs and parts, added up; `busy`: load at the end."""

    date: str
    command: str
    seeds: list[int]
    tuning: str
    """Worlds that the detector was tuned on."""
    runs: tuple[int, int]
    """Runs in these results, and runs that there will be."""
    commits: list[str]
    """Commits that the runs were made at: one, unless they were continued later."""
    parts_commit: str
    version: str
    config: dict[str, Any]
    python: str
    packages: dict[str, str]
    processors: int
    busy: float
    seconds: float
    thresholds: Thresholds | None
    """None where no baseline was run."""


class Results(msgspec.Struct, kw_only=True):
    """Everything, as the JSON file holds it."""

    facts: Facts
    report: Report
    parts: list[Part]
    missing_parts: dict[str, str]


def versions() -> dict[str, str]:
    """Return the versions of the packages that the figures depend on."""
    return {name: metadata.version(name) for name in PACKAGES}


def write(results: Results, folder: Path = RESULTS) -> tuple[Path, Path]:
    """Write both files; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"detection-{results.facts.date}"
    paths = stem.with_suffix(".json"), stem.with_suffix(".md")
    paths[0].write_bytes(msgspec.json.encode(_slim(results)) + b"\n")
    paths[1].write_text(document(results), encoding="utf-8")
    return paths


def _slim(results: Results) -> Results:
    """Return the results without the kinds of honest accounts that a detector left alone."""
    data = msgspec.json.decode(msgspec.json.encode(results), type=Results)
    for run in data.report.runs:
        for figures in run.detectors.values():
            figures.honest = [kind for kind in figures.honest if kind.accounts_decided or kind.false_alerts]
    return data


def document(results: Results) -> str:
    """Return the Markdown form."""
    facts = results.facts
    head = [
        f"# Detection, {facts.date}",
        f"`{facts.command}`: {_runs(facts.runs)} at commit {', '.join(facts.commits)} "
        f"(real streams: {facts.parts_commit}), Hydrawatch "
        f"{facts.version} with its default configuration, Python {facts.python}, "
        + ", ".join(f"{name} {version}" for name, version in facts.packages.items())
        + f"; the runs took {facts.seconds / 60:.0f} minutes if added up, on {facts.processors} shared processors "
        f"(load average {facts.busy:.1f}).",
        f"Seeds of these figures: {', '.join(map(str, facts.seeds))}. {facts.tuning}",
        *([_baselines(facts.thresholds)] if facts.thresholds else []),
    ]
    parts = [*head, "## Summary", summary(results.report), "## On real streams", parts_table(results)]
    return "\n\n".join([*parts, "## Every scenario", markdown_text(results.report)])


def _baselines(frozen: Thresholds) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in frozen.thresholds.items())
    return (
        f"Baselines keep {frozen.false_campaigns_per_week:g} false campaigns a week on quiet worlds of the seeds "
        f"{', '.join(map(str, frozen.seeds))}: {values}. The rules after Glasswally and AegisGate keep their "
        "published constants, whatever they cost; the oracle knows the labels."
    )


def _runs(runs: tuple[int, int]) -> str:
    done, planned = runs
    return f"{done} runs" if done == planned else f"**{done} of {planned} runs so far**"


def summary(report: Report) -> str:
    """Return a row per setting: Hydrawatch, the best baseline within the budget, the two rule sets, who is ahead."""
    head = ("scenario", "found", "leaked", "accounts decided", "precision", "opens per campaign", "false alarms")
    head += ("best budgeted baseline: found, leaked", "Glasswally rules: found, false", "AegisGate rules: found, false")
    head += ("not behind Hydrawatch",)
    return markdown(head, [_line(setting) for setting in report.settings])


def _line(setting: Setting) -> tuple[str, ...]:
    rows = {row.detector: row for row in setting.rows}
    own, best = rows.get(PRODUCT), _best(rows)
    rules = [rows.get(f"{name} rules") for name in ("Glasswally", "AegisGate")]
    return (
        _name(setting),
        *(_product(own) if own else ("–",) * 6),
        _rival(best) if best else "–",
        *(f"{_found(row)}, {row.false_alerts}" if row else "–" for row in rules),
        (", ".join(not_behind(setting)) or "none") if own and own.campaigns else "–",
    )


def not_behind(setting: Setting) -> list[str]:
    """Return the baselines that Hydrawatch is not ahead of: they found as much, and leaked as little, or better.

    False alarms are no excuse here: rules that accuse everybody find everything.
    """
    rows = {row.detector: row for row in setting.rows if row.campaigns}
    own = rows.pop(PRODUCT, None)
    rows.pop("oracle", None)
    return [name for name, row in rows.items() if own is None or _merit(row) >= _merit(own)]


def _merit(row: Row) -> tuple[int, float]:
    return row.found, -(row.leaked_share.value or 0.0)


def _rival(row: Row) -> str:
    return f"{row.detector}: {_found(row)}, {_share(row.leaked_share)}" if row.found else f"none: {_found(row)}"


def _product(row: Row) -> tuple[str, ...]:
    opens = row.open_alerts_per_campaign.value
    return (
        _found(row),
        _share(row.leaked_share),
        _share(row.accounts_decided_share),
        _share(row.precision) if row.campaigns else "–",
        "–" if opens is None else f"{opens:.1f}",
        str(row.false_alerts),
    )


def _name(setting: Setting) -> str:
    return " ".join([setting.scenario, *(f"{name}={value:g}" for name, value in changed(setting).items())])


def changed(setting: Setting) -> Mapping[str, float]:
    """Return the dials of a setting that are not at their defaults."""
    from stream.simulate import SCENARIOS

    known = SCENARIOS[setting.scenario].dials
    return {name: value for name, value in setting.dials.items() if value != known[name].default}


def _best(rows: Mapping[str, Row]) -> Row | None:
    """Return the baseline of those with a budget that found most and leaked least; None without a campaign."""
    rivals = [row for name, row in rows.items() if name not in NO_RIVALS and not name.endswith("rules")]
    rivals = [row for row in rivals if row.campaigns]
    return min(rivals, key=lambda row: (-row.found, row.leaked_share.value or 0.0), default=None)


def _found(row: Row) -> str:
    return f"{row.found}/{row.campaigns}" if row.campaigns else "–"


def _share(figure: Estimate) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.0f} %"


def parts_table(results: Results) -> str:
    """Return the figures on real streams, and which parts could not run and why."""
    mark = {True: "yes", False: "no", None: ""}
    body = [
        (p.part, p.measure, f"{p.value:.4g}", "–" if p.line is None else f"{p.line:.4g}", mark[p.beaten], p.source)
        for p in results.parts
    ]
    absent = [f"Not run: {name}: {why}." for name, why in results.missing_parts.items()]
    table = markdown(("part", "measure", "value", "line to beat", "beaten", "source of the line"), body)
    return "\n\n".join([*([table] if body else []), *absent]) or "No part was asked for."


def facts(
    command: str,
    seeds: list[int],
    runs: tuple[int, int],
    commits: list[str],
    seconds: float,
    thresholds: Thresholds | None,
) -> Facts:
    """Return how the figures came about."""
    from detectors import __version__
    from detectors.settings import DetectorSettings

    return Facts(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        command=command,
        seeds=seeds,
        tuning=tuning_text(seeds),
        runs=runs,
        commits=commits,
        parts_commit=commit(),
        version=__version__,
        config=msgspec.to_builtins(DetectorSettings()),
        python=platform.python_version(),
        packages=versions(),
        processors=os.cpu_count() or 1,
        busy=os.getloadavg()[0],
        seconds=round(seconds, 1),
        thresholds=thresholds,
    )


def as_parts(rows: Iterable[Any]) -> list[Part]:
    """Return rows of `parts.row.Row` as they are written."""
    return [Part(r.part, r.measure, float(r.value), r.line, r.source, r.beaten) for r in rows]


def names(text: str | None, known: Sequence[str], what: str) -> list[str]:
    """Return the names in a comma-separated list, all when None.

    Raises:
        ValueError: an unknown name.
    """
    chosen = list(known) if text is None else [name.strip() for name in text.split(",")]
    for name in chosen:
        if name not in known:
            raise ValueError(f"{what}: {name!r} is none of {', '.join(known)}")
    return chosen

"""Recall and leaked share against one dial, from settings that differ in nothing else: CSV, and PNG with matplotlib."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stream.errors import OutputError
from stream.evaluate.intervals import Estimate
from stream.evaluate.summary import Setting
from stream.files import write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
"""Told apart by colour-blind readers too (Okabe & Ito 2008), grey for their yellow."""
WITHOUT_PLOTS = "PNG plots need matplotlib, which is not installed: pip install 'hydrawatch[plots]'"
HEAD = (
    *("scenario", "dial", "value", "held", "scale", "days", "detector", "seeds", "campaigns", "found"),
    *("recall", "recall_low", "recall_high", "leaked_share", "leaked_share_low", "leaked_share_high"),
)


class Curve(msgspec.Struct, kw_only=True):
    """Settings along one dial, by its value; `held`: the other dials."""

    name: str
    scenario: str
    dial: str
    held: dict[str, float]
    settings: list[Setting]


def curves(settings: list[Setting]) -> list[Curve]:
    """Return a curve for every dial and every choice of all else that at least two of `settings` share."""
    found = []
    for dial in sorted({name for setting in settings for name in setting.dials}):
        groups: dict[bytes, list[Setting]] = {}
        for setting in settings:
            if dial in setting.dials:
                groups.setdefault(_rest(setting, dial), []).append(setting)
        found += [(dial, group) for group in groups.values() if len(group) > 1]
    found.sort(key=lambda pair: (pair[1][0].scenario, pair[0]))
    names = Counter((group[0].scenario, dial) for dial, group in found)
    used: Counter[tuple[str, str]] = Counter()
    out = []
    for dial, group in found:
        scenario = group[0].scenario
        used[scenario, dial] += 1
        number = f"-{used[scenario, dial]}" if names[scenario, dial] > 1 else ""
        held = {name: value for name, value in group[0].dials.items() if name != dial}
        group.sort(key=lambda setting: setting.dials[dial])
        out.append(Curve(name=f"{scenario}-{dial}{number}", scenario=scenario, dial=dial, held=held, settings=group))
    return out


def write(made: list[Curve], folder: Path) -> list[str]:
    """Write each curve to `folder` as CSV and, with matplotlib, as PNG; return the names of the files.

    Raises:
        OutputError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror or error}") from None
    written = []
    for curve in made:
        write_text(folder / f"{curve.name}.csv", table(curve))
        written.append(f"{curve.name}.csv")
    if can_plot():
        for curve in made:
            _plot(curve, folder / f"{curve.name}.png")
            written.append(f"{curve.name}.png")
    return written


def can_plot() -> bool:
    """Return whether matplotlib is there."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return False
    return True


def table(curve: Curve) -> str:
    """Return the curve as CSV, a line per value and detector; an unknown bound is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    held = " ".join(f"{name}={value:g}" for name, value in curve.held.items())
    for setting in curve.settings:
        at = [curve.scenario, curve.dial, setting.dials[curve.dial], held, setting.scale, setting.days]
        for row in setting.rows:
            share = [*_bounds(row.found_share), *_bounds(row.leaked_share)]
            writer.writerow([*at, row.detector, len(row.seeds), row.campaigns, row.found, *share])
    return out.getvalue()


def _rest(setting: Setting, dial: str) -> bytes:
    others = {name: value for name, value in setting.dials.items() if name != dial}
    return msgspec.json.encode([setting.scenario, setting.scale, setting.days, setting.lookalikes, others])


def _bounds(figure: Estimate) -> list[float | None]:
    return [figure.value, figure.low, figure.high]


def _plot(curve: Curve, path: Path) -> None:
    """Draw a column per detector, with its band and the others' lines in grey: eight bands in one panel hide all."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row.detector for setting in curve.settings for row in setting.rows))
    page = Figure(figsize=(1.2 + 1.9 * len(names), 5), layout="constrained")
    panels = page.subplots(2, len(names), sharex=True, sharey=True, squeeze=False)
    for line, (figure, title) in enumerate((("found_share", "campaigns found"), ("leaked_share", "exchanges leaked"))):
        for number, name in enumerate(names):
            axes = panels[line][number]
            for other in names:
                points = _points(curve, other, figure)
                axes.plot(list(points), _values(points), color="0.85", linewidth=1, zorder=1)
            _band(axes, _points(curve, name, figure), COLOURS[number % len(COLOURS)])
            axes.grid(alpha=0.2)
        panels[line][0].set(ylabel=f"share of {title}", ylim=(-0.03, 1.03))
    for number, name in enumerate(names):
        panels[0][number].set_title(name, fontsize=9)
        panels[1][number].set_xlabel(curve.dial)
    page.suptitle(_title(curve), fontsize=10)
    try:
        page.savefig(path, dpi=130)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from None


def _title(curve: Curve) -> str:
    counts = sorted({len(setting.seeds) for setting in curve.settings})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    held = ", ".join(f"{name} {value:g}" for name, value in curve.held.items())
    return f"{curve.scenario}, n={seeds}, 95 % bands" + (f"\n{held}" if held else "")


def _points(curve: Curve, detector: str, figure: str) -> dict[float, Estimate]:
    return {
        setting.dials[curve.dial]: getattr(row, figure)
        for setting in curve.settings
        for row in setting.rows
        if row.detector == detector and getattr(row, figure).value is not None
    }


def _band(axes: Axes, points: dict[float, Estimate], colour: str) -> None:
    axes.plot(list(points), _values(points), color=colour, marker="o", markersize=4, zorder=3)
    known = {x: (y.low, y.high) for x, y in points.items() if y.low is not None and y.high is not None}
    low, high = [low for low, _ in known.values()], [high for _, high in known.values()]
    axes.fill_between(list(known), low, high, color=colour, alpha=0.2, linewidth=0, zorder=2)


def _values(points: dict[float, Estimate]) -> list[float]:
    return [y.value for y in points.values() if y.value is not None]

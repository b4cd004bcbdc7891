"""Recall and leaked share against one dial, from settings that differ in nothing else: CSV, and PNG with matplotlib."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stream.errors import OutputError
from stream.evaluate.intervals import Estimate
from stream.evaluate.summary import Setting
from stream.files import write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
"""Told apart by colour-blind readers too (Okabe & Ito 2008), grey for their yellow."""
MARKERS = "osD^vPX*"
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
    from matplotlib.figure import Figure

    page = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = page.subplots(1, 2, sharex=True)
    for axes, name, title in (
        (left, "found_share", "campaigns found"),
        (right, "leaked_share", "share of exchanges leaked before the first alert"),
    ):
        _panel(axes, curve, name)
        axes.set(title=title, xlabel=curve.dial, ylim=(-0.03, 1.03))
        axes.grid(alpha=0.3)
    handles, labels = left.get_legend_handles_labels()
    page.legend(handles, labels, loc="outside right upper", frameon=False)
    counts = sorted({len(setting.seeds) for setting in curve.settings})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    held = ", ".join(f"{name} {value:g}" for name, value in curve.held.items())
    page.suptitle(f"{curve.scenario}: {seeds} seeds, bands 95 %" + (f"; {held}" if held else ""), fontsize=11)
    try:
        page.savefig(path, dpi=130)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from None


def _panel(axes: Axes, curve: Curve, figure: str) -> None:
    names = dict.fromkeys(row.detector for setting in curve.settings for row in setting.rows)
    for number, name in enumerate(names):
        points = [
            (setting.dials[curve.dial], getattr(row, figure))
            for setting in curve.settings
            for row in setting.rows
            if row.detector == name and getattr(row, figure).value is not None
        ]
        style: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "zorder": 20 - number}
        axes.plot(
            [x for x, _ in points],
            [y.value for _, y in points],
            label=name,
            marker=MARKERS[number % len(MARKERS)],
            linewidth=2.5 if number == 0 else 1.2,
            **style,
        )
        banded = [(x, y) for x, y in points if y.low is not None]
        low, high = [y.low for _, y in banded], [y.high for _, y in banded]
        axes.fill_between([x for x, _ in banded], low, high, alpha=0.12, linewidth=0, **style)

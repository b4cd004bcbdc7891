"""The figures over seeds as plain text and as Markdown: a table per setting, a row per detector."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill

from stream.evaluate.intervals import Estimate
from stream.evaluate.layout import columns, markdown
from stream.evaluate.summary import KindRow, Report, Row, Setting

FULL_SEEDS = 10
"""Seeds that a published figure rests on (contract §7)."""
LEGEND = """\
Each figure is the mean over seeds with its 95 % confidence interval in brackets; n = seeds it rests on where not all \
of them have it. Intervals: campaigns found, exact binomial; false alarms, exact Poisson over the accounts and weeks \
observed; the others, Student's t over seeds, or the exact binomial bound where every seed gives 0 % or 100 %. \
"n=1" and "all alike" stand where no interval can be known. Hours to the first alert, and opens per campaign, are over \
found campaigns alone. Contained: share of the exchanges after the first alert whose account was under a decision \
stronger than `observe`. Benign decided: honest accounts under a decision; where there is none, the bound is that of \
no event among the accounts observed."""

Format = Callable[[float], str]
Table = Callable[[list[str], list[list[str]]], str]


def text(report: Report) -> str:
    """Return the whole report as plain text, a setting's figures of campaigns above those of honest accounts."""
    parts = []
    for setting in report.settings:
        parts.append(_title(setting))
        if any(row.campaigns for row in setting.rows):
            parts += [_table(columns, setting.rows, CAMPAIGN_COLUMNS), _campaigns(columns, setting)]
        parts.append(_table(columns, setting.rows, HONEST_COLUMNS))
        parts.append(_kinds(columns, setting))
    return "\n\n".join(part for part in [*parts, _few(report), fill(LEGEND, 110)] if part) + "\n"


def markdown_text(report: Report) -> str:
    """Return the whole report as Markdown."""
    parts = []
    for setting in report.settings:
        both = (CAMPAIGN_COLUMNS if any(row.campaigns for row in setting.rows) else {}) | HONEST_COLUMNS
        parts += [f"### {_title(setting)}", _table(markdown, setting.rows, both)]
        parts += [_campaigns(markdown, setting), _kinds(markdown, setting)]
    return "\n\n".join(part for part in [LEGEND, _few(report), *parts] if part) + "\n"


def _title(setting: Setting) -> str:
    dials = "".join(f" {name}={value:g}" for name, value in setting.dials.items())
    count = len(setting.seeds)
    facts = [f"{count} seed{'s' if count != 1 else ''} ({', '.join(map(str, setting.seeds))})"]
    facts.append(f"scale {setting.scale:g}")
    if setting.days is not None:
        facts.append(f"{setting.days:g} days")
    if setting.lookalikes is not None:
        facts.append("look-alikes: " + (", ".join(setting.lookalikes) or "none"))
    return f"{setting.scenario}{dials}: {', '.join(facts)}"


def _few(report: Report) -> str:
    least = min(len(setting.seeds) for setting in report.settings)
    if least >= FULL_SEEDS:
        return ""
    return f"Some settings have {least} of the {FULL_SEEDS} seeds a published figure rests on: read the intervals."


def _table(table: Table, rows: list[Row], shown: dict[str, Callable[[Row], str]]) -> str:
    return table(["detector", *shown], [[row.detector, *(cell(row) for cell in shown.values())] for row in rows])


def _campaigns(table: Table, setting: Setting) -> str:
    """Return a row per detector and campaign, nothing where there is but one name."""
    body = [
        [
            row.detector,
            c.campaign,
            _of(c.found, c.seeds, c.found_share),
            estimate(c.leaked_share, _share, c.seeds),
            estimate(c.hours_to_alert, _number, c.seeds),
            estimate(c.accounts_decided_share, _share, c.seeds),
        ]
        for row in setting.rows
        for c in row.by_campaign
    ]
    head = ["detector", "campaign", "found", "leaked %", "hours to alert", "accounts decided %"]
    return table(head, body) if len({line[1] for line in body}) > 1 else ""


def _kinds(table: Table, setting: Setting) -> str:
    body = [
        [row.detector, kind.kind, f"{kind.accounts:,}", *_kind(kind, len(row.seeds))]
        for row in setting.rows
        for kind in row.honest
        if kind.accounts_decided or kind.false_alerts
    ]
    head = ["detector", "honest kind", "accounts", "false alerts", "per week, million", "decided", "per million, day"]
    return table(head, body) if body else ""


def _kind(kind: KindRow, seeds: int) -> tuple[str, str, str, str]:
    return (
        str(kind.false_alerts),
        estimate(kind.false_alerts_per_week_per_million, _number),
        f"{kind.accounts_decided:,}",
        estimate(kind.per_million_per_day, _number, seeds),
    )


def estimate(figure: Estimate, form: Format, seeds: int | None = None) -> str:
    """Return "value [low–high]", with n where it is not `seeds`."""
    if figure.value is None:
        return "–"
    if figure.method == "one":
        note = " [n=1]"
    elif figure.low is None or figure.high is None:
        note = f" [all {figure.n} alike]"
    else:
        note = f" [{form(figure.low)}–{form(figure.high)}]"
    short = seeds is not None and figure.n != seeds and figure.method in ("t", "binomial")
    return form(figure.value) + note + (f" n={figure.n}" if short else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 or not value else f"{value:.2g}"


def _share(value: float) -> str:
    return f"{100 * value:.0f}" if value in (0, 1) else f"{100 * value:.1f}"


def _seeds(name: str, form: Format) -> Callable[[Row], str]:
    return lambda row: estimate(getattr(row, name), form, len(row.seeds))


def _of(found: int, count: int, share: Estimate) -> str:
    return f"{found}/{count} [{_share(share.low or 0)}–{_share(share.high or 0)} %]" if count else "–"


def _b_cubed(row: Row) -> str:
    both = (row.b_cubed_precision.value, row.b_cubed_recall.value)
    return " / ".join("–" if value is None else f"{value:.2f}" for value in both)


CAMPAIGN_COLUMNS: dict[str, Callable[[Row], str]] = {
    "found": lambda row: _of(row.found, row.campaigns, row.found_share),
    "missed": lambda row: str(row.missed),
    "leaked": _seeds("leaked", _number),
    "leaked %": _seeds("leaked_share", _share),
    "hours to alert": _seeds("hours_to_alert", _number),
    "contained %": _seeds("contained_share", _share),
    "accounts decided %": _seeds("accounts_decided_share", _share),
    "precision %": _seeds("precision", _share),
    "opens per campaign": _seeds("open_alerts_per_campaign", _number),
    "B³ precision / recall": _b_cubed,
}
HONEST_COLUMNS: dict[str, Callable[[Row], str]] = {
    "false alarms": lambda row: str(row.false_alerts),
    "account-weeks": lambda row: f"{row.account_weeks:,.0f}",
    "false alarms per week, million": lambda row: estimate(row.false_alerts_per_week_per_million, _number),
    "benign decided per million, day": _seeds("honest_per_million_per_day", _number),
}

"""What a person reads at the end: the campaigns, and why each is one, as a table and as a page.

Both renderings show the same `Row`. Text that an account could have written (model names, access paths) is shown
without control characters, and escaped in the page.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.alerts import Alert

SHARES_SHOWN = 4
STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


class Row(msgspec.Struct, frozen=True):
    """One campaign in words."""

    campaign: str
    state: str
    severity: str
    accounts: str
    requests: str
    first_seen: str
    detected_after: str
    score: str
    why: list[str]
    against: list[str]
    links: str
    models: str
    access_paths: str
    capabilities: str
    lineage: str


class Totals(msgspec.Struct, frozen=True):
    """What was read. `first_ms` and `last_ms` are the earliest and latest event time, None when nothing was."""

    requests: int = 0
    rejected: int = 0
    late: int = 0
    duplicates: int = 0
    accounts: int = 0
    decisions: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    seconds: float = 0.0


def rows(alerts: Iterable[Alert], opened: Mapping[str, int]) -> list[Row]:
    """Return a row per campaign, strongest first; one that was merged is part of the other's row.

    Alerts about single accounts are no campaigns and have no row.

    Args:
        alerts: the latest alert of each campaign.
        opened: campaign id → event time of its first alert, Unix ms.
    """
    standing = [alert for alert in alerts if alert.kind == "campaign" and alert.state != "merged"]
    return [_row(alert, opened.get(alert.campaign_id)) for alert in sorted(standing, key=lambda alert: -alert.score)]


def _row(alert: Alert, opened_ms: int | None) -> Row:
    return Row(
        campaign=clean(alert.campaign_id),
        state=clean(alert.state) + (" (provisional)" if alert.provisional else ""),
        severity=clean(alert.severity),
        accounts=f"{alert.accounts:,}",
        requests=f"{alert.volume.requests:,}",
        first_seen=moment(alert.first_seen),
        detected_after="-" if opened_ms is None else span(opened_ms - alert.first_seen),
        score=f"{alert.score:.1f}",
        why=[f"{clean(item.text)} ({clean(item.family)}, {item.nats:+.1f} nats)" for item in alert.evidence],
        against=[clean(item.text) for item in alert.mitigating],
        links=", ".join(
            f"{clean(link.family)}: {link.values:,} values tie {link.accounts:,} accounts" for link in alert.links
        ),
        models=shares(alert.models),
        access_paths=shares(alert.access_paths),
        capabilities=shares(alert.capabilities),
        lineage=", ".join(map(clean, alert.lineage)),
    )


def clean(text: str) -> str:
    """Return `text` with what a terminal would obey replaced."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def shares(parts: Mapping[str, float]) -> str:
    """Return the largest shares, as `name 62%`."""
    largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))
    shown = [f"{clean(name)} {share:.0%}" for name, share in largest[:SHARES_SHOWN]]
    hidden = len(largest) - len(shown)
    return ", ".join(shown) + (f", {hidden} more" if hidden > 0 else "")


def moment(time_ms: int) -> str:
    """Return Unix ms as UTC to the minute."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"


def span(duration_ms: int) -> str:
    """Return a duration as its two largest units: `3 d 4 h`, `4 h 10 min`, `35 min`."""
    minutes = max(duration_ms, 0) // 60_000
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def headline(found: list[Row], totals: Totals) -> str:
    """Return the sentence above the table."""
    campaigns = "No campaign" if not found else "1 campaign" if len(found) == 1 else f"{len(found)} campaigns"
    text = f"{campaigns} in {totals.requests:,} requests of {totals.accounts:,} accounts"
    if totals.first_ms is not None and totals.last_ms is not None:
        text += f", {moment(totals.first_ms)} to {moment(totals.last_ms)} UTC"
    return text


def footnote(totals: Totals) -> str:
    """Return the sentence below the table."""
    rate = f", {totals.requests / totals.seconds:,.0f} requests/s" if totals.seconds > 0 else ""
    return (
        f"decisions: {totals.decisions:,}; lines refused: {totals.rejected:,}; requests late: {totals.late:,}, "
        f"repeated: {totals.duplicates:,}; {totals.seconds:.1f} s{rate}"
    )


def print_table(console: Console, found: list[Row], totals: Totals) -> None:
    """Print headline, table, the reasons of each campaign, and footnote."""
    console.print(Text(headline(found, totals), style="bold"))
    if found:
        console.print(_summary(found))
        for number, row in enumerate(found, 1):
            console.print(_reasons(number, row, console.width))
        console.print()
    console.print(Text(footnote(totals), style="dim"))


_COLUMNS = (
    ("Accounts", "accounts"),
    ("Requests", "requests"),
    ("First seen (UTC)", "first_seen"),
    ("Detected after", "detected_after"),
    ("Score (nats)", "score"),
)


def _summary(found: list[Row]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("State")
    table.add_column("Severity")
    for title, _ in _COLUMNS:
        table.add_column(title, justify="right")
    for number, row in enumerate(found, 1):
        severity = Text(row.severity, style=STYLES.get(row.severity, ""))
        cells = [Text(getattr(row, name)) for _, name in _COLUMNS]
        table.add_row(str(number), Text(row.state), severity, *cells)
    return table


def _reasons(number: int, row: Row, width: int) -> Text:
    standing = f"{row.severity}, {row.state}, {row.accounts} accounts, {row.requests} requests"
    text = Text.assemble(
        (f"\n{number}. {row.campaign}", "bold"), "  ", (standing, STYLES.get(row.severity, "")), no_wrap=True
    )
    for mark, style, reasons in (("+", "green", row.why), ("-", "yellow", row.against)):
        for reason in reasons:
            text.append(f"\n   {mark} ", style).append(_hanging(reason, width))
    for label, fact in _facts(row):
        text.append("\n     ").append(_hanging(f"{label}: {fact}", width), "dim")
    return text


def _hanging(text: str, width: int) -> str:
    """Return `text` broken to lines that begin where the first one does, behind the mark."""
    return textwrap.fill(text, max(width - 5, 20), break_long_words=False, break_on_hyphens=False).replace(
        "\n", "\n     "
    )


def _facts(row: Row) -> list[tuple[str, str]]:
    facts = [
        ("linked by", row.links),
        ("models", row.models),
        ("access paths", row.access_paths),
        ("capabilities", row.capabilities),
        ("merged from", row.lineage),
    ]
    return [(label, text) for label, text in facts if text]


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem } code { font-size: .9em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4 }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left } ul { margin: .2rem 0; padding-left: 1.2rem }
.against { color: #7a5200 } .facts, footer { color: #59636e } .critical { color: #b3261e; font-weight: 600 }
@media (prefers-color-scheme: dark) {
  body { background: #14171a; color: #e6e8ea } th, td { border-color: #343a40 }
  .against { color: #e0b35a } .facts, footer { color: #9aa4ad } .critical { color: #ff8a80 }
}
"""


def page(found: list[Row], totals: Totals) -> str:
    """Return one self-contained HTML page, without scripts or anything from elsewhere."""
    title = html.escape(headline(found, totals))
    body = [f"<h1>{title}</h1>"]
    if found:
        body += [_html_table(found), *(_html_campaign(number, row) for number, row in enumerate(found, 1))]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Hydrawatch: campaigns</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + f"\n<footer><p>{html.escape(footnote(totals))}</p></footer>\n</body></html>\n"
    )


def _html_table(found: list[Row]) -> str:
    head = "".join(f"<th>{title}</th>" for title in ("#", "State", "Severity", *(title for title, _ in _COLUMNS)))
    body = []
    for number, row in enumerate(found, 1):
        css = "critical" if row.severity == "critical" else ""
        cells = [f'<a href="#c{number}">{number}</a>', html.escape(row.state)]
        cells += [f'<span class="{css}">{html.escape(row.severity)}</span>']
        cells += [html.escape(getattr(row, name)) for _, name in _COLUMNS]
        body.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n" + "\n".join(body) + "\n</tbody></table>"


def _html_campaign(number: int, row: Row) -> str:
    items = [f"<li>{html.escape(text)}</li>" for text in row.why]
    items += [f'<li class="against">Against: {html.escape(text)}</li>' for text in row.against]
    facts = "; ".join(f"{label} {html.escape(text)}" for label, text in _facts(row))
    return (
        f'<h2 id="c{number}">{number}. Campaign <code>{html.escape(row.campaign)}</code></h2>\n'
        f'<ul>{"".join(items)}</ul>\n<p class="facts">{facts}</p>'
    )

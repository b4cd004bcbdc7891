import io
from html.parser import HTMLParser

import pytest
from rich.console import Console

from detectors.alerts import Evidence
from stream import report
from tests.stream.samples import HOUR_MS, START_MS, alert

TOTALS = report.Totals(
    requests=100_000, rejected=3, late=2, duplicates=1, accounts=2000, decisions=1234, first_ms=START_MS,
    last_ms=START_MS + 100 * HOUR_MS, seconds=2.0,
)  # fmt: skip


def printed(found, totals=TOTALS, width=120):
    out = io.StringIO()
    report.print_table(Console(file=out, width=width), found, totals)
    return out.getvalue()


def rows(*alerts, opened_ms=START_MS + 6 * HOUR_MS):
    return report.rows(alerts, {item.campaign_id: opened_ms for item in alerts})


def test_the_table_tells_what_and_why():
    text = printed(rows(alert()))
    for part in (
        "1 campaign in 100,000 requests of 2,000 accounts, 2026-01-01 00:00 to 2026-01-05 04:00 UTC",
        "critical",
        "1,234",
        "56,789",
        "6 h 0 min",
        "42.2",
        "+ 40 cards pay for 1,234 accounts (links, +30.0 nats)",
        "- 12 accounts signed up as research",
        "linked by: payment: 40 values tie 1,234 accounts",
        "models: m-large 75%, m-small 25%",
        "access paths: first_party 100%",
        "decisions: 1,234; lines refused: 3; requests late: 2, repeated: 1; 2.0 s, 50,000 requests/s",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_delay_is_that_of_the_first_alert_not_of_the_latest():
    late = alert(state="updated", revision=9, time=START_MS + 90 * HOUR_MS)
    assert rows(late)[0].detected_after == "6 h 0 min"
    assert report.rows([late], {})[0].detected_after == "-"


def test_the_strongest_comes_first():
    found = rows(alert(campaign_id="weak", score=1.0), alert(campaign_id="strong", score=9.0))
    assert [row.campaign for row in found] == ["strong", "weak"]


def test_an_alert_about_one_account_is_no_campaign():
    assert rows(alert(kind="account", severity="info")) == []


def test_a_merged_campaign_is_part_of_the_other():
    found = rows(alert(lineage=["gone"]), alert(campaign_id="gone", state="merged", merged_into="c1"))
    assert [row.campaign for row in found] == ["c1"]
    assert "merged from: gone" in printed(found)


def test_nothing_found_is_said():
    assert printed([], report.Totals()).startswith("No campaign in 0 requests of 0 accounts\n")


def test_a_narrow_terminal_loses_no_evidence():
    text = " ".join(printed(rows(alert()), width=50).split())
    assert "40 cards pay for 1,234 accounts (links, +30.0 nats)" in text


def test_text_of_an_account_cannot_command_the_terminal_or_style():
    hostile = alert(models={"\x1b]0;own\x07[bold red]m": 1.0}, evidence=[Evidence("f", 1, 1, 1, 1, "a\r\nb\x1b[2J")])
    text = printed(rows(hostile))
    assert not set(text) & {"\x1b", "\x07", "\r"}
    assert "[bold red]m" in text


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.links = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_the_same_and_needs_nothing_else():
    page = Page(report.page(rows(alert()), TOTALS))
    for part in ("1 campaign in 100,000 requests", "40 cards pay for", "Against: 12 accounts", "m-large 75%", "1,234"):
        assert part in page.text
    assert "script" not in page.tags
    assert all(link.startswith("#") for link in page.links)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "a&b"])
def test_text_of_an_account_cannot_become_markup(name):
    hostile = alert(
        campaign_id=name, state=name, severity=name, models={name: 1.0}, evidence=[Evidence(name, 1, 1, 1, 1, name)]
    )
    page = Page(report.page(rows(hostile), TOTALS))
    assert not set(page.tags) & {"script", "img"}
    assert name in page.text


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(-5, "0 min"), (35 * 60_000, "35 min"), (250 * 60_000, "4 h 10 min"), (76 * HOUR_MS, "3 d 4 h")],
)
def test_spans_have_two_units(duration_ms, text):
    assert report.span(duration_ms) == text


def test_many_shares_are_cut_with_the_rest_counted():
    assert report.shares({f"m{n}": 1 / (n + 2) for n in range(7)}) == "m0 50%, m1 33%, m2 25%, m3 20%, 3 more"


def test_an_impossible_time_is_shown_as_it_is():
    assert report.moment(10**18) == f"{10**18} ms"

"""Tables show every figure with its interval, and say so when they rest on little."""

from __future__ import annotations

import pytest

from stream.evaluate.intervals import Estimate
from stream.evaluate.summary import Report, summarise
from stream.evaluate.tables import estimate, markdown_text, text
from tests.stream.evaluate.samples import campaign, figures, run


@pytest.fixture(scope="module")
def report() -> Report:
    found, missed = figures([campaign(10)], burden=2000.0), figures([campaign(None)], false=2)
    runs = [run(seed, {"good": found, "poor": missed if seed > 1 else found}) for seed in (1, 2, 3)]
    quiet = [run(seed, {"good": figures([])}, scenario="quiet", dials={}, lookalikes=["classroom"]) for seed in (1, 2)]
    return summarise([*runs, *quiet])


def cells(markdown: str, detector: str) -> dict[str, str]:
    lines = markdown.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"| {detector} "))
    head = max(i for i in range(at) if lines[i].startswith("| detector"))
    split = ([cell.strip() for cell in lines[i].strip("|").split("|")] for i in (head, at))
    return dict(zip(*split, strict=True))


def test_markdown_has_a_table_for_every_setting_and_a_row_for_every_detector(report: Report) -> None:
    made = markdown_text(report)
    assert "### proxy share=0.5 spread=1: 3 seeds (1, 2, 3), scale 0.02, 7 days\n" in made
    assert "### quiet: 2 seeds (1, 2), scale 0.02, 7 days, look-alikes: classroom\n" in made
    row = cells(made.partition("### proxy")[2], "poor")
    assert row["found"] == "1/3 [0.8–90.6 %]"
    assert row["missed"] == "2"
    assert row["leaked %"] == "70.0 [0–100]"
    assert row["hours to alert"] == "5.0 [n=1]"
    assert row["false alarms"] == "4"
    assert row["account-weeks"] == "3,000"
    assert row["false alarms per week, million"] == "1,333 [363–3,414]"
    assert row["B³ precision / recall"] == "1.00 / 0.80"


def test_campaign_columns_are_left_out_where_there_is_no_campaign(report: Report) -> None:
    row = cells(markdown_text(report).partition("### quiet")[2], "good")
    assert list(row)[:3] == ["detector", "false alarms", "account-weeks"]


def test_text_says_what_markdown_says(report: Report) -> None:
    plain = text(report)
    for cell in cells(markdown_text(report).partition("### proxy")[2], "poor").values():
        assert cell in plain
    assert "1,333 [363–3,414]" in plain
    assert len(max(plain.splitlines(), key=len)) < 230


def test_false_alarms_are_split_by_honest_kind(report: Report) -> None:
    row = next(line for line in markdown_text(report).splitlines() if line.startswith("| poor | chat"))
    assert row == ("| poor | chat | 2,970 | 4 | 1,333 [363–3,414] | 2 | 667 [0.0–3,535] |")


def test_few_seeds_are_owned_up_to(report: Report) -> None:
    assert "2 of the 10 seeds" in text(report)
    full = summarise([run(seed, {"d": figures([campaign(10)])}) for seed in range(10)])
    assert "of the 10 seeds" not in text(full)


def test_campaigns_by_name_are_shown_where_there_are_several(report: Report) -> None:
    assert "| campaign |" not in markdown_text(report)
    both = figures([campaign(10, "x"), campaign(None, "y")])
    made = markdown_text(summarise([run(seed, {"d": both}) for seed in (1, 2)]))
    assert "| d | x | 2/2 [15.8–100 %] | 10.0 [all 2 alike] |" in made
    assert "| d | y | 0/2 [0–84.2 %] | 100 [15.8–100] | – |" in made


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Estimate(value=None, n=0, method="none"), "–"),
        (Estimate(value=2.0, n=1, method="one"), "2 [n=1]"),
        (Estimate(value=2.0, n=3, method="equal"), "2 [all 3 alike]"),
        (Estimate(value=2.0, low=1.0, high=3.0, n=3, method="t"), "2 [1–3]"),
        (Estimate(value=2.0, low=1.0, high=3.0, n=2, method="t"), "2 [1–3] n=2"),
        (Estimate(value=2.0, low=1.0, high=3.0, n=7, method="poisson"), "2 [1–3]"),
    ],
)
def test_an_estimate_shows_what_it_rests_on(figure: Estimate, shown: str) -> None:
    assert estimate(figure, "{:g}".format, 3) == shown

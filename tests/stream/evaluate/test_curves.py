"""Curves follow one dial with all else held, as CSV always and as PNG where matplotlib is."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.evaluate.curves import Curve, can_plot, curves, table, write
from stream.evaluate.summary import Setting, summarise
from tests.stream.evaluate.samples import campaign, figures, run


def settings(*dials: dict[str, float], **changed: object) -> list[Setting]:
    """Three seeds each; `good` leaks a tenth, `poor` misses below a share of 0.5."""
    good, missed = figures([campaign(10)]), figures([campaign(None)])
    return summarise(
        [
            run(seed, {"good": good, "poor": missed if d.get("share", 0) < 0.5 else good}, dials=d, **changed)
            for d in dials
            for seed in (1, 2, 3)
        ]
    ).settings


@pytest.fixture
def curve() -> Curve:
    (made,) = curves(settings({"share": 0.9, "spread": 1}, {"share": 0.1, "spread": 1}, {"share": 0.5, "spread": 1}))
    return made


def test_a_curve_follows_the_one_dial_that_differs(curve: Curve) -> None:
    assert (curve.name, curve.dial, curve.held) == ("proxy-share", "share", {"spread": 1})
    assert [s.dials["share"] for s in curve.settings] == [0.1, 0.5, 0.9]


def test_dials_turned_one_at_a_time_give_a_curve_each() -> None:
    base = {"share": 0.5, "spread": 1.0}
    made = curves(settings(base, base | {"share": 0.9}, base | {"spread": 2.0}))
    assert [(c.name, len(c.settings)) for c in made] == [("proxy-share", 2), ("proxy-spread", 2)]


def test_a_grid_gives_numbered_curves() -> None:
    made = curves(settings(*({"share": a, "spread": b} for a in (0.1, 0.9) for b in (1.0, 2.0))))
    assert [c.name for c in made] == ["proxy-share-1", "proxy-share-2", "proxy-spread-1", "proxy-spread-2"]
    assert [c.held for c in made[:2]] == [{"spread": 1.0}, {"spread": 2.0}]


def test_what_differs_in_more_than_a_dial_is_no_curve() -> None:
    two = {"share": 0.5, "spread": 1.0}, {"share": 0.9, "spread": 2.0}
    assert curves(settings(*two)) == []
    assert curves([*settings({"share": 0.1}), *settings({"share": 0.9}, scale=1.0)]) == []
    assert curves([*settings({"share": 0.1}), *settings({"share": 0.9}, scenario="drip")]) == []
    assert curves(settings({})) == []


def test_csv_has_a_line_for_every_value_and_detector(curve: Curve) -> None:
    lines = list(csv.DictReader(table(curve).splitlines()))
    assert len(lines) == 6
    poor = {float(line["value"]): line for line in lines if line["detector"] == "poor"}
    assert [(poor[v]["found"], poor[v]["recall"]) for v in (0.1, 0.5)] == [("0", "0.0"), ("3", "1.0")]
    assert float(poor[0.1]["recall_high"]) == pytest.approx(1 - 0.025 ** (1 / 3))
    assert float(poor[0.1]["leaked_share_low"]) == pytest.approx(0.025 ** (1 / 3))
    assert (poor[0.5]["leaked_share"], poor[0.5]["leaked_share_low"]) == ("0.1", "")
    assert (poor[0.5]["held"], poor[0.5]["seeds"], poor[0.5]["campaigns"]) == ("spread=1", "3", "3")


def test_files_are_written_and_the_picture_holds_something(curve: Curve, tmp_path: Path) -> None:
    assert can_plot()
    assert write([curve], tmp_path / "new" / "folder") == ["proxy-share.csv", "proxy-share.png"]
    assert (tmp_path / "new" / "folder" / "proxy-share.csv").read_text() == table(curve)
    from matplotlib.image import imread

    picture = imread(tmp_path / "new" / "folder" / "proxy-share.png")
    assert picture.shape[1] > 500
    colours = {tuple(round(float(c) * 255) for c in pixel[:3]) for pixel in picture[::2, ::2].reshape(-1, 4)}
    assert {(0, 0x72, 0xB2), (0xD5, 0x5E, 0)} <= colours


def test_without_matplotlib_there_is_csv_alone(curve: Curve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert not can_plot()
    assert write([curve], tmp_path) == ["proxy-share.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["proxy-share.csv"]


def test_a_folder_that_cannot_be_made_is_named(curve: Curve, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write([curve], tmp_path / "file")
